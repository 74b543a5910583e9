using System.Globalization;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;
using Gateway.Host.Simulate.Hub;
using Gateway.Hub;
using Gateway.Partners;
using Gateway.Units;

namespace Gateway.Host;

/// <summary>The demonstration's hub: two products are told, a lot of one is in all its markets, of which one has lost a pack since, of another lot the hub has not stored two packs, national systems have raised alerts of several causes, packs were exported, and two orders wait for signatures. The rest of the lots waits for somebody to release it.</summary>
public sealed class DemonstrationHub(IServiceProvider services)
{
    private const string Gln = "9521234009078", Plant = "9521234000105", Reason = "the setup of the demonstration";
    private static readonly Actor Setup = Actor.System("demonstration") with { Reason = Reason };
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Once; at a later start only the address and the certificates are this run's.</summary>
    public async Task TellAsync(HubSimulator simulator, CancellationToken ct)
    {
        var directory = services.GetRequiredService<PartnerDirectory>();
        var settings = new ChannelSettings { Protocol = "emvs", Authority = simulator.AuthorityPem };
        if (await directory.FindAsync(Setup, Gln, ct) is { } known)
        {
            DemonstrationOfficer.Done(await directory.SetChannelAsync(Setup, known.Id, new ChannelSetup("hub", simulator.Url.AbsoluteUri, simulator.ClientPem, [], settings), known.Version, "the simulator listens on another port", ct));
            return;
        }
        await directory.AddAsync(Setup, Gln, "EU hub (simulated)", "hub", "hub", simulator.Url.AbsoluteUri, simulator.ClientPem, [], ct, settings, false);
        var hub = (await services.GetRequiredService<Hubs>().OneAsync(Setup, Gln, ct))!;
        foreach (var (product, countries) in DemonstrationCast.Products.Zip((string[][])[["DE", "FR"], ["AT", "DE", "FR", "IT"]]))
        {
            await TellAsync(hub, product, countries, ct);
        }
        var lots = await services.GetRequiredService<LotQueries>().ListAsync(Setup, new LotFilter(GtinOf(DemonstrationCast.Products[0])), 8, ct);
        var whole = lots.Lots[^1];
        DemonstrationOfficer.Done((await services.GetRequiredService<ReleaseLot>().RunAsync(Setup, hub, whole.Gtin, whole.Number, "The batch record is reviewed.", ct)).Refusal);
        var failing = lots.Lots[Math.Max(0, lots.Lots.Count - 2)]; // the newest are still being packed
        if (failing != whole && await services.GetRequiredService<LotQueries>().UnitsAsync(Setup, failing.Gtin, failing.Number, new LotUnitFilter("units"), 0, 2, ct) is { } units)
        {
            simulator.Faults.FailPacks(units.Select(u => UnitKey.SerialOf(UnitKey.Of(u.Epc)!).ToString()), "A16", temporary: false);
            DemonstrationOfficer.Done((await services.GetRequiredService<ReleaseLot>().RunAsync(Setup, hub, failing.Gtin, failing.Number, "The batch record is reviewed.", ct)).Refusal);
            await AlertAsync(simulator, hub, whole, failing, ct);
        }
        await CompareAsync(simulator, hub, whole.Gtin, whole.Number, ct);
        await OrderAsync(hub, whole, failing, ct);
    }

    // What was exported can be undone for ten days; what was destroyed, and a recall, wait for people to sign.
    private async Task OrderAsync(HubPartner hub, Lot whole, Lot failing, CancellationToken ct)
    {
        var orders = services.GetRequiredService<PlaceOrders>();
        var serials = (await services.GetRequiredService<LotQueries>().UnitsAsync(Setup, whole.Gtin, whole.Number, new LotUnitFilter("units"), 0, 9, ct) ?? []).Select(u => UnitKey.SerialOf(UnitKey.Of(u.Epc)!).ToString()).ToList();
        if (serials.Count < 9 || failing == whole)
        {
            return;
        }
        DemonstrationOfficer.Done((await orders.ChangeAsync(Setup, hub, new StateAsk(whole.Gtin, whole.Number, serials[4..7], PackStates.Exported, false, Plant), "sold to a hospital in Switzerland", false, ct)).Refusal);
        DemonstrationOfficer.Done((await orders.ChangeAsync(Setup, hub, new StateAsk(whole.Gtin, whole.Number, serials[7..9], PackStates.Destroyed, false, Plant), "crushed by a forklift", false, ct)).Refusal);
        DemonstrationOfficer.Done((await orders.RecallAsync(Setup, hub, failing.Gtin, failing.Number, null, failing.Number, "particles in a retained sample", false, ct)).Refusal);
    }

    private async Task CompareAsync(HubSimulator simulator, HubPartner hub, string gtin, string lot, CancellationToken ct)
    {
        while (await services.GetRequiredService<HubLots>().FindAsync(Setup, hub.PartnerId, gtin, lot, ct) is not { State: "distributed" })
        {
            await Task.Delay(Look, ct);
        }
        if (simulator.Holding("FR", gtin, lot).Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } lost)
        {
            simulator.Forget("FR", gtin, lot, lost);
        }
        DemonstrationOfficer.Done(await services.GetRequiredService<HubReconciliations>().AskAsync(Setup, hub, services.GetRequiredService<Hubs>().Of(hub.Protocol).Traits, gtin, lot, ct));
    }

    // What pharmacies and wholesalers stumble over: each of another cause, and one of them twice.
    private async Task AlertAsync(HubSimulator simulator, HubPartner hub, Lot whole, Lot failing, CancellationToken ct)
    {
        var (known, missing) = (await KnownAsync(hub, whole, ct), await KnownAsync(hub, failing, ct));
        var (serials, unstored) = (await SerialsAsync(whole, ct), await SerialsAsync(failing, ct));
        var expiry = known.Expiry.ToString("yyMMdd", CultureInfo.InvariantCulture);
        if (serials.Count < 3 || unstored.Count < 1)
        {
            return;
        }
        simulator.RaiseAlert("DE", "A3", failing.Gtin, failing.Number, missing.Expiry.ToString("yyMMdd", CultureInfo.InvariantCulture), unstored[0], text: "The serial number is not found.");
        simulator.RaiseAlert("FR", "A3", failing.Gtin, failing.Number, missing.Expiry.ToString("yyMMdd", CultureInfo.InvariantCulture), unstored[0], "wholesaler", "The serial number is not found.");
        simulator.RaiseAlert("DE", "A68", whole.Gtin, failing.Number, expiry, serials[0], text: "The lot differs from the one recorded for the serial number.");
        simulator.RaiseAlert("FR", "A52", whole.Gtin, whole.Number, expiry[..4] + "00", serials[1], "hospital", "The expiry differs from the recorded one.");
        simulator.RaiseAlert("DE", "A2", whole.Gtin, $"{whole.Number}21{serials[2]}", expiry, null, text: "The lot is not found.");
        simulator.RaiseAlert("FR", "A3", whole.Gtin, whole.Number, expiry, "7Q2KX9PPL0", "wholesaler", "The serial number is not found.");
    }

    private async Task<Gateway.Hub.HubLot> KnownAsync(HubPartner hub, Lot lot, CancellationToken ct)
    {
        while (true)
        {
            if (await services.GetRequiredService<HubLots>().FindAsync(Setup, hub.PartnerId, lot.Gtin, lot.Number, ct) is { State: not "uploading" } known)
            {
                return known;
            }
            await Task.Delay(Look, ct);
        }
    }

    private async Task<IReadOnlyList<string>> SerialsAsync(Lot lot, CancellationToken ct) =>
        [.. (await services.GetRequiredService<LotQueries>().UnitsAsync(Setup, lot.Gtin, lot.Number, new LotUnitFilter("units"), 0, 3, ct) ?? []).Select(u => UnitKey.SerialOf(UnitKey.Of(u.Epc)!).ToString())];

    private async Task TellAsync(HubPartner hub, SimulatedProduct product, string[] countries, CancellationToken ct)
    {
        var versions = services.GetRequiredService<ProductVersions>();
        var (maker, gtin) = (DemonstrationCast.Shippers[0].Owner, GtinOf(product));
        var holder = new Company("MAH-DEMO", maker.Name, "Musterstraße 1", "Musterstadt", "12345", "DE");
        var (_, wrong) = await versions.AddAsync(Setup, hub, new ProductData(gtin, product.Name, product.Name, product.DosageForm, product.Strength, "box", 1, null, holder, [.. countries.Select(c => new MarketData(c, null, holder))]), "first told", ct);
        if (wrong.Count > 0)
        {
            throw new InvalidOperationException(wrong[0]);
        }
        while (!(await versions.ListAsync(Setup, hub.PartnerId, gtin, null, 1, ct))[0].Distributed)
        {
            await Task.Delay(Look, ct);
        }
    }

    private static string GtinOf(SimulatedProduct product) => DemonstrationMasterData.GtinOf(product.UnitClass);
}
