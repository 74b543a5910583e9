using System.Collections.Frozen;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.MasterData;

/// <summary>The master data of a moment, for looking up without asking the database.</summary>
public sealed class MasterDataSnapshot
{
    private readonly FrozenDictionary<string, Product> _products;
    private readonly ILookup<string, Product> _containers;
    private readonly FrozenDictionary<string, Location> _locations;

    public MasterDataSnapshot(IReadOnlyList<Product> products, IReadOnlyList<Location> locations, IReadOnlyList<Versioned<Product>> productVersions, long lastVersion = 0)
    {
        (ProductVersions, LastVersion) = (productVersions, lastVersion);
        _products = products.ToFrozenDictionary(p => p.Gtin);
        _containers = products.Where(p => p.Holds is not null).ToLookup(p => p.Holds!);
        _locations = locations.GroupBy(l => l.Gln).ToFrozenDictionary(g => g.Key, g => g.MinBy(l => l.Extension.Length)!);
        Prefixes = products.Select(p => p.CompanyPrefix).Concat(locations.Select(l => l.CompanyPrefix)).OfType<string>().Distinct()
            .Aggregate(CompanyPrefixes.None, (known, prefix) => known.With(prefix).Value ?? known);
    }

    public static MasterDataSnapshot Nothing { get; } = new([], [], []);

    /// <summary>The company prefixes that somebody told; two that contradict each other are no answer.</summary>
    public CompanyPrefixes Prefixes { get; }

    /// <summary>Every version of every product, those withdrawn among them.</summary>
    public IReadOnlyList<Versioned<Product>> ProductVersions { get; }

    /// <summary>The number of the last version of a product that is among them.</summary>
    public long LastVersion { get; }

    /// <summary>Lots that were recalled for good, by GTIN of 14 digits and lot number: nothing is commissioned into them any more.</summary>
    public IReadOnlySet<(string Gtin, string Lot)> RecalledLots { get; init; } = FrozenSet<(string, string)>.Empty;

    public bool HasProducts => _products.Count > 0;

    public bool HasLocations => _locations.Count > 0;

    /// <summary>The trade item, with its level, what a full one holds, and whether it may hold several lots; null: unknown.</summary>
    /// <param name="gtin">14 digits.</param>
    public Product? Find(string gtin) => _products.GetValueOrDefault(gtin);

    /// <summary>The products whose containers hold this one directly.</summary>
    /// <param name="gtin">14 digits.</param>
    public IEnumerable<Product> ContainersOf(string gtin) => _containers[gtin];

    /// <summary>Every product that is known.</summary>
    public IReadOnlyCollection<Product> Products => _products.Values;

    /// <param name="gln">13 digits.</param>
    public bool KnowsLocation(string gln) => _locations.ContainsKey(gln);

    /// <summary>The party or place of a GLN itself, not of a place within it; null: unknown.</summary>
    /// <param name="gln">13 digits.</param>
    public Location? FindLocation(string gln) => _locations.GetValueOrDefault(gln);
}

/// <summary>
/// This node's snapshot. A change in the database makes it old at once; whoever asks next reads it anew. While nothing is heard of
/// changes, or nobody listens for them, it is read for whoever asks.
/// </summary>
public sealed class KnownMasterData : IDisposable
{
    private static readonly Actor Gateway = Actor.System("master data");
    private readonly MasterDataRecords _masterData;
    private readonly ChangeFeed? _feed;
    private readonly IDisposable? _subscription;
    private readonly SemaphoreSlim _reading = new(1, 1);
    private MasterDataSnapshot _snapshot = MasterDataSnapshot.Nothing;
    private volatile bool _isOld = true;

    public KnownMasterData(MasterDataRecords masterData, ChangeFeed? feed = null)
    {
        (_masterData, _feed) = (masterData, feed);
        _subscription = feed?.Subscribe(change => _isOld |= change.Kind is "masterdata" or "all" or "lost");
    }

    private bool IsOld => _isOld || _feed is null or { IsStale: true };

    /// <param name="atLeast">With this version of a product, which is committed; a change is heard of a moment after it.</param>
    public async ValueTask<MasterDataSnapshot> ReadAsync(CancellationToken ct, long atLeast = 0)
    {
        _isOld |= _snapshot.LastVersion < atLeast;
        if (!IsOld)
        {
            return _snapshot;
        }
        await _reading.WaitAsync(ct);
        try
        {
            if (IsOld)
            {
                _isOld = false; // before it is read: what changes meanwhile makes it old again
                _snapshot = await _masterData.AllAsync(Gateway, ct);
            }
            return _snapshot;
        }
        catch
        {
            _isOld = true;
            throw;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _reading.Dispose();
    }
}
