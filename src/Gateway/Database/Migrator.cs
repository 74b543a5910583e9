using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Gateway.Database;

/// <summary>A database this build cannot serve; the message is a sentence with the remedy.</summary>
public sealed class UnsupportedDatabaseException(string message) : Exception(message);

/// <summary>Applies the embedded SQL files in order, forward only, under a lock: whichever node comes first migrates, the others wait.</summary>
public static class Migrator
{
    /// <summary>The lock every node takes; an arbitrary constant of this project.</summary>
    private const long LockKey = 0x47_57_4D_49_47;

    public sealed record Migration(int Version, string Name, string Sql)
    {
        public byte[] Sha256 { get; } = SHA256.HashData(Encoding.UTF8.GetBytes(Sql));
    }

    public static IReadOnlyList<Migration> All { get; } = Load();

    /// <summary>The newest schema this build knows. A newer database is refused; an older one is migrated.</summary>
    public static int Newest => All[^1].Version;

    /// <returns>How many files were applied.</returns>
    public static async Task<int> MigrateAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(ct);
        await ExecuteAsync(connection, "select pg_advisory_lock(@k)", ct, ("k", LockKey));
        try
        {
            await ExecuteAsync(connection, "create table if not exists schema_version (version int primary key, name text not null, sha256 bytea not null, applied_at timestamptz not null default clock_timestamp())", ct);
            var applied = await AppliedAsync(connection, ct);
            Check(applied);
            var count = 0;
            foreach (var migration in All.Where(m => !applied.ContainsKey(m.Version)))
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await ExecuteAsync(connection, migration.Sql, ct);
                await ExecuteAsync(connection, "insert into schema_version (version, name, sha256) values (@v, @n, @h)", ct, ("v", migration.Version), ("n", migration.Name), ("h", migration.Sha256));
                await transaction.CommitAsync(ct);
                count++;
            }
            await ExecuteAsync(connection, "grant select on schema_version to gateway_app, gateway_reader", ct);
            // A temporary table could stand before one of ours. Said each time, because a copy of a database comes without its rights.
            await ExecuteAsync(connection, "do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$", ct);
            return count;
        }
        finally
        {
            await ExecuteAsync(connection, "select pg_advisory_unlock(@k)", CancellationToken.None, ("k", LockKey));
        }
    }

    private static void Check(IReadOnlyDictionary<int, byte[]> applied)
    {
        if (applied.Count > 0 && applied.Keys.Max() is var newest && newest > Newest)
        {
            throw new UnsupportedDatabaseException($"The database has schema {newest}, this build knows up to {Newest}: start a newer build.");
        }
        foreach (var migration in All)
        {
            if (applied.TryGetValue(migration.Version, out var hash) && !hash.AsSpan().SequenceEqual(migration.Sha256))
            {
                throw new UnsupportedDatabaseException($"Migration {migration.Version:0000} of the database differs from this build's: start the build that made it, or restore.");
            }
        }
    }

    private static async Task<Dictionary<int, byte[]>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = new Dictionary<int, byte[]>();
        await using var command = new NpgsqlCommand("select version, sha256 from schema_version", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            applied.Add(reader.GetInt32(0), reader.GetFieldValue<byte[]>(1));
        }
        return applied;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params (string Name, object Value)[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }
        await command.ExecuteNonQueryAsync(ct);
    }

    private static List<Migration> Load()
    {
        const string prefix = "migrations/";
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(resource =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = Path.GetFileNameWithoutExtension(resource[prefix.Length..]);
            return new Migration(int.Parse(name[..4], System.Globalization.CultureInfo.InvariantCulture), name, reader.ReadToEnd());
        })];
    }
}
