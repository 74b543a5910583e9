using Epcis.Events;

namespace Epcis.Rules;

internal sealed class EventsAreInOrder() : DocumentRule(
    "DSCSA-TIME-02", "GS1 US DSCSA guideline, sequence of events",
    "Events stand in the order of their times.",
    "Sort the events by eventTime: commissioning, packing, shipping.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private DateTimeOffset? _before;
        private string _beforeText = "";

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (e.EventTime < _before)
            {
                findings.Add(e, "eventTime", "The event is earlier than the one before it.", e.EventTimeText, $"a time after {_beforeText}");
            }
            (_before, _beforeText) = (e.EventTime ?? _before, e.EventTimeText);
        }
    }
}
