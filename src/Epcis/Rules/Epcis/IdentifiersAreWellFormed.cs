using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>Private URIs are legal and left alone.</summary>
internal sealed class IdentifiersAreWellFormed() : EventRule(
    "EPCIS-EPC-01", "EPC Tag Data Standard, pure identity URIs; GS1 Digital Link",
    "EPC URIs and Digital Links of GS1's host have the digits, characters and check digits of their keys.",
    "Correct the identifier where it is made: count its digits and compute its check digit again.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var identifier in EventIdentifiers.Doubtful(e))
        {
            if (!EventIdentifiers.IsTagOrRaw(identifier.Value)
                && (EpcUri.IsEpcUri(identifier.Value) || DigitalLink.IsOfGs1(identifier.Value))
                && EpcUri.Check(identifier.Value) is { } wrong)
            {
                findings.Add(e, identifier.Path, $"{identifier.Value}: {wrong.Message}", identifier.Value, wrong.Want, wrong.Suggestion);
            }
        }
    }
}
