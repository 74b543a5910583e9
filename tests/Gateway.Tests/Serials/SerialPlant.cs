using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Serials;
using Gateway.TestSupport;

namespace Gateway.Tests.Serials;

/// <summary>An organisation, a CMO and the slice on a fresh database.</summary>
public sealed class SerialPlant : IAsyncDisposable
{
    public const string Gtin = "09521321000018", OtherGtin = "09521321000025";

    private SerialPlant(TestDatabase database, int organisation, int cmo, int otherCmo)
    {
        Database = database;
        MasterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
        (Pools, Grants, GiveBack) = (new SerialPools(database.Gateway, MasterData), new GrantNumbers(database.Gateway), new GiveBackNumbers(database.Gateway));
        Import = new ImportNumbers(database.Gateway, MasterData);
        (Officer, Cmo, OtherCmo) = (Person("olga", "officer", organisation, "*"), Person("carl", "cmo", cmo, $"{cmo}"), Person("dora", "cmo", otherCmo, $"{otherCmo}"));
    }

    public TestDatabase Database { get; }
    public KnownMasterData MasterData { get; }
    public SerialPools Pools { get; }
    public GrantNumbers Grants { get; }
    public GiveBackNumbers GiveBack { get; }
    public ImportNumbers Import { get; }
    public Actor Officer { get; }
    public Actor Cmo { get; }
    public Actor OtherCmo { get; }

    public static async Task<SerialPlant> CreateAsync()
    {
        var database = await TestDatabase.CreateAsync();
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), default);
        var (organisation, cmo, other) = (await Parties.EnsureAsync(work, "organisation", "Pharma", null), await Parties.EnsureAsync(work, "cmo", "CMO One", null), await Parties.EnsureAsync(work, "cmo", "CMO Two", null));
        await work.CommitAsync();
        return new SerialPlant(database, organisation, cmo, other);
    }

    public async Task<SerialPool> PoolAsync(PoolRequest request)
    {
        var outcome = await Pools.MakeAsync(Officer, request with { Reason = request.Reason ?? "test" }, default);
        Assert.Null(outcome.Refusal);
        return outcome.Pool!;
    }

    public async Task<GrantedNumbers> GrantAsync(Actor actor, SerialRequest request)
    {
        var outcome = await Grants.RunAsync(actor, request, default);
        Assert.Null(outcome.Sentence);
        return outcome.Granted!;
    }

    /// <summary>A line of the organisation's with a run of LOT1.</summary>
    public async Task<(long Run, Guid Id)> RunAsync(int speed = 300)
    {
        await Database.ExecuteAsync($"""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone, speed) values ({Officer.PartyId}, 'L1', 'Line 1', '9521321000004', 'urn:epc:id:sgln:9521321.00000.1', 'Europe/Berlin', {speed});
            insert into run (party_id, line_id, gtin, lot, expiry, quantity, state, planned_at) select party_id, line_id, '{Gtin}', 'LOT1', '2030-01-31', 1000, 'ready', now() from line
            """);
        return (await Database.ScalarAsync<long>("select run_id from run"), await Database.ScalarAsync<Guid>("select public_id from run"));
    }

    public async Task<T> WorkAsync<T>(Actor actor, Func<Work, Task<T>> what)
    {
        await using var work = await Database.Gateway.BeginAsync(actor, default);
        var result = await what(work);
        await work.CommitAsync();
        return result;
    }

    /// <summary>What stands in the pools is what their counters say, and no number stands twice.</summary>
    public async Task CountersHoldAsync() => Assert.Equal("", await Database.ScalarAsync<string>("""
        select coalesce(string_agg(p.pool_id::text, ','), '') from serial_pool p
        where (made, free) <> (select count(*), count(*) filter (where state = 0) from serial_number n where n.pool_id = p.pool_id)
        """));

    public async ValueTask DisposeAsync()
    {
        MasterData.Dispose();
        try
        {
            await CountersHoldAsync();
        }
        finally
        {
            await Database.DisposeAsync();
        }
    }

    private static Actor Person(string name, string role, int party, string sees) => new($"person:{name}", name, role, party, "test", "here") { Sees = sees, Reason = "because" };
}
