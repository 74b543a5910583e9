using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Epcis;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Capture;

/// <summary>A capture that was accepted under the same sender and identifier, and its document.</summary>
internal sealed record EarlierDocument(Guid PublicId, DateTime CreatedAt, long DocumentId, byte[] Sha256, string? ContentEncoding)
{
    /// <summary>The same document was sent again, compressed otherwise.</summary>
    public bool IsSame { get; init; }
}

/// <summary>
/// What names a document among all of its party (docs/decisions/0036): its header's InstanceIdentifier, and who it says has sent it. Of two
/// documents of one name only one is ever accepted; its capture holds the name.
/// </summary>
internal sealed record DocumentIdentity
{
    public const string Code = "GW-CAP-20";

    private const string OneDocument = "capture_identity";
    private const int MaxShown = 200;
    private readonly string _sender;
    private readonly string _identifier;
    private readonly Place _where;

    private DocumentIdentity(string sender, string identifier, Place where) =>
        (_sender, _identifier, _where, Key) = (sender, identifier, where, SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<string[]>([sender, identifier])));

    /// <summary>What the database looks it up by: neither part has a bound in the standard, and an index entry has one.</summary>
    public byte[] Key { get; }

    /// <param name="header">Of a document that was read to its end.</param>
    /// <returns>Null when the document has no identifier, as lines' files and many JSON documents have none.</returns>
    public static DocumentIdentity? Of(DocumentHeader header)
    {
        if (header.Sbdh is not { } sbdh || string.IsNullOrWhiteSpace(sbdh.InstanceIdentifier))
        {
            return null;
        }
        var sender = sbdh.Senders is [var first, ..] ? first.Identifier.Trim() : "";
        // A sender that is written as GLN once and as SGLN the next time is the same one.
        return new DocumentIdentity(Gln.TryFromAny(sender, out var gln) ? gln : sender, sbdh.InstanceIdentifier.Trim(), header.PlaceOf("InstanceIdentifier"));
    }

    /// <summary>Two documents of one name were accepted at the same moment; the other has it.</summary>
    public static bool IsTaken(PostgresException e) => e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: OneDocument };

    /// <param name="reader">Who may see the documents of the party.</param>
    /// <param name="sha256">Of the document as it came; that one is no other.</param>
    /// <param name="contentHash">Of the document inflated; asked for when another has its name, since it costs a reading.</param>
    /// <returns>Null when the party's captures leave the name to this document.</returns>
    public async Task<EarlierDocument?> EarlierAsync(GatewayDatabase database, Actor reader, Work work, int partyId, byte[] sha256, Func<Task<byte[]>> contentHash, CancellationToken ct)
    {
        var earlier = await work.Connection.QuerySingleOrDefaultAsync<EarlierDocument>("""
            select c.public_id as PublicId, c.created_at as CreatedAt, document_id as DocumentId, d.sha256, d.content_encoding as ContentEncoding
            from capture c join document d using (document_id) where c.party_id = @partyId and c.identity = @Key and d.sha256 <> @sha256
            """, new { partyId, Key, sha256 }, work.Transaction);
        if (earlier is null)
        {
            return null;
        }
        var (content, said) = (await contentHash(), await ChunkStream.ContentHashAsync(database, reader, earlier.DocumentId, earlier.Sha256, earlier.ContentEncoding, ct));
        return earlier with { IsSame = content.AsSpan().SequenceEqual(said) };
    }

    public static Finding SentAgain(EarlierDocument earlier) =>
        new("GW-CAP-21", Severity.Info, $"The document was accepted before, compressed otherwise, as capture {earlier.PublicId}; nothing of it is stored again.");

    public Finding Refused(EarlierDocument earlier) => new(Code, Severity.Error, string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"The InstanceIdentifier {Cut(_identifier)} of {(_sender.Length == 0 ? "a sender that is not named" : $"sender {Cut(_sender)}")} is that of another document, accepted as capture {earlier.PublicId}, which came on {earlier.CreatedAt:yyyy-MM-dd HH:mm:ss} UTC and says something else."))
    {
        Clause = "Standard Business Document Header 1.3, DocumentIdentification",
        Where = _where,
        Got = Cut(_identifier),
        Want = "an identifier that no other document of the sender has",
        Suggestion = "If it is a new document, send it under a new InstanceIdentifier, such as a UUID. If it is the earlier one sent again, send the earlier bytes; if it corrects the earlier one, send the correction as a document of its own.",
    };

    private static string Cut(string text) => text.Length <= MaxShown ? text : text[..(char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown)] + "…"; // half of a surrogate pair is no text
}
