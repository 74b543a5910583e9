using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Audit;

/// <summary>A database with its sealer, key and anchor file, and what is done with them.</summary>
public sealed class SealedTrail : IAsyncDisposable
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gateway-trail-");
    private readonly SealEntries _seal;
    private int _exports;

    private SealedTrail(TestDatabase database)
    {
        Database = database;
        Sealer = new SealerDatabase(GatewayDatabase.Open(database.AdministratorConnectionString, "gateway_sealer"));
        Key = SealKey.Open(FilePath("key.pem"));
        Anchor = new AnchorFile(FilePath("anchor.txt"));
        _seal = new SealEntries(Sealer);
    }

    public TestDatabase Database { get; }

    public SealerDatabase Sealer { get; }

    public SealKey Key { get; private set; }

    public AnchorFile Anchor { get; }

    public static async Task<SealedTrail> CreateAsync() => new(await TestDatabase.CreateAsync());

    public string FilePath(string name) => Path.Combine(_files.FullName, name);

    public async Task WriteAsync(int entries, string entity = "thing")
    {
        await using var work = await Database.Gateway.BeginAsync(Actor.System("test") with { Reason = "Müller said: \"so\"\n", Correlation = "c" }, CancellationToken.None);
        await work.Connection.ExecuteAsync("select audit_write('change', @entity, 'k' || n, jsonb_build_object('a', n, 'b', 'ä'), jsonb_build_object('a', n + 1, 'b', e'u\\u0308')) from generate_series(1, @entries) n", new { entity, entries }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Seals all that is there, and signs it; outside as well, as by a sealer that has just started.</summary>
    public async Task SealAsync()
    {
        await Eventually.TrueAsync(async () =>
        {
            await _seal.RunAsync(CancellationToken.None);
            return await Database.ScalarAsync<long>("select (select count(*) from audit_entry) - (select count(*) from audit_leaf)") == 0;
        });
        await Signer().RunAsync(CancellationToken.None);
    }

    public SignSeals Signer(NewestCheckpoint? told = null) => new(Sealer, Key, Anchor, Options.Create(new AuditOptions()), TimeProvider.System, told);

    public ReplaceKey Replacer() => new(Database.AdministratorConnectionString, Sealer, Key, Anchor);

    public async Task<DirectoryInfo> ExportAsync(DateTime? from = null, DateTime? to = null, bool readable = false)
    {
        var export = new DirectoryInfo(FilePath($"export{++_exports}"));
        await new TrailExport(Sealer, Database.Gateway, Key, Anchor).WriteAsync(from, to, export, CancellationToken.None, readable: readable);
        return export;
    }

    /// <summary>As a superuser does it, past every trigger.</summary>
    public Task TamperAsync(string attack) => Database.ExecuteAsync($"set session_replication_role = replica; {attack}");

    public async Task<IReadOnlyList<T>> ColumnAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.AdministratorConnectionString);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }

    public async ValueTask DisposeAsync()
    {
        Key.Dispose();
        await Sealer.Database.Source.DisposeAsync();
        await Database.DisposeAsync();
        _files.Delete(recursive: true);
    }
}
