using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Audit;

/// <summary>
/// What a sealed trail is at a moment, as a signed note: lines of text, an empty line, and a line with the key's number and its
/// signature of all before that line. It is verified without anything but the public key.
/// </summary>
/// <param name="Origin">Which installation's trail it is.</param>
/// <param name="Epoch">Which of its trees.</param>
/// <param name="Size">How many leaves it has.</param>
/// <param name="Root">Its hash: RFC 9162, section 2.1.1.</param>
/// <param name="Time">When it was signed, by the database's clock, to the microsecond.</param>
/// <param name="Previous">SHA-256 of the text of the checkpoint with another size before it; null for the first of an epoch.</param>
/// <param name="Baseline">The validated state that it was signed under; null when there is none.</param>
public sealed record Checkpoint(Guid Origin, int Epoch, long Size, byte[] Root, DateTime Time, byte[]? Previous, string? Baseline)
{
    private const string Title = "gateway audit checkpoint v1", Signed = "— ", TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] s_names = ["origin ", "epoch ", "size ", "root ", "time ", "previous ", "baseline "];

    private string Body => string.Create(CultureInfo.InvariantCulture,
        $"{Title}\norigin {Origin:D}\nepoch {Epoch}\nsize {Size}\nroot {Convert.ToBase64String(Root)}\ntime {Time.ToString(TimeFormat, CultureInfo.InvariantCulture)}\nprevious {(Previous is null ? "-" : Convert.ToBase64String(Previous))}\nbaseline {Baseline ?? "-"}\n\n");

    /// <summary>The signed note.</summary>
    public string Sign(SealKey key) => $"{Body}{Signed}{key.Id} {Convert.ToBase64String(key.Sign(s_utf8.GetBytes(Body)))}\n";

    /// <summary>Reads a note, whoever has signed it.</summary>
    /// <returns>Null when it is no checkpoint.</returns>
    public static Checkpoint? Parse(string note) => TryParse(note[..EndOf(note)], out var checkpoint) && checkpoint.Body == note[..EndOf(note)] ? checkpoint : null;

    /// <summary>Reads a note and verifies its signature.</summary>
    /// <param name="keyOf">The public key of a number; null when it is unknown or not trusted.</param>
    /// <param name="wrong">A sentence when it is not a note that one of these keys has signed; otherwise null.</param>
    public static Checkpoint? Read(string note, Func<string, ECDsa?> keyOf, out string? wrong)
    {
        if (Parse(note) is not { } checkpoint)
        {
            wrong = "It is no checkpoint.";
            return null;
        }
        var line = note[EndOf(note)..];
        if (!line.StartsWith(Signed, StringComparison.Ordinal) || !line.EndsWith('\n') || line[Signed.Length..^1].Split(' ') is not [var id, var text]
            || !TryBase64(text, out var signature))
        {
            wrong = "It is not signed.";
            return null;
        }
        if (keyOf(id) is not { } key)
        {
            wrong = $"It is signed with the key {id}, which is not among those that are trusted.";
            return null;
        }
        var isValid = key.VerifyData(s_utf8.GetBytes(checkpoint.Body), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        wrong = isValid ? null : $"The signature of the key {id} is not of this text.";
        return isValid ? checkpoint : null;
    }

    /// <summary>Where the signature's line begins; 0 where there is none.</summary>
    private static int EndOf(string note) => note.IndexOf("\n\n", StringComparison.Ordinal) is >= 0 and var end ? end + 2 : 0;

    // Whatever is read is written again and compared, so each checkpoint has one spelling.
    private static bool TryParse(string body, out Checkpoint checkpoint)
    {
        checkpoint = null!;
        var lines = body.Split('\n');
        if (lines.Length != s_names.Length + 3 || lines[0] != Title || s_names.Where((n, i) => !lines[i + 1].StartsWith(n, StringComparison.Ordinal)).Any())
        {
            return false;
        }
        var values = s_names.Select((n, i) => lines[i + 1][n.Length..]).ToArray();
        byte[]? previous = null;
        if (!Guid.TryParseExact(values[0], "D", out var origin) || !int.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(values[2], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || !TryHash(values[3], out var root)
            || !DateTime.TryParseExact(values[4], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            || values[5] != "-" && !TryHash(values[5], out previous) || values[6].Length == 0)
        {
            return false;
        }
        checkpoint = new Checkpoint(origin, epoch, size, root, time, previous, values[6] == "-" ? null : values[6]);
        return true;
    }

    private static bool TryHash(string text, out byte[] hash) => TryBase64(text, out hash) && hash.Length == MerkleTree.HashBytes;

    private static bool TryBase64(string text, out byte[] bytes)
    {
        bytes = new byte[text.Length];
        var isText = Convert.TryFromBase64String(text, bytes, out var length);
        bytes = bytes[..length];
        return isText && Convert.ToBase64String(bytes) == text; // blanks are let through otherwise
    }
}
