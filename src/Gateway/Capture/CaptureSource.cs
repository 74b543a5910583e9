using System.IO.Compression;
using System.Text;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>A part of a line of a captured document.</summary>
/// <param name="FirstColumn">The column (1-based) of the first character of <paramref name="Text"/>.</param>
public sealed record SourceLine(int Number, int FirstColumn, string Text, bool CutBefore, bool CutAfter);

/// <summary>The bytes of captured documents: whole for a download, or the few lines that findings point at.</summary>
public sealed class CaptureSource(GatewayDatabase database)
{
    /// <summary>Characters shown of one line, around the place. A JSON document may be one line of a hundred megabytes.</summary>
    public const int MaxWidth = 160;

    /// <summary>Characters read before giving up: a page must not cost a minute.</summary>
    public const long MaxCharacters = 64L << 20;

    /// <summary>Copies the document exactly as it was received, chunk by chunk.</summary>
    public async Task CopyAsync(Actor reader, Guid captureId, Stream destination, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        await using var stored = await StoredAsync(work, captureId, ct);
        await stored.CopyToAsync(destination, ct);
    }

    /// <summary>The asked lines, each cut to <see cref="MaxWidth"/> around its column; reading ends at the last one.</summary>
    /// <param name="places">Line and column; several columns of one line show the first.</param>
    public async Task<IReadOnlyDictionary<int, SourceLine>> LinesAsync(Actor reader, CaptureRow capture, IEnumerable<(int Line, int Column)> places, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        await using var stored = await StoredAsync(work, capture.CaptureId, ct);
        await using var decoded = capture.ContentEncoding == "gzip" ? new GZipStream(stored, CompressionMode.Decompress) : stored;
        using var text = new StreamReader(decoded, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, 1 << 16);
        return await CutAsync(text, places, ct);
    }

    public static async Task<IReadOnlyDictionary<int, SourceLine>> CutAsync(TextReader text, IEnumerable<(int Line, int Column)> places, CancellationToken ct)
    {
        var wanted = new Queue<(int Line, int First)>(places.Where(p => p.Line > 0).GroupBy(p => p.Line).OrderBy(g => g.Key)
            .Select(g => (g.Key, Math.Max(1, g.Min(p => p.Column) - MaxWidth / 2))));
        var found = new Dictionary<int, SourceLine>();
        var cut = new StringBuilder(MaxWidth);
        var buffer = new char[1 << 14];
        int line = 1, column = 1;
        long seen = 0;
        while (wanted.Count > 0 && seen < MaxCharacters)
        {
            var read = await text.ReadAsync(buffer, ct);
            for (var i = 0; i < read && wanted.Count > 0; i++)
            {
                var ends = buffer[i] == '\n';
                if (line == wanted.Peek().Line)
                {
                    if (ends || cut.Length == MaxWidth)
                    {
                        Keep(cutAfter: !ends);
                    }
                    else if (column >= wanted.Peek().First && buffer[i] != '\r')
                    {
                        cut.Append(buffer[i]);
                    }
                }
                (line, column) = ends ? (line + 1, 1) : (line, column + 1);
            }
            seen += read;
            if (read == 0)
            {
                if (wanted.Peek().Line == line)
                {
                    Keep(cutAfter: false);
                }
                break;
            }
        }
        return found;

        void Keep(bool cutAfter)
        {
            var (number, first) = wanted.Dequeue();
            found[number] = new SourceLine(number, first, cut.ToString(), first > 1, cutAfter);
            cut.Clear();
        }
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
