using Gateway.Audit;

namespace Gateway.Tests.Audit;

[Requirement("P11-4")]
public sealed class MerkleTests
{
    // The leaves and roots of the reference implementation of Certificate Transparency, for trees of one to eight leaves.
    private static readonly string[] Contents = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] Roots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private const int Most = 70;
    private static readonly byte[] Other = MerkleTree.LeafHash("of another tree"u8);
    private static readonly byte[][] Leaves = [.. Enumerable.Range(0, Most).Select(n => MerkleTree.LeafHash(BitConverter.GetBytes(n)))];

    [Fact]
    public void Roots_are_those_of_the_reference_implementation()
    {
        var frontier = new MerkleFrontier();
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Convert.ToHexStringLower(frontier.Root()));
        foreach (var (content, root) in Contents.Zip(Roots))
        {
            frontier.Add(MerkleTree.LeafHash(Convert.FromHexString(content)));
            Assert.Equal(root, Convert.ToHexStringLower(frontier.Root()));
        }
    }

    [Fact]
    public async Task Each_leaf_of_each_tree_is_proved_and_no_other_place_size_or_root_with_its_path()
    {
        for (var size = 1; size <= Most; size++)
        {
            var root = Naive(0, size);
            for (var leaf = 0; leaf < size; leaf++)
            {
                var path = await MerkleProof.OfLeafAsync(leaf, size, SubtreeAsync);
                Assert.True(MerkleProof.Includes(leaf, Leaves[leaf], size, root, path), $"leaf {leaf} of {size}");
                Assert.False(MerkleProof.Includes(leaf, Leaves[(leaf + 1) % Most], size, root, path));
                Assert.False(MerkleProof.Includes(leaf, Leaves[leaf], size, Naive(0, size % Most + 1), path));
                Assert.False(MerkleProof.Includes(leaf, Leaves[leaf], size, root, [.. path, Leaves[0]]));
                Assert.False(path.Count > 0 && MerkleProof.Includes(leaf, Leaves[leaf], size, root, [.. path.Skip(1)]));
                for (var other = 0; other < size; other++)
                {
                    Assert.False(other != leaf && MerkleProof.Includes(other, Leaves[leaf], size, root, path), $"leaf {leaf} of {size} as {other}");
                }
            }
            Assert.False(MerkleProof.Includes(size, Leaves[0], size, root, []));
            Assert.False(MerkleProof.Includes(-1, Leaves[0], size, root, []));
        }
    }

    [Fact]
    public async Task Each_tree_is_proved_to_extend_each_smaller_and_no_other_root_with_its_path()
    {
        for (var larger = 0; larger <= Most; larger++)
        {
            for (var smaller = 0; smaller <= larger; smaller++)
            {
                var path = await MerkleProof.OfExtensionAsync(smaller, larger, SubtreeAsync);
                var (then, now) = (Naive(0, smaller), Naive(0, larger));
                Assert.True(MerkleProof.Extends(smaller, then, larger, now, path), $"{smaller} to {larger}");
                Assert.False(MerkleProof.Extends(smaller, Other, larger, now, path));
                Assert.False(smaller > 0 && MerkleProof.Extends(smaller, then, larger, Other, path));
                Assert.False(smaller != larger && MerkleProof.Extends(larger, now, smaller, then, path));
                Assert.False(MerkleProof.Extends(smaller, then, larger, now, [.. path, Leaves[0]]));
                for (var n = 0; n < path.Count; n++)
                {
                    Assert.False(MerkleProof.Extends(smaller, then, larger, now, [.. path.Where((_, i) => i != n)]), $"{smaller} to {larger} without {n}");
                    Assert.False(MerkleProof.Extends(smaller, then, larger, now, [.. path.Select((p, i) => i == n ? Other : p)]));
                }
            }
        }
    }

    [Fact]
    public void A_frontier_goes_on_from_its_subtrees_and_tells_those_it_completes()
    {
        var whole = new MerkleFrontier();
        foreach (var leaf in Leaves)
        {
            var taken = new MerkleFrontier(whole.Size, whole.Subtrees.ToList());
            var told = new List<(int Height, long Place)>();
            whole.Add(leaf, (height, place, root) =>
            {
                told.Add((height, place));
                Assert.Equal(Naive((int)(place << height), (int)((place + 1) << height)), root);
            });
            taken.Add(leaf);
            Assert.Equal(Naive(0, (int)whole.Size), taken.Root());
            Assert.Equal(whole.Subtrees, taken.Subtrees);
            Assert.Equal(1 + System.Numerics.BitOperations.TrailingZeroCount(whole.Size), told.Count);
        }
        Assert.Throws<ArgumentException>(() => new MerkleFrontier(3, [Leaves[0]]));
    }

    [Fact]
    public void A_node_is_no_leaf()
    {
        var node = MerkleTree.NodeHash(Leaves[0], Leaves[1]);
        Assert.NotEqual(node, MerkleTree.LeafHash([.. Leaves[0], .. Leaves[1]]));
        Assert.Throws<ArgumentException>(() => MerkleTree.NodeHash(Leaves[0], [1]));
    }

    private static ValueTask<byte[]> SubtreeAsync(int height, long place) => new(Naive((int)(place << height), (int)((place + 1) << height)));

    // As RFC 9162, section 2.1.1, defines it.
    private static byte[] Naive(int from, int to)
    {
        if (to - from <= 1)
        {
            return to == from ? MerkleTree.EmptyRoot : Leaves[from];
        }
        var half = 1;
        while (half * 2 < to - from)
        {
            half *= 2;
        }
        return MerkleTree.NodeHash(Naive(from, from + half), Naive(from + half, to));
    }
}
