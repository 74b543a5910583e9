using Epcis;
using Gateway.Access;
using Gateway.Exceptions;
using Npgsql;

namespace Gateway.Tests.Exceptions;

/// <summary>The record of an exception: opened by whatever finds one, decided by people.</summary>
public sealed class ExceptionTests
{
    private static readonly Actor Person = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_again_while_it_is_open_is_the_same_record_and_the_units_join_it()
    {
        await using var database = await StartAsync();
        await OpenAsync(database, "1", ["a", "b", "b"]);
        await OpenAsync(database, "1", ["b", "c"]);
        await OpenAsync(database, "1", []);
        var row = await OnlyAsync(database);
        Assert.Equal(("open", 3, 3, "09521234543213", "L1"), (row.State, row.Occurrences, row.UnitCount, row.Gtin, row.Lot));
        Assert.True(row.LastAt > row.OpenedAt);
        Assert.Equal(["a", "b", "c"], await new ExceptionList(database.Gateway).UnitsAsync(Person, row.Cursor, null, 10, Ct));

        // Units of another product and lot: what is said of all of them holds no longer.
        await OpenAsync(database, "1", ["d"], gtin: "09521234543220", lot: null);
        row = await OnlyAsync(database);
        Assert.Equal((null, null, 4), (row.Gtin, row.Lot, row.UnitCount));

        await OpenAsync(database, "2", ["a"]);
        Assert.Equal(2, (await ListAsync(database, new ExceptionFilter(Epc: "a"))).Count);
        Assert.Single(await ListAsync(database, new ExceptionFilter(Epc: "c")));
        Assert.Single(await ListAsync(database, new ExceptionFilter(Source: "2")));
        Assert.Empty(await ListAsync(database, new ExceptionFilter(Epc: "x")));
    }

    [Fact]
    public async Task What_is_found_again_after_a_decision_opens_another()
    {
        await using var database = await StartAsync();
        var decisions = new ExceptionDecisions(database.Gateway);
        await OpenAsync(database, "1", ["a"]);
        var first = await OnlyAsync(database);
        Assert.Null(await decisions.ResolveAsync(Person, first.ExceptionId, null, "corrected", Ct));
        await OpenAsync(database, "1", ["a"]);
        Assert.Equal(["open", "resolved"], (await ListAsync(database, new ExceptionFilter(Epc: "a"))).Select(e => e.State));
        Assert.Contains("an exception of its own", await decisions.ReopenAsync(Person, first.ExceptionId, null, "not so", Ct), StringComparison.Ordinal);
        Assert.Equal(new ExceptionCounts(1, 1, 0), await new ExceptionList(database.Gateway).CountAsync(Person, new ExceptionFilter("open"), Ct));
    }

    [Fact]
    public async Task Of_many_who_find_the_same_at_once_one_opens_it_and_each_is_counted()
    {
        await using var database = await StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => OpenAsync(database, "1", [.. Enumerable.Range(n * 10, 20).Select(u => $"unit {u}")]))));
        var row = await OnlyAsync(database);
        Assert.Equal((8, 90), (row.Occurrences, row.UnitCount));
    }

    [Fact]
    public async Task An_exception_of_very_many_units_takes_few_statements_and_is_found_by_each()
    {
        await using var database = await StartAsync();
        await OpenAsync(database, "1", [.. Enumerable.Range(0, 50_000).Select(n => $"urn:epc:id:sgtin:4012345.011111.{n}")]);
        Assert.Equal(50_000, (await OnlyAsync(database)).UnitCount);
        Assert.Single(await ListAsync(database, new ExceptionFilter(Epc: "urn:epc:id:sgtin:4012345.011111.49999")));
        await database.ExecuteAsync("analyze exception_unit");
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        await connection.OpenAsync(Ct);
        await using var explain = new NpgsqlCommand("explain (format json) select exception_id from exception_unit where epc = 'urn:epc:id:sgtin:4012345.011111.7'", connection);
        Assert.Contains("exception_unit_epc", (string)(await explain.ExecuteScalarAsync(Ct))!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("open", "resolve dismiss assign note")]
    [InlineData("resolved", "reopen note")]
    [InlineData("dismissed", "reopen note")]
    public async Task Each_decision_is_for_its_states_only(string state, string allowed)
    {
        await using var database = await StartAsync();
        var done = new List<string>();
        foreach (var (verb, decide) in Verbs(new ExceptionDecisions(database.Gateway)))
        {
            await OpenAsync(database, verb, ["a"]);
            await SetAsync(database, verb, state);
            if (await decide((await ListAsync(database, new ExceptionFilter(Source: verb)))[0].ExceptionId, null) is null)
            {
                done.Add(verb);
            }
        }
        Assert.Equal(allowed, string.Join(' ', done));
        Assert.Equal(done.Count, await database.ScalarAsync<long>("select count(*) from exception_note"));
    }

    [Theory]
    [InlineData("resolve", "open")]
    [InlineData("dismiss", "open")]
    [InlineData("assign", "open")]
    [InlineData("note", "open")]
    [InlineData("reopen", "resolved")]
    public async Task A_decision_about_what_has_changed_since_changes_nothing_and_of_two_at_once_one_holds(string verb, string state)
    {
        await using var database = await StartAsync();
        var decide = Verbs(new ExceptionDecisions(database.Gateway)).Single(v => v.Verb == verb).Decide;
        await OpenAsync(database, "1", ["a"]);
        await SetAsync(database, "1", state);
        await OpenAsync(database, "other", ["a"]);
        var row = (await ListAsync(database, new ExceptionFilter(Source: "1")))[0];
        var before = await database.ScalarAsync<string>("select string_agg(e::text, '' order by exception_id) from exception e");
        Assert.Contains("changed since", await decide(row.ExceptionId, row.Version + 1), StringComparison.Ordinal);
        Assert.Equal(before, await database.ScalarAsync<string>("select string_agg(e::text, '' order by exception_id) from exception e"));
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => decide(row.ExceptionId, row.Version))));
        Assert.Single(both, refusal => refusal is null);
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from exception_note"));
    }

    /// <summary>P11-16, P11-17: who, when and why, for each step.</summary>
    [Fact]
    [Requirement("P11-16")]
    [Requirement("P11-17")]
    public async Task Every_step_is_in_the_story_and_in_the_trail_with_who_and_why()
    {
        await using var database = await StartAsync();
        var (list, decisions) = (new ExceptionList(database.Gateway), new ExceptionDecisions(database.Gateway));
        var ada = Person with { Id = "person:ada", Name = "Ada", Role = "officer" };
        await OpenAsync(database, "1", ["a"]);
        var id = (await OnlyAsync(database)).ExceptionId;
        Assert.Null(await decisions.AssignAsync(ada, id, 1, "It is their line.", " Packaging ", Ct));
        Assert.Equal("Packaging", (await OnlyAsync(database)).AssignedTo);
        Assert.Null(await decisions.NoteAsync(ada, id, 2, "They found the cause.", Ct));
        Assert.Null(await decisions.DismissAsync(ada, id, 3, "A test of the line.", Ct));
        var row = await OnlyAsync(database);
        Assert.Equal(("dismissed", "Ada", "A test of the line."), (row.State, row.DecidedBy, row.DecidedWhy));
        Assert.Null(await decisions.ReopenAsync(ada, id, 4, "It was none.", Ct));
        Assert.Null((await OnlyAsync(database)).DecidedAt);
        Assert.Equal("reopen It was none. | dismiss A test of the line. | note They found the cause. | assign It is their line.",
            string.Join(" | ", (await list.NotesAsync(Person, row.Cursor, Ct)).Select(n => $"{n.Action} {n.Text}")));
        Assert.All(await list.NotesAsync(Person, row.Cursor, Ct), n => Assert.Equal(("person:ada", "Ada", "officer"), (n.Actor, n.ActorName, n.ActorRole)));
        // Opened by the gateway; three changes of the record; the note changes nothing in it and is an entry of its own, as each decision is.
        Assert.Equal("insert system:test , update person:ada It is their line., update person:ada A test of the line., update person:ada It was none.", await database.ScalarAsync<string>(
            "select string_agg(action || ' ' || actor || ' ' || coalesce(reason, ''), ', ' order by ord) from audit_entry where entity = 'exception'"));
        Assert.Equal(4L, await database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'exception_note' and actor_name = 'Ada' and reason is not null"));
        foreach (var attack in (string[])["update exception_note set text = 'x'", "delete from exception_note", "truncate exception_note"])
        {
            Assert.Equal("GW002", (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(attack))).SqlState);
        }
    }

    [Fact]
    public async Task A_party_sees_its_own_and_decides_about_none()
    {
        await using var database = await StartAsync();
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into party (kind, name) values ('cmo', 'Two')");
        await OpenAsync(database, "1", ["a"]);
        var id = (await OnlyAsync(database)).ExceptionId;
        var (list, decisions) = (new ExceptionList(database.Gateway), new ExceptionDecisions(database.Gateway));
        var (own, other) = (Person with { Sees = "1", PartyId = 1 }, Person with { Sees = "2", PartyId = 2 });
        Assert.NotNull(await list.DetailsAsync(own, id, null, 10, Ct));
        Assert.Null(await list.DetailsAsync(other, id, null, 10, Ct));
        Assert.Empty(await list.ListAsync(other, new ExceptionFilter(Epc: "a"), 10, Ct));
        Assert.NotNull(await decisions.ResolveAsync(own, id, null, "mine", Ct));
        Assert.NotNull(await decisions.ResolveAsync(other, id, null, "mine", Ct));
        Assert.Equal("open", (await OnlyAsync(database)).State);
    }

    private static async Task<TestDatabase> StartAsync()
    {
        var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into party (kind, name) values ('cmo', 'One')");
        return database;
    }

    private static async Task OpenAsync(TestDatabase database, string source, string[] epcs, string? gtin = "09521234543213", string? lot = "L1")
    {
        await using var work = await database.Gateway.BeginAsync(Person, Ct);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts("GW-EVT-02", Severity.Warning, "Two contents.") { Gtin = gtin, Lot = lot }, new ExceptionSource("capture", source, 1, null), epcs);
        await work.CommitAsync();
    }

    private static Task SetAsync(TestDatabase database, string source, string state) => state == "open" ? Task.CompletedTask : database.ExecuteAsync(
        $"select set_config('app.actor', 'test', false); update exception set state = '{state}', decided_at = now(), decided_by = 'Ada', decided_why = 'why' where source_id = '{source}'");

    private static Task<IReadOnlyList<ExceptionRow>> ListAsync(TestDatabase database, ExceptionFilter filter) => new ExceptionList(database.Gateway).ListAsync(Person, filter, 100, Ct);

    private static async Task<ExceptionRow> OnlyAsync(TestDatabase database) => Assert.Single(await ListAsync(database, new ExceptionFilter()));

    private static (string Verb, Func<Guid, int?, Task<string?>> Decide)[] Verbs(ExceptionDecisions d) =>
    [
        ("resolve", (id, version) => d.ResolveAsync(Person, id, version, "why", Ct)),
        ("dismiss", (id, version) => d.DismissAsync(Person, id, version, "why", Ct)),
        ("assign", (id, version) => d.AssignAsync(Person, id, version, "why", "Ada", Ct)),
        ("reopen", (id, version) => d.ReopenAsync(Person, id, version, "why", Ct)),
        ("note", (id, version) => d.NoteAsync(Person, id, version, "why", Ct)),
    ];
}
