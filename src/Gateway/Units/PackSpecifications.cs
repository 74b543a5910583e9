using System.Collections.Frozen;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>
/// How products are packed, as master data said it at any moment: what was recorded is held to what was known when it was
/// recorded, so that replaying it later finds the same.
/// </summary>
public sealed class PackSpecifications
{
    private const int MaxLevels = 10;
    private readonly FrozenDictionary<string, (DateTime From, Product Product)[]> _versions;

    /// <param name="versions">Every version of every product, in any order.</param>
    public PackSpecifications(IEnumerable<Versioned<Product>> versions) =>
        _versions = versions.GroupBy(v => v.Record.Gtin).ToFrozenDictionary(g => g.Key, g => g.OrderByDescending(v => v.Version).Select(v => (v.ValidFrom, v.Record)).ToArray());

    /// <summary>No product is known.</summary>
    public static PackSpecifications Nothing { get; } = new([]);

    /// <summary>The specification of a GTIN at a moment; <see langword="null"/> for a product that was not known, or not how it is packed.</summary>
    public PackSpecification? Find(string gtin, DateTime at) => Known(gtin, at) is { } product && LevelOf(product, at, MaxLevels) is var level and > 0
        ? new PackSpecification(level) { Content = product.Holds, Capacity = product.Quantity, IsOfOneLot = !product.MixedLots, PerLogisticUnit = product.PerLogisticUnit }
        : null;

    private Product? Known(string gtin, DateTime at)
    {
        if (_versions.TryGetValue(gtin, out var versions))
        {
            foreach (var (from, product) in versions)
            {
                if (from <= at)
                {
                    return product.Withdrawn ? null : product;
                }
            }
        }
        return null;
    }

    // One more than that of what it holds; master data forbid no circle, so the way down ends somewhere.
    private byte LevelOf(Product product, DateTime at, int left) => product switch
    {
        { Holds: { } holds } when left > 0 && Known(holds, at) is { } content && LevelOf(content, at, left - 1) is var below and > 0 => (byte)(below + 1),
        { Level: "unit" } => 1,
        { Level: not null } => 2,
        _ => 0,
    };
}
