using System.Globalization;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class EventsPrecedeTheirDocument() : DocumentRule(
    "DSCSA-TIME-01", "EPCIS, creationDate and eventTime",
    "No event is later than the document that reports it.",
    "Look at the clock and the time zone of the system that made the event.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private DateTimeOffset _newest = DateTimeOffset.MinValue;
        private EventMark _mark;

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (e.EventTime > _newest)
            {
                (_newest, _mark) = (e.EventTime.Value, EventMark.Of(e, "eventTime"));
            }
        }

        public override void End(DocumentHeader header, RuleFindings findings)
        {
            var written = header.Sbdh?.CreationDateAndTime ?? header.CreationDate;
            if (DateTimeOffset.TryParse(written, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created) && _newest > created)
            {
                findings.Add(_mark, $"The event is later than its document, which was made {written}.", _newest.ToString("O", CultureInfo.InvariantCulture), $"a time before {written}");
            }
        }
    }
}
