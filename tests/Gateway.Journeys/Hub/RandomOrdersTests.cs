using System.Globalization;
using Gateway.Access;
using Gateway.Host.Simulate.Hub;
using Gateway.Hub;
using Gateway.Journeys.Access;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>
/// Whatever is asked for, in whatever order, while the hub loses answers, refuses packs, fails in markets, ends sessions, is away and lives through days: in the end each market holds what the gateway believes, and the stand-in's own log shows
/// no breach of a public rule. 120 operations; 10,000 with GATEWAY_FAULTS=full.
/// </summary>
public sealed class RandomOrdersTests(ITestOutputHelper output)
{
    private const int Lots = 10, PacksOfLot = 120;
    private static readonly string[] s_places = [Place, "9521234000020"];
    private static readonly string[] s_markets = ["DE", "FR", "IT"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_asked_for_no_rule_is_broken_and_every_market_holds_what_we_believe()
    {
        var operations = FaultScale.IsFull ? 10_000 : 120;
        var seed = FaultScale.IsFull ? Environment.TickCount : 7;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{operations} operations, seed {seed}"));
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { MarketAfter = TimeSpan.FromMilliseconds(20) }, Ct);
        await using var gateway = await StartAsync(hub, ("RateLimits:SignInPerMinute", "100000"), ("Delivery:RetryLifetime", "60.00:00:00"), ("Delivery:RetryBase", "00:00:00.050"), ("Delivery:RetryCap", "00:00:02"));
        using var officer = gateway.Client("officer");
        for (var n = 0; n < Lots; n++)
        {
            await CommissionAsync(gateway, $"R{n}", PacksOfLot, prefix: $"R{n}-");
        }
        await ProductAsync(gateway, officer, 1, s_markets);
        var run = await RunAsync(gateway, hub, new Random(seed));
        await run.BeginAsync();
        for (var n = 0; n < operations; n++)
        {
            await run.StepAsync(n);
            await run.PaceAsync(n);
        }
        await run.SettleAsync();
        output.WriteLine(string.Join(", ", run.Counts.OrderByDescending(c => c.Value).Select(c => $"{c.Value} {c.Key}")));
        Assert.True(hub.Violations.Count == 0, string.Join("\n", hub.Violations.Take(10).Select(v => $"{v.Rule}: {v.Text}")));

        foreach (var lot in hub.Lots)
        {
            var believed = (await gateway.Database.ScalarAsync<string>($"select coalesce(string_agg(serial || ' ' || coalesce(k.state, 'Active'), E'\\n' order by serial collate \"C\"), '') from hub_pack k join hub_lot l using (hub_lot_id) where l.lot = '{lot.Lot}' and k.fault is null")).Split('\n');
            // Of what not every market has stored, each has said so to us.
            var faulty = (await gateway.Database.ScalarAsync<string[]>($"select coalesce(array_agg(serial), '{{}}') from hub_pack k join hub_lot l using (hub_lot_id) where l.lot = '{lot.Lot}' and k.fault is not null")).ToHashSet(StringComparer.Ordinal);
            Assert.True(faulty.Count == 0 || lot.RecalledIn.Count > 0, $"{faulty.Count} packs of {lot.Lot} are not stored.");
            foreach (var country in s_markets)
            {
                Assert.Equal(believed.Where(b => b.Length > 0), hub.Holding(country, Gtin, lot.Lot).Where(p => !faulty.Contains(p.Key)).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}"));
            }
            Assert.Equal(await gateway.Database.ScalarAsync<string>($"select coalesce(string_agg(m, ' ' order by m), '') from unnest((select hub_ended(partner_id, gtin, lot) from hub_lot where lot = '{lot.Lot}')) m"), string.Join(' ', lot.RecalledIn.Order(StringComparer.Ordinal)));
        }
        Assert.True(run.Counts["taken"] > operations / 20, "Next to nothing was allowed.");
        Assert.True(run.Counts["refused"] > operations / 20, "Next to nothing was refused.");
    }

    private static async Task<Run> RunAsync(TestGateway gateway, HubSimulator hub, Random random)
    {
        var signers = new List<(string, Actor, long)>();
        foreach (var name in (string[])["anna", "ben"])
        {
            await PeopleJourneys.AddAsync(gateway, name, "officer");
            await new People(gateway.Database.Gateway).VerifyIdentityAsync(Actor.System("test"), name, "identity card", Ct);
            var secret = (await gateway.Services.GetRequiredService<SignInPerson>().TryAsync(name, SigningPagesTests.Good, null, "192.0.2.1", Ct)).Secret;
            var holder = (await gateway.Services.GetRequiredService<Sessions>().FindAsync(secret!, Ct))!;
            signers.Add((name, holder.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value));
        }
        var at = (await gateway.Services.GetRequiredService<Hubs>().OneAsync(Actor.System("test"), HubGln, Ct))!;
        return new Run(gateway, hub, random, at, signers);
    }

    private sealed class Run(TestGateway gateway, HubSimulator hub, Random random, HubPartner at, IReadOnlyList<(string Name, Actor Actor, long Session)> signers)
    {
        private static readonly Actor s_erp = Actor.System("erp");
        private readonly PlaceOrders _orders = gateway.Services.GetRequiredService<PlaceOrders>();
        private readonly ReleaseLot _lots = gateway.Services.GetRequiredService<ReleaseLot>();
        private readonly Signing _signing = gateway.Services.GetRequiredService<Signing>();
        private int _recalls;

        public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal) { ["taken"] = 0, ["refused"] = 0 };

        private string Lot => string.Create(CultureInfo.InvariantCulture, $"R{random.Next(Lots)}");

        /// <summary>Most lots are in their markets before anything goes wrong.</summary>
        public async Task BeginAsync()
        {
            for (var n = 0; n < Lots - 2; n++)
            {
                Assert.Null((await _lots.RunAsync(s_erp, at, Gtin, string.Create(CultureInfo.InvariantCulture, $"R{n}"), "released", Ct)).Refusal);
            }
            await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<bool>($"select (select count(*) from hub_message where kind = 'pack data' and answered_at is not null) = {Lots - 2}"));
        }

        public async Task StepAsync(int n)
        {
            switch (random.Next(100))
            {
                case < 42:
                    await ChangeAsync(isUndo: false);
                    break;
                case < 66:
                    await ChangeAsync(isUndo: true);
                    break;
                case < 76:
                    var lot = Lot;
                    Note((random.Next(3) > 0 ? await _lots.ResendAsync(s_erp, at, Gtin, lot, "once more", Ct) : await _lots.RunAsync(s_erp, at, Gtin, lot, "released", Ct)).Refusal, "release");
                    break;
                case < 80:
                    await SignAsync();
                    break;
                case < 81 when _recalls < Lots / 3 && n > 40:
                    var recalled = Lot;
                    Note((await _orders.RecallAsync(random.Next(2) == 0 ? signers[0].Actor : s_erp, at, Gtin, recalled, random.Next(2) == 0 ? null : ["FR"], recalled, "glass", false, Ct)).Refusal, "recall");
                    _recalls++;
                    break;
                case < 83:
                    if (await IdAsync("status = 'failed'") is { } failed)
                    {
                        Note(await _orders.AgainAsync(s_erp, failed, "once more", Ct), "again");
                    }
                    break;
                case < 84:
                    if (await IdAsync("status in ('asked', 'ready')") is { } open)
                    {
                        Note(await _orders.DeclineAsync(s_erp, open, "not meant", Ct), "decline");
                    }
                    break;
                case < 94:
                    Fault();
                    break;
                // What is undone at the last moment is late at the hub, whoever sends it.
                case < 96 when n % 3 == 0 && hub.Faults.UnavailableUntil < hub.Now && await gateway.Database.ScalarAsync<long>("select count(*) from hub_message where kind = 'undo' and answered_at is null") == 0:
                    await LaterAsync(TimeSpan.FromHours(random.Next(1, 30)));
                    break;
                default:
                    await Task.Delay(random.Next(30), Ct);
                    break;
            }
        }

        /// <summary>What is asked for goes on while the hub answers, and not long before it; while the hub is left alone, the time passes.</summary>
        public async Task PaceAsync(int n)
        {
            if (n % 8 == 0 && await gateway.Database.ScalarAsync<int>("select coalesce((select ceil(extract(epoch from open_until - gateway_now()))::int from breaker where opened > 0 and probe is null), 0)") is > 0 and var alone)
            {
                hub.Advance(TimeSpan.FromSeconds(alone));
                await gateway.Database.AdvanceAsync(TimeSpan.FromSeconds(alone));
            }
            for (var wait = 0; n % 8 == 0 && wait < (FaultScale.IsFull ? 6 : 20) && await gateway.Database.ScalarAsync<long>("select (select count(*) from hub_message where answered_at is null) + (select count(*) from hub_order where status = 'ready')") > 12; wait++)
            {
                await Task.Delay(50, Ct);
            }
        }

        /// <summary>Nothing goes wrong any more, and everything comes to its end.</summary>
        public async Task SettleAsync()
        {
            (hub.Faults.UnavailableUntil, hub.Faults.ClosesConnections) = (DateTimeOffset.MinValue, false);
            foreach (var country in s_markets)
            {
                hub.Faults.FailMarket(country, 0);
            }
            hub.Faults.LoseAnswers(0);
            for (var round = 0; ; round++)
            {
                if (await gateway.Database.ScalarAsync<long>("select count(*) from hub_message where answered_at is null") + await gateway.Database.ScalarAsync<long>("select count(*) from hub_order where status in ('ready', 'told') and repeats is null or status = 'ready'")
                    + await gateway.Database.ScalarAsync<long>("select count(*) from hub_chunk c where not exists (select from hub_message m where m.hub_chunk_id = c.hub_chunk_id) and (select hub_ended(partner_id, gtin, lot) = '{}' from hub_lot l where l.hub_lot_id = c.hub_lot_id)") == 0
                    && await gateway.Database.ScalarAsync<long>("select count(*) from hub_pack p join hub_lot l using (hub_lot_id) where p.fault is not null and hub_ended(l.partner_id, l.gtin, l.lot) = '{}'") == 0
                    && await gateway.Database.ScalarAsync<long>("select count(*) from hub_order where status = 'failed' and repeats is null and 'market' = any(select fault from hub_order_pack p where p.hub_order_id = hub_order.hub_order_id)") == 0)
                {
                    return;
                }
                Assert.True(round < 1_500, await gateway.Database.ScalarAsync<string>("select concat_ws(' | ', (select string_agg(kind || ' ' || state, ', ') from hub_message where answered_at is null), (select string_agg(kind || ' ' || status || ' ' || coalesce(lot, ''), ', ') from hub_order where status in ('ready', 'told')), (select string_agg(concat_ws(' ', d.state, d.receipt, 'attempts', d.attempts, 'due in', d.due_at - gateway_now(), d.lease_token is not null), ', ') from delivery d join hub_message m using (delivery_id) where m.answered_at is null), (select string_agg(b::text, ', ') from breaker b), (select string_agg(concat_ws(' ', state, pause_reason), ', ') from partner))"));
                if (round % 20 == 19)
                {
                    for (var n = 0; n < Lots; n++)
                    {
                        await _lots.ResendAsync(s_erp, at, Gtin, string.Create(CultureInfo.InvariantCulture, $"R{n}"), "once more", Ct);
                    }
                    // Whatever waits for its next try, or for a partner that was left alone.
                    await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(61));
                    hub.Advance(TimeSpan.FromMinutes(61));
                    while (await IdAsync("status = 'failed' and exists (select from hub_order_pack p where p.hub_order_id = o.hub_order_id and p.fault = 'market')") is { } failed && await _orders.AgainAsync(s_erp, failed, "once more", Ct) is null)
                    {
                    }
                }
                await Task.Delay(100, Ct);
            }
        }

        private async Task ChangeAsync(bool isUndo)
        {
            var lot = Lot;
            var from = random.Next(1, PacksOfLot);
            string[] serials = [.. Enumerable.Range(from, random.Next(1, 6)).Select(s => $"{(random.Next(60) == 0 ? "r" : "R")}{lot[1..]}-{s:0000}")];
            var state = PackStates.All[random.Next(10) < 9 ? random.Next(5) : random.Next(5, 7)];
            // Mostly what may be, or nothing would ever be told.
            if (random.Next(10) < 7)
            {
                (lot, state, serials) = await AllowedAsync(isUndo, state) ?? (lot, state, serials);
            }
            Note((await _orders.ChangeAsync(random.Next(2) == 0 ? signers[0].Actor : s_erp, at, new StateAsk(Gtin, lot, serials, state, isUndo, s_places[random.Next(8) == 0 ? 1 : 0]), "as it came", false, Ct)).Refusal, isUndo ? "undo" : state);
        }

        private async Task<(string Lot, string State, string[] Serials)?> AllowedAsync(bool isUndo, string state)
        {
            var found = await gateway.Database.ScalarAsync<string>($"""
                select coalesce((select l.lot || ' ' || coalesce(p.state, '{state}') || ' ' || string_agg(p.serial, ' ') from (select * from hub_pack where fault is null and pending_order is null and (state is not null) = {isUndo} order by random() limit 40) p join hub_lot l using (hub_lot_id)
                    group by l.lot, p.state order by random() limit 1), '')
                """);
            return found.Split(' ') is [var lot, var of, .. { Length: > 0 } serials] ? (lot, of, serials[..Math.Min(serials.Length, random.Next(1, 6))]) : null;
        }

        private async Task SignAsync()
        {
            if (await IdAsync("status = 'asked'") is not { } order)
            {
                return;
            }
            var (name, actor, session) = signers[random.Next(signers.Count)];
            var begun = await _signing.BeginAsync(actor, session, (await _orders.RecordAsync(actor, order, Ct))!, PlaceOrders.Meaning, Ct);
            Note(begun.Nonce is { } nonce ? (await _signing.SignAsync(actor, session, nonce, new SigningSecret(name, SigningPagesTests.Good, null, 1), _orders.SignedAsync, Ct)).Refusal : begun.Refusal, "signature");
        }

        private void Fault()
        {
            switch (random.Next(7))
            {
                case 0:
                    hub.Faults.LoseAnswers(random.Next(1, 4));
                    break;
                case 1:
                    hub.ExpireSessions();
                    break;
                case 2:
                    hub.Faults.FailMarket(s_markets[random.Next(3)], random.Next(1, 3));
                    break;
                case 3:
                    hub.Faults.UnavailableUntil = hub.Now + TimeSpan.FromMilliseconds(random.Next(1_500));
                    hub.Faults.ClosesConnections = random.Next(2) == 0;
                    break;
                case 4:
                    hub.Faults.FailPacks(Enumerable.Range(random.Next(1, PacksOfLot), 3).Select(s => $"{Lot}-{s:0000}"), "T1", temporary: true, times: random.Next(1, 3));
                    break;
                case 5:
                    hub.Faults.FailPacks(Enumerable.Range(random.Next(1, PacksOfLot), 2).Select(s => $"{Lot}-{s:0000}"), "A16", temporary: false);
                    break;
                default:
                    hub.Faults.ShufflesResults = !hub.Faults.ShufflesResults;
                    break;
            }
        }

        private async Task LaterAsync(TimeSpan time)
        {
            hub.Advance(time);
            await gateway.Database.AdvanceAsync(time);
            Counts["days"] = Counts.GetValueOrDefault("days") + 1;
        }

        private async Task<int?> IdAsync(string which) => await gateway.Database.ScalarAsync<int>($"select coalesce((select hub_order_id from hub_order o where repeats is null and {which} order by random() limit 1), 0)") is > 0 and var id ? id : null;

        private void Note(string? refusal, string what)
        {
            var key = refusal is null ? "taken" : "refused";
            Counts[key]++;
            Counts[$"{what} {key}"] = Counts.GetValueOrDefault($"{what} {key}") + 1;
        }
    }
}
