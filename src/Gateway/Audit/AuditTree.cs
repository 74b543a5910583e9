using Dapper;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>The stored hashes of one epoch's tree, for proofs and for going on with it. Each is read once.</summary>
internal sealed class AuditTree(Work work, int epoch, CancellationToken ct)
{
    /// <summary>Complete subtrees of these heights, and of their multiples, have a row of their own; a leaf's height is 0.</summary>
    internal const int Step = 8;

    private readonly Dictionary<(int Height, long Place), byte[][]> _read = [];

    /// <summary>The right edge of the tree when it had so many leaves.</summary>
    public async Task<MerkleFrontier> FrontierAsync(long size)
    {
        var subtrees = new List<byte[]>();
        foreach (var (height, place) in MerkleFrontier.PlacesOf(0, size))
        {
            subtrees.Add(await SubtreeAsync(height, place));
        }
        return new MerkleFrontier(size, subtrees);
    }

    /// <summary>The root of a complete subtree, put together from the rows below it: at most 256.</summary>
    /// <param name="place">Its place among those of its height.</param>
    /// <exception cref="InvalidOperationException">Rows are missing: somebody has removed them.</exception>
    public async ValueTask<byte[]> SubtreeAsync(int height, long place)
    {
        var above = height % Step;
        var row = height - above;
        // With a row come all that have the same parent row: a proof asks for its neighbours next.
        var first = place << above;
        var tile = first >> Step;
        if (!_read.TryGetValue((row, tile), out var nodes))
        {
            _read[(row, tile)] = nodes = await RowsAsync(row, tile << Step);
        }
        var (from, count) = ((int)(first - (tile << Step)), 1 << above);
        if (nodes.Length < from + count)
        {
            throw new InvalidOperationException($"The tree of epoch {epoch} lacks nodes of height {row} from {first} on.");
        }
        var frontier = new MerkleFrontier();
        foreach (var node in nodes.AsSpan(from, count))
        {
            frontier.Add(node);
        }
        return frontier.Root();
    }

    private async Task<byte[][]> RowsAsync(int height, long from)
    {
        var rows = (await work.Connection.QueryAsync<(long Place, byte[] Hash)>(new CommandDefinition(height == 0
            ? "select leaf, hash from audit_leaf where epoch = @epoch and leaf >= @from and leaf < @to order by leaf"
            : "select place, hash from audit_node where epoch = @epoch and height = @height and place >= @from and place < @to order by place",
            new { epoch, height, from, to = from + (1 << Step) }, work.Transaction, cancellationToken: ct))).AsList();
        return [.. rows.TakeWhile((r, i) => r.Place == from + i).Select(r => r.Hash)];
    }
}
