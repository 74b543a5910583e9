using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Host.Simulate;

/// <summary>
/// Identifiers that repeat with the seed and never within it: each is a one-to-one scrambling of a counter,
/// so no memory of what was given out is needed however many there are.
/// </summary>
public sealed class SeededNumbers(int seed)
{
    const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // no I, L, O, U: read aloud without doubt
    const int SerialLength = 12;
    const int BitsPerCharacter = 5;
    const ulong SerialMask = (1UL << (SerialLength * BitsPerCharacter)) - 1;
    const long SsccReferences = 1_000_000_000;

    readonly ulong _key = BitConverter.ToUInt64(Digest($"serial:{seed}"));

    /// <summary>Twelve characters, out of order as regulators ask of serials.</summary>
    public string Serial(long counter)
    {
        // Xor, an odd factor and a shifted xor are each reversible in 60 bits, so different counters stay different.
        var value = ((ulong)counter ^ _key) & SerialMask;
        for (var round = 0; round < 3; round++)
        {
            value = (value * 0x9E3779B97F4A7C15UL) & SerialMask;
            value ^= value >> 29;
        }
        return string.Create(SerialLength, value, static (characters, rest) =>
        {
            for (var i = 0; i < characters.Length; i++, rest >>= BitsPerCharacter)
                characters[i] = Alphabet[(int)(rest & 31)];
        });
    }

    /// <summary>Extension digit 1 and a nine-digit serial reference, which suits a company prefix of seven digits.</summary>
    public string SsccReference(long counter)
    {
        var start = (long)(_key % SsccReferences);
        return "1" + ((start + counter) % SsccReferences).ToString("D9", CultureInfo.InvariantCulture);
    }

    /// <summary>A UUID of version 8 (RFC 9562), the version for names hashed in one's own way.</summary>
    public Guid Uuid(string name)
    {
        var bytes = Digest($"uuid:{seed}:{name}").AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
