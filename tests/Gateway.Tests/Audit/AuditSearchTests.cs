using Gateway.Access;
using Gateway.Audit;
using Npgsql;

namespace Gateway.Tests.Audit;

/// <summary>P11-19, P11-22: entries by each of their fields, newest first; what a record was before each change stays readable.</summary>
public sealed class AuditSearchTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Reader = Actor.System("reader");

    private static readonly Actor Anna = new("person:anna", "Anna Müller", "officer", null, "password and code", "10.1.2.3") { Sees = "*", Reason = "corrected after the call of Tuesday", Correlation = "c-77" };

    [Theory]
    [Requirement("P11-22")]
    [InlineData("actor", "person:anna")]
    [InlineData("role", "officer")]
    [InlineData("method", "password and code")]
    [InlineData("origin", "10.1.2.3")]
    [InlineData("action", "relabel")]
    [InlineData("entity", "line")]
    [InlineData("key", "SSCC 42")]
    [InlineData("correlation", "c-77")]
    [InlineData("text", "müller")]
    [InlineData("text", "call tuesday")]
    [InlineData("text", "952123400001")]
    [InlineData("text", "Blue")]
    [InlineData("text", "4711")]
    public async Task An_entry_is_found_by_each_of_its_fields_and_others_are_not(string name, string value)
    {
        await using var database = await TestDatabase.CreateAsync();
        await WriteAsync(database, Actor.System("else"), "note", "other", "o1", null, """{"colour":"red"}""");
        await WriteAsync(database, Anna with { Id = "person:berta", Name = "Berta", Role = "operator", Method = "key", Origin = "10.9.9.9", Reason = "else", Correlation = "x" }, "note", "box", "SSCC 42b", null, """{"colour":"red"}""");
        await using (var work = await database.Gateway.BeginAsync(Actor.System("else"), Ct))
        {
            await work.AuditAsync("first", "carton2", "x");
            await work.CommitAsync();
        }
        await WriteAsync(database, Actor.System("else"), "note", "carton-line", "SSCC 7", null, """{"colour":"red"}""");
        await WriteAsync(database, Anna, "relabel", "line", "SSCC 42", null, """{"colour":"green"}""");
        await WriteAsync(database, Anna, "relabel", "line", "SSCC 42", """{"colour":"green"}""", """{"colour":"blue","gtin":"952123400001","units":4711}""");
        var filter = AuditFilter.Read(n => n == name ? value : null, out var wrong);
        Assert.Null(wrong);
        var found = await new AuditSearch(database.Gateway).FindAsync(Reader, filter, null, 10, Ct);
        Assert.NotEmpty(found);
        Assert.All(found, e => Assert.Equal(("line", "SSCC 42"), (e.Entity, e.EntityKey)));
        Assert.Equal(2, found[0].Version);
        Assert.Equal(filter, AuditFilter.Read(n => filter.Query().FirstOrDefault(q => q.Key == n).Value, out _));
    }

    [Fact]
    [Requirement("P11-19")]
    public async Task N_changes_of_a_record_are_n_plus_one_versions_with_their_differences()
    {
        await using var database = await TestDatabase.CreateAsync();
        const int changes = 12;
        await using (var work = await database.Gateway.BeginAsync(Anna, Ct))
        {
            await using var insert = new NpgsqlCommand("insert into role (role, description) values ('packer', 'version 0')", work.Connection, work.Transaction);
            await insert.ExecuteNonQueryAsync(Ct);
            await work.CommitAsync();
        }
        for (var n = 1; n <= changes; n++)
        {
            await database.ExecuteAsync($"do $$ begin perform set_config('app.actor', 'person:anna', true), set_config('app.reason', 'change {n}', true), set_config('app.party', '*', true); update role set description = 'version {n}' where role = 'packer'; end $$");
        }
        var versions = await new AuditSearch(database.Gateway).FindAsync(Reader, new AuditFilter(Entity: "role", Key: "packer"), null, 50, Ct);
        Assert.Equal(Enumerable.Range(1, changes + 1).Reverse(), versions.Select(v => v.Version));
        for (var n = changes; n >= 1; n--)
        {
            var change = Assert.Single(versions[changes - n].Changes);
            Assert.Equal(("description", $"\"version {n - 1}\"", $"\"version {n}\""), (change.Field, change.Before, change.After));
            Assert.Equal($"change {n}", versions[changes - n].Reason);
        }
        Assert.Equal(versions[4], Assert.Single(await new AuditSearch(database.Gateway).FindAsync(Reader, new AuditFilter(Key: "packer", Version: versions[4].Version), null, 50, Ct)));
        Assert.Contains(versions[^1].Changes, c => c is { Field: "description", Before: null, After: "\"version 0\"" });
    }

    [Fact]
    [Requirement("P11-18")]
    public async Task The_time_of_an_entry_is_the_databases_in_utc_whatever_clock_and_zone_a_client_has()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.AdvanceAsync(TimeSpan.FromDays(3));
        await using (var work = await database.Gateway.BeginAsync(Anna, Ct))
        {
            await using var zone = new NpgsqlCommand("set local time zone 'Asia/Tokyo'", work.Connection, work.Transaction);
            await zone.ExecuteNonQueryAsync(Ct);
            await work.AuditAsync("note", "thing", "1");
            await work.CommitAsync();
        }
        var entry = Assert.Single(await new AuditSearch(database.Gateway).FindAsync(Reader, new AuditFilter(Entity: "thing"), null, 5, Ct));
        Assert.Equal(DateTimeKind.Utc, entry.RecordedAt.Kind);
        Assert.InRange(entry.RecordedAt - DateTime.UtcNow, TimeSpan.FromDays(3) - TimeSpan.FromHours(1), TimeSpan.FromDays(3) + TimeSpan.FromHours(1));
        Assert.Equal(entry.RecordedAt.ToString(SignedNote.TimeFormat, System.Globalization.CultureInfo.InvariantCulture), await database.ScalarAsync<string>($"select convert_from(canonical, 'UTF8')::jsonb ->> 'at' from audit_entry where ord = {entry.Ord}"));
    }

    [Fact]
    public async Task Pages_go_on_where_the_one_before_ended_also_within_a_moment()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var work = await database.Gateway.BeginAsync(Anna, Ct))
        {
            for (var n = 0; n < 25; n++)
            {
                await work.AuditAsync("note", "thing", $"{n}");
            }
            await work.CommitAsync();
        }
        var search = new AuditSearch(database.Gateway);
        var seen = new List<long>();
        for (string? cursor = null; ;)
        {
            var page = await search.FindAsync(Reader, new AuditFilter(Entity: "thing"), cursor, 10, Ct);
            seen.AddRange(page.Select(e => e.Ord));
            if (page.Count < 10)
            {
                break;
            }
            cursor = page[^1].Cursor;
        }
        Assert.Equal(25, seen.Distinct().Count());
        Assert.Equal(seen.OrderDescending(), seen);
    }

    [Fact]
    [Requirement("P11-15")]
    public async Task Who_sees_one_party_searches_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => new AuditSearch(database.Gateway).FindAsync(Anna with { Sees = "1", PartyId = 1 }, new AuditFilter(), null, 10, Ct));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Theory]
    [InlineData("version", "two", "whole number")]
    [InlineData("version", "-1", "whole number")]
    [InlineData("from", "yesterday", "is a moment")]
    [InlineData("to", "9999-12-31T23:59:59Z", "is a moment")]
    [InlineData("text", "a\0b", "has at most")]
    public void What_cannot_be_is_told(string name, string value, string sentence)
    {
        Assert.Equal(new AuditFilter(), AuditFilter.Read(n => n == name ? value : null, out var wrong));
        Assert.Contains(sentence, wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_that_look_like_sql_or_like_no_word_find_nothing_and_break_nothing()
    {
        await using var database = await TestDatabase.CreateAsync();
        foreach (var text in (string[])["'; drop table audit_entry; --", "%L %s %I", "\\", "!!!", "a & | ! b", new string('x', 1000), "'"])
        {
            foreach (var name in AuditFilter.Names.Except(["version", "from", "to"]))
            {
                Assert.NotNull(await new AuditSearch(database.Gateway).FindAsync(Reader, AuditFilter.Read(n => n == name ? text : null, out _), null, 5, Ct));
            }
        }
    }

    private static async Task WriteAsync(TestDatabase database, Actor actor, string action, string entity, string key, string? old, string @new)
    {
        await using var work = await database.Gateway.BeginAsync(actor, Ct);
        await using var write = new NpgsqlCommand("select audit_write($1, $2, $3, $4::jsonb, $5::jsonb)", work.Connection, work.Transaction)
        {
            Parameters = { new() { Value = action }, new() { Value = entity }, new() { Value = key }, new() { Value = (object?)old ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text }, new() { Value = @new } },
        };
        await write.ExecuteNonQueryAsync(Ct);
        await work.CommitAsync();
    }
}
