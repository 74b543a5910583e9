using System.Globalization;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ExpiryIsDate() : EventRule(
    "DSCSA-COM-03", "GS1 US DSCSA guideline, itemExpirationDate",
    "The expiry in ilmd is a date, year-month-day.",
    "Write the date such as 2028-03-31; the six digits of the barcode do not belong here.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (Dscsa.IlmdOf(e, "itemExpirationDate") is { Length: > 0 } expiry && !DateOnly.TryParseExact(expiry, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            findings.Add(e, "ilmd", $"The expiry '{expiry}' is no date.", expiry, "2028-03-31");
        }
    }
}
