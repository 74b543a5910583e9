using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Tests.Database;

public sealed class MigratorTests
{
    [Fact]
    public async Task Migrating_a_migrated_database_applies_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal(0, await Migrator.MigrateAsync(database.AdministratorConnectionString, CancellationToken.None));
        Assert.Equal(Migrator.Newest, await database.ScalarAsync<int>("select max(version) from schema_version"));
    }

    [Fact]
    public async Task A_database_newer_than_the_build_is_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("insert into schema_version (version, name, sha256) values (9999, 'future', '\\x00')");
        var refused = await Assert.ThrowsAsync<UnsupportedDatabaseException>(() => Migrator.MigrateAsync(database.AdministratorConnectionString, CancellationToken.None));
        Assert.Contains("9999", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_table_with_a_party_has_forced_row_security()
    {
        await using var database = await TestDatabase.CreateAsync();
        // Partitions are written by COPY and grant no read; everything else of a party is behind a policy.
        Assert.Equal(0L, await database.ScalarAsync<long>("""
            select count(*) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'party_id'
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
              and c.relname <> 'audit_entry' and not (c.relrowsecurity and c.relforcerowsecurity)
            """));
        Assert.Equal(0L, await database.ScalarAsync<long>("""
            select count(*) from pg_class c where c.relispartition and c.relkind = 'r' and has_table_privilege('gateway_app', c.oid, 'select, update, delete, truncate')
            """));
    }

    [Fact]
    [Requirement("P11-17")]
    public async Task A_change_without_an_actor_fails_and_one_with_an_actor_is_in_the_trail()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var nobody = await database.Gateway.BeginAsync(Actor.System("test") with { Id = "" }, CancellationToken.None))
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => InsertPartyAsync(nobody));
            Assert.Equal("GW001", refused.SqlState);
        }
        await using (var work = await database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None))
        {
            await InsertPartyAsync(work);
            await work.CommitAsync();
        }
        Assert.Equal("system:test insert", await database.ScalarAsync<string>("select actor || ' ' || action from audit_entry where entity = 'party'"));
    }

    [Fact]
    [Requirement("P11-20")]
    public async Task The_trail_cannot_be_edited_deleted_or_truncated_even_by_the_superuser()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var work = await database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None))
        {
            await InsertPartyAsync(work);
            await work.CommitAsync();
        }
        foreach (var attack in (string[])["update audit_entry set actor = 'x'", "delete from audit_entry", "truncate audit_entry"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(attack));
            Assert.Equal("GW002", refused.SqlState);
        }
    }

    private static async Task InsertPartyAsync(Work work)
    {
        await using var command = new NpgsqlCommand("insert into party (kind, name) values ('cmo', 'A CMO')", work.Connection, work.Transaction);
        await command.ExecuteNonQueryAsync();
    }
}
