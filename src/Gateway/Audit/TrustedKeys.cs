using System.Security.Cryptography;
using System.Text.Json;

namespace Gateway.Audit;

/// <summary>The public keys that somebody trusts, and those that took over from them: each was announced in a note that the key before it has signed, in a leaf of a tree that this key has signed too.</summary>
public sealed class TrustedKeys
{
    private readonly Dictionary<string, ECDsa> _keys = [];
    private readonly Dictionary<string, string> _successors = [];

    /// <param name="pem">A public key.</param>
    /// <returns>Whether it is one on the curve P-256.</returns>
    public bool Add(string pem)
    {
        if (SealKey.ReadPublic(pem) is not { } key)
        {
            return false;
        }
        _keys[SealKey.IdOf(key)] = key;
        return true;
    }

    /// <summary>The key with this number; null when it is not trusted.</summary>
    public ECDsa? Find(string id) => _keys.GetValueOrDefault(id);

    /// <summary>The number of the key that took over from this one; null when none did.</summary>
    public string? SuccessorOf(string id) => _successors.GetValueOrDefault(id);

    /// <summary>Trusts a key that has replaced one that is trusted.</summary>
    /// <returns>False when a trusted key is named and the proof does not hold. What names others is passed over.</returns>
    public bool Follow(KeyReplacement? said)
    {
        try
        {
            if (said is not { Canonical: not null, Proof: { Hash: not null, Path: not null, Checkpoint: not null } proof } || proof.Path.Any(h => h is null))
            {
                return false;
            }
            using var entry = JsonDocument.Parse(said.Canonical);
            var announced = entry.RootElement.GetProperty("new");
            var (old, id) = (announced.GetProperty("replaces").GetString() ?? "", announced.GetProperty("key_id").GetString() ?? "");
            if (Find(old) is not { } replaced)
            {
                return true;
            }
            var checkpoint = Checkpoint.Read(proof.Checkpoint, n => n == old ? replaced : null, out _);
            var key = SealKey.ReadPublic(announced.GetProperty("public_pem").GetString() ?? "");
            if (checkpoint is null || key is null
                || !new KeyAnnouncement(checkpoint.Origin, id, announced.GetProperty("public_pem").GetString()!).IsSignedBy(announced.GetProperty("announcement").GetString() ?? "", old, replaced)
                || SealKey.IdOf(key) != id || entry.RootElement.GetProperty("entity").GetString() != "audit_key"
                || !MerkleTree.LeafHash(said.Canonical).AsSpan().SequenceEqual(proof.Hash) || (checkpoint.Epoch, checkpoint.Size) != (proof.Epoch, proof.Size)
                || !MerkleProof.Includes(proof.Leaf, proof.Hash, proof.Size, checkpoint.Root, proof.Path))
            {
                return false;
            }
            (_keys[id], _successors[old]) = (key, id);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return false;
        }
    }
}
