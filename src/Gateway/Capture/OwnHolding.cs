using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Access;
using Gateway.Database;
using Gateway.Units;

namespace Gateway.Capture;

/// <summary>
/// Units are held by the gateway itself: they are named in an EPCIS document of its own (OBSERVE, holding), which is captured like any other, so each hold is in the unit's history. It names no place: it is a decision, and says nothing of
/// where the units are by now.
/// </summary>
/// <param name="At">When they are held.</param>
/// <param name="Disposition">A bare CBV word.</param>
/// <param name="Line">Why, in words of <see cref="EventFacts.LineNamespace"/>.</param>
public sealed record OwnHolding(DateTime At, string Disposition, IReadOnlyList<(string Name, string Value)> Line)
{
    /// <summary>Who has the units and is told of it, as events name him; null: nobody is told.</summary>
    public string? Holder { get; init; }

    /// <summary>Who tells him, as events name that party or place.</summary>
    public string? Sender { get; init; }

    private const int MaxUnitsAnEvent = 1_000;

    /// <summary>Stores the document in a transaction of the caller's.</summary>
    /// <param name="teller">Who holds them.</param>
    /// <returns>The capture's public number.</returns>
    public static async Task<Guid> CaptureAsync(Work work, Actor teller, int partyId, OwnHolding holding, IReadOnlyList<string> epcs, DateTime now, CancellationToken ct)
    {
        var document = holding.Document(epcs, now);
        var publicId = Guid.NewGuid();
        using var bytes = new MemoryStream(document);
        await CaptureRecords.InsertAsync(work, new NewCapture(publicId, partyId, teller.Id, SHA256.HashData(document), document.Length, "application/ld+json", null, null, "rollback", now, 202, CaptureJob.FirstAnswer(publicId, now, "rollback")), bytes, ct);
        return publicId;
    }

    private byte[] Document(IReadOnlyList<string> epcs, DateTime now)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("@context");
            json.WriteStringValue("https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld");
            json.WriteStartObject();
            json.WriteString("line", EventFacts.LineNamespace);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("type", "EPCISDocument");
            json.WriteString("schemaVersion", "2.0");
            json.WriteString("creationDate", Instant(now));
            json.WriteStartObject("epcisBody");
            json.WriteStartArray("eventList");
            foreach (var some in epcs.Chunk(MaxUnitsAnEvent))
            {
                Event(json, some);
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private void Event(Utf8JsonWriter json, string[] epcs)
    {
        json.WriteStartObject();
        json.WriteString("type", "ObjectEvent");
        json.WriteString("eventID", $"urn:uuid:{Guid.NewGuid()}");
        json.WriteString("eventTime", Instant(At));
        json.WriteString("eventTimeZoneOffset", "+00:00");
        json.WriteStartArray("epcList");
        foreach (var epc in epcs)
        {
            json.WriteStringValue(epc);
        }
        json.WriteEndArray();
        json.WriteString("action", "OBSERVE");
        json.WriteString("bizStep", "holding");
        json.WriteString("disposition", Disposition);
        End(json, "source", Sender);
        End(json, "destination", Holder);
        foreach (var (name, value) in Line)
        {
            json.WriteString($"line:{name}", value);
        }
        json.WriteEndObject();
    }

    private static void End(Utf8JsonWriter json, string end, string? who)
    {
        if (who is null)
        {
            return;
        }
        json.WriteStartArray($"{end}List");
        json.WriteStartObject();
        json.WriteString("type", who.Contains(":pgln:", StringComparison.Ordinal) || who.Contains("/417/", StringComparison.Ordinal) ? "possessing_party" : "location");
        json.WriteString(end, who);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static string Instant(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
