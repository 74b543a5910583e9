using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Gateway.Database;

/// <summary>PostgreSQL cannot be run here; the message is a sentence with the remedy.</summary>
public sealed class PostgresUnavailableException(string message) : Exception(message);

/// <summary>
/// The gateway's private PostgreSQL under its data directory, reached by a Unix socket that only its account and root can open.
/// It lives as long as the process that started it, however that process ends; another process of the same data directory joins it.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string Account = "postgres";
    private readonly string _cluster;
    private readonly string _socket;
    private readonly string _binaries;
    private readonly StringBuilder _errors = new();
    private Process? _process;
    private Thread? _thread;

    private EmbeddedPostgres(string home, string binaries)
    {
        _cluster = Path.Combine(home, "postgres");
        _socket = SocketDirectory(home);
        _binaries = binaries;
    }

    /// <summary>True when this process started the server, so that it stops with it.</summary>
    public bool IsOwner => _process is not null;

    /// <summary>The connection string of the server's administrator to one of its databases.</summary>
    public string ConnectionString(string database, string user = "postgres") =>
        new NpgsqlConnectionStringBuilder { Host = _socket, Port = 5432, Database = database, Username = user, Timeout = 5, MaxPoolSize = 60 }.ConnectionString;

    /// <summary>Joins the running server of this data directory, or prepares and starts one.</summary>
    public static async Task<EmbeddedPostgres> StartAsync(string dataDirectory, CancellationToken ct, params string[] settings)
    {
        var binaries = FindBinaries();
        var directory = Directory.CreateDirectory(Path.GetFullPath(dataDirectory)).FullName;
        using (await TakeLockAsync(Path.Combine(directory, "postgres.lock"), ct))
        {
            var server = new EmbeddedPostgres(HomeBelow(directory), binaries);
            if (!await server.IsRunningAsync(ct))
            {
                server.Prepare();
                await server.LaunchAsync(settings, ct);
            }
            return server;
        }
    }

    /// <summary>Creates the database when it is not there.</summary>
    public async Task EnsureDatabaseAsync(string name, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync(ct);
        await using var exists = new NpgsqlCommand("select 1 from pg_database where datname = $1", connection) { Parameters = { new() { Value = name } } };
        if (await exists.ExecuteScalarAsync(ct) is null)
        {
            await using var create = new NpgsqlCommand($"create database \"{name}\"", connection);
            try
            {
                await create.ExecuteNonQueryAsync(ct);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
            {
                // Another node was faster.
            }
        }
    }

    /// <summary>Stops the server fast (open sessions are ended, everything is flushed); does nothing when it was joined.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not { } process)
        {
            return;
        }
        NpgsqlConnection.ClearAllPools();
        if (!process.HasExited)
        {
            _ = Kill(process.Id, SigInt);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8));
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _ = Kill(process.Id, SigQuit); // immediate: recovery at the next start, nothing committed is lost
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
        _thread?.Join();
    }

    /// <summary>
    /// Where the server's files stand: the data directory itself, or, when root keeps it below folders that nobody else may enter
    /// (its own home, for one), a folder under /var/lib that a link in the data directory names.
    /// </summary>
    private static string HomeBelow(string directory)
    {
        var link = Path.Combine(directory, "elsewhere");
        if (new DirectoryInfo(link).LinkTarget is { } chosen)
        {
            return chosen;
        }
        if (!Environment.IsPrivilegedProcess)
        {
            return directory;
        }
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        if (Run([.. AsAccount(), "test", "-x", directory]).Exit == 0)
        {
            return directory;
        }
        var home = Directory.CreateDirectory($"/var/lib/gateway/{Guid.NewGuid():N}").FullName;
        Own(home);
        Directory.CreateSymbolicLink(link, home);
        return home;
    }

    private static string FindBinaries()
    {
        var candidates = new List<string>();
        if (Environment.GetEnvironmentVariable("GATEWAY_POSTGRES_BIN") is { Length: > 0 } chosen)
        {
            candidates.Add(chosen);
        }
        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
        {
            candidates.AddRange(Directory.GetDirectories(debian).OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var v) ? v : 0).Select(d => Path.Combine(d, "bin")));
        }
        candidates.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        return candidates.Find(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")))
            ?? throw new PostgresUnavailableException("PostgreSQL's binaries are missing: install Debian's package postgresql (15 or later), or set ConnectionStrings__Gateway to a server of yours.");
    }

    // Socket paths are limited to 107 bytes, so a deep data directory gets a short one named after it.
    private static string SocketDirectory(string dataDirectory)
    {
        var beside = Path.Combine(dataDirectory, "socket");
        return Encoding.UTF8.GetByteCount(beside) <= 85
            ? beside
            : Path.Combine(Path.GetTempPath(), "gateway-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)))[..12]);
    }

    // Two processes starting at once: the second finds the first one's server.
    private static async Task<FileStream> TakeLockAsync(string path, CancellationToken ct)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 600)
            {
                await Task.Delay(100, ct);
            }
        }
    }

    /// <summary>True when a server of this cluster answers; waits for one that is just starting or just stopping.</summary>
    private async Task<bool> IsRunningAsync(CancellationToken ct)
    {
        var pidFile = Path.Combine(_cluster, "postmaster.pid");
        for (var tries = 0; tries < 300; tries++)
        {
            if (!File.Exists(pidFile) || !IsPostmasterAlive(pidFile))
            {
                return false;
            }
            if (await AnswersAsync(ct))
            {
                return true;
            }
            await Task.Delay(100, ct);
        }
        throw new PostgresUnavailableException($"The PostgreSQL server of {_cluster} runs but does not answer: see its log in {_cluster}/log, stop it, and start again.");
    }

    private bool IsPostmasterAlive(string pidFile)
    {
        try
        {
            // After a crash the number may belong to anybody, even to another cluster's server, so the command line is asked too.
            return int.TryParse(File.ReadLines(pidFile).FirstOrDefault(), out var pid) && File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').Contains(_cluster);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
            await connection.OpenAsync(ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private void Prepare()
    {
        Directory.CreateDirectory(_socket);
        Own(_socket);
        if (Directory.Exists(_cluster))
        {
            return;
        }
        // Made aside and renamed, so that a cluster is whole or not there.
        var unfinished = _cluster + ".new";
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }
        Directory.CreateDirectory(unfinished);
        Own(unfinished);
        var (exit, output) = Run([.. AsAccount(), Path.Combine(_binaries, "initdb"), "-D", unfinished, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]);
        if (exit != 0)
        {
            throw new PostgresUnavailableException($"initdb failed: {output.Trim()}");
        }
        Directory.Move(unfinished, _cluster);
    }

    private static void Own(string directory)
    {
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Environment.IsPrivilegedProcess)
        {
            var (exit, output) = Run(["chown", Account + ":" + Account, directory]);
            if (exit != 0)
            {
                throw new PostgresUnavailableException($"PostgreSQL refuses to run as root and the account {Account} is missing: {output.Trim()}");
            }
        }
    }

    // PostgreSQL refuses to run as root. setpriv replaces itself by the server, so that the child is the postmaster.
    private static string[] AsAccount() =>
        Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={Account}", $"--regid={Account}", "--init-groups"] : [];

    private async Task LaunchAsync(string[] settings, CancellationToken ct)
    {
        // A session of its own: Ctrl-C in the terminal is the gateway's to handle. The death signal ends it when this process is killed.
        string[] prefix = Environment.IsPrivilegedProcess ? ["setsid", .. AsAccount(), "--pdeathsig", "INT"] : ["setsid", "setpriv", "--pdeathsig", "INT"];
        string[] all =
        [
            "listen_addresses=", $"unix_socket_directories={_socket}", "port=5432", "max_connections=200", "shared_buffers=512MB", "max_wal_size=4GB",
            "wal_compression=lz4", "jit=off", "timezone=UTC", "log_timezone=UTC", "lc_messages=C", "logging_collector=on", "log_directory=log",
            "log_filename=postgresql-%a.log", "log_truncate_on_rotation=on", "log_rotation_age=1d", .. settings,
        ];
        string[] command = [.. prefix, Path.Combine(_binaries, "postgres"), "-D", _cluster, .. all.SelectMany(s => (string[])["-c", s])];
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        // The death signal fires when the *thread* that started the child ends, so this one stays until the server is gone.
        _thread = new Thread(() =>
        {
            try
            {
                using var process = Start(command);
                process.ErrorDataReceived += (_, e) => Remember(e.Data);
                process.OutputDataReceived += (_, e) => Remember(e.Data);
                process.BeginErrorReadLine();
                process.BeginOutputReadLine();
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception e) when (!started.Task.IsCompleted)
            {
                started.SetException(e);
            }
        })
        { IsBackground = true, Name = "postgres" };
        _thread.Start();
        var child = await started.Task;
        var pid = child.Id;
        _process = Process.GetProcessById(pid);
        for (var tries = 0; tries < 1200; tries++)
        {
            if (_process.HasExited)
            {
                _process = null;
                throw new PostgresUnavailableException($"PostgreSQL did not start: {_errors} See {_cluster}/log.");
            }
            if (await AnswersAsync(ct))
            {
                return;
            }
            await Task.Delay(50, ct);
        }
        throw new PostgresUnavailableException($"PostgreSQL did not answer within a minute: see {_cluster}/log.");
    }

    private void Remember(string? line)
    {
        lock (_errors)
        {
            if (line is not null && _errors.Length < 4000)
            {
                _errors.Append(line).Append(' ');
            }
        }
    }

    private static Process Start(string[] command)
    {
        var info = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        foreach (var argument in command.Skip(1))
        {
            info.ArgumentList.Add(argument);
        }
        return Process.Start(info)!;
    }

    private static (int Exit, string Output) Run(string[] command)
    {
        using var process = Start(command);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors.Result.Length > 0 ? errors.Result : output);
    }

    private const int SigInt = 2;
    private const int SigQuit = 3;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
