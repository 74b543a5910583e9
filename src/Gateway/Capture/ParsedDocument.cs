using Epcis;
using Epcis.Formats;
using Gateway.Access;
using Gateway.MasterData;

namespace Gateway.Capture;

/// <summary>A small document, read whole before the transaction that decides it begins.</summary>
internal sealed class ParsedDocument
{
    private ParsedDocument(EpcisReader reader, CaptureTerms terms, Finding? foreign, bool proceed, IReadOnlyList<ParsedEvent> events) =>
        (Reader, Terms, Foreign, Events, IsRefused) = (reader, terms, foreign, events, reader.IsBroken || foreign is not null || reader.Findings.HasErrors && (!proceed || events.Count == 0));

    /// <summary>Ended, for its findings, form and header.</summary>
    public EpcisReader Reader { get; }
    public CaptureTerms Terms { get; }

    /// <summary>What of it the sender's key may not send, found first; null when there is none.</summary>
    public Finding? Foreign { get; }
    public IReadOnlyList<ParsedEvent> Events { get; }

    /// <summary>It has errors that leave nothing to store.</summary>
    public bool IsRefused { get; }

    /// <summary>Reads, validates and holds to the rules, on the caller's thread.</summary>
    /// <param name="proceed">An error keeps out its event and not the document.</param>
    /// <param name="scope">What the sender's key may send.</param>
    public static ParsedDocument Read(Stream stream, CaptureOptions options, CaptureRules rules, bool proceed, MasterDataSnapshot known, KeyScope? scope)
    {
        using var reader = DocumentReading.Open(stream, options);
        var terms = new CaptureTerms();
        var check = ScopeCheck.Of(scope);
        List<ParsedEvent> events = [.. ParsedEvents.Read(reader, rules, proceed, terms, known, check, CancellationToken.None).SelectMany(chunk => chunk.Events)];
        return new ParsedDocument(reader, terms, check?.First, proceed, events);
    }
}
