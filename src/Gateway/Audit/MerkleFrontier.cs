using System.Numerics;

namespace Gateway.Audit;

/// <summary>
/// The right edge of a growing tree: the roots of the complete subtrees that its leaves make up, the largest first, one for each
/// bit of its size. They are all that is needed to add leaves and to tell the root; a tree of any size takes a few hundred bytes.
/// </summary>
public sealed class MerkleFrontier
{
    private readonly List<byte[]> _subtrees = [];

    public MerkleFrontier()
    {
    }

    /// <param name="size">How many leaves there are already.</param>
    /// <param name="subtrees">The roots of their complete subtrees, the largest first.</param>
    /// <exception cref="ArgumentException">There is not one for each bit of the size, or one is no hash.</exception>
    public MerkleFrontier(long size, IEnumerable<byte[]> subtrees)
    {
        Size = size;
        _subtrees.AddRange(subtrees);
        if (size < 0 || _subtrees.Count != BitOperations.PopCount((ulong)size) || _subtrees.Exists(s => s.Length != MerkleTree.HashBytes))
        {
            throw new ArgumentException("A tree has one subtree for each bit of its size.");
        }
    }

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    /// <summary>The roots of the complete subtrees, the largest first.</summary>
    public IReadOnlyList<byte[]> Subtrees => _subtrees;

    /// <param name="leaf">The hash of the next leaf.</param>
    /// <param name="completed">Told of each subtree that the leaf completes, from the leaf itself upwards: its height, its place among those of its height, its root.</param>
    public void Add(byte[] leaf, Action<int, long, byte[]>? completed = null) => Add(0, leaf, completed);

    /// <summary>Adds all leaves of a complete subtree by its root.</summary>
    /// <exception cref="ArgumentException">No subtree of that height begins here.</exception>
    public void Add(int height, byte[] root, Action<int, long, byte[]>? completed = null)
    {
        if (height is < 0 or > 62 || (Size & ((1L << height) - 1)) != 0)
        {
            throw new ArgumentException($"No subtree of height {height} begins at leaf {Size}.");
        }
        var (node, added) = (root, 1L << height);
        completed?.Invoke(height, Size >> height, node);
        for (; (Size >> height & 1) == 1; height++)
        {
            node = MerkleTree.NodeHash(_subtrees[^1], node);
            _subtrees.RemoveAt(_subtrees.Count - 1);
            completed?.Invoke(height + 1, Size >> (height + 1), node);
        }
        _subtrees.Add(node);
        Size += added;
    }

    /// <summary>RFC 9162, section 2.1.1: the hash of the whole tree.</summary>
    public byte[] Root()
    {
        if (_subtrees.Count == 0)
        {
            return MerkleTree.EmptyRoot;
        }
        var root = _subtrees[^1];
        for (var i = _subtrees.Count - 2; i >= 0; i--)
        {
            root = MerkleTree.NodeHash(_subtrees[i], root);
        }
        return root;
    }

    /// <summary>The fewest complete subtrees that make up the leaves from one up to another, in their order: the height of each and its place among those of its height.</summary>
    public static IEnumerable<(int Height, long Place)> PlacesOf(long from, long to)
    {
        for (var start = from; start < to;)
        {
            var fits = BitOperations.Log2((ulong)(to - start));
            var height = start == 0 ? fits : Math.Min(fits, BitOperations.TrailingZeroCount(start));
            yield return (height, start >> height);
            start += 1L << height;
        }
    }
}
