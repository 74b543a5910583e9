using Npgsql;

namespace Gateway.Tests.Database;

/// <summary>Each role of the database attacks each table, with party 1's context and with none.</summary>
[Requirement("P11-15")]
public sealed class RowSecurityAttackTests
{
    private static readonly string[] Roles = ["gateway_app", "gateway_sealer", "gateway_reader", "gateway_owner"];

    /// <summary>A number that the database itself gives out cannot be set.</summary>
    private const string GeneratedAlways = "428C9";

    // The one thing two roles are for: the trail of everybody.
    private static bool SeesAll(string role, string table) => table == "audit_entry" && role is ("gateway_sealer" or "gateway_reader");

    [Fact]
    public async Task A_party_neither_sees_nor_changes_nor_adds_rows_of_another_in_any_table()
    {
        await using var database = await TestDatabase.CreateAsync();
        var tables = await TenantCatalog.ReadAsync(database);
        await TenantCatalog.FillAsync(database, tables);
        var wrong = new List<string>();
        foreach (var role in Roles)
        {
            await using var connection = await ConnectAsync(database, role);
            foreach (var t in tables)
            {
                if (!SeesAll(role, t.Name))
                {
                    await ExpectAsync(0, $"select count(*) from public.{t.Name} where {t.Owner} = 2");
                    await ExpectAsync(t.Owner == "party_id" || role == "gateway_app" ? 1 : 0, $"select count(*) from public.{t.Name}", atMost: true);
                }
                await ExpectNothingAsync($"update public.{t.Name} set {t.Owner} = {t.Owner} where {t.Owner} = 2");
                await ExpectNothingAsync($"update public.{t.Name} set {t.Owner} = 2 where {t.Owner} = 1");
                await ExpectNothingAsync($"delete from public.{t.Name} where {t.Owner} = 2");
                await ExpectRefusedAsync(t.Insert(3, 2));
                await ExpectRefusedAsync($"truncate public.{t.Name} cascade");
            }

            async Task ExpectAsync(long count, string sql, bool atMost = false)
            {
                var (got, _) = await TryAsync(connection, "1", sql);
                if (atMost ? got > count : got is not null && got != count)
                {
                    wrong.Add($"{role}: {sql}: {got}");
                }
            }

            async Task ExpectNothingAsync(string sql)
            {
                var (got, state) = await TryAsync(connection, "1", sql, rows: true);
                // Refused by grant or policy, or by the trigger of an append-only table, or no row was reached.
                if (state is not (PostgresErrorCodes.InsufficientPrivilege or "GW002" or GeneratedAlways) && got != 0)
                {
                    wrong.Add($"{role}: {sql}: {got} rows, {state}");
                }
            }

            async Task ExpectRefusedAsync(string sql)
            {
                var (_, state) = await TryAsync(connection, "1", sql, rows: true);
                if (state is not PostgresErrorCodes.InsufficientPrivilege)
                {
                    wrong.Add($"{role}: {sql}: {state ?? "done"}");
                }
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    [Fact]
    public async Task The_application_sees_the_rows_of_its_context_so_that_the_attack_has_something_to_miss()
    {
        await using var database = await TestDatabase.CreateAsync();
        var tables = await TenantCatalog.ReadAsync(database);
        await TenantCatalog.FillAsync(database, tables);
        await using var connection = await ConnectAsync(database, "gateway_app");
        foreach (var t in tables)
        {
            Assert.Equal((t.Name, 1L), (t.Name, (await TryAsync(connection, "1", $"select count(*) from public.{t.Name}")).Count ?? -1));
            Assert.Equal((t.Name, 2L), (t.Name, (await TryAsync(connection, "*", $"select count(*) from public.{t.Name}")).Count ?? -1));
        }
    }

    [Fact]
    public async Task Without_a_party_or_with_garbage_nothing_is_visible()
    {
        await using var database = await TestDatabase.CreateAsync();
        var tables = await TenantCatalog.ReadAsync(database);
        await TenantCatalog.FillAsync(database, tables);
        var wrong = new List<string>();
        foreach (var role in Roles)
        {
            await using var connection = await ConnectAsync(database, role);
            foreach (var t in tables.Where(t => !SeesAll(role, t.Name)))
            foreach (var context in (string?[])[null, "", " 1", "01", "1,2", "**", "%", "1 or true", "１", "null"])
            {
                var (count, state) = await TryAsync(connection, context, $"select count(*) from public.{t.Name}");
                if (count is not 0 && state is null)
                {
                    wrong.Add($"{role} as '{context}': {t.Name}: {count}");
                }
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    [Fact]
    public async Task Partitions_cannot_be_read_or_changed_past_their_parents_policy()
    {
        await using var database = await TestDatabase.CreateAsync();
        // COPY cannot pass row security, so the application, and nobody else, may add to a partition.
        Assert.Equal("", await database.ScalarAsync<string>("""
            select coalesce(string_agg(c.relname || ' ' || r, ', '), '') from pg_class c, unnest(array['gateway_app', 'gateway_sealer', 'gateway_reader', 'gateway_owner']) as r
            where c.relispartition and c.relkind = 'r'
              and (has_any_column_privilege(r, c.oid, 'select, update, references') or has_table_privilege(r, c.oid, 'delete, truncate, trigger') or r <> 'gateway_app' and has_any_column_privilege(r, c.oid, 'insert'))
            """));
    }

    /// <returns>What was counted (or how many rows were touched), or the error's state; nothing stays.</returns>
    private static async Task<(long? Count, string? State)> TryAsync(NpgsqlConnection connection, string? party, string sql, bool rows = false)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        try
        {
            if (party is not null)
            {
                await using var context = new NpgsqlCommand("select set_config('app.party', $1, true), set_config('app.actor', 'attacker', true)", connection, transaction) { Parameters = { new() { Value = party } } };
                await context.ExecuteNonQueryAsync();
            }
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            return (rows ? await command.ExecuteNonQueryAsync() : (long?)await command.ExecuteScalarAsync(), null);
        }
        catch (PostgresException e)
        {
            return (null, e.SqlState);
        }
    }

    internal static async Task<NpgsqlConnection> ConnectAsync(TestDatabase database, string role)
    {
        // The owner's role cannot log in; who migrates takes it on.
        var login = role == "gateway_owner" ? "postgres" : role;
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.AdministratorConnectionString) { Username = login, Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var become = new NpgsqlCommand($"set role {role}", connection);
        await become.ExecuteNonQueryAsync();
        return connection;
    }
}
