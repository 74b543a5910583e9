using Epcis.Formats;
using Gateway.MasterData;

namespace Gateway.Capture;

/// <summary>A small document, read whole before the transaction that decides it begins.</summary>
internal sealed class ParsedDocument
{
    private ParsedDocument(EpcisReader reader, CaptureTerms terms, bool proceed, IReadOnlyList<ParsedEvent> events) =>
        (Reader, Terms, Events, IsRefused) = (reader, terms, events, reader.IsBroken || reader.Findings.HasErrors && (!proceed || events.Count == 0));

    /// <summary>Ended, for its findings, form and header.</summary>
    public EpcisReader Reader { get; }
    public CaptureTerms Terms { get; }
    public IReadOnlyList<ParsedEvent> Events { get; }

    /// <summary>It has errors that leave nothing to store.</summary>
    public bool IsRefused { get; }

    /// <summary>Reads, validates and holds to the rules, on the caller's thread.</summary>
    /// <param name="proceed">An error keeps out its event and not the document.</param>
    public static ParsedDocument Read(Stream stream, CaptureOptions options, CaptureRules rules, bool proceed, MasterDataSnapshot known)
    {
        using var reader = DocumentReading.Open(stream, options);
        var terms = new CaptureTerms();
        return new ParsedDocument(reader, terms, proceed, [.. ParsedEvents.Read(reader, rules, proceed, terms, known, CancellationToken.None).SelectMany(chunk => chunk.Events)]);
    }
}
