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
    public void Add(byte[] leaf, Action<int, long, byte[]>? completed = null)
    {
        var node = leaf;
        completed?.Invoke(0, Size, node);
        var height = 0;
        for (; (Size >> height & 1) == 1; height++)
        {
            node = MerkleTree.NodeHash(_subtrees[^1], node);
            _subtrees.RemoveAt(_subtrees.Count - 1);
            completed?.Invoke(height + 1, Size >> (height + 1), node);
        }
        _subtrees.Add(node);
        Size++;
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

    /// <summary>The complete subtrees that a number of leaves makes up, the largest first: the height of each and its place among those of its height.</summary>
    public static IEnumerable<(int Height, long Place)> PlacesOf(long size) => PlacesOf(0, size);

    /// <summary>The same of the leaves from one up to another, where the first is the beginning of a subtree that could hold them all.</summary>
    internal static IEnumerable<(int Height, long Place)> PlacesOf(long from, long to)
    {
        for (var start = from; start < to;)
        {
            var height = BitOperations.Log2((ulong)(to - start));
            yield return (height, start >> height);
            start += 1L << height;
        }
    }
}
