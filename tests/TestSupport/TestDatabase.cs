using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;
using Npgsql;

namespace Gateway.TestSupport;

/// <summary>One real server for the whole test process; each instance is a fresh database cloned from a migrated template.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static EmbeddedPostgres? s_server;
    private static int s_number;

    private TestDatabase(string name, string administrator)
    {
        Name = name;
        AdministratorConnectionString = administrator;
        Gateway = GatewayDatabase.Open(administrator);
    }

    public string Name { get; }

    /// <summary>As the superuser: to look past row security and to move the clock.</summary>
    public string AdministratorConnectionString { get; }

    public GatewayDatabase Gateway { get; }

    public static async Task<TestDatabase> CreateAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (s_server is null)
            {
                // Below the system's temporary folder, which the unprivileged account can enter.
                var directory = Path.Combine(Path.GetTempPath(), $"gateway-tests-{Environment.ProcessId}");
                s_server = await EmbeddedPostgres.StartAsync(directory, CancellationToken.None, "fsync=off", "shared_buffers=128MB");
                AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                {
                    s_server.DisposeAsync().AsTask().Wait();
                    Directory.Delete(directory, recursive: true);
                };
                await s_server.EnsureDatabaseAsync("template", CancellationToken.None);
                await Migrator.MigrateAsync(s_server.ConnectionString("template") + ";Pooling=false", CancellationToken.None);
                await ExecuteAsync(s_server.ConnectionString("template") + ";Pooling=false", "update installation set kind = 'test'");
            }
            var name = $"test_{++s_number}";
            // File by file, because a log of every page takes five times as long, and nobody needs it.
            await ExecuteAsync(s_server.ConnectionString("postgres"), $"create database {name} template template strategy file_copy");
            return new TestDatabase(name, s_server.ConnectionString(name));
        }
        finally
        {
            Gate.Release();
        }
    }

    public Task ExecuteAsync(string sql) => ExecuteAsync(AdministratorConnectionString, sql);

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(AdministratorConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Moves the database's clock, so that nobody sleeps.</summary>
    public Task AdvanceAsync(TimeSpan by) => ExecuteAsync($"update installation set clock_offset = clock_offset + interval '{(long)by.TotalMilliseconds} milliseconds'");

    /// <summary>For tests that write events or units by hand: the ones do not make the others.</summary>
    public bool HasEventsOrUnitsByHand { get; set; }

    /// <summary>Every journey ends so: the unit ledger is what the stored events make of it.</summary>
    /// <exception cref="InvalidOperationException">A unit differs.</exception>
    public async Task LedgerHoldsAsync()
    {
        if (HasEventsOrUnitsByHand)
        {
            return;
        }
        // A pool of its own: the test may have ended every connection of the other.
        var gateway = GatewayDatabase.Open(AdministratorConnectionString);
        await using var pool = gateway.Source;
        using var masterData = new KnownMasterData(new MasterDataRecords(gateway));
        var verified = await new LedgerVerification(gateway, new UnitLedgers(masterData)).RunAsync(Actor.System("test"), null, CancellationToken.None);
        if (verified.Difference is { } difference)
        {
            throw new InvalidOperationException($"The ledger is not what its events make: {difference.Epc}\nstored:  {difference.Stored}\nrebuilt: {difference.Rebuilt}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.Source.DisposeAsync();
        await ExecuteAsync(s_server!.ConnectionString("postgres"), $"drop database if exists {Name} with (force)");
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        // Dropping a database waits for a checkpoint, which a busy disk makes long.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 180 };
        await command.ExecuteNonQueryAsync();
    }
}
