using System.Security.Cryptography;

namespace Gateway.Audit;

/// <summary>
/// The hashes of a Merkle tree as RFC 9162, section 2.1.1, has them: SHA-256, a leaf marked by 0x00 and a node by 0x01, so that no
/// leaf can be shown as a node.
/// </summary>
public static class MerkleTree
{
    public const int HashBytes = SHA256.HashSizeInBytes;

    private const byte LeafMark = 0x00, NodeMark = 0x01;
    private const int MaxCopied = 4096;

    /// <summary>The root of a tree without leaves.</summary>
    public static byte[] EmptyRoot => SHA256.HashData([]);

    public static byte[] LeafHash(ReadOnlySpan<byte> content)
    {
        // A hash that is begun and ended costs more than copying what most entries have.
        if (content.Length < MaxCopied)
        {
            Span<byte> marked = stackalloc byte[1 + content.Length];
            marked[0] = LeafMark;
            content.CopyTo(marked[1..]);
            return SHA256.HashData(marked);
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([LeafMark]);
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    /// <exception cref="ArgumentException">One of the two is no hash.</exception>
    public static byte[] NodeHash(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != HashBytes || right.Length != HashBytes)
        {
            throw new ArgumentException($"A hash has {HashBytes} bytes.");
        }
        Span<byte> content = stackalloc byte[1 + (2 * HashBytes)];
        content[0] = NodeMark;
        left.CopyTo(content[1..]);
        right.CopyTo(content[(1 + HashBytes)..]);
        return SHA256.HashData(content);
    }
}
