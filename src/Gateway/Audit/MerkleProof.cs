using System.Numerics;

namespace Gateway.Audit;

/// <summary>Proofs of RFC 9162, sections 2.1.3 and 2.1.4: that a leaf is in a tree, and that a tree is an older one with leaves added.</summary>
public static class MerkleProof
{
    /// <summary>Whether a leaf is at its place in the tree with this root.</summary>
    public static bool Includes(long leaf, byte[] leafHash, long size, byte[] root, IReadOnlyList<byte[]> path)
    {
        if (leaf < 0 || leaf >= size || !AreHashes([leafHash, root, .. path]))
        {
            return false;
        }
        var (node, last, hash) = (leaf, size - 1, leafHash);
        foreach (var sibling in path)
        {
            if (last == 0)
            {
                return false;
            }
            if ((node & 1) == 1 || node == last)
            {
                hash = MerkleTree.NodeHash(sibling, hash);
                (node, last) = Rise(node, last);
            }
            else
            {
                hash = MerkleTree.NodeHash(hash, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && hash.AsSpan().SequenceEqual(root);
    }

    /// <summary>Whether the larger tree is the smaller one with leaves added, and nothing else changed.</summary>
    public static bool Extends(long smaller, byte[] smallerRoot, long larger, byte[] largerRoot, IReadOnlyList<byte[]> path)
    {
        if (smaller < 0 || smaller > larger || !AreHashes([smallerRoot, largerRoot, .. path]))
        {
            return false;
        }
        if (smaller == larger || smaller == 0)
        {
            // A tree extends itself, and every tree extends the empty one: nothing is left to be proved.
            return path.Count == 0 && (smaller == 0 ? smallerRoot.AsSpan().SequenceEqual(MerkleTree.EmptyRoot) : smallerRoot.AsSpan().SequenceEqual(largerRoot))
                && (larger > 0 || largerRoot.AsSpan().SequenceEqual(MerkleTree.EmptyRoot));
        }
        if (path.Count == 0)
        {
            return false;
        }
        // A smaller tree that is complete is itself the first node.
        IReadOnlyList<byte[]> nodes = BitOperations.IsPow2(smaller) ? [smallerRoot, .. path] : path;
        var shift = BitOperations.TrailingZeroCount(smaller); // as many trailing ones has the number of its last leaf
        var (node, last) = (smaller - 1 >> shift, larger - 1 >> shift);
        var (then, now) = (nodes[0], nodes[0]);
        foreach (var next in nodes.Skip(1))
        {
            if (last == 0)
            {
                return false;
            }
            if ((node & 1) == 1 || node == last)
            {
                (then, now) = (MerkleTree.NodeHash(next, then), MerkleTree.NodeHash(next, now));
                (node, last) = Rise(node, last);
            }
            else
            {
                now = MerkleTree.NodeHash(now, next);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && then.AsSpan().SequenceEqual(smallerRoot) && now.AsSpan().SequenceEqual(largerRoot);
    }

    /// <summary>The path from a leaf to the root of the tree with so many leaves.</summary>
    /// <param name="subtree">The root of a complete subtree: its height, and its place among those of its height.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf in it.</exception>
    public static async Task<IReadOnlyList<byte[]>> OfLeafAsync(long leaf, long size, Func<int, long, ValueTask<byte[]>> subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leaf);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, size);
        var path = new List<byte[]>();
        var (from, to) = (0L, size);
        while (to - from > 1)
        {
            var middle = from + Half(to - from);
            (var (start, end), from, to) = leaf < middle ? ((middle, to), from, middle) : ((from, middle), middle, to);
            path.Add(await RootAsync(start, end, subtree));
        }
        path.Reverse();
        return path;
    }

    /// <summary>What shows that the tree with so many leaves extends the one with fewer.</summary>
    /// <param name="subtree">As of <see cref="OfLeafAsync"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The smaller is larger.</exception>
    public static async Task<IReadOnlyList<byte[]>> OfExtensionAsync(long smaller, long larger, Func<int, long, ValueTask<byte[]>> subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(smaller);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(smaller, larger);
        var path = new List<byte[]>();
        if (smaller == 0)
        {
            return path;
        }
        var (from, to) = (0L, larger);
        while (to != smaller)
        {
            var middle = from + Half(to - from);
            (var (start, end), from, to) = smaller <= middle ? ((middle, to), from, middle) : ((from, middle), middle, to);
            path.Add(await RootAsync(start, end, subtree));
        }
        if (from > 0)
        {
            path.Add(await RootAsync(from, to, subtree));
        }
        path.Reverse();
        return path;
    }

    /// <summary>RFC 9162, section 2.1.1: the root over some leaves, which begin where a subtree that could hold them does.</summary>
    private static async Task<byte[]> RootAsync(long from, long to, Func<int, long, ValueTask<byte[]>> subtree)
    {
        var subtrees = new List<byte[]>();
        foreach (var (height, place) in MerkleFrontier.PlacesOf(from, to))
        {
            subtrees.Add(await subtree(height, place));
        }
        return new MerkleFrontier(to - from, subtrees).Root();
    }

    /// <summary>The largest power of two below a number above one: where a tree with so many leaves parts.</summary>
    private static long Half(long size) => 1L << BitOperations.Log2((ulong)(size - 1));

    // Who is the last of a level and stands alone goes up until he has somebody to the left.
    private static (long Node, long Last) Rise(long node, long last)
    {
        while ((node & 1) == 0 && node != 0)
        {
            (node, last) = (node >> 1, last >> 1);
        }
        return (node, last);
    }

    private static bool AreHashes(byte[][] hashes) => Array.TrueForAll(hashes, h => h.Length == MerkleTree.HashBytes);
}
