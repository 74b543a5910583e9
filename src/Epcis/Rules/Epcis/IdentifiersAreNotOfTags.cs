using Epcis.Events;

namespace Epcis.Rules;

internal sealed class IdentifiersAreNotOfTags() : EventRule(
    "EPCIS-EPC-02", Severity.Error, "EPCIS, EPC fields", "Events name objects by pure identity URIs, not by what is written on a tag.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var identifier in EventIdentifiers.Of(e).Where(EventIdentifiers.IsTagOrRaw))
        {
            Report(e, findings, $"{identifier} is a tag or raw URI.", identifier, "urn:epc:id:…");
        }
    }
}
