using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DepartedObjectsAreNowhere() : EventRule(
    "CBV-LOC-01", "EPCIS, bizLocation; CBV, shipping and departing",
    "What has left a place has no bizLocation until it arrives.",
    "Leave bizLocation out and say in readPoint where the objects left.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.BizLocation is not null && EventTerms.BizStep(e) is "shipping" or "departing" or "consigning")
        {
            findings.Add(e, "bizLocation", $"{EventTerms.BizStep(e)} has a bizLocation, but the objects have left.", e.BizLocation?.Id, "readPoint only");
        }
    }
}
