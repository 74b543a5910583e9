using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>
/// A warning: an address on another host may be a private identifier that resembles a key, and published sample documents
/// hold such links with wrong check digits.
/// </summary>
internal sealed class LinksOfOtherHostsAreWellFormed() : EventRule(
    "EPCIS-EPC-03", "GS1 Digital Link",
    "Web addresses that look like Digital Links have the digits, characters and check digits of their keys.",
    "Correct the identifier where it is made, unless the address only resembles a Digital Link.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var identifier in EventIdentifiers.Doubtful(e))
        {
            if (!EpcUri.IsEpcUri(identifier.Value) && !DigitalLink.IsOfGs1(identifier.Value) && EpcUri.Check(identifier.Value) is { } wrong)
            {
                findings.Add(e, identifier.Path, $"{identifier.Value}: {wrong.Message}", identifier.Value, wrong.Want, wrong.Suggestion);
            }
        }
    }
}
