using Epcis.Events;

namespace Epcis.Rules;

internal sealed class EventIdHasForm() : EventRule(
    "CBV-ID-02", "CBV, event identifiers",
    "An eventID is a UUID URI or the hash of the event.",
    "Write urn:uuid: and a UUID, or ni:///sha-256; and the hash of the event.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.EventId is { Length: > 0 } id && !IsUuid(id) && !id.StartsWith("ni:///sha-256;", StringComparison.OrdinalIgnoreCase))
        {
            findings.Add(e, "eventID", $"eventID {id} is neither a UUID URI nor an event hash.", id, "urn:uuid:… or ni:///sha-256;…?ver=CBV2.0");
        }
    }

    private static bool IsUuid(string id) =>
        id.StartsWith("urn:uuid:", StringComparison.OrdinalIgnoreCase) && Guid.TryParseExact(id.AsSpan("urn:uuid:".Length), "D", out _);
}
