using System.Globalization;
using System.Security.Cryptography;

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
/// <param name="Baseline">The number of the baseline that was in effect, and its fingerprint; null when there is none.</param>
public sealed record Checkpoint(Guid Origin, int Epoch, long Size, byte[] Root, DateTime Time, byte[]? Previous, string? Baseline)
{
    private const string Title = "gateway audit checkpoint v1";
    private static readonly string[] s_names = ["origin", "epoch", "size", "root", "time", "previous", "baseline"];

    private string Body => string.Create(CultureInfo.InvariantCulture,
        $"{Title}\norigin {Origin:D}\nepoch {Epoch}\nsize {Size}\nroot {Convert.ToBase64String(Root)}\ntime {Time.ToString(SignedNote.TimeFormat, CultureInfo.InvariantCulture)}\nprevious {(Previous is null ? "-" : Convert.ToBase64String(Previous))}\nbaseline {Baseline ?? "-"}\n\n");

    /// <summary>The signed note.</summary>
    public string Sign(SealKey key) => SignedNote.Sign(Body, key);

    /// <summary>Reads a note, whoever has signed it.</summary>
    /// <returns>Null when it is no checkpoint.</returns>
    public static Checkpoint? Parse(string note) => TryParse(SignedNote.BodyOf(note), out var checkpoint) && checkpoint.Body == SignedNote.BodyOf(note) ? checkpoint : null;

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
        return SignedNote.SignerOf(note, keyOf, out wrong) is null ? null : checkpoint;
    }

    // Whatever is read is written again and compared, so each checkpoint has one spelling.
    private static bool TryParse(string body, out Checkpoint checkpoint)
    {
        checkpoint = null!;
        if (SignedNote.ValuesOf(body, Title, s_names) is not { } values)
        {
            return false;
        }
        byte[]? previous = null;
        if (!Guid.TryParseExact(values[0], "D", out var origin) || !int.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(values[2], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || !SignedNote.TryHash(values[3], out var root)
            || !DateTime.TryParseExact(values[4], SignedNote.TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            || values[5] != "-" && !SignedNote.TryHash(values[5], out previous) || values[6].Length == 0)
        {
            return false;
        }
        checkpoint = new Checkpoint(origin, epoch, size, root, time, previous, values[6] == "-" ? null : values[6]);
        return true;
    }
}
