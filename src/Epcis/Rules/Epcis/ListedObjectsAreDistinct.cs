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
        var list = "";
        HashSet<string>? seen = null;
        foreach (var named in EventIdentifiers.Members(e))
        {
            if (named.Field != list)
            {
                (list, seen) = (named.Field, []);
            }
            if (!seen!.Add(SpellingOf(named.Value)))
            {
                findings.Add(e, named.Path, $"{named.Value} is listed twice.", named.Value);
            }
        }
    }

    /// <summary>An EPC URI without escapes has one spelling: the common case allocates nothing.</summary>
    private static string SpellingOf(string epc) =>
        epc.StartsWith("urn:epc:", StringComparison.Ordinal) && !epc.Contains('%') ? epc : EpcKey.Normalise(epc);
}
