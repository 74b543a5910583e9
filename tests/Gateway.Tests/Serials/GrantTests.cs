using Gateway.Access;
using Gateway.Database;
using Gateway.Serials;
using Npgsql;

namespace Gateway.Tests.Serials;

/// <summary>LINES.md section 4: what is granted, to whom, and never twice.</summary>
public sealed class GrantTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("generated", 0)]
    [InlineData("generated", 3_000)]
    [InlineData("external", 0)]
    public async Task Sixty_four_clients_who_ask_at_once_never_get_the_same_number(string source, int stock)
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Source: source, Stock: source == "external" ? null : stock));
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One"));
        if (source == "external")
        {
            var list = string.Join('\n', MakeNumbers.Candidates(pool, 64 * 50));
            Assert.False((await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes(list), "given", Ct))!.Findings.HasErrors);
        }
        await new RefillPools(plant.Database.Gateway).RunAsync(Ct);
        // Two processes' worth of connections, and both parties' pools of the same product.
        var second = GatewayDatabase.Open(plant.Database.AdministratorConnectionString);
        await using var connections = second.Source;
        GrantNumbers[] nodes = [plant.Grants, new GrantNumbers(second)];
        var granted = await Task.WhenAll(Enumerable.Range(0, 64).Select(n => Task.Run(() => nodes[n % 2].RunAsync(n % 8 == 7 ? plant.Cmo : plant.Officer, new SerialRequest($"r{n}", SerialPlant.Gtin, Quantity: 50), Ct), Ct)));
        Assert.All(granted, g => Assert.Equal((50, null), (g.Granted?.Numbers.Count ?? 0, g.Sentence)));
        Assert.Equal(64 * 50, granted.SelectMany(g => g.Granted!.Numbers).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(64L * 50, await plant.Database.ScalarAsync<long>("select count(*) from serial_number where state = 1"));
    }

    [Fact]
    public async Task The_same_request_is_answered_with_the_same_numbers_and_another_of_the_same_id_is_refused()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin));
        await plant.PoolAsync(new PoolRequest(SerialPlant.OtherGtin));
        var request = new SerialRequest("r1", SerialPlant.Gtin, Quantity: 100, Lot: "LOT1", Device: "printer-1");
        // All at once, as a device does that heard nothing; and again later, by another process.
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => plant.Grants.RunAsync(plant.Officer, request, Ct), Ct)));
        var first = answers.Single(a => !a.IsReplayed).Granted!;
        Assert.All(answers, a => Assert.Equal(first.Numbers, a.Granted!.Numbers));
        Assert.Equal(first.Numbers, (await new GrantNumbers(plant.Database.Gateway).RunAsync(plant.Officer, request with { Gtin = SerialPlant.Gtin[1..] }, Ct)).Granted!.Numbers); // the same GTIN, written shorter
        Assert.Equal(100L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number where state = 1"));
        foreach (var other in (SerialRequest[])[request with { Quantity = 99 }, request with { Lot = "LOT2" }, request with { Gtin = SerialPlant.OtherGtin }, request with { Device = null }])
        {
            Assert.Equal(SerialRefusal.Reused, (await plant.Grants.RunAsync(plant.Officer, other, Ct)).Refusal);
        }
        // Of another product at the same moment, which waits for no lock of the first.
        var both = await Task.WhenAll(((string[])[SerialPlant.Gtin, SerialPlant.OtherGtin]).Select(g => Task.Run(() => plant.Grants.RunAsync(plant.Officer, new SerialRequest("r2", g, Quantity: 1000), Ct), Ct)));
        Assert.Single(both, b => b.Granted is not null);
        Assert.Single(both, b => b.Refusal == SerialRefusal.Reused);
        // Another party's ids are its own.
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One"));
        Assert.Empty((await plant.GrantAsync(plant.Cmo, request)).Numbers.Intersect(first.Numbers));
    }

    [Fact]
    public async Task Whoever_dies_between_commit_and_answer_gets_the_same_numbers()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        for (var n = 0; n < 12; n++)
        {
            // Its own pool of connections, all of which are cut at some moment: before the commit, in it, or behind it.
            var dying = GatewayDatabase.Open(plant.Database.AdministratorConnectionString);
            await using var connections = dying.Source;
            var request = new SerialRequest($"r{n}", SerialPlant.Gtin, Quantity: 2_000);
            var asked = Task.Run(() => new GrantNumbers(dying).RunAsync(plant.Officer, request, Ct), Ct);
            await Task.Delay(n * 5, Ct);
            await plant.Database.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()");
            GrantOutcome? told = null;
            try
            {
                told = await asked;
            }
            catch (Exception e) when (DatabaseFault.IsOutage(e))
            {
                // The device does not know.
            }
            plant.Database.Gateway.Source.Clear();
            var again = await plant.GrantAsync(plant.Officer, request);
            Assert.Equal(2_000, again.Numbers.Count);
            Assert.Equal(told?.Granted?.Numbers ?? again.Numbers, again.Numbers);
        }
        Assert.Equal(24_000L, await plant.Database.ScalarAsync<long>("select count(distinct serial) from serial_number where state = 1"));
        Assert.Equal(12L, await plant.Database.ScalarAsync<long>("select count(*) from serial_grant"));
    }

    [Fact]
    public async Task Of_a_pool_that_has_too_few_nothing_is_granted_and_a_person_is_told_once_that_it_is_low_and_that_it_is_dry()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One", Source: "external", Alphabet: "0123456789", Length: 12, LowMinutes: 0));
        Assert.Equal(SerialRefusal.Dry, (await plant.Grants.RunAsync(plant.Cmo, new SerialRequest("r0", SerialPlant.Gtin, Quantity: 1), Ct)).Refusal);
        await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', MakeNumbers.Candidates(pool, 100))), "given", Ct);
        await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 80));
        Assert.Equal(1L, await plant.Database.ScalarAsync<long>("select count(*) from exception"));
        await plant.GrantAsync(plant.Cmo, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 1));
        await plant.GrantAsync(plant.Cmo, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 1));
        var dry = await plant.Grants.RunAsync(plant.Cmo, new SerialRequest("r4", SerialPlant.Gtin, Quantity: 19), Ct);
        Assert.Equal((SerialRefusal.Dry, $"The pool of {SerialPlant.Gtin} has 18 numbers left, and 19 were asked for. Nothing was granted."), (dry.Refusal, dry.Sentence));
        Assert.Equal("pool.dry error 2 pool.low warning 1", await plant.Database.ScalarAsync<string>($"select string_agg(concat_ws(' ', code, severity, occurrences), ' ' order by code) from exception where source_kind = 'pool' and source_id = '{pool.Id}' and party_id = {plant.Cmo.PartyId}"));
        Assert.Equal(18L, (await plant.Pools.FindAsync(plant.Cmo, pool.Id, Ct))!.Free);
        // The same request after more came is granted.
        await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', MakeNumbers.Candidates(pool, 100))), "given", Ct);
        await plant.GrantAsync(plant.Cmo, new SerialRequest("r4", SerialPlant.Gtin, Quantity: 19));
    }

    [Fact]
    public async Task A_pool_is_low_when_its_lines_use_what_is_left_in_fifteen_minutes()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.RunAsync(speed: 300);
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Source: "external", LowPercent: 0));
        await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', MakeNumbers.Candidates(pool, 6_000))), "given", Ct);
        await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 1_500, Line: "L1"));
        var seen = (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!;
        Assert.Equal((300L, 4_500L, 15L, false), (seen.Speed, seen.LowMark, seen.LastsMinutes, seen.IsLow));
        await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 1, Line: "L1"));
        Assert.True((await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.IsLow);
        Assert.Equal("pool.low", await plant.Database.ScalarAsync<string>("select code from exception"));
    }

    [Fact]
    public async Task A_generated_pool_is_filled_ahead_when_its_stock_is_low_and_never_before()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 1_000));
        var refill = new RefillPools(plant.Database.Gateway);
        await refill.RunAsync(Ct);
        Assert.Equal(1_000L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Free);
        await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 800));
        await refill.RunAsync(Ct);
        Assert.Equal(200L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Free);
        await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 1));
        await Task.WhenAll(refill.RunAsync(Ct), refill.RunAsync(Ct)); // twice at once changes nothing
        Assert.Equal(1_000L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Free);
        Assert.Equal(2_500, (await plant.GrantAsync(plant.Officer, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 2_500))).Numbers.Distinct().Count());
    }

    [Fact]
    public async Task A_grant_is_open_until_it_is_acknowledged_and_that_twice_is_once()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One"));
        var grant = (await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 10))).Grant;
        Assert.Equal(("open", null), (grant.State, grant.AcknowledgedAt));
        Assert.Null(await plant.Grants.AcknowledgeAsync(plant.OtherCmo, grant.Id, Ct));
        var acknowledged = await plant.Grants.AcknowledgeAsync(plant.Cmo, grant.Id, Ct);
        Assert.Equal(("acknowledged", acknowledged), (acknowledged!.State, await plant.Grants.AcknowledgeAsync(plant.Cmo, grant.Id, Ct)));
        Assert.Equal("insert,update", await plant.Database.ScalarAsync<string>("select string_agg(action, ',' order by ord) from audit_entry where entity = 'serial_grant'"));
    }

    [Fact]
    public async Task A_party_sees_and_draws_from_the_pools_that_were_given_to_it_and_makes_none()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var own = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Party: "CMO One"));
        var organisations = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin));
        Assert.Equal([own.Id], (await plant.Pools.ListAsync(plant.Cmo, null, null, 10, Ct)).Select(p => p.Id));
        Assert.Null(await plant.Pools.FindAsync(plant.Cmo, organisations.Id, Ct));
        Assert.Equal(own.Id, (await plant.GrantAsync(plant.Cmo, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 5))).Grant.Pool);
        Assert.Equal(organisations.Id, (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 5))).Grant.Pool);
        Assert.Equal(own.Id, (await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 5, Pool: own.Id))).Grant.Pool); // for them
        Assert.Equal(SerialRefusal.NotFound, (await plant.Grants.RunAsync(plant.Cmo, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 5, Pool: organisations.Id), Ct)).Refusal);
        Assert.Equal(SerialRefusal.NotFound, (await plant.Grants.RunAsync(plant.OtherCmo, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 5), Ct)).Refusal);
        var theirs = await plant.Grants.ListAsync(plant.Officer, organisations.Id, null, null, 10, Ct);
        Assert.Null(await plant.Grants.FindAsync(plant.Cmo, theirs[0].Id, Ct));
        Assert.Equal(SerialRefusal.NotFound, (await plant.GiveBack.ReturnAsync(plant.Cmo, new GiveBackRequest(theirs[0].Id, Reason: "mine"), Ct)).Refusal);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => plant.Pools.MakeAsync(plant.Cmo, new PoolRequest(SerialPlant.Gtin, Party: "CMO One", Reason: "more"), Ct));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        // What counts for guessing is what everybody has, and that is all a party learns of the others.
        Assert.Equal(15L, (await plant.Pools.FindAsync(plant.Cmo, own.Id, Ct))!.MadeOfItem);
    }

    [Theory]
    [InlineData("requestId", "", SerialPlant.Gtin, null, 1, null, null, null)]
    [InlineData("gtin", "r", null, null, 1, null, null, null)]
    [InlineData("gtin", "r", SerialPlant.Gtin, "19521321", 1, null, null, null)]
    [InlineData("check digit", "r", "09521321000019", null, 1, null, null, null)]
    [InlineData("quantity", "r", SerialPlant.Gtin, null, 0, null, null, null)]
    [InlineData("quantity", "r", SerialPlant.Gtin, null, 100_001, null, null, null)]
    [InlineData("lot", "r", SerialPlant.Gtin, null, 1, "A lot of more than twenty", null, null)]
    [InlineData("line", "r", SerialPlant.Gtin, null, 1, null, "L9", null)]
    [InlineData("run", "r", SerialPlant.Gtin, null, 1, null, null, "7d3a1c5e-0000-4000-8000-000000000000")]
    public async Task A_request_that_cannot_be_is_refused_with_a_sentence_that_names_it(string named, string requestId, string? gtin, string? prefix, int quantity, string? lot, string? line, string? run)
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin));
        var outcome = await plant.Grants.RunAsync(plant.Officer, new SerialRequest(requestId, gtin, prefix, quantity, lot, run is null ? null : Guid.Parse(run), line), Ct);
        Assert.Equal(SerialRefusal.Invalid, outcome.Refusal);
        Assert.Contains(named, outcome.Sentence, StringComparison.Ordinal);
        Assert.Equal(0L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number"));
    }
}
