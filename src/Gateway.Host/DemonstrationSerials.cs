using System.Text;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;
using Gateway.MasterData;
using Gateway.Serials;

namespace Gateway.Host;

/// <summary>The pools of the demonstration: one that has enough, one of a CMO that is low, and pallets' numbers in order.</summary>
public static class DemonstrationSerials
{
    private const int Given = 5_000;
    private static readonly Actor Actor = Actor.System("demonstration") with { Reason = "the plant of the demonstration" };

    /// <summary>The first time only: a number is never given out twice, in a demonstration neither.</summary>
    /// <param name="cmo">The name of the CMO that draws from the external pool.</param>
    public static async Task SeedAsync(GatewayDatabase database, string cmo, CancellationToken ct)
    {
        using var masterData = new KnownMasterData(new MasterDataRecords(database));
        var pools = new SerialPools(database, masterData);
        if ((await pools.ListAsync(Actor, null, null, 1, ct)).Count > 0)
        {
            return;
        }
        var (one, other) = (GtinOf(DemonstrationCast.Products[0].UnitClass), GtinOf(DemonstrationCast.Products[^1].UnitClass));
        await MakeAsync(new PoolRequest(one));
        await MakeAsync(new PoolRequest(SsccPrefix: "1" + DemonstrationCast.Products[0].CompanyPrefix, Ordered: true));
        var external = await MakeAsync(new PoolRequest(other, Party: cmo, Source: "external"));
        // What an authority would send; a list is taken as it is given, so any of the pool's form will do.
        var list = string.Join('\n', Enumerable.Range(0, Given).Select(_ => System.Security.Cryptography.RandomNumberGenerator.GetString(external.Alphabet, external.Length)).Distinct());
        await new ImportNumbers(database, masterData).RunAsync(Actor, external.Id, Encoding.ASCII.GetBytes(list), Actor.Reason!, ct);
        var grants = new GrantNumbers(database);
        foreach (var (request, acknowledged) in ((SerialRequest, bool)[])
            [
                (new("PO-4711-1", one, Quantity: 3_000, Lot: "D26112A", Device: "printer-1"), true), (new("PO-4711-2", one, Quantity: 500, Lot: "D26112A", Device: "printer-1"), false),
                (new("7f3a-0001", other, Quantity: 4_200, Lot: "D26113C", Device: "cmo-printer", Pool: external.Id), true), (new("PAL-0001", SsccPrefix: "1" + DemonstrationCast.Products[0].CompanyPrefix, Quantity: 40, Lot: "D26112A"), true),
            ])
        {
            var granted = (await grants.RunAsync(Actor, request, ct)).Granted!;
            if (acknowledged)
            {
                await grants.AcknowledgeAsync(Actor, granted.Grant.Id, ct);
            }
            if (request.RequestId == "PO-4711-1")
            {
                await new GiveBackNumbers(database).ReturnAsync(Actor, new GiveBackRequest(granted.Grant.Id, Serials: [.. granted.Numbers.Take(120)], Reason: "left over at the end of the lot"), ct);
            }
        }

        async Task<SerialPool> MakeAsync(PoolRequest request)
        {
            var outcome = await pools.MakeAsync(Actor, request with { Reason = Actor.Reason }, ct);
            return outcome.Pool ?? throw new InvalidOperationException(outcome.Refusal);
        }
    }

    private static string GtinOf(string itemClass) => Epc.Parse($"urn:epc:idpat:sgtin:{itemClass}.*", CompanyPrefixes.None).Value!.Key;
}
