using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Gateway.TestSupport;

/// <summary>OpenSSH's own server on a loopback port, as an account without rights, for keys and SFTP only.</summary>
public sealed class SftpServer : IAsyncDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"gateway-sshd-{Guid.NewGuid():N}");
    private Process? _server;

    private SftpServer()
    {
    }

    /// <summary>What the server gives, and takes.</summary>
    public string Folder => Path.Combine(_directory, "files");

    public int Port { get; } = FreePort();

    public string User => Environment.UserName == "root" ? "daemon" : Environment.UserName;

    public string HostKey { get; private set; } = "";

    /// <summary>The private key that the server takes.</summary>
    public string ClientKey { get; private set; } = "";

    /// <param name="options">Of its internal-sftp, such as requests that it denies.</param>
    /// <param name="mostBlocks">The largest file that it can write, in blocks of 512 bytes.</param>
    public static async Task<SftpServer> StartAsync(string options = "", int? mostBlocks = null)
    {
        var server = new SftpServer();
        Directory.CreateDirectory(server.Folder);
        server.HostKey = string.Join(' ', (await server.MakeKeyAsync("host")).Public.Split(' ').Take(2));
        var client = await server.MakeKeyAsync("client");
        server.ClientKey = client.Private;
        await File.WriteAllTextAsync(Path.Combine(server._directory, "keys"), client.Public);
        await server.BeginAsync(options, mostBlocks);
        return server;
    }

    /// <summary>A key that no server knows.</summary>
    public async Task<(string Private, string Public)> MakeKeyAsync(string name)
    {
        var path = Path.Combine(_directory, name);
        using var maker = Process.Start("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
        await maker.WaitForExitAsync();
        return (await File.ReadAllTextAsync(path), (await File.ReadAllTextAsync(path + ".pub")).Trim());
    }

    public async Task BeginAsync(string options = "", int? mostBlocks = null)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "config"), $"""
            ListenAddress 127.0.0.1:{Port}
            HostKey {Path.Combine(_directory, "host")}
            AuthorizedKeysFile {Path.Combine(_directory, "keys")}
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            Subsystem sftp internal-sftp
            ForceCommand internal-sftp -d {Folder} {options}
            PidFile none

            """);
        List<string> command = ["exec", .. Environment.UserName == "root" ? (string[])["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups"] : [], "/usr/sbin/sshd", "-D", "-e", "-f", Path.Combine(_directory, "config")];
        if (Environment.UserName == "root")
        {
            using var give = Process.Start("chown", ["-R", User, _directory]);
            await give.WaitForExitAsync();
        }
        var bound = mostBlocks is { } blocks ? $"trap '' XFSZ; ulimit -f {blocks}; " : ""; // a full disk, as far as the server sees
        _server = Process.Start(new ProcessStartInfo("sh", ["-c", bound + string.Join(' ', command)]) { RedirectStandardError = true })!;
        _server.ErrorDataReceived += (_, _) => { };
        _server.BeginErrorReadLine();
        await Eventually.TrueAsync(IsListeningAsync);
    }

    /// <summary>Ends it and every connection at once, as a power failure would.</summary>
    public async Task KillAsync()
    {
        _server!.Kill(entireProcessTree: true);
        await _server.WaitForExitAsync();
        _server.Dispose();
        _server = null;
    }

    private async Task<bool> IsListeningAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await KillAsync();
        }
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>A line between the gateway and a server, that counts who is on it and may stand still.</summary>
public sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private readonly int _to;
    private int _open, _most, _count;

    public Relay(int to)
    {
        _to = to;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>After so many bytes from the gateway on one connection nothing more passes.</summary>
    public long StallAfter { get; set; } = long.MaxValue;

    public Task Stalled => _stalled.Task;

    public int MostAtOnce => _most;

    public int Connections => _count;

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        _most = Math.Max(_most, Interlocked.Increment(ref _open));
        Interlocked.Increment(ref _count);
        try
        {
            using (client)
            {
                using var server = new TcpClient();
                await server.ConnectAsync(IPAddress.Loopback, _to);
                await Task.WhenAny(PassAsync(client.GetStream(), server.GetStream(), mayStall: true), PassAsync(server.GetStream(), client.GetStream(), mayStall: false));
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // One side is gone; so is the other now.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task PassAsync(Stream from, Stream to, bool mayStall)
    {
        try
        {
            var buffer = new byte[16 << 10];
            for (long passed = 0; await from.ReadAsync(buffer, _end.Token) is > 0 and var read; passed += read)
            {
                if (mayStall && passed > StallAfter)
                {
                    _stalled.TrySetResult();
                    await Task.Delay(Timeout.Infinite, _end.Token);
                }
                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }
}
