using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ParentIsAnObject() : EventRule(
    "EPCIS-PAR-02", "EPCIS, parentID; CBV, physical or digital objects",
    "A parent is one object, such as a pallet with an SSCC; in an association it may be a place.",
    "Name the container or assembly by its SSCC, SGTIN, GRAI or GIAI, or by a URI of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventIdentifiers.ParentOf(e) is not { } parent)
        {
            return;
        }
        var form = EpcForms.Of(parent);
        if (form is EpcForm.Class or EpcForm.WidePattern or EpcForm.Party || (form == EpcForm.Place && e is not AssociationEvent))
        {
            findings.Add(e, "parentID", $"{parent} names {(form is EpcForm.Place ? "a place" : form is EpcForm.Party ? "a party" : "a class of objects")}, not one object.", parent, "the identifier of one object");
        }
    }
}
