using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>A warning: the lists are sets in meaning, and a second mention changes nothing.</summary>
internal sealed class ListedObjectsAreDistinct() : EventRule(
    "EPCIS-DUP-01", "EPCIS, epcList",
    "A list names each object once.",
    "Name the object once.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var (field, epcs) in EventIdentifiers.Lists(e))
        {
            var seen = new HashSet<string>(epcs.Count, StringComparer.Ordinal);
            for (var i = 0; i < epcs.Count; i++)
            {
                if (!seen.Add(SpellingOf(epcs[i])))
                {
                    findings.Add(e, new Named(field, i, epcs[i]).Path, $"{epcs[i]} is listed twice.", epcs[i]);
                }
            }
        }
    }

    /// <summary>An EPC URI without escapes has one spelling: the common case allocates nothing.</summary>
    private static string SpellingOf(string epc) =>
        epc.StartsWith("urn:epc:", StringComparison.Ordinal) && !epc.Contains('%') ? epc : EpcKey.Normalise(epc);
}
