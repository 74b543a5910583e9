using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PackedObjectsWereCommissioned() : DocumentRule(
    "DSCSA-HIST-02", "GS1 US DSCSA guideline, history of what is shipped",
    "What is packed, and what it is packed in, was commissioned earlier in the same document.",
    "Send the events of commissioning in the same document, before the packing.")
{
    public override DocumentCheck Begin() => new Document();

    private sealed class Document : DocumentCheck
    {
        public override void See(EpcisEvent e, UnitHistory units, RuleFindings findings)
        {
            if (e is not AggregationEvent { Action: EventAction.Add } || !units.IsComplete)
            {
                return;
            }
            foreach (var named in EventIdentifiers.Objects(e))
            {
                if (units[named.Value] is not { IsCommissioned: true } && EpcForms.Of(named.Value) == EpcForm.Instance)
                {
                    findings.Add(e, named.Path, $"{named.Value} is packed, but the document has not commissioned it.", named.Value, "a commissioning event before the packing");
                }
            }
        }
    }
}
