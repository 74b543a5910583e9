using Gateway.Database;
using Gateway.Lines;
using Gateway.MasterData;
using Gateway.Serials;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Lines;

/// <summary>Numbers that the gateway gave out for a run, in its readiness and its balance: what the pool and the ledger both know is counted once.</summary>
[Requirement("P11-50")]
public sealed class RunNumberTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_is_ready_when_its_numbers_are_granted_and_acknowledged_and_says_how_many_are_missing()
    {
        await using var line = await TestLine.StartAsync();
        Assert.Equal((true, "No pool has numbers for this run: the line brings its own."), await CheckAsync(line));
        await PoolAsync(line);
        Assert.Equal((false, "10 of 10 numbers are missing: those count that were granted for the run and acknowledged."), await CheckAsync(line));
        var granted = await GrantAsync(line, 8, acknowledged: false);
        Assert.False((await CheckAsync(line)).IsMet);
        await new GrantNumbers(line.Database.Gateway).AcknowledgeAsync(TestLine.Somebody, granted.Grant.Id, Ct);
        Assert.Equal((false, "2 of 10 numbers are missing: those count that were granted for the run and acknowledged."), await CheckAsync(line));
        await GrantAsync(line, 3);
        Assert.Equal((true, "11 numbers are loaded."), await CheckAsync(line));
        await new GiveBackNumbers(line.Database.Gateway).ReturnAsync(TestLine.Somebody, new GiveBackRequest(granted.Grant.Id, Reason: "not needed"), Ct);
        Assert.Equal((false, "7 of 10 numbers are missing: those count that were granted for the run and acknowledged."), await CheckAsync(line));
    }

    [Fact]
    public async Task What_pool_and_ledger_both_know_is_counted_once_and_each_figure_has_its_numbers()
    {
        await using var line = await TestLine.StartAsync();
        await PoolAsync(line);
        var n = (await GrantAsync(line, 20)).Numbers.Order(StringComparer.Ordinal).Select(s => $"01{TestLine.Gtin}21{s}").ToArray();
        var back = new GiveBackNumbers(line.Database.Gateway);
        // Printed and commissioned, both sides told; unused, told by the line, and two of those returned; voided by a person, and by the line; still at the device, one of them told as allocated.
        await WorkAsync(line, w => SerialNumbers.MarkEncodedAsync(w, n[..9], Ct));
        foreach (var key in n[..9])
        {
            await line.AddAsync(UnitKey.ToEpc(key, 7));
        }
        await WorkAsync(line, w => SerialNumbers.MarkUnusedAsync(w, n[9..13], Ct));
        foreach (var key in n[9..12])
        {
            await line.AddAsync(UnitKey.ToEpc(key, 7), UnitState.Unused, everCommissioned: false);
        }
        // One is given out again after its return, and printed.
        Assert.Equal(1, (await back.ReturnAsync(TestLine.Somebody, Some(n[12..13]), Ct)).Quantity);
        Assert.Equal([n[12][18..]], (await GrantAsync(line, 1)).Numbers);
        await WorkAsync(line, w => SerialNumbers.MarkEncodedAsync(w, n[12..13], Ct));
        await line.AddAsync(UnitKey.ToEpc(n[12], 7));
        Assert.Equal(1, (await back.ReturnAsync(TestLine.Somebody, Some(n[11..12]), Ct)).Quantity);
        Assert.Equal(1, (await back.VoidAsync(TestLine.Somebody, Some(n[13..14]), Ct)).Quantity);
        await line.AddAsync(UnitKey.ToEpc(n[14], 7), UnitState.Voided, everCommissioned: false);
        await line.AddAsync(UnitKey.ToEpc(n[15], 7), UnitState.Allocated, everCommissioned: false);

        var balance = (await line.DetailsAsync()).Balance;
        Assert.Equal((true, 21L, 10L, 4L, 2L, 5L), balance.Packs is var p ? (p.HasNumbers, p["allocated"], p["printed"], p["unused"], p["voided"], p["openAtDevice"]) : default);
        Assert.Equal(0, balance.Unexplained);
        foreach (var term in (string[])["unused", "voided", "openAtDevice", "printed"])
        {
            Assert.Equal((term, balance.Packs[term]), (term, (await ListAsync(line, term)).Distinct().Count()));
        }
        Assert.Equal(n[15..].Select(k => UnitKey.ToEpc(k, 7)).Order(), (await ListAsync(line, "openAtDevice")).Select(e => UnitKey.ToEpc(UnitKey.Of(e)!, 7)).Order());

        // A number that was voided and is on a pack after all is explained by nobody.
        await line.AddAsync(UnitKey.ToEpc(n[13], 7));
        Assert.Equal(1, (await line.DetailsAsync()).Balance.Unexplained);
    }

    private static GiveBackRequest Some(string[] keys) => new(Gtin: TestLine.Gtin, Serials: [.. keys.Select(k => k[18..])], Reason: "at the end");

    private static async Task<List<string>> ListAsync(TestLine line, string term)
    {
        var run = (await line.Records.FindAsync(TestLine.Somebody, line.Run, Ct))!;
        var seen = new List<string>();
        for (string? after = null; await line.Balances.SerialsAsync(TestLine.Somebody, run, TestLine.Gtin, term, after, 2, Ct) is { Count: > 0 } page; after = page[^1].Cursor)
        {
            seen.AddRange(page.Select(s => s.Epc));
        }
        Assert.Equal(seen.Count, seen.Distinct().Count());
        return seen;
    }

    private static async Task<(bool IsMet, string Says)> CheckAsync(TestLine line) => (await line.DetailsAsync()).Readiness.Single(c => c.Name == "numbers") is var check ? (check.IsMet, check.Says) : default;

    private static async Task PoolAsync(TestLine line)
    {
        using var known = new KnownMasterData(new MasterDataRecords(line.Database.Gateway));
        Assert.Null((await new SerialPools(line.Database.Gateway, known).MakeAsync(TestLine.Somebody, new PoolRequest(TestLine.Gtin, Stock: 0, Reason: "test"), Ct)).Refusal);
    }

    private static async Task<GrantedNumbers> GrantAsync(TestLine line, int quantity, bool acknowledged = true)
    {
        var grants = new GrantNumbers(line.Database.Gateway);
        var outcome = await grants.RunAsync(TestLine.Somebody, new SerialRequest($"{Guid.NewGuid()}", TestLine.Gtin, Quantity: quantity, Run: line.Run), Ct);
        Assert.Null(outcome.Sentence);
        if (acknowledged)
        {
            await grants.AcknowledgeAsync(TestLine.Somebody, outcome.Granted!.Grant.Id, Ct);
        }
        return outcome.Granted!;
    }

    private static async Task WorkAsync<T>(TestLine line, Func<Work, Task<T>> what)
    {
        await using var work = await line.Database.Gateway.BeginAsync(TestLine.Somebody, Ct);
        await what(work);
        await work.CommitAsync();
    }
}
