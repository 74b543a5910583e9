using Epcis.Events;

namespace Epcis.Rules;

internal sealed class IdentifiersHavePrescribedForms() : EventRule(
    "CBV-ID-01", "CBV, identifiers in CBV-Compliant documents",
    "Identifiers are EPC URIs, GS1 Digital Links, or URNs and web addresses of one’s own.",
    "Use the GS1 key of the object, place, party or transaction, or a URN or web address of your own.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var identifier in EventIdentifiers.Doubtful(e))
        {
            if (!IsPrescribed(identifier.Value))
            {
                findings.Add(e, identifier.Path, $"{identifier.Value} has none of the forms that the CBV prescribes.", identifier.Value, "urn:…, http://… or https://…");
            }
        }
    }

    private static bool IsPrescribed(string identifier) =>
        identifier.StartsWith("urn:", StringComparison.OrdinalIgnoreCase)
        || identifier.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
        || identifier.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
}
