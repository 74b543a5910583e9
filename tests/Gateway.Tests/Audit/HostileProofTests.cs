using System.Diagnostics;
using System.Text.Json;
using Gateway.Audit;

namespace Gateway.Tests.Audit;

/// <summary>Proofs and checkpoints that somebody has bent: none is accepted, and another implementation says of each the same.</summary>
[Requirement("P11-4")]
public sealed class HostileProofTests : IDisposable
{
    private const int Leaves = 200;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly int Times = FaultScale.Of(3_000, 100_000);
    private static readonly byte[][] Hashes = [.. Enumerable.Range(0, Leaves).Select(n => MerkleTree.LeafHash(BitConverter.GetBytes(n)))];
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gateway-proofs-");

    private sealed record Case(string Json, bool Holds, bool IsBent);

    public void Dispose() => _files.Delete(recursive: true);

    [Fact]
    public async Task No_bent_proof_holds_and_both_implementations_agree_on_each()
    {
        var random = new Random(20261122);
        var cases = new List<Case>();
        for (var n = 0; n < Times; n++)
        {
            cases.Add(n % 2 == 0 ? await InclusionAsync(random, n % 6 == 0) : await ExtensionAsync(random, n % 6 == 1));
        }
        Assert.All(cases, c => Assert.True(c.Holds != c.IsBent, c.Json));
        Assert.Equal(cases.Select(c => c.Holds), await BySecondHandAsync(cases.Select(c => c.Json), null));
    }

    [Fact]
    public async Task No_bent_checkpoint_is_believed_and_both_implementations_agree_on_each()
    {
        var random = new Random(20261122);
        using var key = SealKey.Open(Path.Combine(_files.FullName, "key.pem"));
        using var other = SealKey.Open(Path.Combine(_files.FullName, "other.pem"));
        var cases = new List<Case>();
        for (var n = 0; n < Times / 10; n++)
        {
            var right = new Checkpoint(Guid.NewGuid(), 1 + random.Next(3), random.Next(1, 1_000_000), Hash(random), DateTime.UtcNow, random.Next(2) == 0 ? null : Hash(random), random.Next(2) == 0 ? null : "3 abc").Sign(key);
            var line = SignedNote.LineOf(SignedNote.BodyOf(right), other);
            var bent = n % 4 == 0 ? right + (n % 8 == 0 ? "" : line) : random.Next(7) switch
            {
                0 => Flipped(right, random),
                1 => right[..random.Next(right.Length)],
                2 => SignedNote.BodyOf(right) + line,
                3 => right.Insert(random.Next(right.Length), " "),
                4 => right.Replace("epoch ", "epoch 0", StringComparison.Ordinal),
                5 => right.Replace("\n\n", "\nmore\n\n", StringComparison.Ordinal),
                _ => right + line.Replace(other.Id, key.Id, StringComparison.Ordinal),
            };
            cases.Add(new Case(JsonSerializer.Serialize(new { note = bent }), Checkpoint.Read(bent, id => id == key.Id ? key.Public : null, out _) is not null, n % 4 != 0));
        }
        Assert.All(cases, c => Assert.True(c.Holds != c.IsBent, c.Json));
        Assert.Equal(cases.Select(c => c.Holds), await BySecondHandAsync(cases.Select(c => c.Json), key));
    }

    private static async Task<Case> InclusionAsync(Random random, bool isRight)
    {
        var size = random.Next(1, Leaves + 1);
        var leaf = random.Next(size);
        var (place, whole, hash, root, path) = ((long)leaf, (long)size, Hashes[leaf], Root(0, size), (await MerkleProof.OfLeafAsync(leaf, size, SubtreeAsync)).ToList());
        switch (isRight ? -1 : random.Next(6))
        {
            case -1:
                break;
            case 0:
                hash = Flipped(hash, random);
                break;
            case 1:
                root = Flipped(root, random);
                break;
            case 2:
                place = Another(random, place);
                break;
            case 3 when place + 1 < whole && path.Count > 0:
                hash = Hashes[leaf + 1];
                break;
            default:
                Bend(path, random);
                break;
        }
        return new Case(JsonSerializer.Serialize(new { leaf = place, size = whole, then = Hex(hash), now = Hex(root), path = path.Select(Hex) }), MerkleProof.Includes(place, hash, whole, root, path), !isRight);
    }

    private static async Task<Case> ExtensionAsync(Random random, bool isRight)
    {
        var size = random.Next(1, Leaves + 1);
        var smaller = random.Next(1, size + 1);
        var (before, whole, then, now, path) = ((long)smaller, (long)size, Root(0, smaller), Root(0, size), (await MerkleProof.OfExtensionAsync(smaller, size, SubtreeAsync)).ToList());
        switch (isRight ? -1 : random.Next(5))
        {
            case -1:
                break;
            case 0:
                then = Flipped(then, random);
                break;
            case 1:
                now = Flipped(now, random);
                break;
            case 2:
                // A tree that is said to be smaller than nothing, or larger than the one that extends it.
                before = random.Next(2) == 0 ? -before : whole + 1 + random.Next(9);
                break;
            default:
                Bend(path, random);
                break;
        }
        return new Case(JsonSerializer.Serialize(new { smaller = before, size = whole, then = Hex(then), now = Hex(now), path = path.Select(Hex) }), MerkleProof.Extends(before, then, whole, now, path), !isRight);
    }

    private static void Bend(List<byte[]> path, Random random)
    {
        switch (path.Count == 0 ? 0 : random.Next(5))
        {
            case 0:
                path.Insert(random.Next(path.Count + 1), Hash(random));
                break;
            case 1:
                path.RemoveAt(random.Next(path.Count));
                break;
            case 2:
                path[random.Next(path.Count)] = Hash(random)[..31];
                break;
            case 3:
                path.Add(path[^1]);
                break;
            default:
                var n = random.Next(path.Count);
                path[n] = Flipped(path[n], random);
                break;
        }
    }

    private static long Another(Random random, long place) => random.Next(3) switch
    {
        0 => -1 - place,
        1 => place + Leaves,
        _ => place + (1L << random.Next(32, 50)),
    };

    private async Task<IEnumerable<bool>> BySecondHandAsync(IEnumerable<string> cases, SealKey? key)
    {
        var pem = Path.Combine(_files.FullName, "public.pem");
        using var none = key is null ? SealKey.Open(Path.Combine(_files.FullName, "none.pem")) : null;
        await File.WriteAllTextAsync(pem, (key ?? none)!.PublicPem, Ct);
        using var node = Process.Start(new ProcessStartInfo("node", [Repository.File("tests", "Gateway.Tests", "Audit", "verify-proofs.mjs"), pem, key?.Id ?? ""]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var verdicts = node.StandardOutput.ReadToEndAsync(Ct);
        await node.StandardInput.WriteAsync(string.Join('\n', cases));
        node.StandardInput.Close();
        return (await verdicts).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(v => v == "1");
    }

    // RFC 9162, section 2.1.1, by its definition.
    private static byte[] Root(int from, int to)
    {
        if (to - from == 1)
        {
            return Hashes[from];
        }
        var half = 1;
        while (2 * half < to - from)
        {
            half *= 2;
        }
        return MerkleTree.NodeHash(Root(from, from + half), Root(from + half, to));
    }

    private static ValueTask<byte[]> SubtreeAsync(int height, long place) => new(Root((int)(place << height), (int)((place + 1) << height)));

    private static byte[] Hash(Random random)
    {
        var hash = new byte[MerkleTree.HashBytes];
        random.NextBytes(hash);
        return hash;
    }

    private static byte[] Flipped(byte[] bytes, Random random)
    {
        byte[] bent = [.. bytes];
        bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
        return bent;
    }

    private static string Flipped(string text, Random random)
    {
        var n = random.Next(text.Length);
        return $"{text[..n]}{(char)(text[n] ^ 1)}{text[(n + 1)..]}";
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
