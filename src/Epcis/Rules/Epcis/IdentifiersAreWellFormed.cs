using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>Private URIs are legal and left alone.</summary>
internal sealed class IdentifiersAreWellFormed() : EventRule(
    "EPCIS-EPC-01", Severity.Error, "EPC Tag Data Standard, pure identity URIs; GS1 Digital Link",
    "EPC URIs and Digital Links of GS1's host have the digits, characters and check digits of their keys.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var identifier in EventIdentifiers.Of(e))
        {
            if (!EventIdentifiers.IsTagOrRaw(identifier)
                && (EpcUri.IsEpcUri(identifier) || DigitalLink.IsOfGs1(identifier))
                && EpcUri.Check(identifier) is { } wrong)
            {
                Report(e, findings, $"{identifier}: {wrong.Message}", identifier, wrong.Want, wrong.Suggestion);
            }
        }
    }
}
