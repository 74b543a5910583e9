using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Gateway.Database;
using Gateway.Http;
using Gateway.Partners;
using Npgsql;

namespace Gateway.Delivery.Channels;

/// <summary>A file in a folder of the partner's server.</summary>
/// <param name="Changed">When it was last changed, as the server's listing says it.</param>
public sealed record RemoteFile(string Name, long Length, string Changed);

/// <summary>How a run of the SFTP program ended: its exit code decides, its text is for the operator.</summary>
public sealed record SftpRun(int ExitCode, string Output, string Error);

/// <summary>What a partner's SFTP server is spoken to with.</summary>
/// <param name="PrivateRanges">As the partner row spells them.</param>
public sealed record SftpLogin(int PartnerId, SftpAddress Address, string PrivateRanges, string HostKey, string PrivateKey);

/// <summary>Another node, or another task of this one, speaks with the partner's server.</summary>
public sealed class SftpBusyException() : IOException("The partner's server is spoken with already.");

/// <summary>OpenSSH's sftp program is not there.</summary>
public sealed class NoSftpProgramException(Exception cause) : IOException("OpenSSH's program sftp is not installed.", cause);

/// <summary>
/// One partner's SFTP server, spoken to by OpenSSH's own program. Nobody else speaks with it meanwhile, on no node. What the program
/// must know lies in a private folder that goes with the session; the server is known by its pinned key and called at the address that was checked.
/// </summary>
public sealed partial class SftpSession : IAsyncDisposable
{
    internal const string FolderPrefix = "gateway-sftp-";
    private const int LockSpace = 20300051;
    private const int MaxOutputChars = 8 << 20;
    private readonly NpgsqlConnection _turn;
    private readonly SftpLogin _login;
    private readonly IPAddress _server;

    private SftpSession(NpgsqlConnection turn, SftpLogin login, IPAddress server, string folder) => (_turn, _login, _server, Folder) = (turn, login, server, folder);

    /// <summary>Private to this session, for what is sent and got.</summary>
    public string Folder { get; }

    /// <exception cref="SftpBusyException">Somebody else's session did not end in time.</exception>
    /// <exception cref="ForbiddenAddressException">The address may not be called.</exception>
    public static async Task<SftpSession> OpenAsync(GatewayDatabase database, SftpLogin login, DeliveryOptions options, CancellationToken ct)
    {
        var addresses = await OutgoingAddress.ResolveAsync(login.Address.Host, login.Address.Port, SftpAddress.UsualPort, OutgoingAddress.Networks(login.PrivateRanges), options.Outgoing, ct);
        // Not every network has both; where a name has both, the older one is the surer.
        var server = addresses.OrderBy(a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6).First();
        var turn = await TakeTurnAsync(database, login.PartnerId, options.AttemptTimeout / 2, ct);
        string? folder = null;
        try
        {
            folder = Directory.CreateTempSubdirectory(FolderPrefix).FullName; // only its owner may enter
            await WriteAsync(Path.Combine(folder, "key"), login.PrivateKey, ct);
            await WriteAsync(Path.Combine(folder, "hosts"), $"partner {login.HostKey}\n", ct);
            return new SftpSession(turn, login, server, folder);
        }
        catch
        {
            await turn.DisposeAsync();
            if (folder is not null)
            {
                Directory.Delete(folder, recursive: true);
            }
            throw;
        }
    }

    // The connection is a session's own, so the turn ends with it however this node ends.
    private static async Task<NpgsqlConnection> TakeTurnAsync(GatewayDatabase database, int partnerId, TimeSpan wait, CancellationToken ct)
    {
        var connection = await database.OpenSessionAsync(ct);
        try
        {
            await using var take = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"set lock_timeout = {(int)wait.TotalMilliseconds}; select pg_advisory_lock({LockSpace}, {partnerId})"), connection);
            await take.ExecuteNonQueryAsync(ct);
            return connection;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.DisposeAsync();
            throw new SftpBusyException();
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task WriteAsync(string path, string text, CancellationToken ct)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        await file.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), ct);
    }

    /// <summary>A name as a command holds it. Only what <see cref="FileNames"/> lets pass comes here, so quotes are enough.</summary>
    public static string Quoted(string name) => $"\"{name}\"";

    /// <summary>What lies in a folder; folders and links are left out.</summary>
    public async Task<(SftpRun Run, IReadOnlyList<RemoteFile> Files)> ListAsync(string folder, CancellationToken ct)
    {
        var run = await RunAsync([$"cd {Quoted(folder)}", "ls -lan"], ct);
        return (run, run.ExitCode == 0 ? [.. run.Output.Split('\n').Select(line => ListedFile().Match(line.TrimEnd('\r'))).Where(m => m.Success)
            .Select(m => new RemoteFile(m.Groups["name"].Value, long.Parse(m.Groups["length"].Value, CultureInfo.InvariantCulture), m.Groups["changed"].Value))] : []);
    }

    /// <summary>Runs commands until one fails. Whoever ends it ends the program and all that it started.</summary>
    public async Task<SftpRun> RunAsync(IReadOnlyList<string> commands, CancellationToken ct)
    {
        var batch = Path.Combine(Folder, "batch");
        File.Delete(batch);
        await WriteAsync(batch, string.Join('\n', commands) + "\n", ct);
        using var program = Start(batch);
        await using var end = ct.Register(() => Kill(program));
        program.StandardInput.Close();
        var (output, error) = (ReadAsync(program, program.StandardOutput), ReadAsync(program, program.StandardError));
        await Task.WhenAll(output, error);
        await program.WaitForExitAsync(CancellationToken.None);
        ct.ThrowIfCancellationRequested();
        return new SftpRun(program.ExitCode, await output, KeptAnswer.Of((await error).Replace(Folder, "…", StringComparison.Ordinal), _login.PrivateKey.Split('\n').Where(line => line.Length > 8)).Trim());
    }

    private Process Start(string batch)
    {
        var info = new ProcessStartInfo("sftp") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        foreach (var argument in (string[])["-F", "none", "-b", batch, "-i", Path.Combine(Folder, "key"), "-P", _login.Address.Port.ToString(CultureInfo.InvariantCulture)])
        {
            info.ArgumentList.Add(argument);
        }
        foreach (var option in (string[])
        [
            $"User={_login.Address.User}", "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey", "StrictHostKeyChecking=yes",
            $"UserKnownHostsFile={Path.Combine(Folder, "hosts")}", "GlobalKnownHostsFile=/dev/null", "HostKeyAlias=partner", "UpdateHostKeys=no", "ConnectTimeout=10",
            "ServerAliveInterval=10", "ServerAliveCountMax=3", "ForwardAgent=no", "ClearAllForwardings=yes", "ControlPath=none", "LogLevel=ERROR",
        ])
        {
            info.ArgumentList.Add("-o");
            info.ArgumentList.Add(option);
        }
        info.ArgumentList.Add(_server.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{_server}]" : _server.ToString());
        var path = Environment.GetEnvironmentVariable("PATH");
        info.Environment.Clear(); // no agent, no proxy, no secrets of the gateway's
        (info.Environment["PATH"], info.Environment["LC_ALL"], info.Environment["HOME"]) = (path, "C.UTF-8", Folder); // names as they are
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new NoSftpProgramException(e);
        }
    }

    private static async Task<string> ReadAsync(Process program, StreamReader reader)
    {
        var text = new System.Text.StringBuilder();
        var buffer = new char[16 << 10];
        while (await reader.ReadAsync(buffer) is > 0 and var read)
        {
            if (text.Length + read > MaxOutputChars)
            {
                Kill(program); // a listing without end is no listing
                break;
            }
            text.Append(buffer, 0, read);
        }
        return text.ToString();
    }

    private static void Kill(Process program)
    {
        try
        {
            program.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        finally
        {
            await _turn.DisposeAsync();
        }
    }

    // As the program itself prints it, whatever the server is: mode, links, owner, group, size, date, name.
    [GeneratedRegex(@"^-[-rwxsStTlL]{9}\S*\s+\S+\s+.+?\s(?<length>\d+)\s(?<changed>[A-Z][a-z]{2}\s+\d{1,2}\s+[\d:]{4,5})\s(?<name>[^/]+)$")]
    private static partial Regex ListedFile();
}
