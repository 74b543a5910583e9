using System.Text;

namespace Gateway.Access;

/// <summary>RFC 4648 base32 without padding: how authenticator apps take a key.</summary>
public static class Base32
{
    public const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        var (buffer, bits) = (0, 0);
        foreach (var b in bytes)
        {
            (buffer, bits) = (buffer << 8 | b, bits + 8);
            while (bits >= 5)
            {
                text.Append(Alphabet[buffer >> (bits -= 5) & 31]);
            }
            buffer &= (1 << bits) - 1;
        }
        return bits > 0 ? text.Append(Alphabet[buffer << (5 - bits) & 31]).ToString() : text.ToString();
    }
}
