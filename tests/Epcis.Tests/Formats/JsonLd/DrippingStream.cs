namespace Epcis.Tests.Formats.JsonLd;

/// <summary>Gives one byte per read, as the slowest network may.</summary>
internal sealed class DrippingStream(byte[] bytes, bool canSeek = true) : MemoryStream(bytes)
{
    public override bool CanSeek => canSeek;

    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1));

    public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1)]);
}
