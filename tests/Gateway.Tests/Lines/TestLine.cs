using System.Globalization;
using Gateway.Access;
using Gateway.Lines;
using Gateway.MasterData;
using Gateway.Tests.Access;
using Gateway.Tests.Units;
using Gateway.Units;

namespace Gateway.Tests.Lines;

/// <summary>A line with a run of <see cref="Said"/>'s product, the people who sign for it, and units put where no document need tell of them.</summary>
internal sealed class TestLine : IAsyncDisposable
{
    public const string Gtin = "09521234001010", CaseGtin = "59521234001015", Lot = "L1";
    public static readonly Actor Somebody = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly Dictionary<string, long> _sessions = [];
    private readonly KnownMasterData _masterData;
    private long _capture = 100;
    private int _units;

    private TestLine(TestDatabase database)
    {
        Database = database;
        _masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
        Balances = new RunBalances(database.Gateway, _masterData);
        Records = new RunRecords(database.Gateway, Balances);
        Counts = new RunCounts(database.Gateway, Balances);
        Steps = new RunSteps(database.Gateway, Records, Counts);
        Lines = new LineRegister(database.Gateway);
        Accounts = new AccountsOf(database.Gateway);
    }

    public TestDatabase Database { get; }
    public RunBalances Balances { get; }
    public RunRecords Records { get; }
    public RunCounts Counts { get; }
    public RunSteps Steps { get; }
    public LineRegister Lines { get; }
    public AccountsOf Accounts { get; }

    /// <summary>The run that is walked.</summary>
    public Guid Run { get; private set; }

    public LineItem Line { get; private set; } = default!;

    public static async Task<TestLine> StartAsync(int caseHolds = 5, int palletHolds = 4, params (string User, string Role)[] people)
    {
        var line = new TestLine(await TestDatabase.CreateAsync()) { Database = { HasEventsOrUnitsByHand = true } };
        await using (var work = await line.Database.Gateway.BeginAsync(Somebody, Ct))
        {
            await Parties.EnsureAsync(work, "organisation", "Test Pharma", null);
            await Parties.EnsureAsync(work, "cmo", "First CMO", null);
            await work.CommitAsync();
        }
        foreach (var (user, role) in people)
        {
            await line.Accounts.AddAsync(user, role);
            await line.Accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct);
        }
        var file = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"gtin,name,level,holds,quantity,perLogisticUnit\n{Gtin},Demozol,unit,,,\n{CaseGtin},\"Demozol, case\",case,{Gtin},{caseHolds},{palletHolds}\n"));
        Assert.False((await new ChangeMasterData(line.Database.Gateway).ImportAsync(Somebody with { Reason = "test" }, file, false, Ct)).IsRefused);
        line.Line = await line.AddLineAsync("PL01");
        line.Run = (await line.PlanAsync()).Id;
        await line.TellAsync(line.Run);
        return line;
    }

    public async Task<LineItem> AddLineAsync(string code, string? party = null)
    {
        var (added, refusal, _) = await Lines.PutAsync(Somebody, code, new LineRequest($"Line {code}", "9521234000013", Said.Line, "Europe/Berlin", 300, null, party, "built", null), Ct);
        Assert.True(added is not null, refusal);
        return added;
    }

    public async Task<RunItem> PlanAsync(LineItem? line = null, string lot = Lot, int quantity = 10)
    {
        var (run, refusal) = await Steps.PlanAsync(Somebody, line ?? Line, new PlanRequest(Gtin, lot, new DateOnly(2028, 8, 31), quantity, "4711", null), Ct);
        Assert.True(run is not null, refusal);
        return run;
    }

    public async Task<Actor> PersonAsync(string user)
    {
        var holder = (await Accounts.HolderAsync(await Accounts.SignInAsync(user)))!;
        _sessions[user] = holder.SessionId!.Value;
        return holder.ToPrincipal("test").ToActor("dashboard");
    }

    /// <returns>Null, or the refusal.</returns>
    public async Task<string?> SignAsync(Actor person, string meaning, SignableRecord record, Func<Gateway.Database.Work, Signature, Task<string?>> effect)
    {
        using var signing = Accounts.Signing;
        var session = _sessions[person.Id["person:".Length..]];
        var begun = await signing.BeginAsync(person, session, record, meaning, Ct);
        return begun.Refusal ?? (await signing.SignAsync(person, session, begun.Nonce!.Value, new SigningSecret(person.Id["person:".Length..], AccountsOf.Good, null, 1), effect, Ct)).Refusal;
    }

    /// <returns>Null, or the refusal.</returns>
    public async Task<string?> ClearAsync(Actor person, bool isInOrder = true, Guid? run = null)
    {
        ClearanceItem[] items = [.. RunSteps.Checklist.Select(c => new ClearanceItem(c, isInOrder))];
        return await SignAsync(person, RunSteps.Clearance, (await Steps.ClearanceAsync(person, run ?? Run, items, Ct))!, RunSteps.Cleared(items));
    }

    /// <summary>Takes steps, each of which must be taken.</summary>
    public async Task WalkAsync(params string[] steps)
    {
        foreach (var step in steps)
        {
            Assert.Equal((step, null), (step, await TakeAsync(Somebody, step)));
        }
    }

    public Task<string?> TakeAsync(Actor actor, string step, string? why = "because", int? version = null, string cause = "starved", Guid? run = null) => step switch
    {
        "ready" => Steps.ReadyAsync(actor, run ?? Run, version, why, Ct),
        "start" => Steps.StartAsync(actor, run ?? Run, version, why, Ct),
        "pause" => Steps.PauseAsync(actor, run ?? Run, version, why, cause, Ct),
        "resume" => Steps.ResumeAsync(actor, run ?? Run, version, why, Ct),
        "end" => Steps.EndAsync(actor, run ?? Run, version, why, Ct),
        "reconcile" => Steps.ReconcileAsync(actor, run ?? Run, version, why, Ct),
        "close" => Steps.CloseAsync(actor, run ?? Run, version, why, Ct),
        _ => Steps.CancelAsync(actor, run ?? Run, version, why, Ct),
    };

    /// <summary>Past every rule: as if it had come there.</summary>
    public Task PutAsync(string state) => Database.ExecuteAsync($"""
        set session_replication_role = replica;
        update run set state = '{state}', started_at = {(state is "planned" or "ready" or "cancelled" ? "null" : "gateway_now()")} where public_id = '{Run}';
        """);

    /// <summary>A device of the line as it is qualified, heard and on time.</summary>
    public Task AddDeviceAsync(string name) => PastRulesAsync($"""
        with made as (insert into device (party_id, name, line_id, kind, registered_at) select party_id, '{name}', line_id, 'camera', gateway_now() from line returning *),
        heard as (insert into device_status (device_id, party_id, key_id, epoch, measured_at, heard_at, firmware, config_hash) select device_id, party_id, 'key-' || name, 1, gateway_now(), gateway_now(), '1.0', 'c0ffee' from made)
        insert into device_qualification (device_id, party_id, number, kind, serial, line_id, station, iq_reference, oq_reference, pq_reference, firmware, config_hash, challenge_interval, valid_until, change_reference, reason, qualified_by, qualified_by_name, qualified_at, signature)
        select device_id, party_id, 1, kind, serial, line_id, station, 'IQ', 'OQ', 'PQ', '1.0', 'c0ffee', interval '12 h', '2050-01-31', '', 'test', 'test', 'test', gateway_now(), 1 from made
        """);

    /// <summary>Past triggers and references.</summary>
    public Task PastRulesAsync(string sql) => Database.ExecuteAsync($"set session_replication_role = replica; {sql}");

    public async Task<RunDetails> DetailsAsync() => (await Records.DetailsAsync(Somebody, Run, Ct))!;

    public async Task<string> StateAsync(Guid? run = null) => (await Records.FindAsync(Somebody, run ?? Run, Ct))!.State;

    /// <summary>From here on units are of a document of that run; of null, of none.</summary>
    public async Task TellAsync(Guid? run, string state = "accepted")
    {
        _capture++;
        await Database.ExecuteAsync($"""
            set session_replication_role = replica;
            insert into capture (capture_id, document_id, party_id, submitted_by, error_behaviour, state, created_at, answer_status, answer_body, finished_at, run_id) overriding system value
            select {_capture}, {_capture}, party_id, 'test', 'rollback', '{state}', gateway_now(), 202, '', {(state == "processing" ? "null" : "gateway_now()")}, {(run is null ? "null" : $"(select run_id from run where public_id = '{run}')")} from party where kind = 'organisation'
            """);
    }

    /// <returns>The unit's number.</returns>
    public async Task<long> AddAsync(string epc, UnitState state = UnitState.Commissioned, bool everCommissioned = true, long? parent = null, int? children = null, string? holds = null, UnitFlags flags = UnitFlags.None, bool hasLot = true, string party = "Test Pharma")
    {
        var key = UnitKey.Of(epc)!;
        var n = ++_units;
        var (id, number) = ((_capture << 24) + n, (_capture << 20) + n);
        var all = flags | UnitFlags.HeardOf | (everCommissioned ? UnitFlags.EverCommissioned : UnitFlags.None);
        var gtin = UnitKey.GtinOf(key).ToString();
        await Database.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            insert into lot (party_id, gtin, lot, expiry) select party_id, '{gtin}', '{Lot}', date '2028-08-31' from party where name = '{party}' on conflict do nothing;
            insert into unit_row (unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, children, head, state, flags, level, last_kind, prefix_length, key, hash, holds)
            select {id}, {(parent is null ? "null" : parent.Value)}, {number}, {number}, gateway_now(), p.party_id, {(hasLot && gtin == Gtin ? "l.lot_id" : "null")}, {(children is null ? "null" : children.Value)}, {UnitKey.Head(key)}, {(short)state}, {(short)all}, 1, 7, 7, '{key}', {UnitKey.Hash(key)}, {(holds is null ? "null" : $"'{holds}'")}
            from party p join lot l on l.party_id = p.party_id and l.gtin = '{gtin}' and l.lot = '{Lot}' where p.name = '{party}'
            """));
        return id;
    }

    /// <summary>One pallet with one case with five packs, as it should be.</summary>
    public async Task PackWholeAsync(int palletHolds = 1)
    {
        var pallet = await AddAsync(Said.Pallet(1), children: palletHolds);
        for (var c = 1; c <= palletHolds; c++)
        {
            var container = await AddAsync(Said.Case(c), parent: pallet, children: 5);
            for (var n = 1; n <= 5; n++)
            {
                await AddAsync(Said.Pack((c - 1) * 5 + n), parent: container);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _masterData.Dispose();
        return Database.DisposeAsync();
    }
}
