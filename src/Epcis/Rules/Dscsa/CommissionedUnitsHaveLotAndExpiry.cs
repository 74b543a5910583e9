using Epcis.Events;

namespace Epcis.Rules;

internal sealed class CommissionedUnitsHaveLotAndExpiry() : EventRule(
    "DSCSA-COM-01", "FD&C Act 581(14), product identifier; GS1 US DSCSA guideline",
    "The commissioning of units and homogeneous cases says their lot and expiry.",
    "Add ilmd with lotNumber and itemExpirationDate to the commissioning event.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!Dscsa.Commissions(e, x => EpcForms.IsSgtin(x)))
        {
            return;
        }
        if (string.IsNullOrWhiteSpace(Dscsa.IlmdOf(e, "lotNumber")))
        {
            findings.Add(e, "ilmd", "Units are commissioned without a lot number.", want: "lotNumber");
        }
        if (string.IsNullOrWhiteSpace(Dscsa.IlmdOf(e, "itemExpirationDate")))
        {
            findings.Add(e, "ilmd", "Units are commissioned without an expiry date.", want: "itemExpirationDate");
        }
    }
}
