using System.Diagnostics.Metrics;

namespace Gateway.Telemetry;

/// <summary>What the gateway counts. Tags are few and from closed lists: outcome, verdict, channel, chore.</summary>
public static class GatewayMeter
{
    public const string Name = "Gateway";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Received = Meter.CreateCounter<long>("gateway.captures.received", "{capture}", "Documents answered at the door, by outcome: accepted, refused or replayed.");
    private static readonly Counter<long> Processed = Meter.CreateCounter<long>("gateway.captures.processed", "{capture}", "Documents decided, by outcome: accepted, refused or failed.");
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("gateway.events.stored", "{event}", "Events stored.");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("gateway.capture.duration", "s", "One turn of processing a document.");
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>("gateway.delivery.attempts", "{attempt}", "Attempts at delivery, by channel and verdict.");
    private static readonly Counter<long> Openings = Meter.CreateCounter<long>("gateway.breaker.openings", "{opening}", "Partners left alone for a while because they kept failing.");
    private static readonly Counter<long> Chores = Meter.CreateCounter<long>("gateway.chores.run", "{run}", "Chores run, by chore and outcome: done, failed or elsewhere.");

    public static void CaptureReceived(string outcome) => Received.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public static void CaptureProcessed(string outcome, int events)
    {
        Processed.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        Events.Add(events);
    }

    public static void CaptureTook(TimeSpan time) => Duration.Record(time.TotalSeconds);

    public static void DeliveryAttempted(string channel, string verdict) =>
        Attempts.Add(1, new KeyValuePair<string, object?>("channel", channel), new KeyValuePair<string, object?>("verdict", verdict));

    public static void BreakerOpened() => Openings.Add(1);

    public static void ChoreRun(string chore, string outcome) =>
        Chores.Add(1, new KeyValuePair<string, object?>("chore", chore), new KeyValuePair<string, object?>("outcome", outcome));
}
