using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>
/// A stored document as a forward-only stream, one chunk in memory. Each chunk is a transaction of its own, so a slow
/// reader holds no snapshot and no connection.
/// </summary>
internal sealed class ChunkStream(GatewayDatabase database, Actor actor, long documentId) : ForwardStream
{
    private byte[] _chunk = [];
    private int _position;
    private int _next;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        if (_position == _chunk.Length && !_ended)
        {
            NextAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        return Take(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position == _chunk.Length && !_ended)
        {
            await NextAsync(cancellationToken);
        }
        return Take(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int Take(Span<byte> buffer)
    {
        var length = Math.Min(buffer.Length, _chunk.Length - _position);
        _chunk.AsSpan(_position, length).CopyTo(buffer);
        _position += length;
        return length;
    }

    private async Task NextAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct).ConfigureAwait(false);
        var chunk = await work.Connection.QuerySingleOrDefaultAsync<byte[]>(new CommandDefinition(
            "select bytes from document_chunk where document_id = @documentId and ordinal = @next", new { documentId, next = _next++ }, work.Transaction, cancellationToken: ct)).ConfigureAwait(false);
        (_chunk, _position, _ended) = (chunk ?? [], 0, chunk is null);
    }
}
