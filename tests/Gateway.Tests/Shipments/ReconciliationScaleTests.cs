using System.Diagnostics;
using Gateway.Access;
using Gateway.Shipments;

namespace Gateway.Tests.Shipments;

/// <summary>Reconciling is sums of the database: of a million units in seconds, and in no memory of ours.</summary>
public sealed class ReconciliationScaleTests(ITestOutputHelper output)
{
    private const int Shipments = 100, UnitsEach = 10_000, Lots = 10;

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P11-41")]
    public async Task A_million_units_are_judged_and_reconciled_within_ten_minutes_and_a_gap_is_told()
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddPartnerAsync("https://partner.example");
        await outbox.AddAsync(1, Shipments, 1);
        await outbox.Database.ExecuteAsync($"""
            select set_config('app.party', '*', false), set_config('app.actor', 'test', false);
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select document_id, party_id, 'x', 'rollback', 'accepted', gateway_now(), gateway_now(), 202, '' from document order by document_id;
            insert into lot (party_id, gtin, lot) select 1, '00300010123455', 'L' || n from generate_series(1, {Lots}) n;
            insert into shipment (party_id, partner_id, capture_id, event_id, created_at) select d.party_id, d.partner_id, c.capture_id, c.capture_id << 20, gateway_now() from delivery d join capture c on c.document_id = d.document_id order by 3;
            update delivery d set capture_id = c.capture_id, state = 'delivered', accepted_at = gateway_now(), finished_at = gateway_now(), business = 'awaited', business_due_at = gateway_now() + interval '14 days' from capture c where c.document_id = d.document_id;
            insert into partner_profile (partner_id, party_id, regulation) select partner_id, party_id, 'us-dscsa' from partner;
            insert into shipped_unit (shipment_id, unit_id, delivery_id, received_by, party_id, lot_id, is_serial)
            select s.shipment_id, s.shipment_id * 100000 + n, d.delivery_id, case when s.shipment_id % 2 = 0 then 7 end, s.party_id, 1 + n % {Lots}, true from shipment s join delivery d using (capture_id), generate_series(1, {UnitsEach}) n;
            update shipment set units = {UnitsEach};
            analyze
            """);
        var database = outbox.Database.Gateway;
        var (judge, reconciliation, reader) = (new JudgeAnswers(database), new Reconciliation(database), Actor.System("test"));
        var allocated = GC.GetTotalAllocatedBytes();
        var started = Stopwatch.GetTimestamp();
        while (await judge.RunAsync(Ct) is not null)
        {
        }
        var judged = Stopwatch.GetElapsedTime(started);
        await reconciliation.RunAsync(null, Ct);
        var reconciled = Stopwatch.GetElapsedTime(started) - judged;
        Assert.Equal((50L, 50L), (await outbox.CountAsync("business = 'received'"), await outbox.CountAsync("business = 'awaited'")));
        var lots = await reconciliation.ListAsync(reader, new ReconciliationFilter(), null, 100, Ct);
        Assert.All(lots, l => Assert.Equal((true, 100_000L, 100_000L, 100_000L, 50_000L), (l.IsEven, l.Captured, l.Sent, l.Acknowledged, l.Received)));
        Assert.Equal(Lots, lots.Count);

        await outbox.Database.ExecuteAsync("update delivery set state = 'closed' where delivery_id = 1");
        var again = Stopwatch.GetTimestamp();
        await reconciliation.RunAsync(null, Ct);
        var second = Stopwatch.GetElapsedTime(again);
        Assert.Equal((long)Lots, await outbox.Database.ScalarAsync<long>("select count(*) from exception where code = 'reconcile.gap' and state = 'open'"));
        again = Stopwatch.GetTimestamp();
        Assert.Equal(UnitsEach, await new UnreportedSerials(database).CountAsync(reader, Ct));
        var counted = Stopwatch.GetElapsedTime(again);
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        output.WriteLine(FormattableString.Invariant($"{Shipments * UnitsEach} units: judged in {judged.TotalSeconds:0.0} s, reconciled in {reconciled.TotalSeconds:0.00} s and again in {second.TotalSeconds:0.00} s, unreported counted in {counted.TotalSeconds:0.00} s; {allocated / 1e6:0.0} MB allocated."));
        Assert.InRange(judged + reconciled, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Assert.InRange(allocated, 0, 64L << 20);
    }
}
