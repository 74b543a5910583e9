using System.Data;
using System.IO.Compression;
using System.Security.Cryptography;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Capture;

/// <summary>
/// A stored document as a forward-only stream, one chunk in memory. Each chunk is a transaction of its own, so a slow
/// reader holds no snapshot and no connection.
/// </summary>
internal sealed class ChunkStream(GatewayDatabase database, Actor actor, long documentId) : ForwardStream
{
    private byte[] _chunk = []; // one for all: so large, each would be left to the collector's last generation
    private int _length;
    private int _position;
    private int _next;
    private bool _ended;

    /// <summary>The hash of what a stored document says: of its bytes inflated, since the same bytes are compressed in many ways.</summary>
    /// <param name="sha256">Of its bytes as they came.</param>
    public static async Task<byte[]> ContentHashAsync(GatewayDatabase database, Actor actor, long documentId, byte[] sha256, string? contentEncoding, CancellationToken ct)
    {
        if (contentEncoding is null)
        {
            return sha256;
        }
        await using var bytes = new ChunkStream(database, actor, documentId);
        await using var inflated = new GZipStream(bytes, CompressionMode.Decompress);
        return await SHA256.HashDataAsync(inflated, ct);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_position == _length && !_ended)
        {
            NextAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position == _length && !_ended)
        {
            await NextAsync(cancellationToken);
        }
        return Take(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int Take(Span<byte> buffer)
    {
        var length = Math.Min(buffer.Length, _length - _position);
        _chunk.AsSpan(_position, length).CopyTo(buffer);
        _position += length;
        return length;
    }

    private async Task NextAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct).ConfigureAwait(false);
        await using var select = new NpgsqlCommand("select octet_length(bytes), bytes from document_chunk where document_id = $1 and ordinal = $2", work.Connection, work.Transaction)
        {
            Parameters = { new() { Value = documentId }, new() { Value = _next++ } },
        };
        await using var row = await select.ExecuteReaderAsync(CommandBehavior.SequentialAccess, ct).ConfigureAwait(false);
        (_length, _position, _ended) = (0, 0, !await row.ReadAsync(ct).ConfigureAwait(false));
        if (!_ended)
        {
            _length = row.GetInt32(0);
            _chunk = _chunk.Length < _length ? new byte[_length] : _chunk;
            await using var bytes = await row.GetStreamAsync(1, ct).ConfigureAwait(false);
            await bytes.ReadExactlyAsync(_chunk.AsMemory(0, _length), ct).ConfigureAwait(false);
        }
    }
}
