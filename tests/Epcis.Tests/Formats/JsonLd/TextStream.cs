using System.Text;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>Texts one after the other, each made bytes only when it is read; it cannot seek.</summary>
internal sealed class TextStream(IEnumerable<string> texts) : Stream
{
    private readonly IEnumerator<string> _texts = texts.GetEnumerator();
    private ReadOnlyMemory<byte> _rest;

    public long BytesRead { get; private set; }
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (_rest.IsEmpty)
        {
            if (!_texts.MoveNext())
            {
                return 0;
            }
            _rest = Encoding.UTF8.GetBytes(_texts.Current);
        }
        var read = Math.Min(count, _rest.Length);
        _rest.Span[..read].CopyTo(buffer.AsSpan(offset));
        _rest = _rest[read..];
        BytesRead += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _texts.Dispose();
        base.Dispose(disposing);
    }
}
