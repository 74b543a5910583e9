using Gateway.Access;
using Gateway.Serials;
using Npgsql;

namespace Gateway.Tests.Serials;

/// <summary>LINES.md sections 2, 4 and 5: returned, voided, printed, and what a run's balance says of it.</summary>
public sealed class GiveBackTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_encoded_goes_back_to_its_own_product_and_what_was_is_refused()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        await plant.PoolAsync(new PoolRequest(SerialPlant.OtherGtin, Stock: 0));
        var granted = await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 10));
        var n = granted.Numbers;
        await EncodeAsync(plant, n[0]);
        await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkUnusedAsync(w, [Key(n[1])], Ct));

        foreach (var (request, refusal) in ((GiveBackRequest, SerialRefusal)[])
            [
                (new(Gtin: SerialPlant.Gtin, Serials: [n[2], n[0]]), SerialRefusal.State), (new(Gtin: SerialPlant.OtherGtin, Serials: [n[2]]), SerialRefusal.Invalid), (new(granted.Grant.Id, SerialPlant.OtherGtin), SerialRefusal.Invalid),
                (new(granted.Grant.Id, Serials: ["NOT-MINE"]), SerialRefusal.Invalid), (new(), SerialRefusal.Invalid), (new(Guid.NewGuid()), SerialRefusal.NotFound),
            ])
        {
            Assert.Equal(refusal, (await plant.GiveBack.ReturnAsync(plant.Officer, request with { Reason = "left over" }, Ct)).Refusal);
        }
        Assert.Equal(8L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number where state = 1"));
        Assert.Equal($"refused serial_number {Key(n[0])} encoded return", await plant.Database.ScalarAsync<string>("select concat_ws(' ', action, entity, entity_key, new ->> 'found', new ->> 'step') from audit_entry where action = 'refused'"));

        Assert.Equal(2, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [n[1], n[2]], Reason: "left over"), Ct)).Quantity);
        Assert.Equal(SerialRefusal.State, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [n[2]], Reason: "twice"), Ct)).Refusal);
        Assert.Equal(7, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "the rest"), Ct)).Quantity);
        Assert.Equal(SerialRefusal.State, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "the rest"), Ct)).Refusal);
        // The same product has them again before new ones are made, and whoever asks for the old grant is told none that went back.
        Assert.Equal(n.Skip(1).Order(), (await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 9))).Numbers.Order());
        Assert.Equal([n[0]], (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 10))).Numbers);
        Assert.Equal(10L, (await plant.Pools.FindAsync(plant.Officer, pool.Id, Ct))!.Made);
        Assert.Equal("2 left over, 7 the rest", await plant.Database.ScalarAsync<string>("select string_agg(quantity || ' ' || reason, ', ' order by change_id) from serial_change"));
        Assert.Equal(2L, await plant.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'serial_change' and reason in ('left over', 'the rest')"));
    }

    [Theory]
    [InlineData("offline_since = now()")]
    [InlineData("reported_seq = 9, last_seq = 4")]
    public async Task While_a_device_of_the_line_is_silent_or_keeps_messages_no_number_goes_back(string silent)
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        var (_, run) = await plant.RunAsync();
        var granted = await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 3, Run: run));
        await plant.Database.ExecuteAsync($"""
            set session_replication_role = replica;
            insert into device (party_id, name, line_id, kind, registered_at) select party_id, 'PRT1', line_id, 'printer', now() from line;
            insert into device_status (device_id, party_id, key_id, epoch, heard_at, firmware, config_hash) select device_id, party_id, 'key', 1, now(), '1', 'c' from device;
            update device_status set {silent}
            """);
        var refused = await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "left over"), Ct);
        Assert.Equal((SerialRefusal.State, "PRT1 is offline or keeps messages: what it has not told yet may be of these numbers. Nothing was changed; return them when it has told all."), (refused.Refusal, refused.Sentence));
        Assert.Equal(3L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number where state = 1"));
        await plant.Database.ExecuteAsync("set session_replication_role = replica; update device_status set offline_since = null, last_seq = reported_seq");
        Assert.Equal(3, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "left over"), Ct)).Quantity);
    }

    [Fact]
    public async Task A_grant_for_a_run_is_of_its_line_and_lot_and_of_no_other()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        var (_, run) = await plant.RunAsync();
        await plant.Database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into line (party_id, code, name, site, read_point, time_zone, speed) select party_id, 'L2', 'Line 2', site, read_point, time_zone, speed from line");
        var asked = new SerialRequest("r1", SerialPlant.Gtin, Quantity: 3, Run: run);
        Assert.Equal("The run is on another line than L2.", (await plant.Grants.RunAsync(plant.Officer, asked with { Line = "L2" }, Ct)).Sentence);
        Assert.Equal("The run is of lot LOT1, not of LOT2.", (await plant.Grants.RunAsync(plant.Officer, asked with { Lot = "LOT2" }, Ct)).Sentence);
        Assert.Equal(("L1", "LOT1"), (await plant.GrantAsync(plant.Officer, asked)).Grant is var g ? (g.Line, g.Lot) : default);
    }

    [Fact]
    public async Task What_a_device_said_and_nobody_has_applied_yet_neither_goes_back_nor_is_voided()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        var granted = await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 6));
        var n = granted.Numbers;
        await plant.Database.ExecuteAsync($$"""
            set session_replication_role = replica;
            insert into device_message (device_id, epoch, seq, party_id, line_id, sha256, body, typ, ts, mono, offset_ms, corrected_at, received_at, state, capture_id)
            select 1, 1, seq, {{plant.Officer.PartyId}}, 1, sha256('x'), body, typ, now(), 1, 0, now(), now(), state, case state when 'applied' then capture end from (values
                (1, 'encode', 'ready', '{"typ":"encode","n":1,"id":"01{{SerialPlant.Gtin}}21{{n[0]}}\u001d10LOT1"}', 0), (2, 'verify', 'waiting', '{"id":"(01){{SerialPlant.Gtin}}(21){{n[1]}}","odd":"\ud800"}', 0),
                (3, 'encode', 'quarantined', '{"gtin":"{{SerialPlant.Gtin}}","serial":"{{n[2]}}"}', 0), (4, 'unused', 'ready', '{"ids":["01{{SerialPlant.Gtin}}21{{n[3]}}"]}', 0),
                (5, 'encode', 'applied', '{"id":"01{{SerialPlant.Gtin}}21{{n[4]}}"}', 1), (6, 'encode', 'applied', '{"id":"01{{SerialPlant.Gtin}}21{{n[5]}}"}', 2)) m (seq, typ, state, body, capture);
            insert into capture (capture_id, document_id, party_id, submitted_by, error_behaviour, state, created_at, answer_status, answer_body, finished_at) overriding system value
            values (1, 1, {{plant.Officer.PartyId}}, 'test', 'proceed', 'processing', now(), 202, '', null), (2, 2, {{plant.Officer.PartyId}}, 'test', 'proceed', 'accepted', now(), 202, '', now())
            """);
        var first = ((string[])[n[0], n[1], n[2], n[4]]).Min(StringComparer.Ordinal);
        foreach (var outcome in (GiveBackOutcome[])[await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "left over"), Ct), await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Reason: "left over"), Ct)])
        {
            Assert.Equal(SerialRefusal.State, outcome.Refusal);
            Assert.StartsWith("4 of the numbers stand in messages of devices that are not applied", outcome.Sentence, StringComparison.Ordinal);
            Assert.Contains($", {first} to begin with: they may be on packs. Nothing was changed; ", outcome.Sentence, StringComparison.Ordinal);
        }
        Assert.Equal(6L, await plant.Database.ScalarAsync<long>("select count(*) from serial_number where state = 1"));
        Assert.Equal(2, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Serials: [n[3], n[5]], Reason: "left over"), Ct)).Quantity);
        // What somebody discarded was printed all the same: it is voided, and goes back to nobody.
        await plant.Database.ExecuteAsync("set session_replication_role = replica; update device_message set state = 'discarded', decision_id = 1 where seq = 3");
        Assert.Contains("were discarded", (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Serials: [n[2]], Reason: "left over"), Ct)).Sentence, StringComparison.Ordinal);
        Assert.Equal(1, (await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(granted.Grant.Id, Serials: [n[2]], Reason: "on a pack of which nobody tells"), Ct)).Quantity);
    }

    [Fact]
    public async Task What_is_voided_or_encoded_stays_so_and_is_never_given_out_again()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var pool = await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Source: "external", Alphabet: "0123456789", Length: 12));
        await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes("000000000001\n000000000002\n000000000003\n000000000004"), "given", Ct);
        var n = (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 2))).Numbers;
        Assert.Equal(1, (await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [n[0]], Reason: "torn"), Ct)).Quantity);
        await EncodeAsync(plant, n[1]);
        var free = await plant.Database.ScalarAsync<string>("select min(serial) from serial_number where state = 0");
        Assert.Equal(1, (await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [free], Reason: "seen on the street"), Ct)).Quantity);
        foreach (var gone in (string[])[n[0], n[1], free])
        {
            Assert.Equal(SerialRefusal.State, (await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [gone], Reason: "again"), Ct)).Refusal);
            Assert.Equal(SerialRefusal.State, (await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: [gone], Reason: "again"), Ct)).Refusal);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => plant.Database.ExecuteAsync($"update serial_number set state = 0, grant_id = null where serial = '{gone}'"));
            Assert.Equal("GW002", refused.SqlState);
            // Nor comes it in by a list.
            Assert.Equal(["GW-SER-05"], (await plant.Import.RunAsync(plant.Officer, pool.Id, System.Text.Encoding.UTF8.GetBytes(gone), "given", Ct))!.Findings.All.Select(f => f.Code));
        }
        Assert.Equal(SerialRefusal.Dry, (await plant.Grants.RunAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 2), Ct)).Refusal);
        Assert.Equal([n[1]], (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 2))).Numbers);
    }

    [Fact]
    public async Task What_is_told_to_be_printed_without_having_been_allocated_is_said_and_never_given_out()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 5));
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Ordered: true));
        await new RefillPools(plant.Database.Gateway).RunAsync(Ct);
        var sscc = (await plant.GrantAsync(plant.Officer, new SerialRequest("r0", SsccPrefix: "19521321", Quantity: 1))).Numbers[0];
        var ahead = await plant.Database.ScalarAsync<string>("select min(serial) from serial_number where state = 0");
        var told = await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkEncodedAsync(w, [Key(ahead), Key("UNHEARD-OF"), $"00{sscc}"], Ct));
        Assert.Equal([new NotAllocated(Key(ahead), "in the pool"), new NotAllocated(Key("UNHEARD-OF"), null)], told.OrderBy(t => t.State is null));
        Assert.Equal([], await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkEncodedAsync(w, [Key(ahead), $"00{sscc}"], Ct))); // told again
        Assert.DoesNotContain(ahead, (await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 20))).Numbers);
        Assert.Equal("encoded", Assert.Single(await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkUnusedAsync(w, [Key(ahead)], Ct))).State);
    }

    [Fact]
    public async Task A_run_is_balanced_exactly_and_every_figure_has_its_numbers()
    {
        await using var plant = await SerialPlant.CreateAsync();
        var (run, id) = await plant.RunAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        await plant.PoolAsync(new PoolRequest(SsccPrefix: "19521321", Ordered: true));
        var a = await plant.GrantAsync(plant.Officer, new SerialRequest("r1", SerialPlant.Gtin, Quantity: 60, Run: id));
        var b = await plant.GrantAsync(plant.Officer, new SerialRequest("r2", SerialPlant.Gtin, Quantity: 40, Line: "L1", Lot: "LOT1")); // the run of that lot there
        await plant.GrantAsync(plant.Officer, new SerialRequest("r3", SerialPlant.Gtin, Quantity: 7));
        await plant.GrantAsync(plant.Officer, new SerialRequest("r4", SsccPrefix: "19521321", Quantity: 3, Run: id));
        await plant.Grants.AcknowledgeAsync(plant.Officer, a.Grant.Id, Ct);
        await EncodeAsync(plant, [.. a.Numbers.Take(50)]);
        await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkUnusedAsync(w, [.. a.Numbers.Skip(50).Take(4).Select(Key)], Ct));
        await plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(a.Grant.Id, Serials: [.. a.Numbers.Skip(52).Take(6)], Reason: "left over"), Ct);
        await plant.GiveBack.VoidAsync(plant.Officer, new GiveBackRequest(b.Grant.Id, Serials: [.. b.Numbers.Take(5)], Reason: "torn"), Ct);
        await plant.GrantAsync(plant.Officer, new SerialRequest("r5", SerialPlant.Gtin, Quantity: 6)); // the returned ones are another's by now

        var balances = await plant.WorkAsync(plant.Officer, w => SerialBalance.OfRunAsync(w, run, Ct));
        Assert.Equal([new(SerialPlant.Gtin, 100, 8, 5, 50, 37, 40, 2), new("SSCC", 3, 0, 0, 0, 3, 3, 0)], balances);
        Assert.All(balances, x => Assert.Equal(x.Allocated, x.Unused + x.Voided + x.Encoded + x.Open));
        foreach (var (figure, count) in ((string, long)[])[("allocated", 100), ("unused", 8), ("voided", 5), ("encoded", 50), ("open", 37), ("unreturned", 2)])
        {
            var paged = new List<string>();
            for (string? after = null; await PageAsync(figure, after) is { Count: > 0 } page; after = page[^1])
            {
                paged.AddRange(page);
            }
            Assert.Equal((figure, count, count), (figure, paged.Count, paged.Distinct().Count()));
        }
        Assert.Equal([], await plant.WorkAsync(plant.Cmo, w => SerialBalance.OfRunAsync(w, run, Ct)));

        Task<IReadOnlyList<string>> PageAsync(string figure, string? after) => plant.WorkAsync(plant.Officer, w => SerialBalance.NumbersAsync(w, run, SerialPlant.Gtin, figure, after, 16, Ct));
    }

    [Fact]
    public async Task Who_returns_and_who_prints_the_same_numbers_at_once_never_both_succeed()
    {
        await using var plant = await SerialPlant.CreateAsync();
        await plant.PoolAsync(new PoolRequest(SerialPlant.Gtin, Stock: 0));
        for (var round = 0; round < 20; round++)
        {
            var granted = await plant.GrantAsync(plant.Officer, new SerialRequest($"r{round}", SerialPlant.Gtin, Quantity: 200));
            var returning = Task.Run(() => plant.GiveBack.ReturnAsync(plant.Officer, new GiveBackRequest(Gtin: SerialPlant.Gtin, Serials: granted.Numbers, Reason: "left over"), Ct), Ct);
            var printing = Task.Run(() => plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkEncodedAsync(w, [.. granted.Numbers.Reverse().Select(Key)], Ct)), Ct);
            var (returned, printed) = (await returning, await printing);
            // First returned, then printed all the same: that is said. First printed: nothing goes back.
            Assert.Equal(returned.Sentence is null ? 200 : 0, printed.Count);
            Assert.Equal(200L, await plant.Database.ScalarAsync<long>($"select count(*) from serial_number where state = 4 and serial = any(string_to_array('{string.Join(',', granted.Numbers)}', ','))"));
        }
    }

    private static string Key(string serial) => $"01{SerialPlant.Gtin}21{serial}";

    private static async Task EncodeAsync(SerialPlant plant, params string[] serials) =>
        Assert.Equal([], await plant.WorkAsync(plant.Officer, w => SerialNumbers.MarkEncodedAsync(w, [.. serials.Select(Key)], Ct)));
}
