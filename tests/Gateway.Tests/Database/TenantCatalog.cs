using Npgsql;

namespace Gateway.Tests.Database;

/// <param name="Owner">The column that says, in the generated rows, whose a row is.</param>
public sealed record TenantTable(string Name, string Owner, IReadOnlyList<string> Columns, IReadOnlyList<string> Expressions)
{
    /// <summary>An insert of a row whose every value follows from a number; the number of the owner may differ.</summary>
    public string Insert(int number, int owner) =>
        $"insert into public.{Name} ({string.Join(", ", Columns)}) overriding system value values ({string.Join(", ", Columns.Zip(Expressions, (c, e) => e.Replace("$", (c == Owner ? owner : number).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)))})";
}

/// <summary>The tables as the catalogue of a database tells them, so that a table added tomorrow is attacked tomorrow.</summary>
public static class TenantCatalog
{
    /// <summary>What belongs to no party: everybody may read it, and why that is harmless is said beside each.</summary>
    public static readonly string[] Shared =
    [
        "installation",    // kind and clock of the installation
        "schema_version",  // which migrations were applied
        "role",            // what roles there are
        "role_permission", // and what they may
        "separation",      // and which permissions exclude each other
        "signature_meaning", "signing_statement", // what a signature can mean, and what its signer has accepted
        // Hashes and sizes of the sealed trail, which partners are told; they say nothing of its entries.
        "audit_epoch", "audit_leaf", "audit_node", "audit_seal", "audit_checkpoint", "audit_heartbeat",
        // What the installation consists of; it has no party's rows, and only the organisation sees it.
        "validation_content", "validation_change", "validation_baseline", "validation_baseline_change", "validation_node", "validation_state",
        "mapping", // what a line's files are read by, which holds no party's data; only the organisation sees it
        "alarm", "alarm_target", "alarm_silence", "alarm_notice", // what is wrong with the installation and who is told; only the organisation sees it
        "audit_key", // public keys that have signed it
    ];

    /// <summary>Every table that is not shared; partitions are reached through their parents.</summary>
    public static async Task<IReadOnlyList<TenantTable>> ReadAsync(TestDatabase database)
    {
        var columns = new List<(string Table, string Column, string Type, bool InPartitionKey)>();
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("""
            select c.relname::text, a.attname::text, format_type(a.atttypid, null), coalesce(a.attnum = any(p.partattrs), false)
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            left join pg_partitioned_table p on p.partrelid = c.oid
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            order by c.relname, a.attnum
            """, connection);
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                columns.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3)));
            }
        }
        return [.. columns.Where(c => !Shared.Contains(c.Table)).GroupBy(c => c.Table).Select(t => new TenantTable(
            t.Key,
            t.Any(c => c.Column == "party_id") ? "party_id" : t.First(c => c.Type is "integer" or "bigint").Column,
            [.. t.Select(c => c.Column)],
            [.. t.Select(c => c.InPartitionKey && c.Column != "party_id" ? "2026" : Expression(c.Type))]))];
    }

    /// <summary>Fills each table with one row of party 1 and one of party 2. Nothing but row security and grants is left standing.</summary>
    public static async Task FillAsync(TestDatabase database, IEnumerable<TenantTable> tables)
    {
        await database.ExecuteAsync("""
            do $$ declare r record; begin
                for r in select conrelid::regclass as t, conname from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace and conislocal loop
                    execute format('alter table %s drop constraint %I', r.t, r.conname);
                end loop;
            end $$
            """);
        await database.ExecuteAsync("set session_replication_role = replica; delete from audit_entry; " + // a migration that changes rights leaves entries
             string.Join("; ", tables.SelectMany(t => (string[])[t.Insert(1, 1), t.Insert(2, 2)])));
    }

    // The dollar stands for the row's number.
    private static string Expression(string type) => type switch
    {
        "integer" or "bigint" or "smallint" or "numeric" or "double precision" or "real" => "$",
        "text" or "character varying" => "'$'",
        "boolean" => "true",
        "bytea" => "'\\x0$'",
        "uuid" => "lpad('$', 32, '0')::uuid",
        "xid8" => "'$'::xid8",
        "pg_snapshot" => "pg_current_snapshot()",
        "json" or "jsonb" => "'{}'",
        "interval" => "interval '$ s'",
        "date" => "date '2026-01-0$'",
        "timestamp with time zone" => "timestamptz '2026-01-0$'",
        "inet" => "'192.0.2.$'",
        _ when type.EndsWith("[]", StringComparison.Ordinal) => $"'{{}}'::{type}",
        _ => throw new NotSupportedException($"Say here how a value of {type} is made."),
    };
}
