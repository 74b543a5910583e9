using System.Globalization;
using System.Threading.Channels;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Exceptions;
using Gateway.Host.Simulate;

namespace Gateway.Host;

/// <summary>Who hands documents in.</summary>
public sealed record HistorySender(int PartyId, string KeyId);

/// <summary>
/// Gives a fresh demonstration its past, written in bulk: an hour's documents in one transaction, with the outcome of their
/// deliveries, so that whatever ends the process, the next start goes on with the next hour. The keys the documents came with tell
/// how far it got.
/// </summary>
/// <param name="senders">In the order of <see cref="DemonstrationCast.Shippers"/>.</param>
/// <param name="jobs">Where the partners are asked for what they have taken.</param>
public sealed class DemonstrationHistory(GatewayDatabase database, CaptureHistory history, IReadOnlyList<HistorySender> senders, Uri jobs, HistorySize size, int seed)
{
    private const int HoursAhead = 4;
    private const string KeyPrefix = "history-";

    // The longest a partner is left alone before it is probed again.
    private static readonly TimeSpan LeftAlone = TimeSpan.FromMinutes(10);

    private static readonly Actor Writer = Actor.System("demonstration") with { Reason = "history of the demonstration" };

    // Who takes what partners lay into their folders.
    private static readonly Actor Inbound = Actor.System("inbound folder");

    // What the partners told at its beginning comes before the documents.
    private sealed record Hour(IReadOnlyList<(PlannedReceipt Planned, PastDocument Document)> Receipts, IReadOnlyList<(PlannedDocument Planned, PastDocument Document)> Documents);

    /// <returns>How many documents were written: none when the history is whole.</returns>
    public async Task<int> WriteAsync(CancellationToken ct)
    {
        var (now, written, first, isAlive) = await ProgressAsync(ct);
        var start = WholeHour(first ?? now.AddDays(-size.Days));
        var plan = HistoryPlan.Make(start, size, seed);
        if (isAlive || written >= plan.WholeHours)
        {
            return 0;
        }
        await MakePartitionsAsync(start, ct);
        var partners = await PartnersAsync(ct);
        var deliveries = new PastDeliveries(start.AddDays(size.Days), jobs, seed);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var hours = Channel.CreateBounded<Hour>(HoursAhead);
        var reader = Task.Run(() => ReadAsync(plan, written, start, now, hours.Writer, reading.Token), CancellationToken.None);
        var count = 0;
        try
        {
            await foreach (var hour in hours.Reader.ReadAllAsync(ct))
            {
                await StoreAsync(hour, partners, deliveries, ct);
                count += hour.Documents.Count;
            }
        }
        finally
        {
            await reading.CancelAsync();
            await reader;
        }
        return count;
    }

    private async Task<(DateTime Now, long Written, DateTime? First, bool IsAlive)> ProgressAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        return await work.Connection.QuerySingleAsync<(DateTime, long, DateTime?, bool)>("""
            select gateway_now(), coalesce(max(split_part(key, '-', 3)::bigint), 0), min(created_at), exists (select from idempotency where key like 'cmo-%') from idempotency where key like @pattern
            """, new { pattern = string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{seed}-%") }, work.Transaction);
    }

    // The past may reach into a year that has no partitions yet.
    private async Task MakePartitionsAsync(DateTime start, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        await TransactionClock.MoveToAsync(work, start);
        await work.Connection.ExecuteAsync("select make_event_partitions(0)", transaction: work.Transaction);
        await work.CommitAsync();
    }

    private async Task<Dictionary<string, (int PartnerId, int PartyId)>> PartnersAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        return (await work.Connection.QueryAsync<(string Gln, int PartnerId, int PartyId)>("select g.gln, partner_id, p.party_id from partner_gln g join partner p using (partner_id)", transaction: work.Transaction))
            .ToDictionary(p => p.Gln, p => (p.PartnerId, p.PartyId));
    }

    /// <summary>Makes and reads the documents on a thread of its own, ahead of the one that writes.</summary>
    private async Task ReadAsync(HistoryPlan plan, long written, DateTime start, DateTime now, ChannelWriter<Hour> hours, CancellationToken ct)
    {
        try
        {
            var generator = new ShipmentGenerator(seed);
            // The hour that has just begun belongs to the one before it, so that the history is whole exactly when that is stored.
            var last = size.Days * 24 - 1;
            var receipts = new Queue<PlannedReceipt>(plan.Receipts.Where(r => written == 0 || r.At > plan.Documents[(int)written - 1].At));
            foreach (var hour in plan.Documents.Where(d => d.Number > written && d.At < now).GroupBy(d => Math.Min((int)(d.At - start).TotalHours, last)))
            {
                var told = new List<(PlannedReceipt, PastDocument)>();
                while (receipts.TryPeek(out var receipt) && receipt.At <= hour.First().At)
                {
                    told.Add((receipts.Dequeue(), history.Read(generator.Receipt(receipt), "application/xml")));
                }
                await hours.WriteAsync(new Hour(told, [.. hour.Select(d => (d, history.Read(generator.Xml(d.Shipment), "application/xml")))]), ct);
            }
            hours.Complete();
        }
        catch (Exception e)
        {
            hours.Complete(e); // the writing side throws it
        }
    }

    private async Task StoreAsync(Hour hour, Dictionary<string, (int PartnerId, int PartyId)> partners, PastDeliveries deliveries, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        foreach (var (planned, document) in hour.Receipts)
        {
            await history.StoreAsync(work, document, planned.At, partners[planned.Partner.Party.Owner.Gln].PartyId, Inbound.Id, null, ct);
        }
        var settled = new List<PastDelivery>();
        foreach (var (planned, document) in hour.Documents)
        {
            var sender = senders[planned.Shipper];
            var stored = await history.StoreAsync(work, document, planned.At, sender.PartyId, $"key:{sender.KeyId}", KeyOf(planned.Number), ct);
            if (planned.Settles is { } refused)
            {
                await SettleAsync(work, KeyOf(refused));
            }
            // What tells of packs that it does not ship is cut for whom it ships to: that is composed, as everything for some, and is left to those who compose.
            if (!document.IsRefused && planned.Shipment.LooseUnits == 0 && planned.Partner.Past != PastManner.Composed)
            {
                settled.Add(deliveries.Of(planned, stored.DocumentId, partners[planned.Partner.Party.Owner.Gln].PartnerId));
            }
        }
        await DeliveryHistory.SettleAsync(work, settled);
        if (hour.Documents.LastOrDefault(d => d.Planned.HeldBehind is not null).Planned is { HeldBehind: { } behind } held)
        {
            await DeliveryHistory.LeaveAloneAsync(work, partners[held.Partner.Party.Owner.Gln].PartnerId, "certificate-expired", behind + 1, DateTime.UtcNow + LeftAlone);
        }
        await work.CommitAsync();
    }

    private string KeyOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{seed}-{number}");

    /// <summary>Settles the exceptions of a refused document, by the key that it came with, because its sender has sent a corrected one.</summary>
    internal static async Task SettleAsync(Work work, string key)
    {
        foreach (var (code, captureId, partyId) in (await work.Connection.QueryAsync<(string, string, int)>("""
            select e.code, e.source_id, e.party_id from idempotency i join capture c using (capture_id) join exception e on e.source_kind = 'capture' and e.source_id = c.public_id::text and e.party_id = c.party_id
            where i.key = @key and e.state = 'open'
            """, new { key }, work.Transaction)).AsList())
        {
            await ExceptionRecords.ResolveAsync(work, code, new ExceptionSource("capture", captureId, partyId, null), "The sender has sent a corrected document, which was accepted.");
        }
    }

    private static DateTime WholeHour(DateTime moment) => moment.Date.AddHours(moment.Hour);
}
