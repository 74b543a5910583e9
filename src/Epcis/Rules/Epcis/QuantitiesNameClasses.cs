using Epcis.Events;

namespace Epcis.Rules;

internal sealed class QuantitiesNameClasses() : EventRule(
    "EPCIS-EPC-05", "EPCIS, QuantityElement",
    "A quantity is of a class: a product, a lot of it, a type of asset.",
    "Name the object itself in the list of EPCs, or the class here, such as urn:epc:class:lgtin:… or urn:epc:idpat:sgtin:….*.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, item, quantity) in EventIdentifiers.Quantities(e))
        {
            if (EpcForms.Of(quantity.EpcClass) is EpcForm.Instance or EpcForm.Place or EpcForm.Party)
            {
                findings.Add(e, FormattableString.Invariant($"{field}/{item}/epcClass"), $"{quantity.EpcClass} names one object, place or party, not a class of objects.", quantity.EpcClass, "an identifier of a class");
            }
        }
    }
}
