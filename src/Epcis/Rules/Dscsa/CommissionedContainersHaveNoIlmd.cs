using Epcis.Events;

namespace Epcis.Rules;

internal sealed class CommissionedContainersHaveNoIlmd() : EventRule(
    "DSCSA-COM-02", "GS1 US DSCSA guideline, commissioning of an SSCC",
    "The commissioning of a logistic unit has no ilmd.",
    "Leave ilmd out: lot and expiry belong to the units inside.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is ObjectEvent { Ilmd.Count: > 0 } && Dscsa.Commissions(e, x => EpcForms.IsSscc(x)))
        {
            findings.Add(e, "ilmd", "An SSCC is commissioned with ilmd.", want: "no ilmd");
        }
    }
}
