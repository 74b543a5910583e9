using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>
/// A warning: an address on another host may be a private identifier that resembles a key, and published sample documents
/// hold such links with wrong check digits.
/// </summary>
internal sealed class LinksOfOtherHostsAreWellFormed() : EventRule(
    "EPCIS-EPC-03", Severity.Warning, "GS1 Digital Link",
    "Web addresses that look like Digital Links have the digits, characters and check digits of their keys.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        foreach (var identifier in EventIdentifiers.Of(e))
        {
            if (!EpcUri.IsEpcUri(identifier) && !DigitalLink.IsOfGs1(identifier) && EpcUri.Check(identifier) is { } wrong)
            {
                Report(e, findings, $"{identifier}: {wrong.Message}", identifier, wrong.Want, wrong.Suggestion);
            }
        }
    }
}
