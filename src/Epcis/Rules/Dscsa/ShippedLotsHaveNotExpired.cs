using System.Globalization;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShippedLotsHaveNotExpired() : DocumentRule(
    "DSCSA-LOT-03", "GS1 US DSCSA guideline, shipping",
    "No lot of the document has expired when goods are shipped.",
    "Look whether the expiry date is right, and whether the goods may be shipped.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        private DateOnly? _first;
        private string _lot = "";

        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (DateOnly.TryParseExact(Dscsa.IlmdOf(e, "itemExpirationDate"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var expiry) && (_first is null || expiry < _first))
            {
                (_first, _lot) = (expiry, Dscsa.IlmdOf(e, "lotNumber") ?? "");
            }
            if (Dscsa.IsShipping(e) && e.EventTime is { } at && _first < DateOnly.FromDateTime(at.Date))
            {
                findings.Add(e, "eventTime", $"Goods are shipped after lot {_lot} has expired on {_first:yyyy-MM-dd}.", e.EventTimeText, $"a date until {_first:yyyy-MM-dd}");
            }
        }
    }
}
