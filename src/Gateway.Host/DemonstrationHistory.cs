using System.Globalization;
using System.Threading.Channels;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Delivery;
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

    private sealed record Hour(IReadOnlyList<(PlannedDocument Planned, PastDocument Document)> Documents);

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

    private async Task<Dictionary<string, int>> PartnersAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        return (await work.Connection.QueryAsync<(string Gln, int PartnerId)>("select gln, partner_id from partner_gln", transaction: work.Transaction)).ToDictionary(p => p.Gln, p => p.PartnerId);
    }

    /// <summary>Makes and reads the documents on a thread of its own, ahead of the one that writes.</summary>
    private async Task ReadAsync(HistoryPlan plan, long written, DateTime start, DateTime now, ChannelWriter<Hour> hours, CancellationToken ct)
    {
        try
        {
            var generator = new ShipmentGenerator(seed);
            // The hour that has just begun belongs to the one before it, so that the history is whole exactly when that is stored.
            var last = size.Days * 24 - 1;
            foreach (var hour in plan.Documents.Where(d => d.Number > written && d.At < now).GroupBy(d => Math.Min((int)(d.At - start).TotalHours, last)))
            {
                await hours.WriteAsync(new Hour([.. hour.Select(d => (d, history.Read(generator.Xml(d.Shipment), "application/xml")))]), ct);
            }
            hours.Complete();
        }
        catch (Exception e)
        {
            hours.Complete(e); // the writing side throws it
        }
    }

    private async Task StoreAsync(Hour hour, Dictionary<string, int> partners, PastDeliveries deliveries, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Writer, ct);
        var settled = new List<PastDelivery>();
        foreach (var (planned, document) in hour.Documents)
        {
            var sender = senders[planned.Shipper];
            var key = string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{seed}-{planned.Number}");
            var stored = await history.StoreAsync(work, document, planned.At, sender.PartyId, $"key:{sender.KeyId}", key, ct);
            // A document that tells of packs which it does not ship is never sent to whom it ships: a person has to look.
            if (!document.IsRefused && planned.Shipment.LooseUnits == 0)
            {
                settled.Add(deliveries.Of(planned, stored.DocumentId, partners[planned.Partner.Party.Owner.Gln]));
            }
        }
        await DeliveryHistory.SettleAsync(work, settled);
        if (hour.Documents.LastOrDefault(d => d.Planned.HeldBehind is not null).Planned is { HeldBehind: { } behind } held)
        {
            await DeliveryHistory.LeaveAloneAsync(work, partners[held.Partner.Party.Owner.Gln], "tls", behind + 1, DateTime.UtcNow + LeftAlone);
        }
        await work.CommitAsync();
    }

    private static DateTime WholeHour(DateTime moment) => moment.Date.AddHours(moment.Hour);
}
