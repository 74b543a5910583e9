using System.Globalization;
using System.Security.Cryptography;

namespace Gateway.Audit;

/// <summary>
/// What a sender is told of a document that was taken in, signed with the key of the trail: with it he proves later, without the gateway,
/// which bytes were received and when. A signed note of the form of <see cref="SignedNote"/>.
/// </summary>
/// <param name="Origin">Which installation received it.</param>
/// <param name="Capture">The captureID.</param>
/// <param name="Sha256">Of the bytes as they came.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Received">By the database's clock.</param>
/// <param name="Written">When the checkpoint was signed that this receipt was written after: one that is asked for later says so.</param>
/// <param name="Epoch">Of the trail, which had <paramref name="Size"/> leaves and <paramref name="Root"/> when the receipt was written: the entry comes later, or is in it.</param>
public sealed record CaptureReceipt(Guid Origin, Guid Capture, byte[] Sha256, long Length, DateTime Received, DateTime Written, int Epoch, long Size, byte[] Root)
{
    private const string Title = "gateway capture receipt v1";
    private static readonly string[] s_names = ["origin", "capture", "sha256", "length", "received", "written", "epoch", "size", "root"];

    private string Body => string.Create(CultureInfo.InvariantCulture,
        $"{Title}\norigin {Origin:D}\ncapture {Capture:D}\nsha256 {Convert.ToHexStringLower(Sha256)}\nlength {Length}\nreceived {Received.ToString(SignedNote.TimeFormat, CultureInfo.InvariantCulture)}\nwritten {Written.ToString(SignedNote.TimeFormat, CultureInfo.InvariantCulture)}\nepoch {Epoch}\nsize {Size}\nroot {Convert.ToBase64String(Root)}\n\n");

    public string Sign(SealKey key) => SignedNote.Sign(Body, key);

    /// <summary>Reads a receipt and verifies its signature.</summary>
    /// <param name="wrong">A sentence when it is not a receipt that one of these keys has signed; otherwise null.</param>
    public static CaptureReceipt? Read(string note, Func<string, ECDsa?> keyOf, out string? wrong)
    {
        if (Parse(SignedNote.BodyOf(note)) is not { } receipt)
        {
            wrong = "It is no receipt.";
            return null;
        }
        return SignedNote.SignerOf(note, keyOf, out wrong) is null ? null : receipt;
    }

    // Whatever is read is written again and compared, so each receipt has one spelling.
    private static CaptureReceipt? Parse(string body) =>
        SignedNote.ValuesOf(body, Title, s_names) is { } values
        && Guid.TryParseExact(values[0], "D", out var origin) && Guid.TryParseExact(values[1], "D", out var capture) && TryHex(values[2], out var sha256)
        && long.TryParse(values[3], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
        && TryMoment(values[4], out var received) && TryMoment(values[5], out var written)
        && int.TryParse(values[6], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && long.TryParse(values[7], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
        && SignedNote.TryHash(values[8], out var root)
        && new CaptureReceipt(origin, capture, sha256, length, received, written, epoch, size, root) is var receipt && receipt.Body == body ? receipt : null;

    private static bool TryMoment(string text, out DateTime at) =>
        DateTime.TryParseExact(text, SignedNote.TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out at);

    private static bool TryHex(string text, out byte[] bytes)
    {
        bytes = text.Length == 64 && text.All(char.IsAsciiHexDigitLower) ? Convert.FromHexString(text) : [];
        return bytes.Length > 0;
    }
}

/// <summary>Writes receipts. There is none before the trail was sealed for the first time since the start.</summary>
public sealed class CaptureReceipts(SealKey key, NewestCheckpoint newest)
{
    /// <summary>The header that answers to a capture have: the receipt in base64.</summary>
    public const string Header = "Gateway-Receipt";

    /// <returns>The signed note; null while no checkpoint is known.</returns>
    public string? Of(Guid capture, byte[] sha256, long length, DateTime received) => newest.Value is { } known
        ? new CaptureReceipt(known.Origin, capture, sha256, length, received, known.Time, known.Epoch, known.Size, known.Root).Sign(key)
        : null;
}
