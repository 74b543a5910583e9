using System.Text.Json.Serialization;
using Gateway.Access;
using Gateway.Http;

namespace Gateway.Capture;

/// <summary>What the checks say about a document of which nothing is stored.</summary>
public sealed record CheckedDocument(string Form, bool Valid, int Events, IReadOnlyList<FindingView> Findings)
{
    /// <summary>Findings that were counted but not kept.</summary>
    [JsonIgnore]
    public int Dropped { get; init; }

    /// <summary>The same reading and the same rules as those of a capture.</summary>
    /// <param name="scope">What the key of whoever asks may send.</param>
    /// <exception cref="BodyRefusedException">The body is damaged, or inflates beyond the limits.</exception>
    /// <returns>With what names it among documents.</returns>
    internal static (CheckedDocument Found, DocumentIdentity? Identity) Of(ReceivedBody body, CaptureOptions options, CaptureRules rules, KeyScope? scope)
    {
        using var stream = body.Decoded(options);
        using var reader = DocumentReading.Open(stream, options);
        var run = rules.Set.Begin(reader.Findings);
        var check = ScopeCheck.Of(scope);
        var events = 0;
        while (reader.ReadChecked(run, check, out _))
        {
            events++;
        }
        (stream as InflatingStream)?.Finish(reader.IsBroken);
        return (new CheckedDocument(DocumentReading.NameOf(reader.Form), !reader.Findings.HasErrors, events, [.. reader.Findings.All.Select(FindingView.Of)]) { Dropped = reader.Findings.Dropped }, DocumentIdentity.Of(reader.Header));
    }
}
