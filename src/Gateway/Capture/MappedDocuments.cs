using Epcis.Formats;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>A document that is no EPCIS document, and what reads it.</summary>
/// <param name="Mapping">Name and version.</param>
/// <param name="ReceivedAt">By the gateway's clock.</param>
/// <param name="Sha256">Of its bytes.</param>
/// <param name="RunId">The run that it tells of; null when nobody said.</param>
public sealed record MappedDocument(string Mapping, int PartyId, DateTime ReceivedAt, byte[] Sha256, long? RunId);

/// <summary>
/// Reads files of lines as if they were EPCIS documents (docs/decisions/0027). Who knows mappings registers how; without, such a document
/// fails as one that cannot be processed.
/// </summary>
/// <param name="Opener">What is to be looked up first is looked up; then the stream is opened on any thread.</param>
public sealed record MappedDocuments(Func<MappedDocument, CancellationToken, Task<Func<Stream, EpcisReader>>>? Opener)
{
    internal Task<Func<Stream, EpcisReader>> OpenerAsync(MappedDocument document, CancellationToken ct) =>
        Opener is { } opener ? opener(document, ct) : throw new InvalidOperationException($"Nothing here reads documents by the mapping {document.Mapping}.");
}
