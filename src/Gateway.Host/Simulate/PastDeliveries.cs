using Gateway.Delivery;

namespace Gateway.Host.Simulate;

/// <summary>What became of each document of the past at its partner, as the partner's manner has it. The same seed tells the same.</summary>
/// <param name="end">The end of the history.</param>
/// <param name="jobs">The address below which the partners with jobs are asked for them.</param>
public sealed class PastDeliveries(DateTime end, Uri jobs, int seed)
{
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OverdueAfter = TimeSpan.FromHours(4);
    private static readonly TimeSpan Probes = TimeSpan.FromMinutes(10);

    private readonly (DateTime From, DateTime Until) _outage = HistoryPlan.OutageBefore(end);

    /// <param name="documentId">Where the document is stored.</param>
    public PastDelivery Of(PlannedDocument document, long documentId, int partnerId)
    {
        var random = new Random(seed ^ (int)document.Number);
        var start = document.At + TimeSpan.FromMilliseconds(500 + random.Next(700));
        var attempts = document switch
        {
            { HeldBehind: { } behind } => Held(start, behind),
            { IsUnlicensed: true } => [],
            { Partner.Past: PastManner.OutLastNight } => [.. Outage(start, random)],
            { Partner.Past: PastManner.FailsTwice } when random.Next(4) == 0 => FailsTwice(start, random),
            { IsRefusedByPartner: true } => Refused(start, random),
            { Partner.Past: PastManner.Slow } => [Taken(start, 1_500 + random.Next(3_000), 200)],
            { Partner.Channel: "epcis" } => [Taken(start, 60 + random.Next(300), 202)],
            { Partner.Channel: DemonstrationCast.Folder } => [Taken(start, 4 + random.Next(20), null)],
            _ => [Taken(start, 60 + random.Next(300), 200)],
        };
        return Settled(document, documentId, partnerId, attempts, random);
    }

    private PastDelivery Settled(PlannedDocument document, long documentId, int partnerId, IReadOnlyList<PastAttempt> attempts, Random random)
    {
        if (attempts.Count == 0 || attempts[^1].Code != "ok")
        {
            return document.HeldBehind is not null || document.IsUnlicensed
                ? new PastDelivery(documentId, partnerId, "due", attempts.Count == 0 ? document.At : attempts[^1].EndedAt + Probes, attempts)
                : new PastDelivery(documentId, partnerId, "dead", attempts[^1].EndedAt, attempts) { DeadReason = "refused" };
        }
        var taken = new PastDelivery(documentId, partnerId, "delivered", attempts[^1].EndedAt, attempts);
        if (document.Partner.Channel != "epcis")
        {
            return taken;
        }
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return taken with
        {
            Receipt = document.IsUnanswered ? "pending" : "received",
            ReceiptRef = new Uri(jobs, $"{document.Partner.Path}/{new Guid(bytes)}").AbsoluteUri,
            ReceiptOverdue = document.IsUnanswered && end - taken.At >= OverdueAfter,
        };
    }

    // The first five found the certificate expired and opened the breaker; after that one delivery probed every ten minutes.
    private List<PastAttempt> Held(DateTime start, int behind)
    {
        var probe = start + (behind < 5 ? TimeSpan.Zero : Probes);
        return probe < end ? [new PastAttempt(probe, probe.AddMilliseconds(40), null, "certificate-expired", "theirs")] : [];
    }

    private IEnumerable<PastAttempt> Outage(DateTime start, Random random)
    {
        // Left alone after its first failures, so each document was tried seldom.
        for (var wait = TimeSpan.FromMinutes(8 + random.Next(5)); start >= _outage.From && start < _outage.Until; wait *= 1.6)
        {
            yield return random.Next(3) == 0
                ? new PastAttempt(start, start + AttemptTimeout, null, "timeout", "network")
                : new PastAttempt(start, start.AddMilliseconds(30 + random.Next(90)), 503, "http-503", "theirs");
            start += wait;
            start = start > _outage.Until ? _outage.Until.AddSeconds(random.Next(600)) : start;
        }
        yield return Taken(start, 60 + random.Next(300), 200);
    }

    private static List<PastAttempt> FailsTwice(DateTime start, Random random) =>
    [
        new(start, start.AddMilliseconds(30), 503, "http-503", "theirs", ""),
        new(start.AddSeconds(2), start.AddMilliseconds(2_030), 503, "http-503", "theirs", ""),
        Taken(start.AddSeconds(6), 60 + random.Next(200), 200),
    ];

    private static List<PastAttempt> Refused(DateTime start, Random random) =>
        [.. ((int[])[0, 2, 6]).Select(s => start.AddSeconds(s)).Select(at => new PastAttempt(at, at.AddMilliseconds(40 + random.Next(60)), 422, "http-422", "ours", PartnerSimulator.RefusalText))];

    private static PastAttempt Taken(DateTime start, int milliseconds, int? status) => new(start, start.AddMilliseconds(milliseconds), status, "ok", "ok", "");
}
