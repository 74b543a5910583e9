using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;
using Gateway.MasterData;

namespace Gateway.Host;

/// <summary>The products, parties and places of the demonstration. Nothing but they come in, until somebody tries a document of his own.</summary>
public static class DemonstrationMasterData
{
    // The most that the simulated lines pack.
    private const int UnitsPerCase = 4, CasesPerPallet = 3;

    /// <summary>At every start, as it was planned: what somebody tried out with these records ends with the run.</summary>
    /// <param name="past">How far the history goes back: the first time, all of it was known before that.</param>
    public static async Task SeedAsync(GatewayDatabase database, TimeSpan past, CancellationToken ct)
    {
        var wanted = new WantedMasterData();
        foreach (var p in DemonstrationCast.Products)
        {
            var (unit, pack) = (GtinOf(p.UnitClass), GtinOf(p.CaseClass));
            Want(wanted.Products, Of(p, unit) with { NetContent = p.UnitContent, Level = "unit" });
            Want(wanted.Products, Of(p, pack) with
            {
                NetContent = $"{UnitsPerCase} x {p.UnitContent}",
                Level = "case",
                Holds = unit,
                Quantity = UnitsPerCase,
                PerLogisticUnit = CasesPerPallet,
                SsccPrefix = "1" + p.CompanyPrefix,
            });
        }
        var parties = DemonstrationCast.Shippers.Concat(DemonstrationCast.Partners.Select(p => p.Party)).ToList();
        foreach (var place in parties.SelectMany(p => (SimulatedPlace[])[p.Owner, p.Site]).DistinctBy(p => p.Gln))
        {
            var (isOwner, isSite) = (parties.Exists(p => p.Owner.Gln == place.Gln), parties.Exists(p => p.Site.Gln == place.Gln));
            Want(wanted.Locations, new Location(place.Gln)
            {
                Name = place.Name,
                Kind = isOwner && isSite ? "both" : isOwner ? "party" : "place",
                Street = place.Street,
                City = place.City,
                State = place.State,
                PostalCode = place.PostalCode,
                Country = place.CountryCode,
                CompanyPrefixLength = place.CompanyPrefixLength,
            });
        }
        var outcome = await new ChangeMasterData(database).RunAsync(Actor.System("demonstration") with { Reason = "the plant of the demonstration" }, wanted, dryRun: false, expected: null, ct, await FirstAsync(database, ct) ? DateTime.UtcNow - past - TimeSpan.FromDays(1) : null);
        if (outcome.IsRefused)
        {
            throw new InvalidOperationException(outcome.Findings.All[0].Message);
        }
    }

    private static async Task<bool> FirstAsync(GatewayDatabase database, CancellationToken ct) => (await new MasterDataRecords(database).CountAsync(Actor.System("demonstration"), ct)).Products == 0;

    private static Product Of(SimulatedProduct p, string gtin) => new(gtin)
    {
        Name = p.Name,
        Ndc = p.Ndc,
        Markets = "US",
        Manufacturer = p.Manufacturer,
        DosageForm = p.DosageForm,
        Strength = p.Strength,
        CompanyPrefixLength = p.CompanyPrefix.Length,
        SerialPattern = "^[0-9A-HJKMNP-TV-Z]{12}$",
    };

    private static void Want<T>(List<Wanted<T>> wanted, T record) => wanted.Add(new Wanted<T>(record, _ => record, _ => default));

    internal static string GtinOf(string itemClass) => Epc.Parse($"urn:epc:idpat:sgtin:{itemClass}.*", CompanyPrefixes.None).Value!.Key;
}
