using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Gateway.Audit;

/// <summary>A line of <c>entries.jsonl</c>, in the buffer it was read into: it is good until the next is read.</summary>
/// <param name="IsThere">False when the entry is gone.</param>
/// <param name="Canonical">The sealed bytes.</param>
/// <param name="Columns">The text of the same by the columns that searches use.</param>
internal readonly ref struct ReadEntry(int epoch, long leaf, long ord, bool isThere, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> canonical, ReadOnlySpan<byte> columns)
{
    public int Epoch { get; } = epoch;
    public long Leaf { get; } = leaf;
    public long Ord { get; } = ord;
    public bool IsThere { get; } = isThere;
    public ReadOnlySpan<byte> Hash { get; } = hash;
    public ReadOnlySpan<byte> Canonical { get; } = canonical;
    public ReadOnlySpan<byte> Columns { get; } = columns;
}

/// <summary>The entries of an export one after the other. A line is looked through once, and nothing of it is copied but what base64 hides.</summary>
internal sealed class ExportReading : IDisposable
{
    /// <summary>No entry is as long: what is, was put there.</summary>
    public const int MaxLine = 256 << 20;

    private readonly FileStream _file;
    private byte[] _buffer = new byte[1 << 20];
    private byte[] _decoded = new byte[1 << 16];
    private int _start, _end, _next;

    /// <exception cref="IOException">It cannot be read.</exception>
    public ExportReading(string path) => _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);

    /// <summary>The number of the line that was read last, from one.</summary>
    public long Line { get; private set; }

    /// <summary>Goes to the next line that is not empty.</summary>
    /// <exception cref="NoExportException">A line is longer than any entry.</exception>
    public bool MoveNext()
    {
        for (; ; )
        {
            _start = _next;
            var searched = _start;
            int at;
            while ((at = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n')) < 0)
            {
                searched = _end - _start;
                if (!Fill())
                {
                    _next = _end;
                    Line += _end > _start ? 1 : 0;
                    LineEnd = _end;
                    return _end > _start;
                }
            }
            LineEnd = searched + at;
            _next = LineEnd + 1;
            Line++;
            if (LineEnd > _start)
            {
                return true;
            }
        }
    }

    private int LineEnd { get; set; }

    /// <returns>Whether the line is an entry.</returns>
    public bool TryRead(out ReadEntry entry)
    {
        entry = default;
        var line = _buffer.AsSpan(_start, LineEnd - _start);
        if (_decoded.Length < line.Length)
        {
            _decoded = new byte[line.Length];
        }
        try
        {
            var reader = new Utf8JsonReader(line);
            int? epoch = null;
            long? leaf = null, ord = null;
            (int Start, int Length) hash = default, canonical = default, columns = default;
            var (decoded, isThere, isEnded) = (0, false, false);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("epoch"u8))
                {
                    reader.Read();
                    epoch = reader.GetInt32();
                }
                else if (reader.ValueTextEquals("leaf"u8))
                {
                    reader.Read();
                    leaf = reader.GetInt64();
                }
                else if (reader.ValueTextEquals("ord"u8))
                {
                    reader.Read();
                    ord = reader.GetInt64();
                }
                else if (reader.ValueTextEquals("hash"u8))
                {
                    reader.Read();
                    hash = Decode(ref reader, ref decoded);
                }
                else if (reader.ValueTextEquals("canonical"u8))
                {
                    reader.Read();
                    isThere = reader.TokenType == JsonTokenType.String;
                    canonical = Decode(ref reader, ref decoded);
                }
                else if (reader.ValueTextEquals("columns"u8))
                {
                    // Nearly always they are the sealed bytes again, and end the line: they are not looked through a second time.
                    var rest = line[(int)reader.BytesConsumed..].TrimStart((byte)' ');
                    if (isThere && rest.Length == canonical.Length + 1 && rest[^1] == '}' && rest[..^1].SequenceEqual(_decoded.AsSpan(canonical.Start, canonical.Length)))
                    {
                        columns = (line.Length - rest.Length, canonical.Length);
                        isEnded = true;
                        break;
                    }
                    reader.Read();
                    var from = (int)reader.TokenStartIndex;
                    reader.Skip();
                    columns = (from, reader.TokenType == JsonTokenType.Null ? 0 : (int)reader.BytesConsumed - from);
                }
                else
                {
                    return false; // it is none of ours
                }
            }
            if (!isEnded && (reader.TokenType != JsonTokenType.EndObject || reader.Read()) || epoch is null || leaf is null || ord is null || hash.Length == 0)
            {
                return false;
            }
            entry = new ReadEntry(epoch.Value, leaf.Value, ord.Value, isThere, _decoded.AsSpan(hash.Start, hash.Length), _decoded.AsSpan(canonical.Start, canonical.Length), line.Slice(columns.Start, columns.Length));
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or DecoderFallbackException)
        {
            return false;
        }
    }

    public void Dispose() => _file.Dispose();

    private (int, int) Decode(ref Utf8JsonReader reader, ref int used)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return default;
        }
        // The writer escapes no letter of base64.
        if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped || Base64.DecodeFromUtf8(reader.ValueSpan, _decoded.AsSpan(used), out _, out var length) != System.Buffers.OperationStatus.Done)
        {
            throw new FormatException();
        }
        used += length;
        return (used - length, length);
    }

    private bool Fill()
    {
        var kept = _end - _start;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
            (_start, _end) = (0, kept);
        }
        if (kept == _buffer.Length)
        {
            if (kept >= MaxLine)
            {
                throw new NoExportException($"Line {Line + 1} of {TrailExport.Entries} is longer than any entry.");
            }
            Array.Resize(ref _buffer, kept * 2);
        }
        var read = _file.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        return read > 0;
    }
}
