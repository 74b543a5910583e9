using System.Buffers.Binary;
using System.Text;

namespace Gateway.Partners;

/// <summary>Keys of SSH as people paste them.</summary>
public static class SshKeys
{
    private const string Begin = "-----BEGIN OPENSSH PRIVATE KEY-----", End = "-----END OPENSSH PRIVATE KEY-----";
    private const int MaxPrivateKey = 16 * 1024;
    private static readonly string[] Types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

    /// <returns>Why the line is no host key, or null.</returns>
    /// <param name="key">Its type and base64, without a comment.</param>
    public static string? RefuseHostKey(string? line, out string key)
    {
        key = "";
        var parts = (line ?? "").Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (line is null || line.AsSpan().Trim().ContainsAny('\r', '\n') || parts.Length < 2 || !Types.Contains(parts[0], StringComparer.Ordinal))
        {
            return $"channel.hostKey is one line as ssh-keyscan prints it, without the host: a type ({string.Join(", ", Types)}) and base64.";
        }
        var blob = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], blob, out var length) || ReadText(blob.AsSpan(0, length), 0) is not var (type, next) || type != parts[0] || next >= length)
        {
            return "channel.hostKey is cut off or damaged: its base64 does not hold a key of its type.";
        }
        key = $"{parts[0]} {parts[1]}";
        return null;
    }

    /// <summary>As OpenSSH shows it.</summary>
    /// <param name="key">A host key that was looked at: type and base64.</param>
    public static string Fingerprint(string key) => "SHA256:" + Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(Convert.FromBase64String(key.Split(' ')[1]))).TrimEnd('=');

    /// <returns>Why the text is no private key that can be used, or null.</returns>
    /// <param name="key">With the line ends that the program wants.</param>
    public static string? RefusePrivateKey(string? text, out string key)
    {
        key = (text ?? "").Replace("\r", "", StringComparison.Ordinal).Trim() + "\n";
        if (key.Length > MaxPrivateKey || !key.StartsWith(Begin + "\n", StringComparison.Ordinal) || !key.EndsWith("\n" + End + "\n", StringComparison.Ordinal))
        {
            return "channel.privateKey is a private key in OpenSSH's own form, as ssh-keygen writes it: whole, with its first and last line.";
        }
        var body = key[Begin.Length..^(End.Length + 1)].Replace("\n", "", StringComparison.Ordinal);
        var blob = new byte[body.Length];
        const int magic = 15; // "openssh-key-v1" and a zero
        if (!Convert.TryFromBase64String(body, blob, out var length) || length <= magic || !blob.AsSpan(0, magic).SequenceEqual("openssh-key-v1\0"u8) || ReadText(blob.AsSpan(0, length), magic) is not var (cipher, _))
        {
            return "channel.privateKey is damaged: what stands between its first and last line is no such key.";
        }
        return cipher == "none" ? null : "channel.privateKey has a passphrase, which nobody could type: make one without (ssh-keygen -p).";
    }

    private static (string Text, int Next)? ReadText(ReadOnlySpan<byte> blob, int at)
    {
        if (blob.Length < at + 4 || BinaryPrimitives.ReadUInt32BigEndian(blob[at..]) is var length && length > blob.Length - at - 4)
        {
            return null;
        }
        return (Encoding.ASCII.GetString(blob.Slice(at + 4, (int)length)), at + 4 + (int)length);
    }
}
