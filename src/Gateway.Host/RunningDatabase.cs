using Gateway.Database;
using Npgsql;

namespace Gateway.Host;

/// <summary>The database a verb works on: the server that ConnectionStrings:Gateway names, else the embedded one, migrated.</summary>
public sealed class RunningDatabase : IAsyncDisposable
{
    private const string SealerRole = "gateway_sealer";

    private readonly EmbeddedPostgres? _embedded;

    private RunningDatabase(EmbeddedPostgres? embedded, string administrator, GatewayDatabase gateway, GatewayDatabase sealer)
    {
        _embedded = embedded;
        AdministratorConnectionString = administrator;
        (Gateway, Sealer) = (gateway, sealer);
    }

    /// <summary>The login that migrates; the application itself works as the role gateway_app.</summary>
    public string AdministratorConnectionString { get; }

    public GatewayDatabase Gateway { get; }

    /// <summary>As the role that seals the audit trail sees it.</summary>
    public GatewayDatabase Sealer { get; }

    public static async Task<RunningDatabase> OpenAsync(IConfiguration configuration, CancellationToken ct)
    {
        if (configuration.GetConnectionString("Gateway") is { Length: > 0 } outside)
        {
            // Apart when the application's login may not migrate, as it should be.
            var owner = configuration.GetConnectionString("Owner") is { Length: > 0 } apart ? apart : outside;
            await Migrator.MigrateAsync(owner, ct);
            // Apart when the application's login may not act as the sealer, as it should be.
            var sealer = configuration.GetConnectionString("Sealer") is { Length: > 0 } own ? own : outside;
            return new RunningDatabase(null, owner, GatewayDatabase.Open(outside), GatewayDatabase.Open(sealer, SealerRole));
        }
        var embedded = await EmbeddedPostgres.StartAsync(DataDirectory.Path, ct);
        try
        {
            await embedded.EnsureDatabaseAsync("gateway", ct);
            var administrator = embedded.ConnectionString("gateway");
            await Migrator.MigrateAsync(administrator, ct);
            return new RunningDatabase(embedded, administrator, GatewayDatabase.Open(embedded.ConnectionString("gateway", "gateway_app")), GatewayDatabase.Open(embedded.ConnectionString("gateway", SealerRole), SealerRole));
        }
        catch
        {
            await embedded.DisposeAsync();
            throw;
        }
    }

    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(AdministratorConnectionString);
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct) is T value ? value : default;
    }

    /// <summary>As the application is logged in, which is not as the administrator.</summary>
    public async Task<string> ScalarOfGatewayAsync(string sql, CancellationToken ct)
    {
        await using var command = Gateway.Source.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.Source.DisposeAsync();
        await Sealer.Source.DisposeAsync();
        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }
    }
}

/// <summary>Where an installation keeps its files: <c>GATEWAY_DATA</c>, by default <c>./data</c>.</summary>
public static class DataDirectory
{
    public static string Path => System.IO.Path.GetFullPath(Environment.GetEnvironmentVariable("GATEWAY_DATA") is { Length: > 0 } chosen ? chosen : "data");
}
