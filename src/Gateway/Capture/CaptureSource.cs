using System.IO.Compression;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>The bytes of captured documents: whole for a download, or the few lines that findings point at.</summary>
public sealed class CaptureSource(GatewayDatabase database)
{
    /// <summary>Copies the document exactly as it was received, chunk by chunk.</summary>
    public async Task CopyAsync(Actor reader, Guid captureId, Stream destination, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        await using var stored = await StoredAsync(work, captureId, ct);
        await stored.CopyToAsync(destination, ct);
    }

    /// <summary>The places with the lines around them; reading ends at the last one.</summary>
    public async Task<SourceExcerpts> ExcerptsAsync(Actor reader, CaptureRow capture, IEnumerable<(int Line, int Column)> places, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        await using var stored = await StoredAsync(work, capture.CaptureId, ct);
        await using var decoded = capture.ContentEncoding == "gzip" ? new GZipStream(stored, CompressionMode.Decompress) : stored;
        return await SourceExcerpts.ReadAsync(decoded, places, ct);
    }

    private static async Task<Stream> StoredAsync(Work work, Guid captureId, CancellationToken ct)
    {
        var documentId = await work.Connection.ExecuteScalarAsync<long?>(new CommandDefinition(
            "select document_id from capture where public_id = @captureId", new { captureId }, work.Transaction, cancellationToken: ct));
        return documentId is { } id ? new ChunkStream(work, id) : Stream.Null;
    }

    /// <summary>A document's chunks as a stream that only goes forward and holds one chunk at a time.</summary>
    private sealed class ChunkStream(Work work, long documentId) : Stream
    {
        private ReadOnlyMemory<byte> _rest;
        private int _ordinal = int.MinValue;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (_rest.IsEmpty)
            {
                var next = await work.Connection.QuerySingleOrDefaultAsync<(int Ordinal, byte[] Bytes)?>(new CommandDefinition(
                    "select ordinal, bytes from document_chunk where document_id = @documentId and ordinal > @ordinal order by ordinal limit 1",
                    new { documentId, ordinal = _ordinal }, work.Transaction, cancellationToken: cancellationToken));
                if (next is not { } chunk)
                {
                    return 0;
                }
                (_ordinal, _rest) = (chunk.Ordinal, chunk.Bytes);
            }
            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Documents are read asynchronously.");
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
