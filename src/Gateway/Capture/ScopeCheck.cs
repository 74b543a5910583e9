using Epcis;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Access;

namespace Gateway.Capture;

/// <summary>
/// Holds the events of one document to what the key that sent it may send (docs/decisions/0025). A document with a foreign event is
/// refused whole, whatever its sender wanted done with errors: whose the rest is, is in doubt too.
/// </summary>
internal sealed class ScopeCheck
{
    public const string Code = "GW-CAP-17";

    private const int MaxNamed = 10;
    private const int MaxIdentifierLength = 200;
    private readonly KeyScope _scope;
    private readonly KeysOfPrefixes? _own;
    private string? _readPoint, _bizLocation;

    private ScopeCheck(KeyScope scope) => (_scope, _own) = (scope, scope.Prefixes.Length > 0 ? new KeysOfPrefixes(scope.Prefixes) : null);

    /// <summary>What was found first; null while nothing foreign was seen. The findings keep a limited number, and this is what the document is refused for.</summary>
    public Finding? First { get; private set; }

    /// <returns>Null when the key is not bound.</returns>
    public static ScopeCheck? Of(KeyScope? scope) => scope is null ? null : new ScopeCheck(scope);

    /// <summary>Tells the first foreign object of the event, and its foreign places.</summary>
    public void See(EpcisEvent e, Findings findings)
    {
        if (_own is not null && ForeignOf(e) is { } identifier)
        {
            Tell(e, findings, $"{Cut(identifier)} is no key of a GS1 company prefix that the sender's key is bound to: {Named(_scope.Prefixes)}.", identifier, _scope.Prefixes);
        }
        if (_scope.Sites.Length > 0)
        {
            SeePlace("readPoint", e.ReadPoint?.Id, ref _readPoint);
            SeePlace("bizLocation", e.BizLocation?.Id, ref _bizLocation);
        }

        // Nearly every event is where the one before it was.
        void SeePlace(string field, string? place, ref string? known)
        {
            if (place is null || place == known)
            {
                return;
            }
            if (Gln.TryFromAny(place, out var gln) && Array.IndexOf(_scope.Sites, gln) >= 0)
            {
                known = place;
                return;
            }
            Tell(e, findings, $"The {field} {Cut(place)} is no site that the sender's key is bound to: {Named(_scope.Sites)}.", place, _scope.Sites);
        }
    }

    private string? ForeignOf(EpcisEvent e)
    {
        foreach (var (_, epc) in e.Epcs)
        {
            if (!_own!.Include(epc))
            {
                return epc;
            }
        }
        foreach (var (_, quantity) in e.Quantities)
        {
            if (!_own!.Include(quantity.EpcClass))
            {
                return quantity.EpcClass;
            }
        }
        return null;
    }

    private void Tell(EpcisEvent e, Findings findings, string message, string got, string[] want)
    {
        var finding = new Finding(Code, Severity.Error, message)
        {
            Event = e.Index, EventId = e.EventId, Where = e.Place, Got = Cut(got), Want = Named(want),
            Suggestion = "Send what is yours in a document of its own. If this is yours, ask the receiver for a key that is bound to it.",
        };
        First ??= finding;
        findings.Add(finding);
    }

    private static string Cut(string identifier) => identifier.Length <= MaxIdentifierLength ? identifier : identifier[..MaxIdentifierLength] + "…";

    private static string Named(string[] entries) =>
        string.Join(", ", entries.Take(MaxNamed)) + (entries.Length > MaxNamed ? FormattableString.Invariant($" and {entries.Length - MaxNamed} more") : "");
}
