using System.Globalization;
using System.Runtime.CompilerServices;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Hub;

/// <summary>
/// One turn: compares what the markets of a lot hold with what we believe they hold, to the serial number. Both are read side by side in their order, so a lot of any size takes the same memory.
/// What was found is written in one transaction at the end; a turn that does not come to it has told nothing.
/// </summary>
public sealed partial class ReconcileLot(GatewayDatabase database, Hubs hubs, ILogger<ReconcileLot> log)
{
    /// <summary>Differences of one look that are written down; all are counted.</summary>
    public const int MostStored = 10_000;

    private const int MaxText = 1_000;

    /// <summary>Read of our own at once.</summary>
    internal int Page { get; init; } = 20_000;

    /// <summary>Differences looked at again at once.</summary>
    internal int Batch { get; init; } = 2_000;

    /// <summary>See <see cref="MostStored"/>.</summary>
    internal int Most { get; init; } = MostStored;

    // Of a hub that is paused it waits.
    private const string Waiting = """
        select r.hub_reconciliation_id from hub_reconciliation r join hub_lot l using (hub_lot_id) join partner t on t.partner_id = l.partner_id where r.state = 'waiting' and t.state = 'active' order by r.hub_reconciliation_id limit 1
        """;

    private const string Lock = "hashtextextended('hub reconciliation', 63)";

    private static readonly Actor Reconciler = Actor.System("hub");

    /// <returns>False when nothing waits, or another node looks.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        if (await WaitingAsync(ct) is null)
        {
            return false;
        }
        // A look takes as long as the hub does: the lock belongs to a session, not to a transaction that would stay open meanwhile.
        await using var session = await database.OpenSessionAsync(ct);
        if (!await session.ExecuteScalarAsync<bool>($"select pg_try_advisory_lock({Lock})"))
        {
            return false;
        }
        try
        {
            if (await BeginAsync(ct) is not { } next)
            {
                return false;
            }
            await LookAsync(next, ct);
            return true;
        }
        finally
        {
            // The server would notice the closed session a moment later, and whoever looks next would find it taken.
            await session.ExecuteAsync($"select pg_advisory_unlock({Lock})");
        }
    }

    private async Task LookAsync(Next next, CancellationToken ct)
    {
        try
        {
            var markets = new List<ReconciledMarket>();
            var kept = new List<(string Country, PackDifference Difference)>();
            foreach (var country in next.Markets.Order(StringComparer.Ordinal))
            {
                markets.Add(await CompareAsync(next, country, kept, ct));
            }
            await EndAsync(next, markets, kept, ct);
        }
        catch (HubSilentException e)
        {
            await FailAsync(next, e.Code, e.Message);
            NotTold(next.Lot, e.Code);
        }
        catch (Exception e) when (e is not (NpgsqlException or CommitUnknownException or OperationCanceledException))
        {
            // One that cannot be done holds up no other.
            await FailAsync(next, "broken", "The comparison itself could not be made; the log tells why.");
            Broken(e, next.Lot);
        }
    }

    private async Task<int?> WaitingAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Reconciler, ct);
        return await work.Connection.ExecuteScalarAsync<int?>(new CommandDefinition(Waiting, transaction: work.Transaction, cancellationToken: ct));
    }

    // Whoever asks from now on asks for another look. One whose node has died has begun, and begins again.
    private async Task<Next?> BeginAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Reconciler, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition($"update hub_reconciliation set begun_at = gateway_now() where hub_reconciliation_id = ({Waiting})", transaction: work.Transaction, cancellationToken: ct));
        var next = await work.Connection.QueryFirstOrDefaultAsync<Next>(new CommandDefinition($"""
            select r.hub_reconciliation_id as Id, l.hub_lot_id as LotId, l.party_id as PartyId, l.gtin as Gtin, l.lot as Lot, p.markets as Markets, r.begun_at as BegunAt,
                t.partner_id as PartnerId, t.party_id as HubPartyId, y.gln as HubGln, t.name as HubName, t.url as Url, t.secret as Secret, t.private_ranges as PrivateRanges, t.channel_settings::text as Settings, t.channel_settings ->> 'protocol' as Protocol
            from hub_reconciliation r join hub_lot l using (hub_lot_id) join hub_product p using (hub_product_id) join partner t on t.partner_id = l.partner_id join party y on y.party_id = t.party_id
            where r.hub_reconciliation_id = ({Waiting})
            """, transaction: work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return next;
    }

    private async Task<ReconciledMarket> CompareAsync(Next next, string country, List<(string, PackDifference)> kept, CancellationToken ct)
    {
        var comparison = new HoldingComparison();
        var (missing, unexpected, state) = (0, 0, 0);
        var line = new HubAddress(next.PartnerId, next.HubPartyId, next.Url, next.Secret, next.PrivateRanges, next.Settings);
        var held = hubs.Of(next.Protocol).HoldingAsync(line, next.Gtin, next.Lot, country, ct);
        var found = new List<(PackDifference Difference, HeldPack? Held)>();
        await foreach (var one in comparison.RunAsync(BelievedAsync(next, country, ct), held).WithCancellation(ct))
        {
            found.Add(one);
            if (found.Count == Batch)
            {
                await ConfirmAsync();
            }
        }
        await ConfirmAsync();
        return new ReconciledMarket(country, comparison.Believed, comparison.Held, comparison.UnderWay, missing, unexpected, state);

        async Task ConfirmAsync()
        {
            foreach (var difference in await AgainAsync(next, country, found, ct))
            {
                _ = difference.Kind switch { PackDifference.Missing => missing++, PackDifference.Unexpected => unexpected++, _ => state++ };
                if (kept.Count < Most)
                {
                    kept.Add((country, difference));
                }
            }
            found.Clear();
        }
    }

    private async IAsyncEnumerable<BelievedPack> BelievedAsync(Next next, string country, [EnumeratorCancellation] CancellationToken ct)
    {
        // Page by page: no transaction stays open while the hub is asked.
        for (var after = ""; ;)
        {
            List<BelievedPack> page;
            await using (var work = await database.BeginAsync(Reconciler, ct))
            {
                page = (await work.Connection.QueryAsync<BelievedPack>(new CommandDefinition($"""
                    select serial as Serial, state as State, under_way as IsUnderWay from ({HubBelief.Query}) b where serial > @after order by serial limit @Page
                    """, new { lotId = next.LotId, country, asOf = next.BegunAt, after, Page }, work.Transaction, cancellationToken: ct))).AsList();
            }
            foreach (var pack in page)
            {
                yield return pack;
            }
            if (page.Count < Page)
            {
                yield break;
            }
            after = page[^1].Serial;
        }
    }

    // What was reported, or sent again, while the market was read is under way by now.
    private async Task<IEnumerable<PackDifference>> AgainAsync(Next next, string country, IReadOnlyList<(PackDifference Difference, HeldPack? Held)> found, CancellationToken ct)
    {
        if (found.Count == 0)
        {
            return [];
        }
        await using var work = await database.BeginAsync(Reconciler, ct);
        var now = (await work.Connection.QueryAsync<BelievedPack>(new CommandDefinition($"select serial as Serial, state as State, under_way as IsUnderWay from ({HubBelief.Query}) b where serial = any(@serials)",
            new { lotId = next.LotId, country, asOf = next.BegunAt, serials = found.Select(f => f.Difference.Serial).ToArray() }, work.Transaction, cancellationToken: ct))).ToDictionary(b => b.Serial, StringComparer.Ordinal);
        return [.. found.Select(f => PackDifference.Between(f.Difference.Serial, now.GetValueOrDefault(f.Difference.Serial), f.Held)).OfType<PackDifference>()];
    }

    private async Task EndAsync(Next next, IReadOnlyList<ReconciledMarket> markets, IReadOnlyList<(string Country, PackDifference Difference)> kept, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Reconciler, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_reconciliation_market (hub_reconciliation_id, party_id, country, believed, held, under_way, missing, unexpected, state) values (@Id, @PartyId, @Country, @Believed, @Held, @UnderWay, @Missing, @Unexpected, @State)
            """, markets.Select(m => new { next.Id, next.PartyId, m.Country, m.Believed, m.Held, m.UnderWay, m.Missing, m.Unexpected, m.State }), work.Transaction, cancellationToken: ct));
        // What lies behind the last that is written down was not looked for.
        var isCut = markets.Sum(m => m.Differences) > kept.Count;
        var fresh = (await work.Connection.QueryAsync<string>(new CommandDefinition("""
            with f as materialized (select * from unnest(@countries, @serials, @kinds, @believed, @held, @moments) as f (country, serial, kind, believed, held, held_at)),
            closed as (
                update hub_difference d set closed_run = @Id, closed_at = gateway_now() where d.hub_lot_id = @LotId and d.closed_at is null
                    and not exists (select from f where f.country = d.country and f.serial = d.serial and f.kind = d.kind) and (not @isCut or (d.country, d.serial) <= (@lastCountry::text collate "C", @lastSerial::text collate "C"))
                returning 1),
            again as (
                update hub_difference d set believed = f.believed, held = f.held, held_at = f.held_at, last_run = @Id
                from f where d.hub_lot_id = @LotId and d.closed_at is null and d.country = f.country and d.serial = f.serial and d.kind = f.kind returning d.country, d.serial)
            select f.country || ' ' || f.serial from f where (select count(*) from closed) >= 0 and not exists (select from again a where a.country = f.country and a.serial = f.serial)
            """, new
        {
            next.Id, next.LotId, isCut, countries = kept.Select(k => k.Country).ToArray(), serials = kept.Select(k => k.Difference.Serial).ToArray(), kinds = kept.Select(k => k.Difference.Kind).ToArray(),
            believed = kept.Select(k => k.Difference.Believed).ToArray(), held = kept.Select(k => k.Difference.Held).ToArray(), moments = kept.Select(k => k.Difference.HeldAt).ToArray(),
            lastCountry = kept.Count == 0 ? "" : kept[^1].Country, lastSerial = kept.Count == 0 ? "" : kept[^1].Difference.Serial,
        }, work.Transaction, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);
        var added = kept.Where(k => fresh.Contains($"{k.Country} {k.Difference.Serial}")).ToList();
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into hub_difference (party_id, hub_lot_id, country, serial, kind, believed, held, held_at, first_run, last_run)
            select @PartyId, @LotId, f.*, @Id, @Id from unnest(@countries, @serials, @kinds, @believed, @held, @moments) as f (country, serial, kind, believed, held, held_at)
            """, new
        {
            next.Id, next.LotId, next.PartyId, countries = added.Select(k => k.Country).ToArray(), serials = added.Select(k => k.Difference.Serial).ToArray(), kinds = added.Select(k => k.Difference.Kind).ToArray(),
            believed = added.Select(k => k.Difference.Believed).ToArray(), held = added.Select(k => k.Difference.Held).ToArray(), moments = added.Select(k => k.Difference.HeldAt).ToArray(),
        }, work.Transaction, cancellationToken: ct));
        await TellAsync(work, next, markets, added.Select(a => a.Difference.Serial));
        if (await work.Connection.ExecuteAsync(new CommandDefinition("update hub_reconciliation set state = 'done', ended_at = gateway_now(), stored = @Count where hub_reconciliation_id = @Id and state = 'waiting'",
            new { kept.Count, next.Id }, work.Transaction, cancellationToken: ct)) == 1)
        {
            await work.CommitAsync();
        }
    }

    // A lot may be at several hubs, and each is right or wrong by itself.
    private static async Task TellAsync(Work work, Next next, IReadOnlyList<ReconciledMarket> markets, IEnumerable<string> added)
    {
        var source = new ExceptionSource("hub", $"{next.Gtin} {next.Lot} {next.HubGln}", next.PartyId, null);
        var differing = markets.Where(m => m.Differences > 0).ToList();
        var serials = added.Distinct(StringComparer.Ordinal).ToList();
        if (differing.Count == 0)
        {
            await ExceptionRecords.ResolveAsync(work, HubCodes.HoldingDiffers, source, "Every market holds what we believe it holds.");
        }
        else if (serials.Count > 0)
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(HubCodes.HoldingDiffers, Severity.Error,
                $"{next.HubName} does not hold of the lot {next.Lot} what it was told: {string.Join("; ", differing.Select(Words))}.") { Gtin = next.Gtin, Lot = next.Lot },
                source, [.. serials.Select(serial => UnitKey.ToEpc($"01{next.Gtin}21{serial}", 0))]);
        }

        static string Words(ReconciledMarket m) => $"{m.Country} {string.Join(", ", ((int Count, string What)[])[(m.Missing, "missing"), (m.Unexpected, "unexpected"), (m.State, "in another state")] is var all
            ? all.Where(a => a.Count > 0).Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.Count} {a.What}")) : [])}";
    }

    private async Task FailAsync(Next next, string code, string text)
    {
        await using var work = await database.BeginAsync(Reconciler, CancellationToken.None);
        await work.Connection.ExecuteAsync("update hub_reconciliation set state = 'failed', ended_at = gateway_now(), code = @code, text = @text where hub_reconciliation_id = @Id and state = 'waiting'",
            new { next.Id, code, text = text.Length > MaxText ? text[..MaxText] : text }, work.Transaction);
        await work.CommitAsync();
    }

    [LoggerMessage(2041, LogLevel.Warning, "The hub did not tell what its markets hold of the lot {Lot} ({Code}); it is asked again later.")]
    private partial void NotTold(string lot, string code);

    [LoggerMessage(2042, LogLevel.Error, "What the hub's markets hold of the lot {Lot} could not be compared; it is tried again later.")]
    private partial void Broken(Exception e, string lot);

    private sealed class Next
    {
        public int Id { get; init; }
        public int LotId { get; init; }
        public int PartyId { get; init; }
        public string Gtin { get; init; } = "";
        public string Lot { get; init; } = "";
        public string[] Markets { get; init; } = [];
        public DateTime BegunAt { get; init; }
        public int PartnerId { get; init; }
        public int HubPartyId { get; init; }
        public string HubGln { get; init; } = "";
        public string HubName { get; init; } = "";
        public string Url { get; init; } = "";
        public byte[]? Secret { get; init; }
        public string PrivateRanges { get; init; } = "";
        public string Settings { get; init; } = "{}";
        public string Protocol { get; init; } = "";
    }
}
