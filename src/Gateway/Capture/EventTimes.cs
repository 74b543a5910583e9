using System.Globalization;
using Epcis;
using Epcis.Events;

namespace Gateway.Capture;

/// <summary>
/// The event times of a document beside the time at which it was received: what came late, and what is said to have happened afterwards.
/// One finding for each, at its first event; no time is changed.
/// </summary>
internal sealed class EventTimes(DateTime receivedAt, TimeSpan lateAfter)
{
    // Clocks that are set right differ by less.
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly Met _late = new(), _ahead = new();

    public void See(EpcisEvent e)
    {
        var age = receivedAt - e.EventTime!.Value.UtcDateTime;
        if (age > lateAfter)
        {
            _late.See(e);
        }
        else if (-age > Ahead)
        {
            _ahead.See(e);
        }
    }

    public void Tell(Findings findings)
    {
        var received = receivedAt.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        Tell(_late, "GW-CAP-18", string.Create(CultureInfo.InvariantCulture, $"received more than {lateAfter.TotalHours:0.##} hours after the event time"));
        Tell(_ahead, "GW-CAP-19", "received before the event time");

        void Tell(Met met, string code, string what)
        {
            if (met.First is { } first)
            {
                findings.Warning(code, first, $"Events {what}: {met.Count.ToString(CultureInfo.InvariantCulture)}, this one first. The document was received at {received}.", got: first.EventTimeText);
            }
        }
    }

    private sealed class Met
    {
        public EpcisEvent? First { get; private set; }
        public int Count { get; private set; }

        public void See(EpcisEvent e) => (First, Count) = (First ?? e, Count + 1);
    }
}
