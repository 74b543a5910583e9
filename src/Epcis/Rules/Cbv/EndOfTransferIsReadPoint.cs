using Epcis.Cbv;
using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class EndOfTransferIsReadPoint() : EventRule(
    "CBV-SD-02", "CBV 2.0, source and destination type location",
    "Goods leave from the location of their source and are received at the location of their destination.",
    "Make the location and the read point name the same place.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        var (list, ends) = EventTerms.BizStep(e) switch
        {
            "shipping" or "departing" or "consigning" => ("sourceList", e.Sources),
            "receiving" or "arriving" or "accepting" => ("destinationList", e.Destinations),
            _ => ("", []),
        };
        if (e.ReadPoint is null || EpcForms.Of(e.ReadPoint.Id) != EpcForm.Place)
        {
            return;
        }
        for (var i = 0; i < ends.Count; i++)
        {
            // A dock door has an extension of its own: the GLN is compared.
            if (CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, ends[i].Type) == "location"
                && Gln.TryFromAny(ends[i].Value, out var end) && Gln.TryFromAny(e.ReadPoint.Id, out var here) && end != here)
            {
                findings.Add(e, FormattableString.Invariant($"{list}/{i}"), $"The location {ends[i].Value} is not where the event was read, {e.ReadPoint.Id}.", ends[i].Value, e.ReadPoint.Id);
            }
        }
    }
}
