using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Scheduling;

namespace Gateway.Shipments;

/// <summary>What was captured as shipped to a partner of a lot, counted against what was sent and acknowledged.</summary>
/// <param name="Captured">Units that events ship to the partner, and that nobody took back.</param>
/// <param name="Sent">Of these, in documents that its channel took.</param>
/// <param name="Acknowledged">Of these, in documents that its system took, as far as its channel tells that apart.</param>
/// <param name="Received">Of these, that the partner has told to have.</param>
/// <param name="Assumed">Of these, that count as received because it said nothing in the agreed days.</param>
/// <param name="Waiting">In documents that are yet to be sent.</param>
/// <param name="Unsent">A gap: in no document to the partner.</param>
/// <param name="Refused">A gap: in documents that were refused, given up or closed.</param>
/// <param name="Miscounted">A gap: documents tell so many units more or fewer.</param>
/// <param name="Deliveries">Some of those that are in a gap.</param>
/// <param name="Captures">Some captures of what is in no document.</param>
public sealed record ReconciledLot(
    int PartnerId, string Partner, string PartnerName, string Gtin, string Lot, long Captured, long Sent, long Acknowledged, long Received, long Assumed, long Waiting,
    long Unsent, long Refused, long Miscounted, long[] Deliveries, Guid[] Captures)
{
    /// <summary>Nothing is missing that time alone will not bring.</summary>
    public bool IsEven => Unsent + Refused + Miscounted == 0;

    internal string Key => FormattableString.Invariant($"{PartnerId}/{Gtin}/{Lot}");

    internal string Sentence => $"Of lot {Lot} of {Gtin}, {Captured} units are shipped to {PartnerName} and {Sent} are told to it{Gaps}";

    /// <summary>The end of the sentence: what changes only when the gap does.</summary>
    internal string Gaps => $": {string.Join(", ", ((long Count, string What)[])
        [(Unsent, "in no document"), (Refused, "in documents that were refused, given up or closed"), (Miscounted, "more or fewer in a document than were shipped")]
        is var all ? all.Where(g => g.Count > 0).Select(g => FormattableString.Invariant($"{g.Count} {g.What}")) : [])}.";
}

/// <summary>Which lots; what is null does not narrow.</summary>
public sealed record ReconciliationFilter(string? PartnerGln = null, string? Gtin = null, string? Lot = null, bool OnlyGaps = false);

/// <summary>
/// Per partner and lot: captured = sent = acknowledged. It reads the sums that are kept of each shipment, never its units. A gap opens an exception,
/// and closes it when all is even.
/// </summary>
public sealed class Reconciliation(GatewayDatabase database)
{
    /// <summary>The code of the exception of a gap.</summary>
    public const string Gap = "reconcile.gap";

    private const string Sums = """
        select s.partner_id, x.gtin, x.lot, sum(c.captured)::bigint as captured,
            coalesce(sum(c.captured) filter (where d.state = 'delivered'), 0)::bigint as sent,
            coalesce(sum(c.captured) filter (where d.state = 'delivered' and d.receipt in ('none', 'received')), 0)::bigint as acknowledged,
            sum(x.received)::bigint as received, coalesce(sum(c.captured - x.received) filter (where d.state = 'delivered' and d.business = 'assumed'), 0)::bigint as assumed,
            coalesce(sum(c.captured) filter (where d.state = 'due'), 0)::bigint as waiting,
            coalesce(sum(c.captured) filter (where d.delivery_id is null), 0)::bigint as unsent,
            coalesce(sum(c.captured) filter (where d.state in ('dead', 'closed')), 0)::bigint as refused,
            coalesce(sum(abs(d.miscounted)) filter (where d.state <> 'closed' and c.captured > 0), 0)::bigint as miscounted,
            (array_agg(distinct d.delivery_id) filter (where c.captured > 0 and (d.state in ('dead', 'closed') or d.miscounted <> 0)))[1:20] as deliveries,
            (array_agg(distinct s.capture_id) filter (where c.captured > 0 and d.delivery_id is null))[1:20] as captures
        from shipment_sum x join shipment s using (shipment_id) left join delivery d on d.delivery_id = x.delivery_id cross join lateral (select x.units - x.taken_back as captured) c
        where x.lot is not null
        """;

    private const string Columns = """
        r.partner_id as PartnerId, coalesce(y.gln, '') as Partner, p.name as PartnerName, r.gtin as Gtin, r.lot as Lot, r.captured as Captured, r.sent as Sent, r.acknowledged as Acknowledged, r.received as Received,
        r.assumed as Assumed, r.waiting as Waiting, r.unsent as Unsent, r.refused as Refused, r.miscounted as Miscounted, coalesce(r.deliveries, '{}') as Deliveries,
        array(select public_id from capture where capture_id = any(r.captures)) as Captures
        """;

    /// <summary>In the order of partners, products and lots.</summary>
    /// <param name="after">The cursor of the last one already known; null from the beginning.</param>
    public async Task<IReadOnlyList<ReconciledLot>> ListAsync(Actor reader, ReconciliationFilter filter, ReconciliationCursor? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<Row>(new CommandDefinition($"""
            with r as ({Sums}
                and (@PartnerGln::text is null or s.partner_id in (select partner_id from partner_gln where gln = @PartnerGln)) and (@Gtin::text is null or x.gtin = @Gtin) and (@Lot::text is null or x.lot = @Lot)
                {(after is null ? "" : "and (s.partner_id, x.gtin, x.lot) > (@afterPartner, @afterGtin, @afterLot)")} group by 1, 2, 3)
            select {Columns} from r join partner p using (partner_id) join party y on y.party_id = p.party_id
            where not @OnlyGaps or r.unsent + r.refused + r.miscounted > 0 order by r.partner_id, r.gtin, r.lot limit @limit
            """, new { filter.PartnerGln, filter.Gtin, filter.Lot, filter.OnlyGaps, afterPartner = after?.PartnerId, afterGtin = after?.Gtin, afterLot = after?.Lot, limit }, work.Transaction, cancellationToken: ct))).Select(r => r.ToLot()).ToList();
    }

    /// <summary>Opens an exception for each gap, and closes those of what is even.</summary>
    /// <param name="shipments">Only of the lots of these; null: of all.</param>
    internal async Task RunAsync(IReadOnlyCollection<long>? shipments, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(FollowShipments.Gateway, ct);
        var those = shipments is null ? "" : " and (s.partner_id, x.gtin, x.lot) in (select t.partner_id, m.gtin, m.lot from shipment_sum m join shipment t using (shipment_id) where m.shipment_id = any(@shipments))";
        var gaps = (await work.Connection.QueryAsync<Row>(new CommandDefinition($"""
            with r as ({Sums}{those} group by 1, 2, 3)
            select {Columns} from r join partner p using (partner_id) join party y on y.party_id = p.party_id where r.unsent + r.refused + r.miscounted > 0 order by r.partner_id, r.gtin, r.lot
            """, new { shipments = shipments?.ToArray() }, work.Transaction, commandTimeout: 0, cancellationToken: ct))).Select(r => r.ToLot()).ToDictionary(r => r.Key);
        // What a person has dismissed as it is stays dismissed until it changes; of what is open and changes it is told that it does.
        var known = (await work.Connection.QueryAsync<(string Key, string State, string Message)>(new CommandDefinition("""
            select distinct on (source_id) source_id, state, coalesce((select text from exception_note n where n.exception_id = x.exception_id and n.actor = @Id and n.action = 'note' order by note_id desc limit 1), message)
            from exception x where code = @Gap and source_kind = 'partner' and (state = 'open' or source_id = any(@keys)) order by source_id, exception_id desc
            """, new { Gap, keys = gaps.Keys.ToArray(), FollowShipments.Gateway.Id }, work.Transaction, cancellationToken: ct))).AsList();
        var organisation = await FollowShipments.OrganisationAsync(work);
        foreach (var (key, _, _) in known.Where(k => k.State == "open" && gaps.TryGetValue(k.Key, out var gap) && !k.Message.EndsWith(gap.Gaps, StringComparison.Ordinal)))
        {
            await ExceptionRecords.GoOnAsync(work, Gap, new ExceptionSource("partner", key, organisation, null), gaps[key].Sentence);
        }
        foreach (var (key, gap) in gaps.Where(g => !known.Any(k => k.Key == g.Key && (k.State == "open" || k.State == "dismissed" && k.Message.EndsWith(g.Value.Gaps, StringComparison.Ordinal)))))
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(Gap, Severity.Error, gap.Sentence) { Gtin = gap.Gtin, Lot = gap.Lot }, new ExceptionSource("partner", key, organisation, null), []);
        }
        var open = known.Where(k => k.State == "open" && !gaps.ContainsKey(k.Key)).Select(k => k.Key).ToList();
        foreach (var key in shipments is null ? open : await EvenAsync(work, open))
        {
            await ExceptionRecords.ResolveAsync(work, Gap, new ExceptionSource("partner", key, organisation, null), "Captured, sent and acknowledged are even.");
        }
        await work.CommitAsync();
    }

    // Not every lot was looked at, so those that have an exception are.
    private static async Task<IReadOnlyList<string>> EvenAsync(Work work, IReadOnlyList<string> keys)
    {
        var even = new List<string>();
        foreach (var key in keys)
        {
            var cursor = ReconciliationCursor.OfKey(key);
            if (!await work.Connection.ExecuteScalarAsync<bool>($"""
                with r as ({Sums} and s.partner_id = @PartnerId and x.gtin = @Gtin and x.lot = @Lot group by 1, 2, 3) select exists (select from r where r.unsent + r.refused + r.miscounted > 0)
                """, cursor, work.Transaction))
            {
                even.Add(key);
            }
        }
        return even;
    }

    private sealed record Row
    {
        public int PartnerId { get; init; }
        public string Partner { get; init; } = "";
        public string PartnerName { get; init; } = "";
        public string Gtin { get; init; } = "";
        public string Lot { get; init; } = "";
        public long Captured { get; init; }
        public long Sent { get; init; }
        public long Acknowledged { get; init; }
        public long Received { get; init; }
        public long Assumed { get; init; }
        public long Waiting { get; init; }
        public long Unsent { get; init; }
        public long Refused { get; init; }
        public long Miscounted { get; init; }
        public long[] Deliveries { get; init; } = [];
        public Guid[] Captures { get; init; } = [];

        public ReconciledLot ToLot() => new(PartnerId, Partner, PartnerName, Gtin, Lot, Captured, Sent, Acknowledged, Received, Assumed, Waiting, Unsent, Refused, Miscounted, Deliveries, Captures);
    }
}

/// <summary>A place in the list of lots.</summary>
public sealed record ReconciliationCursor(int PartnerId, string Gtin, string Lot)
{
    /// <returns>Null when it is none of ours.</returns>
    public static ReconciliationCursor? Read(string text) =>
        text.Split('/', 3) is [var partner, var gtin, var lot] && int.TryParse(partner, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? new ReconciliationCursor(id, gtin, lot) : null;

    /// <summary>Of the last lot on a page.</summary>
    public static ReconciliationCursor Of(ReconciledLot lot) => new(lot.PartnerId, lot.Gtin, lot.Lot);

    /// <summary>The same as lists name it.</summary>
    public static string After(ReconciledLot lot) => lot.Key;

    internal static ReconciliationCursor OfKey(string key) => Read(key) ?? throw new FormatException($"{key} names no lot of a partner.");
}

/// <summary>All lots, by the clock: what nothing has changed lately may have become a gap, such as a document that was given up.</summary>
internal sealed class ReconcileDeliveries(Reconciliation reconciliation) : IChore
{
    public Task RunAsync(CancellationToken ct) => reconciliation.RunAsync(null, ct);
}
