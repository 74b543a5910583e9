using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PlacesArePlaces() : EventRule(
    "EPCIS-LOC-01", "EPCIS, readPoint and bizLocation; CBV, locations",
    "readPoint and bizLocation name places, not objects, classes or parties.",
    "Name the place by its SGLN or by a URI of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var place in EventIdentifiers.Places(e))
        {
            if (EpcForms.Of(place.Value) is EpcForm.Instance or EpcForm.Class or EpcForm.WidePattern or EpcForm.Party)
            {
                findings.Add(e, place.Path, $"{place.Value} names no place.", place.Value, "urn:epc:id:sgln:… or https://id.gs1.org/414/…");
            }
        }
    }
}
