using System.Data;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dapper;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Units;

/// <summary>What is recalled: a lot, a range of serial numbers, what a container ever held, or what a partner was ever sent.</summary>
/// <param name="Gtin">14 digits; of a lot or a range.</param>
/// <param name="From">The first serial number; shorter ones come before longer ones, those of one length in the order of their characters.</param>
/// <param name="Container">The key of any unit (<see cref="UnitKey"/>).</param>
/// <param name="Partner">A GLN.</param>
public sealed record RecallAsk(string? Gtin, string? Lot, string? From, string? To, string? Container, string? Partner)
{
    private const int MaxText = 200;

    /// <summary>Reads what an address, a body or a command line says; identifiers may be spelled in any form.</summary>
    /// <param name="wrong">A sentence when it says nothing that can be recalled.</param>
    public static RecallAsk? Read(string? gtin, string? lot, string? from, string? to, string? container, string? partner, out string? wrong)
    {
        var product = Said(gtin) is { } g ? Epcis.Identifiers.Gtin.Parse(g).Value?.Value : null;
        var unit = Said(container) is { } c ? UnitKey.Of(c.Length == 18 && c.All(char.IsAsciiDigit) ? "00" + c : c) : null;
        var gln = Said(partner) is { } p && Gln.TryFromAny(p, out var known) ? known : null;
        var ask = new RecallAsk(product, Said(lot), Said(from), Said(to), unit, gln);
        wrong = (string?[])[gtin, lot, from, to, container, partner] is var all && all.Any(v => v?.Length > MaxText || v?.Contains('\0', StringComparison.Ordinal) == true) ? "What is recalled is named in at most 200 characters."
            : Said(gtin) is not null && product is null ? "gtin is a GTIN with its check digit."
            : Said(container) is not null && unit is null ? "container is an SSCC or another unit, in any spelling."
            : Said(partner) is not null && gln is null ? "partner is a GLN with its check digit."
            : ask switch
            {
                { Gtin: not null, Lot: not null, From: null, To: null, Container: null, Partner: null } => null,
                { Gtin: not null, Lot: null, From: { } first, To: { } last, Container: null, Partner: null } => InOrder(first, last) ? null : "The first serial number comes behind the last.",
                { Gtin: null, Lot: null, From: null, To: null, Container: not null, Partner: null } => null,
                { Gtin: null, Lot: null, From: null, To: null, Container: null, Partner: not null } => null,
                _ => "Name one: gtin and lot; gtin, from and to; container; or partner.",
            };
        return wrong is null ? ask : null;
    }

    /// <summary>In words, as the audit trail has it.</summary>
    public override string ToString() => this switch
    {
        { Lot: not null } => $"lot {Lot} of {Gtin}",
        { From: not null } => $"serial numbers {From} to {To} of {Gtin}",
        { Container: not null } => $"contents of {Container}",
        _ => $"goods sent to {Partner}",
    };

    private static string? Said(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static bool InOrder(string first, string last) => first.Length != last.Length ? first.Length < last.Length : string.CompareOrdinal(first, last) <= 0;
}

/// <summary>Units that are in one hand in one way.</summary>
/// <param name="Standing">One of <see cref="RecallStandings"/>.</param>
/// <param name="Gln">Who has them, or is to get them; null when the events name no GLN.</param>
/// <param name="Holder">The same as events say it; null when nobody knows.</param>
/// <param name="Name">In master data; null when they do not know it.</param>
/// <param name="Outermost">What somebody there would look for: outermost containers and loose units, by level.</param>
public sealed record RecallHolder(string Standing, string? Gln, string? Holder, string? Name, long Units, IReadOnlyDictionary<string, long> Outermost);

/// <summary>How a recalled unit stands to its holder.</summary>
public static class RecallStandings
{
    /// <summary>It is with the holder.</summary>
    public const string InHand = "inHand";

    /// <summary>It was shipped to the holder and nobody has told its receipt.</summary>
    public const string OnItsWay = "onItsWay";

    /// <summary>It was decommissioned or destroyed there: nothing is to be fetched.</summary>
    public const string Ended = "ended";

    /// <summary>Nobody can tell: shipped to nobody that is named, without any holder or place, without an outermost container, or never told to have come to be.</summary>
    public const string Unplaced = "unplaced";
}

/// <summary>A document that told where some of the units are.</summary>
public sealed record RecallDocument(Guid CaptureId, DateTime ReceivedAt, long Units);

/// <summary>How long a part of the answer took.</summary>
public sealed record RecallPhase(string Name, double Milliseconds);

/// <summary>A unit of the scope: never a container.</summary>
/// <param name="State">As in LINES.md section 2; that of its outermost container.</param>
/// <param name="Top">The outermost container; null when it is in none.</param>
/// <param name="Place">Where it was seen last, as events say it.</param>
/// <param name="CaptureId">The document that said so.</param>
public sealed record RecallUnit(
    string Epc, string Gtin, string Serial, string? Lot, string State, string Standing, string? Gln, string? Holder, string? Name, string? Place, string? Parent, string? Top, DateTime LastAt, Guid? CaptureId);

/// <summary>Where everything is that is recalled.</summary>
/// <param name="Units">How many units: the sum of what <paramref name="Holders"/> have.</param>
public sealed record RecallAnswer(RecallAsk Ask, long Units, IReadOnlyList<RecallHolder> Holders, IReadOnlyList<RecallDocument> Documents, IReadOnlyList<RecallPhase> Phases)
{
    /// <summary>Units that nobody can place.</summary>
    public long Unplaced => Holders.Where(h => h.Standing == RecallStandings.Unplaced).Sum(h => h.Units);

    // 16 bytes a unit, so that the list needs no second search and holds no transaction while somebody reads slowly.
    internal (long UnitId, long? TopId)[] Found { get; init; } = [];

    internal IReadOnlyDictionary<long, RecallTop> Tops { get; init; } = new Dictionary<long, RecallTop>();
}

internal sealed record RecallTop(string Epc, string State, string Standing, string? Gln, string? Holder, string? Name, string? Place, DateTime LastAt, Guid? CaptureId);

/// <summary>
/// The scope of a recall (EXCHANGES.md S12): every unit with whoever has it, however cases were split on the way. It changes
/// nothing; that it was asked for, by whom, is in the audit trail before anything is answered.
/// </summary>
public sealed class RecallScope(GatewayDatabase database, KnownMasterData masterData)
{
    // The number of an event is its capture's, and its place in the document.
    private const int CaptureBits = 20;

    private const int UnitsAtOnce = 5_000, EventsAtOnce = 500, LongTime = 300;

    // The units of the scope: downwards from where it begins, then the containers around them upwards, and their outermost ones downwards again.
    private const string Scope = """
        , down (unit_id, parent_id, children, key, descends) as (
            select unit_id, parent_id, children, key, descends from scope
            union
            select c.unit_id, c.parent_id, c.children, c.key, true from down d cross join lateral (select unit_id, parent_id, children, key from unit where parent_id = d.unit_id offset 0) c
            where d.descends and d.children is not null),
        leaf as materialized (
            select distinct unit_id, parent_id from down
            where children is null and key like '01%' and substr(key, 3, 14) <> all(@containers) and (substr(key, 3, 1) not between '1' and '8' or substr(key, 3, 14) = any(@units))),
        around (unit_id, parent_id) as (
            select c.unit_id, c.parent_id from (select distinct parent_id from leaf where parent_id is not null) l cross join lateral (select unit_id, parent_id from unit where unit_id = l.parent_id offset 0) c
            union
            select c.unit_id, c.parent_id from around a cross join lateral (select unit_id, parent_id from unit where unit_id = a.parent_id offset 0) c),
        topped (unit_id, top_id) as (
            select unit_id, unit_id from around where parent_id is null
            union all
            select a.unit_id, t.top_id from topped t join around a on a.parent_id = t.unit_id)
        select l.unit_id, case when l.parent_id is null then l.unit_id else t.top_id end from leaf l left join topped t on t.unit_id = l.parent_id order by 2, 1
        """;

    // Shortest first, as RecallAsk has it. Units that nobody commissioned yet have no lot.
    private const string Serials = """
        with recursive scope as materialized (
            select u.unit_id, u.parent_id, u.children, u.key, true as descends from lot l join unit u using (lot_id) where l.gtin = @gtin and (length(u.key), u.key) between (length(@first), @first) and (length(@last), @last)
            union
            select u.unit_id, u.parent_id, u.children, u.key, true from unit u
            where u.flags & 4 <> 0 and u.lot_id is null and starts_with(u.key, '01' || @gtin || '21') and (length(u.key), u.key) between (length(@first), @first) and (length(@last), @last))
        """;

    private const string Lots = """
        with recursive scope as materialized (
            select u.unit_id, u.parent_id, u.children, u.key, true as descends from lot l join unit u using (lot_id) where l.gtin = @gtin and l.lot = @lot)
        """;

    // What was once inside is named by its key; what is inside now is found below what is named.
    private const string Named = """
        with recursive scope as materialized (
            select u.unit_id, u.parent_id, u.children, u.key, @descends as descends from unnest(@keys, @heads, @hashes) k (key, head, hash) cross join lateral (select unit_id, parent_id, children, key from unit where head = k.head and hash = k.hash and key = k.key limit 1) u
            union
            select u.unit_id, u.parent_id, u.children, u.key, true from unit u where u.holder_id = any(@places) and u.parent_id is null)
        """;

    /// <summary>Where it all is, in sums; <see cref="UnitsAsync"/> tells it unit by unit.</summary>
    /// <exception cref="CommitUnknownException">The entry in the audit trail is not confirmed: nothing is answered.</exception>
    public async Task<RecallAnswer> RunAsync(Actor actor, RecallAsk ask, CancellationToken ct)
    {
        await using (var entry = await database.BeginAsync(actor, ct))
        {
            await entry.AuditAsync("recall", "recall_scope", ask.ToString());
            await entry.CommitAsync();
        }
        var known = await masterData.ReadAsync(ct);
        var phases = new List<RecallPhase>();
        // One moment: captures go on meanwhile and are not seen.
        await using var work = await database.BeginAsync(actor, ct, IsolationLevel.RepeatableRead);
        var start = Stopwatch.GetTimestamp();
        var found = await FindAsync(work, known, ask, ct);
        Took("units");
        var tops = await TopsAsync(work, known, [.. found.Select(f => f.TopId).OfType<long>().Distinct()], ct);
        Took("holders");
        var documents = await DocumentsAsync(work, found, tops, ct);
        Took("documents");
        var placed = tops.ToDictionary(t => t.Key, t => t.Value.Told with { CaptureId = documents.Of.GetValueOrDefault(t.Value.EventId >> CaptureBits) });
        return new RecallAnswer(ask, found.Length, Holders(known, found, tops), documents.All, phases) { Found = found, Tops = placed };

        void Took(string name)
        {
            phases.Add(new RecallPhase(name, Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 1)));
            start = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>Every unit of an answer, those in one outermost container together.</summary>
    public async IAsyncEnumerable<RecallUnit> UnitsAsync(Actor actor, RecallAnswer answer, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var some in answer.Found.Chunk(UnitsAtOnce))
        {
            Dictionary<long, UnitRow> rows;
            await using (var work = await database.BeginAsync(actor, ct))
            {
                rows = (await work.Connection.QueryAsync<UnitRow>(new CommandDefinition("""
                    select u.unit_id as UnitId, u.key as Key, u.prefix_length as PrefixLength, l.lot as Lot, u.last_at as LastAt, p.key as ParentKey, p.prefix_length as ParentPrefixLength
                    from unnest(@ids) i cross join lateral (select * from unit where unit_id = i limit 1) u
                    left join lot l on l.lot_id = u.lot_id left join lateral (select key, prefix_length from unit where unit_id = u.parent_id limit 1) p on true
                    """, new { ids = some.Select(f => f.UnitId).ToArray() }, work.Transaction, cancellationToken: ct))).ToDictionary(r => r.UnitId);
            }
            foreach (var (unitId, topId) in some)
            {
                if (rows.TryGetValue(unitId, out var row)) // a correction may have removed it since
                {
                    yield return UnitOf(row, topId is { } id ? answer.Tops[id] : null, topId == unitId);
                }
            }
        }
    }

    private static RecallUnit UnitOf(UnitRow row, RecallTop? top, bool isTop) => new(
        UnitKey.ToEpc(row.Key, row.PrefixLength), UnitKey.GtinOf(row.Key).ToString(), row.Key[18..], row.Lot, top?.State ?? "", top?.Standing ?? RecallStandings.Unplaced, top?.Gln, top?.Holder, top?.Name, top?.Place,
        row.ParentKey is null ? null : UnitKey.ToEpc(row.ParentKey, row.ParentPrefixLength!.Value), isTop ? null : top?.Epc, top?.LastAt ?? row.LastAt, top?.CaptureId);

    private async Task<(long UnitId, long? TopId)[]> FindAsync(Work work, MasterDataSnapshot known, RecallAsk ask, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand { Connection = work.Connection, Transaction = work.Transaction, CommandTimeout = LongTime };
        if (ask.Lot is not null)
        {
            select.CommandText = Lots + Scope;
            Add("gtin", ask.Gtin!, NpgsqlDbType.Text);
            Add("lot", ask.Lot, NpgsqlDbType.Text);
        }
        else if (ask.From is not null)
        {
            select.CommandText = Serials + Scope;
            Add("gtin", ask.Gtin!, NpgsqlDbType.Text);
            Add("first", $"01{ask.Gtin}21{ask.From}", NpgsqlDbType.Text);
            Add("last", $"01{ask.Gtin}21{ask.To}", NpgsqlDbType.Text);
        }
        else
        {
            var history = new PackHistory(work);
            string[] keys = [.. ask.Container is { } container ? await history.EverInAsync(container, ct) : await history.SentToAsync(ask.Partner!, ct)];
            select.CommandText = Named + Scope;
            Add("keys", keys, NpgsqlDbType.Array | NpgsqlDbType.Text);
            Add("heads", keys.Select(k => UnitKey.Head(k)).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);
            Add("hashes", keys.Select(UnitKey.Hash).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
            Add("descends", ask.Container is not null, NpgsqlDbType.Boolean);
            Add("places", ask.Partner is null ? [] : await PlacesAsync(work, ask.Partner, ct), NpgsqlDbType.Array | NpgsqlDbType.Integer);
        }
        Add("containers", known.Products.Where(p => UnitLevels.IsContainer(p.Gtin, known)).Select(p => p.Gtin).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add("units", known.Products.Where(p => !UnitLevels.IsContainer(p.Gtin, known)).Select(p => p.Gtin).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        var found = new List<(long, long?)>();
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            found.Add((rows.GetInt64(0), rows.IsDBNull(1) ? null : rows.GetInt64(1)));
        }
        return [.. found];

        void Add(string name, object value, NpgsqlDbType type) => select.Parameters.Add(new NpgsqlParameter { ParameterName = name, Value = value, NpgsqlDbType = type });
    }

    private static async Task<int[]> PlacesAsync(Work work, string gln, CancellationToken ct) =>
        [.. (await work.Connection.QueryAsync<(int Id, string Uri)>(new CommandDefinition("select place_id, uri from place", transaction: work.Transaction, cancellationToken: ct)))
            .Where(p => GlnOf(p.Uri) == gln).Select(p => p.Id)];

    private static async Task<Dictionary<long, Top>> TopsAsync(Work work, MasterDataSnapshot known, long[] ids, CancellationToken ct)
    {
        var rows = (await work.Connection.QueryAsync<TopRow>(new CommandDefinition("""
            select u.unit_id as UnitId, u.key as Key, u.prefix_length as PrefixLength, u.state as State, u.last_event as LastEvent, u.last_at as LastAt, h.uri as Holder, p.uri as Place
            from unnest(@ids) i cross join lateral (select * from unit where unit_id = i limit 1) u left join place h on h.place_id = u.holder_id left join place p on p.place_id = u.location_id
            """, new { ids }, work.Transaction, LongTime, cancellationToken: ct))).AsList();
        var shipped = await ShippingsAsync(work, [.. rows.Where(r => (UnitState)r.State == UnitState.Shipped)], ct);
        return rows.ToDictionary(r => r.UnitId, r => TopOf(known, r, shipped.GetValueOrDefault(r.UnitId)));
    }

    private static Top TopOf(MasterDataSnapshot known, TopRow row, Shipping? shipping)
    {
        var state = (UnitState)row.State;
        var holder = state == UnitState.Shipped ? shipping?.Destination : row.Holder ?? row.Place;
        var standing = holder is null || state is UnitState.Pool ? RecallStandings.Unplaced
            : state == UnitState.Shipped ? RecallStandings.OnItsWay
            : Lifecycle.IsEnded(state) ? RecallStandings.Ended
            : RecallStandings.InHand;
        var gln = holder is null ? null : GlnOf(holder);
        return new Top(
            shipping?.EventId ?? row.LastEvent, UnitLevels.WordOf(row.Key, 0, known),
            new RecallTop(UnitKey.ToEpc(row.Key, row.PrefixLength), Lifecycle.Word(state), standing, gln, holder, gln is null ? null : known.FindLocation(gln)?.Name, row.Place, row.LastAt, null));
    }

    /// <summary>The last shipping of each: nearly always the last event of all, else it is looked up by the unit's name.</summary>
    private static async Task<Dictionary<long, Shipping>> ShippingsAsync(Work work, IReadOnlyList<TopRow> shipped, CancellationToken ct)
    {
        var destinations = await DestinationsAsync(work, [.. shipped.Select(r => r.LastEvent).Distinct()], ct);
        var last = shipped.Where(r => destinations.ContainsKey(r.LastEvent)).ToDictionary(r => r.UnitId, r => r.LastEvent);
        var others = shipped.Where(r => !last.ContainsKey(r.UnitId)).ToList();
        if (others.Count > 0)
        {
            var named = others.SelectMany(r => UnitKey.Spellings(r.Key).Select(epc => (r.UnitId, epc))).ToList();
            foreach (var (unitId, eventId) in await work.Connection.QueryAsync<(long UnitId, long EventId)>(new CommandDefinition("""
                select distinct on (n.unit_id) n.unit_id, e.event_id
                from unnest(@ids, @epcs) n (unit_id, epc) cross join lateral (select event_id from event_epc where epc = n.epc and role < 10 offset 0) x join event e using (event_id)
                where e.biz_step = 'shipping' and not e.told_again order by n.unit_id, e.event_time desc, e.event_id desc
                """, new { ids = named.Select(n => n.UnitId).ToArray(), epcs = named.Select(n => n.epc).ToArray() }, work.Transaction, LongTime, cancellationToken: ct)))
            {
                last.Add(unitId, eventId);
            }
            foreach (var (id, destination) in await DestinationsAsync(work, [.. last.Values.Except(destinations.Keys)], ct))
            {
                destinations.Add(id, destination);
            }
        }
        return last.ToDictionary(l => l.Key, l => new Shipping(l.Value, destinations[l.Value]));
    }

    /// <returns>Of those events that ship: where to; null where the event does not say it.</returns>
    private static async Task<Dictionary<long, string?>> DestinationsAsync(Work work, long[] events, CancellationToken ct)
    {
        var destinations = new Dictionary<long, string?>();
        foreach (var some in events.Chunk(EventsAtOnce))
        {
            foreach (var (id, body) in await work.Connection.QueryAsync<(long, string)>(new CommandDefinition(
                "select event_id, body from event where event_id = any(@some) and biz_step = 'shipping'", new { some }, work.Transaction, cancellationToken: ct)))
            {
                destinations.Add(id, DestinationOf(StoredEvents.Parse(body)));
            }
        }
        return destinations;
    }

    // The owner may be somebody who never sees the goods (EXCHANGES.md S5), so he is named only where nobody else is.
    private static string? DestinationOf(EpcisEvent e) => EventFacts.DestinationOf(e, "possessing_party") ?? EventFacts.DestinationOf(e, "location") ?? EventFacts.DestinationOf(e, "owning_party");

    private static string? GlnOf(string uri) => Gln.TryFromAny(uri, out var gln) ? gln : null;

    private static async Task<(IReadOnlyDictionary<long, Guid> Of, IReadOnlyList<RecallDocument> All)> DocumentsAsync(Work work, (long UnitId, long? TopId)[] found, Dictionary<long, Top> tops, CancellationToken ct)
    {
        var units = found.Where(f => f.TopId is not null).CountBy(f => tops[f.TopId!.Value].EventId >> CaptureBits).ToDictionary();
        var captures = (await work.Connection.QueryAsync<(long Id, Guid PublicId, DateTime At)>(new CommandDefinition(
            "select capture_id, public_id, created_at from capture where capture_id = any(@ids) order by capture_id desc", new { ids = units.Keys.ToArray() }, work.Transaction, LongTime, cancellationToken: ct))).AsList();
        return (captures.ToDictionary(c => c.Id, c => c.PublicId), [.. captures.Select(c => new RecallDocument(c.PublicId, c.At, units[c.Id]))]);
    }

    private static List<RecallHolder> Holders(MasterDataSnapshot known, (long UnitId, long? TopId)[] found, Dictionary<long, Top> tops) =>
    [
        .. found.GroupBy(f => f.TopId is { } top && tops[top].Told is var told ? (told.Standing, told.Gln, Holder: told.Gln is null ? told.Holder : null) : (RecallStandings.Unplaced, null, null))
            .Select(g => new RecallHolder(
                g.Key.Standing, g.Key.Gln, g.First().TopId is { } first ? tops[first].Told.Holder : null, g.Key.Gln is null ? null : known.FindLocation(g.Key.Gln)?.Name, g.Count(),
                g.Select(f => f.TopId).OfType<long>().Distinct().GroupBy(t => tops[t].Level).ToDictionary(l => l.Key, l => l.LongCount())))
            .OrderBy(h => h.Standing == RecallStandings.Unplaced ? 0 : h.Standing == RecallStandings.OnItsWay ? 1 : h.Standing == RecallStandings.InHand ? 2 : 3).ThenByDescending(h => h.Units),
    ];

    private sealed record UnitRow(long UnitId, string Key, short PrefixLength, string? Lot, DateTime LastAt, string? ParentKey, short? ParentPrefixLength);

    private sealed record TopRow(long UnitId, string Key, short PrefixLength, short State, long LastEvent, DateTime LastAt, string? Holder, string? Place);

    private sealed record Shipping(long EventId, string? Destination);

    private sealed record Top(long EventId, string Level, RecallTop Told);
}
