using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>A warning: the lists are sets in meaning, and a second mention changes nothing.</summary>
internal sealed class ListedObjectsAreDistinct() : EventRule(
    "EPCIS-DUP-01", Severity.Warning, "EPCIS, epcList", "A list names each object once.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        var seen = new HashSet<(EpcRole, string)>();
        foreach (var (role, epc) in e.Epcs)
        {
            if (!seen.Add((role, EpcKey.Normalise(epc))))
            {
                Report(e, findings, $"{epc} is listed twice.", epc);
            }
        }
    }
}
