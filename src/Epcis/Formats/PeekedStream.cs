namespace Epcis.Formats;

/// <summary>A stream whose first bytes can be looked at before it is read. It owns the stream beneath.</summary>
internal sealed class PeekedStream(Stream inner) : Stream
{
    private readonly byte[] _peeked = new byte[512];
    private int _start;
    private int _end;
    private bool _ended;

    public override bool CanRead => true;
    public override bool CanSeek => inner.CanSeek;
    public override bool CanWrite => false;
    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position - (_end - _start);
        set
        {
            inner.Position = value;
            _start = _end;
        }
    }

    /// <summary>The first byte that is neither byte order mark nor white space; <see langword="null"/> when the first 512 have none.</summary>
    public byte? FirstSignificantByte()
    {
        while (_end < _peeked.Length && !_ended)
        {
            var bytes = Unread();
            // Two bytes could still be the beginning of a byte order mark.
            if (bytes.Length >= 3 && bytes.TrimStart(" \t\r\n"u8) is [var first, ..])
            {
                return first;
            }
            var read = inner.Read(_peeked, _end, _peeked.Length - _end);
            _end += read;
            _ended = read == 0;
        }
        return Unread().TrimStart(" \t\r\n"u8) is [var byteAtEnd, ..] ? byteAtEnd : null;
    }

    private ReadOnlySpan<byte> Unread()
    {
        var bytes = _peeked.AsSpan(_start, _end - _start);
        return bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_start == _end)
        {
            return inner.Read(buffer);
        }
        var count = Math.Min(buffer.Length, _end - _start);
        _peeked.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
