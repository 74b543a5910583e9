using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Http;

/// <summary>
/// Page tokens are opaque to clients. The check bytes tell a damaged or invented token from ours; they are no secret, for a
/// token grants nothing: row security decides what its bearer sees, and what it holds is checked like any parameter.
/// </summary>
public static class PageToken
{
    private const int CheckBytes = 8;

    public static string Seal(string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        return Base64Url.EncodeToString([.. Check(bytes), .. bytes]);
    }

    /// <returns>Null when the token is not one of ours.</returns>
    public static string? Open(string token)
    {
        if (!Base64Url.IsValid(token))
        {
            return null;
        }
        var bytes = Base64Url.DecodeFromChars(token).AsSpan();
        return bytes.Length >= CheckBytes && Check(bytes[CheckBytes..]).SequenceEqual(bytes[..CheckBytes]) ? Encoding.UTF8.GetString(bytes[CheckBytes..]) : null;
    }

    private static Span<byte> Check(ReadOnlySpan<byte> content) => SHA256.HashData(content).AsSpan(0, CheckBytes);
}
