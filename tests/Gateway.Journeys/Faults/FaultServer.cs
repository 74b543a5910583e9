using System.Diagnostics;
using System.Globalization;
using Gateway.Database;
using Npgsql;

namespace Gateway.Journeys.Faults;

/// <summary>A database server of one test's own, to be broken without hurting the others.</summary>
internal sealed class FaultServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string[] _settings;
    private EmbeddedPostgres _server;

    private FaultServer(string directory, string[] settings, EmbeddedPostgres server) => (_directory, _settings, _server) = (directory, settings, server);

    public string Administrator => _server.ConnectionString("gateway");

    public static async Task<FaultServer> StartAsync(string directory, CancellationToken ct, params string[] settings)
    {
        // A crash of the server alone loses nothing that the system has taken, so the disk need not be waited for.
        string[] all = ["fsync=off", "shared_buffers=64MB", .. settings];
        var server = await EmbeddedPostgres.StartAsync(directory, ct, all);
        await server.EnsureDatabaseAsync("gateway", ct);
        await Migrator.MigrateAsync(server.ConnectionString("gateway") + ";Pooling=false", ct);
        // A live installation would refuse to be ready without fsync.
        await using var connection = new NpgsqlConnection(server.ConnectionString("gateway") + ";Pooling=false");
        await connection.OpenAsync(ct);
        await using var test = new NpgsqlCommand("update installation set kind = 'test'", connection);
        await test.ExecuteNonQueryAsync(ct);
        return new FaultServer(directory, all, server);
    }

    /// <summary>Immediate mode: sessions are cut off and nothing is flushed; the next start recovers.</summary>
    public async Task CrashAsync(CancellationToken ct)
    {
        var pid = int.Parse((await File.ReadAllLinesAsync(Path.Combine(_directory, "postgres", "postmaster.pid"), ct))[0], CultureInfo.InvariantCulture);
        using var postmaster = Process.GetProcessById(pid);
        using (var kill = Process.Start("kill", ["-QUIT", pid.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(ct);
        }
        await postmaster.WaitForExitAsync(ct);
    }

    public async Task StartAgainAsync(CancellationToken ct)
    {
        await _server.DisposeAsync();
        _server = await EmbeddedPostgres.StartAsync(_directory, ct, _settings);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
