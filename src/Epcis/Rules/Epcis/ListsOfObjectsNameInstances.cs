using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ListsOfObjectsNameInstances() : EventRule(
    "EPCIS-EPC-04", "EPCIS, epcList",
    "A list of EPCs names single objects; products and lots belong to a quantity list.",
    "Name products and lots with their quantity in the quantity list beside it.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var member in EventIdentifiers.Doubtful(e))
        {
            if (EventIdentifiers.IsMember(member) && EpcForms.Of(member.Value) is EpcForm.Class or EpcForm.WidePattern)
            {
                findings.Add(e, member.Path, $"{member.Value} names a class of objects, not one object.", member.Value, "an identifier with a serial number");
            }
        }
    }
}
