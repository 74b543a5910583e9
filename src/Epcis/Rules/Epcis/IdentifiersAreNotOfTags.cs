using Epcis.Events;

namespace Epcis.Rules;

internal sealed class IdentifiersAreNotOfTags() : EventRule(
    "EPCIS-EPC-02", "EPCIS, EPC fields",
    "Events name objects by pure identity URIs, not by what is written on a tag.",
    "Write the pure identity URI, which begins with urn:epc:id:.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var identifier in EventIdentifiers.Doubtful(e))
        {
            if (EventIdentifiers.IsTagOrRaw(identifier.Value))
            {
                findings.Add(e, identifier.Path, $"{identifier.Value} is a tag or raw URI.", identifier.Value, "urn:epc:id:…");
            }
        }
    }
}
