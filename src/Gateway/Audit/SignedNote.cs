using System.Security.Cryptography;
using System.Text;

namespace Gateway.Audit;

/// <summary>
/// Text that proves who said it: lines, an empty line, and for each who signs a line <c>— key signature</c> with the number of the key and
/// its ECDSA signature of all before the first such line. Whoever has the public key verifies it, with OpenSSL too.
/// </summary>
public static class SignedNote
{
    /// <summary>A moment in a note: UTC, to the microsecond.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    private const string Signed = "— ";
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="body">Ends with an empty line, and has no other.</param>
    public static string Sign(string body, SealKey key) => body + LineOf(body, key);

    /// <summary>The line that another signer adds to a note.</summary>
    public static string LineOf(string body, SealKey key)
    {
        var (id, signature) = key.Sign(s_utf8.GetBytes(body));
        return $"{Signed}{id} {Convert.ToBase64String(signature)}\n";
    }

    /// <summary>What was signed; empty where there is no empty line.</summary>
    public static string BodyOf(string note) => note.IndexOf("\n\n", StringComparison.Ordinal) is >= 0 and var end ? note[..(end + 2)] : "";

    /// <summary>The number of the first trusted key whose signature is of this text.</summary>
    /// <param name="keyOf">The public key of a number; null when it is unknown or not trusted.</param>
    /// <param name="wrong">A sentence when there is none, or when a trusted key's is not of this text; otherwise null.</param>
    public static string? SignerOf(string note, Func<string, ECDsa?> keyOf, out string? wrong)
    {
        var body = BodyOf(note);
        var lines = note[body.Length..].Split('\n');
        string? signer = null;
        wrong = "It is not signed.";
        if (body.Length == 0 || lines.Length < 2 || lines[^1].Length > 0)
        {
            return null;
        }
        foreach (var line in lines[..^1])
        {
            if (!line.StartsWith(Signed, StringComparison.Ordinal) || line[Signed.Length..].Split(' ') is not [var id, var text] || !TryBase64(text, out var signature))
            {
                wrong = "It is not signed.";
                return null;
            }
            if (keyOf(id) is not { } key)
            {
                wrong = signer is null ? $"It is signed with the key {id}, which is not among those that are trusted." : null;
            }
            else if (key.VerifyData(s_utf8.GetBytes(body), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))
            {
                (signer, wrong) = (signer ?? id, null);
            }
            else
            {
                wrong = $"The signature of the key {id} is not of this text.";
                return null;
            }
        }
        return signer;
    }

    /// <summary>The number of the key that a note names first, whether or not it has signed; empty when there is none.</summary>
    public static string NamedSigner(string note) =>
        note[BodyOf(note).Length..] is var lines && lines.StartsWith(Signed, StringComparison.Ordinal) && lines.IndexOf(' ', Signed.Length) is > 0 and var end ? lines[Signed.Length..end] : "";

    /// <summary>The lines <c>name value</c> after the title, when they are these and no others.</summary>
    internal static string[]? ValuesOf(string body, string title, IReadOnlyList<string> names)
    {
        var lines = body.Split('\n');
        return lines.Length == names.Count + 3 && lines[0] == title && !names.Where((n, i) => !lines[i + 1].StartsWith(n + " ", StringComparison.Ordinal)).Any()
            ? [.. names.Select((n, i) => lines[i + 1][(n.Length + 1)..])]
            : null;
    }

    internal static bool TryHash(string text, out byte[] hash) => TryBase64(text, out hash) && hash.Length == MerkleTree.HashBytes;

    private static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        var isText = Convert.TryFromBase64String(text, bytes, out var length);
        bytes = bytes[..length];
        return isText && Convert.ToBase64String(bytes) == text; // blanks are let through otherwise
    }
}
