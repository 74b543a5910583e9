using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery.Channels;

/// <summary>The stored bytes are not those that were captured.</summary>
public sealed class CorruptDocumentException(long documentId) : IOException($"The stored bytes of document {documentId} do not match their SHA-256.");

/// <summary>
/// A document's bytes exactly as stored, one chunk in memory at a time and no transaction open while the partner reads. The last
/// chunk is held back until the hash is right, so a damaged document never arrives whole.
/// </summary>
public sealed class StoredDocumentContent : HttpContent
{
    private readonly GatewayDatabase _database;
    private readonly ClaimedDelivery _delivery;

    public StoredDocumentContent(GatewayDatabase database, ClaimedDelivery delivery)
    {
        (_database, _delivery) = (database, delivery);
        Headers.ContentType = MediaTypeHeaderValue.Parse(delivery.MediaType);
        if (delivery.ContentEncoding is { } encoding)
        {
            Headers.ContentEncoding.Add(encoding);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long sent = 0;
        for (var ordinal = -1; ;)
        {
            if ((ordinal < 0 && _delivery.Bytes is { } bytes ? (0, bytes) : await NextAsync(ordinal, cancellationToken)) is not { } chunk)
            {
                throw new CorruptDocumentException(_delivery.DocumentId);
            }
            ordinal = chunk.Ordinal;
            hash.AppendData(chunk.Bytes);
            sent += chunk.Bytes.Length;
            if (sent >= _delivery.Length)
            {
                if (sent != _delivery.Length || !hash.GetHashAndReset().AsSpan().SequenceEqual(_delivery.Sha256))
                {
                    throw new CorruptDocumentException(_delivery.DocumentId);
                }
                await stream.WriteAsync(chunk.Bytes, cancellationToken);
                return;
            }
            await stream.WriteAsync(chunk.Bytes, cancellationToken);
        }
    }

    // Ordinals begin at 0.
    private async Task<(int Ordinal, byte[] Bytes)?> NextAsync(int after, CancellationToken ct)
    {
        await using var work = await _database.BeginAsync(Actor.System("delivery"), ct);
        return await work.Connection.QuerySingleOrDefaultAsync<(int, byte[])?>(new CommandDefinition("""
            select ordinal, bytes from document_chunk where document_id = @DocumentId and ordinal > @after order by ordinal limit 1
            """, new { _delivery.DocumentId, after }, work.Transaction, cancellationToken: ct));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _delivery.Length;
        return true;
    }
}
