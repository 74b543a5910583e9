using System.Text;

namespace Gateway.Intake;

/// <summary>Reads the records of a file. Memory holds one record at a time.</summary>
internal abstract class SourceReader(FileForm form)
{
    protected static readonly IReadOnlyDictionary<string, string> NoHeader = new Dictionary<string, string>();

    protected FileForm Form { get; } = form;

    /// <summary>What machines counted, as the file says it; whole at its end.</summary>
    public Dictionary<string, int> Counters { get; } = new(StringComparer.Ordinal);

    /// <summary>What there is to say of the file besides its records; whole at its end.</summary>
    public List<IntakeFinding> Findings { get; } = [];

    /// <exception cref="FileRefusedException">The file is refused as a whole. It may come after any record.</exception>
    public abstract IEnumerable<SourceRecord> Read(Stream bytes);

    public static SourceReader Of(Mapping mapping) => mapping.Kind switch
    {
        ReaderKind.Delimited or ReaderKind.Scans => new DelimitedReader(mapping.Form),
        ReaderKind.Fixed => new FixedReader(mapping.Form),
        ReaderKind.Xml => new XmlRecordReader(mapping.Form),
        ReaderKind.JsonLines => new JsonLinesReader(mapping.Form),
        _ => throw new InvalidOperationException("EPCIS is not read by records."),
    };

    /// <summary>The text of the file, whose bytes have to be of the encoding.</summary>
    protected StreamReader Text(Stream bytes)
    {
        var encoding = Strict(Form.Encoding);
        var mark = Encoding.UTF8.Preamble;
        var start = new byte[mark.Length];
        var length = bytes.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var isMarked = start.AsSpan(0, length).SequenceEqual(mark);
        if (isMarked && (Form.ByteOrderMark == "forbidden" || Form.Encoding != "utf-8") || !isMarked && Form.ByteOrderMark == "required")
        {
            throw new FileRefusedException(IntakeCodes.Encoding, isMarked ? "a byte order mark stands at its beginning" : "no byte order mark stands at its beginning");
        }
        return new StreamReader(isMarked ? bytes : new Rejoined(start.AsMemory(0, length), bytes), encoding, detectEncodingFromByteOrderMarks: false, bufferSize: 64 << 10, leaveOpen: true);
    }

    protected static Encoding Strict(string name)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        return Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
    }

    /// <summary>What every reader of text refuses a file for.</summary>
    protected static FileRefusedException Undecodable(DecoderFallbackException e) =>
        new(IntakeCodes.Encoding, $"bytes {string.Join(' ', (e.BytesUnknown ?? []).Select(b => b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture)))} are not of its encoding");

    /// <summary>Demands the number of rows that a header announced.</summary>
    protected void DemandCount(int found, SourceRecord? last)
    {
        if (Form.AnnouncedRows is { } announced && (last is null ? null : announced.Of(last)) is var text
            && (text is null || !int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var count) || count != found))
        {
            throw new FileRefusedException(IntakeCodes.CountMismatch, FormattableString.Invariant($"{text ?? "nothing"} announced, {found} found"));
        }
    }

    /// <summary>The bytes that were looked at, and the rest.</summary>
    private sealed class Rejoined(ReadOnlyMemory<byte> start, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _start = start;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (_start.IsEmpty)
            {
                return rest.Read(buffer);
            }
            var count = Math.Min(buffer.Length, _start.Length);
            _start.Span[..count].CopyTo(buffer);
            _start = _start[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
