using System.Globalization;
using System.Net;
using System.Text;
using Epcis.Events;
using Epcis.Formats.JsonLd;
using Gateway.Access;
using Gateway.Capture;
using Gateway.MasterData;
using Gateway.Tests.Capture;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>Documents told to a gateway, and the ledger that it makes of them.</summary>
internal sealed class LedgerGateway : IAsyncDisposable
{
    private static readonly Actor Tester = Actor.System("test");

    private LedgerGateway(CaptureGateway gateway) => Gateway = gateway;

    public CaptureGateway Gateway { get; }

    /// <param name="knowsProducts">Whether master data tell how <see cref="Said"/>'s product is packed.</param>
    public static async Task<LedgerGateway> StartAsync(bool knowsProducts = true, bool withWorker = false, int caseHolds = 5, int palletHolds = 4, CaptureRouting? routing = null)
    {
        var ledger = new LedgerGateway(await CaptureGateway.StartAsync(routing, withWorker));
        if (knowsProducts)
        {
            var wanted = new WantedMasterData();
            foreach (var product in (Product[])[new("09521234001010") { Name = "Pack", Level = "unit" }, new("59521234001015") { Name = "Case", Level = "case", Holds = "09521234001010", Quantity = caseHolds, PerLogisticUnit = palletHolds }])
            {
                wanted.Products.Add(new Wanted<Product>(product, _ => product, _ => default));
            }
            var outcome = await new ChangeMasterData(ledger.Gateway.Database.Gateway).RunAsync(Tester with { Reason = "test" }, wanted, dryRun: false, expected: null, CancellationToken.None);
            Assert.False(outcome.IsRefused);
        }
        return ledger;
    }

    /// <summary>Captures events as one document.</summary>
    /// <returns>The codes of what the ledger has found, with the serial numbers.</returns>
    public async Task<string> CaptureAsync(IEnumerable<EpcisEvent> events, HttpClient? client = null)
    {
        var id = await AcceptAsync(events, client);
        Assert.True(await Gateway.ProcessAsync());
        Assert.Equal("accepted", await Gateway.Database.ScalarAsync<string>($"""
            select concat_ws(' ', state, (select string_agg(concat_ws(' ', code, message, got), ', ') from finding f where f.capture_id = c.capture_id and severity = 'error')) from capture c where public_id = '{id}'
            """));
        return await Gateway.Database.ScalarAsync<string>($"select coalesce(string_agg(code, ', ' order by code), '') from finding join capture using (capture_id) where public_id = '{id}' and code ~ '^(unit|agg|lot)[.]'");
    }

    public Task<string> CaptureAsync(params EpcisEvent[] events) => CaptureAsync(events, null);

    public async Task<string> AcceptAsync(IEnumerable<EpcisEvent> events, HttpClient? client = null)
    {
        var bodies = events.Select(Written).Select(e => Encoding.UTF8.GetString(JsonEventWriter.ToUtf8(e, recordTime: null, new Dictionary<string, string> { ["line"] = EventFacts.LineNamespace })));
        using var answer = await CaptureGateway.PostAsync(client ?? Gateway.Client, Encoding.UTF8.GetBytes(Documents.Json([.. bodies])), "application/ld+json");
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }

    // Documents carry times as text.
    private static EpcisEvent Written(EpcisEvent e) => e with
    {
        EventTimeText = e.EventTime!.Value.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
        EventTimeZoneOffset = "+00:00",
        ErrorDeclaration = e.ErrorDeclaration is not { } declared ? null : declared with { DeclarationTimeText = declared.DeclarationTime!.Value.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture) },
    };

    public Task<LedgerVerified> VerifyAsync() => new LedgerVerification(Gateway.Database.Gateway, Ledgers()).RunAsync(Tester, null, CancellationToken.None);

    /// <summary>Fails when the ledger is not what its events make of it.</summary>
    public async Task<LedgerVerified> HoldsAsync()
    {
        var verified = await VerifyAsync();
        Assert.True(verified.Difference is null, $"{verified.Difference?.Epc}\nstored:  {verified.Difference?.Stored}\nrebuilt: {verified.Difference?.Rebuilt}");
        return verified;
    }

    public UnitLedgers Ledgers() => new(MasterData());

    public UnitQueries Units() => new(Gateway.Database.Gateway, MasterData());

    public UnitPast Past(long? maxText = null) =>
        new(Gateway.Database.Gateway, Ledgers(), Units(), MasterData()) { MaxText = maxText ?? 8_000_000 };

    /// <summary>As if nothing had ever been captured.</summary>
    public Task ForgetAsync() => Gateway.Database.ExecuteAsync(
        "set session_replication_role = replica; truncate unit_row, event, event_epc, event_class, event_identity, exception_unit, exception_note, exception, finding, capture_term, idempotency, capture, document_chunk, document cascade");

    private KnownMasterData MasterData() => new(new MasterDataRecords(Gateway.Database.Gateway));

    /// <summary>A column of a unit's row.</summary>
    public Task<string> OfAsync(string epc, string column) =>
        Gateway.Database.ScalarAsync<string>($"select coalesce(({column})::text, '') from unit where key = '{UnitKey.Of(epc)}'");

    /// <summary>The whole ledger without the numbers of rows and events, as text.</summary>
    public Task<string> TextAsync() => Gateway.Database.ScalarAsync<string>("""
        select coalesce(string_agg(concat_ws(' ', u.key, u.state, u.flags, u.level, p.key, l.lot, l.expiry, c.lot, h.uri, w.uri, u.children, u.held_below, u.last_at, u.last_kind, u.reason,
            (select string_agg(x, ' ' order by x) from unnest(string_to_array(u.holds, ' ')) x)), E'\n' order by u.key), '')
        from unit u left join unit p on p.unit_id = u.parent_id left join lot l on l.lot_id = u.lot_id left join lot c on c.lot_id = u.content_lot_id
        left join place h on h.place_id = u.holder_id left join place w on w.place_id = u.location_id
        """);

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();
}
