using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Epcis.Hashing;

/// <summary>The SHA-256 of a text that comes in pieces; it holds a few thousand characters of it.</summary>
internal sealed class TextDigest : IDisposable
{
    private const int MaxPending = 4096;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Encoder _encoder = Encoding.UTF8.GetEncoder(); // keeps half of a surrogate pair for the next piece
    private readonly char[] _pending = ArrayPool<char>.Shared.Rent(MaxPending);
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(MaxPending));
    private int _length;

    public void Append(ReadOnlySpan<char> text)
    {
        while (text.Length > MaxPending - _length)
        {
            var fits = MaxPending - _length;
            text[..fits].CopyTo(_pending.AsSpan(_length));
            _length = MaxPending;
            Hash(isLast: false);
            text = text[fits..];
        }
        text.CopyTo(_pending.AsSpan(_length));
        _length += text.Length;
    }

    public byte[] Finish()
    {
        Hash(isLast: true);
        return _hash.GetHashAndReset();
    }

    public void Dispose()
    {
        _hash.Dispose();
        ArrayPool<char>.Shared.Return(_pending);
        ArrayPool<byte>.Shared.Return(_bytes);
    }

    private void Hash(bool isLast)
    {
        var written = _encoder.GetBytes(_pending.AsSpan(0, _length), _bytes, isLast);
        _hash.AppendData(_bytes, 0, written);
        _length = 0;
    }
}
