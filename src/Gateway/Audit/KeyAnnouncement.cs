using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Audit;

/// <summary>What the old key signs of the new one. A leaf alone proves nothing of a key: the sealer signs whatever the trail says.</summary>
/// <param name="Origin">Which installation's trail it is to sign.</param>
/// <param name="Key">The number of the new key.</param>
/// <param name="PublicPem">The new key.</param>
public sealed record KeyAnnouncement(Guid Origin, string Key, string PublicPem)
{
    private string Body => string.Create(CultureInfo.InvariantCulture, $"gateway audit key v1\norigin {Origin:D}\nkey {Key}\npublic {Convert.ToBase64String(Encoding.ASCII.GetBytes(PublicPem))}\n\n");

    /// <summary>The signed note.</summary>
    public string Sign(SealKey old) => SignedNote.Sign(Body, old);

    /// <summary>Whether a note says this and the old key has signed it.</summary>
    public bool IsSignedBy(string note, string id, ECDsa old) => SignedNote.BodyOf(note) == Body && SignedNote.SignerOf(note, n => n == id ? old : null, out _) == id;
}
