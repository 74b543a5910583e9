namespace Epcis.Formats.Xml;

/// <summary>
/// Counts what the parser takes. An XML parser hands out a tag only when it holds all of it; so the bound on one piece of
/// XML must stand in front of the parser, or a single attribute could fill the memory before anybody sees its length.
/// </summary>
internal sealed class BoundedStream(Stream inner, ReaderLimits limits) : Stream
{
    private const int BytesPerCharacter = 4;
    private const int ReadAhead = 1 << 17; // what the parser may hold of the pieces that follow

    private readonly long _maxPieceBytes = ((long)limits.MaxTextLength * BytesPerCharacter) + ReadAhead;
    private long _total;
    private long _piece;

    /// <summary>The parser starts on its next piece: a tag, a text, a comment.</summary>
    public void NextPiece() => _piece = 0;

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        _total += read;
        _piece += read;
        if (_total > limits.MaxBytes)
        {
            throw new XmlLimitException($"The document is larger than {limits.MaxBytes} bytes.");
        }
        if (_piece > _maxPieceBytes)
        {
            throw new XmlLimitException($"A single tag, text or comment is longer than {limits.MaxTextLength} characters.");
        }
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
