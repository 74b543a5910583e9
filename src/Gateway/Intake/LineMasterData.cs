using System.Text.Json;
using Gateway.MasterData;

namespace Gateway.Intake;

/// <summary>Master data as a line's file has them, for a run without a gateway: products with their cases and pallets, lines, time zone, settings.</summary>
/// <param name="Products">With what is packed into what.</param>
/// <param name="Lines">Places by the codes of lines.</param>
/// <param name="SiteZone">IANA; null when it is not said.</param>
public sealed record LineMasterData(MasterDataSnapshot Products, IReadOnlyDictionary<string, LinePlace> Lines, string? SiteZone, TimeSpan FutureTolerance, bool AllocationCheck)
{
    /// <summary>Nothing is known.</summary>
    public static LineMasterData Nothing { get; } = new(MasterDataSnapshot.Nothing, new Dictionary<string, LinePlace>(), null, TimeSpan.FromSeconds(300), false);

    /// <exception cref="FormatException">It is not of that shape; the message says where.</exception>
    public static LineMasterData Read(string json)
    {
        try
        {
            var file = JsonSerializer.Deserialize<Wire>(json, JsonSerializerOptions.Web) ?? new Wire();
            var products = (file.Products ?? []).SelectMany(p => ProductsOf(p, file)).DistinctBy(p => p.Gtin).ToList();
            var lines = (file.Lines ?? []).ToDictionary(l => l.Key, l => new LinePlace(l.Value, file.Site?.Sgln), StringComparer.Ordinal);
            return new LineMasterData(new MasterDataSnapshot(products, [], [.. products.Select(p => new Versioned<Product>(p, 1, DateTime.MinValue, "", "", ""))]), lines, file.Site?.TimeZone,
                TimeSpan.FromSeconds(file.Settings?.FutureToleranceSeconds ?? 300), file.Settings?.AllocationCheck ?? false);
        }
        catch (JsonException e)
        {
            throw new FormatException(FormattableString.Invariant($"The master data cannot be read at line {(e.LineNumber ?? 0) + 1}: {e.Message}"), e);
        }
    }

    private static IEnumerable<Product> ProductsOf(WireProduct p, Wire file)
    {
        var prefix = (file.CompanyPrefixes ?? []).FirstOrDefault(c => p.UnitGtin?.AsSpan(1).StartsWith(c) == true)?.Length;
        if (p.UnitGtin is null)
        {
            throw new FormatException("The master data cannot be read: a product has no unitGtin.");
        }
        yield return new Product(p.UnitGtin) { Name = p.Name ?? "", Level = "unit", SerialPattern = p.UnitSerialPattern, CompanyPrefixLength = prefix };
        if (p.CaseGtin is not null)
        {
            yield return new Product(p.CaseGtin)
            {
                Name = p.Name ?? "", Level = "case", Holds = p.UnitGtin, Quantity = p.UnitsPerCase, PerLogisticUnit = p.CasesPerPallet, SerialPattern = p.CaseSerialPattern, CompanyPrefixLength = prefix,
                MixedLots = file.Settings?.MixedLotCases ?? false,
            };
        }
    }

    private sealed record Wire(string[]? CompanyPrefixes = null, WireSite? Site = null, Dictionary<string, string>? Lines = null, WireProduct[]? Products = null, WireSettings? Settings = null);

    private sealed record WireSite(string? Sgln, string? TimeZone);

    private sealed record WireProduct(string? Name, string? UnitGtin, string? CaseGtin, int? UnitsPerCase, int? CasesPerPallet, string? UnitSerialPattern, string? CaseSerialPattern);

    private sealed record WireSettings(bool AllocationCheck, int? FutureToleranceSeconds, bool MixedLotCases);
}
