using Epcis.Events;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.Extensions.Options;

namespace Gateway.Units;

/// <summary>Something that was told of a unit, or of a container while the unit was in it.</summary>
/// <param name="Cursor">Its place among stored events.</param>
/// <param name="Of">The unit, or the container by which the event meant it too.</param>
/// <param name="Action">ADD, OBSERVE or DELETE; null for kinds of events without one.</param>
/// <param name="BizStep">A bare word of the CBV, or the URI as written; likewise the disposition.</param>
/// <param name="RecordTime">When it was stored here. The sender's own recordTime never stands for it.</param>
/// <param name="DocumentId">The number of its document.</param>
/// <param name="IsDeclaration">It declares an event in error.</param>
/// <param name="IsRetracted">It was declared in error.</param>
/// <param name="Findings">What the checks of its document said of it.</param>
public sealed record UnitEvent(
    long Cursor, string? EventId, string Type, string? Action, string? BizStep, string? Disposition, DateTime EventTime, DateTime RecordTime, string Of, string? ReadPoint, string? BizLocation,
    Guid CaptureId, long DocumentId, bool IsDeclaration, bool IsRetracted)
{
    /// <summary>The event time as it was sent, and the offset of the place beside it; null where they are no text of ordinary length.</summary>
    public string? EventTimeSent { get; init; }
    public string? EventTimeZoneOffset { get; init; }

    /// <summary>When its document was received.</summary>
    public DateTime ReceivedTime { get; init; }

    /// <summary>It was received longer after its event time than <see cref="LatenessOptions.LateAfter"/>.</summary>
    public bool IsLate { get; init; }

    public IReadOnlyList<FindingView> Findings { get; init; } = [];
}

/// <summary>
/// The story of a unit: every event that names it in any spelling, and what was told of the containers around it between its packing
/// and its unpacking. Where packings contradict each other, the later one counts.
/// </summary>
public sealed class UnitTimeline(GatewayDatabase database, IOptions<LatenessOptions> lateness)
{
    /// <summary>A unit has a few dozen events. Of a container that was filled child by child, no more than these are read.</summary>
    public const int MaxEvents = 2_000;

    /// <summary>In the order of event time.</summary>
    /// <param name="after">The cursor of the last one already known; null from the beginning.</param>
    /// <param name="until">
    /// Leaves out what happened after that moment. What was corrected since counts as corrected: a declaration has the event time of
    /// what it declares to be in error, and is told with it however late it came.
    /// </param>
    public async Task<IReadOnlyList<UnitEvent>> ListAsync(Actor reader, UnitFacts unit, long? after, int limit, CancellationToken ct, DateTimeOffset? until = null)
    {
        var known = await EventsAsync(reader, unit, ct);
        var all = new Dictionary<long, Row>();
        // One statement for each level that is not known: what the unit was in, what that was in, and so on.
        var stays = new List<Stay> { new(unit.Key, DateTime.MinValue, DateTime.MaxValue) };
        for (var height = 0; stays.Count > 0 && height < UnitQueries.MaxHeight; height++)
        {
            if (stays.Select(s => s.Key).Where(k => !known.ContainsKey(k)).Distinct().ToArray() is { Length: > 0 } more)
            {
                Note(known, more, await EventsAsync(reader, more, unit.Key, ct));
            }
            stays = [.. stays.SelectMany(stay => Follow(stay, known[stay.Key], all))];
        }
        var story = all.Values.Where(r => until is null || r.EventTime <= until.Value.UtcDateTime).OrderBy(r => r.EventTime).ThenBy(r => r.Cursor).ToList();
        var page = story.Skip(after is null ? 0 : story.FindIndex(r => r.Cursor == after) + 1).Take(limit).ToList();
        var findings = (await FindingsAsync(reader, [.. page.Select(r => r.Cursor)], ct)).ToLookup(f => f.Cursor, f => new FindingView(f.Code, f.Severity, f.Message));
        return [.. page.Select(r => new UnitEvent(
            r.Cursor, r.EventId, r.Type, r.Action, r.BizStep, r.Disposition, r.EventTime, r.RecordTime, r.Epc, r.ReadPoint, r.BizLocation, r.CaptureId, r.DocumentId,
            r.DeclaredBy == r.Cursor, r.DeclaredBy is { } by && by != r.Cursor) 
        {
            EventTimeSent = r.EventTimeSent, EventTimeZoneOffset = r.EventTimeZoneOffset, ReceivedTime = r.ReceivedTime, IsLate = r.ReceivedTime - r.EventTime > lateness.Value.LateAfter, Findings = [.. findings[r.Cursor]],
        })];
    }

    /// <summary>Notes what was told during a stay, and finds where the container was packed meanwhile.</summary>
    private static List<Stay> Follow(Stay stay, IEnumerable<Row> rows, Dictionary<long, Row> all)
    {
        var around = new List<Stay>();
        var to = stay.To;
        foreach (var row in rows.OrderBy(r => r.EventTime).ThenBy(r => r.Cursor))
        {
            if (row.IsPacking || row.IsUnpacking)
            {
                if (around is [.., { IsOpen: true } open])
                {
                    around[^1] = open with { To = row.EventTime };
                }
                if (row.IsPacking && UnitKey.Of(row.ParentEpc!) is { } container)
                {
                    around.Add(new Stay(container, row.EventTime, DateTime.MaxValue));
                }
            }
            if (row.EventTime >= stay.From && row.EventTime <= to)
            {
                all.TryAdd(row.Cursor, row);
                // Whoever empties a container names the container only.
                to = row.Empties && stay.From > DateTime.MinValue ? row.EventTime : to;
            }
        }
        return [.. around.Select(s => new Stay(s.Key, s.From > stay.From ? s.From : stay.From, s.To < to ? s.To : to)).Where(s => s.From <= s.To)];
    }

    /// <summary>The events of the unit, and with them those of what it is in now, which is nearly always all that it was ever in.</summary>
    private async Task<Dictionary<string, IEnumerable<Row>>> EventsAsync(Actor reader, UnitFacts unit, CancellationToken ct)
    {
        var known = new Dictionary<string, IEnumerable<Row>>();
        string[] keys = [unit.Key, .. unit.Containers.Select(c => UnitKey.Of(c.Epc)!)];
        var rows = await EventsAsync(reader, keys, unit.Key, ct);
        if (rows.Count < MaxEvents || keys.Length == 1)
        {
            Note(known, keys, rows);
        }
        else
        {
            Note(known, [unit.Key], await EventsAsync(reader, [unit.Key], unit.Key, ct));
        }
        return known;
    }

    private static void Note(Dictionary<string, IEnumerable<Row>> known, string[] keys, List<Row> rows)
    {
        var of = rows.ToLookup(r => UnitKey.Of(r.Epc));
        foreach (var key in keys)
        {
            known[key] = of[key];
        }
    }

    private Task<List<Row>> EventsAsync(Actor reader, string[] keys, string own, CancellationToken ct) =>
        // What a container was filled with, its other contents know nothing of.
        database.ReadAsync<Row>(reader, """
            select e.event_id as Cursor, e.event_uri as EventId, e.event_type as Type, e.action as Action, e.biz_step as BizStep, e.disposition as Disposition, e.event_time as EventTime,
                   e.record_time as RecordTime, c.created_at as ReceivedTime, b.sent[1] as EventTimeSent, b.sent[2] as EventTimeZoneOffset,
                   e.read_point as ReadPoint, e.biz_location as BizLocation, c.public_id as CaptureId, c.document_id as DocumentId, x.epc as Epc, x.role as Role,
                   case when x.role = 3 then event_json(e.body) ->> 'parentID' end as ParentEpc, k.IsEmptying,
                   (select i.event_id from event_identity i where i.event_uri = e.event_uri and i.party_id = e.party_id and i.declared_at <> '' order by i.declared_at desc limit 1) as DeclaredBy
            from event_epc x join event e on e.event_id = x.event_id and e.period = x.period join capture c on c.capture_id = e.event_id >> 20
            cross join lateral (select case when x.role = 2 and e.action = 'DELETE' then coalesce(jsonb_array_length(event_json(e.body) -> 'childEPCs'), 0) = 0 else false end as IsEmptying) k
            -- The times stand before what is long. A sender may give namespaces any name, so they are looked for behind the context, which is a list.
            cross join lateral (select regexp_match(left(e.body, 8000), '(?:^\{|\],)"type":"[^"]*"(?:,"eventID":"[^"]*")?,"eventTime":"([^"]*)"(?:,"recordTime":"[^"]*")?,"eventTimeZoneOffset":"([^"]*)"') as sent) b
            where x.epc = any(@epcs) and (x.role <> 2 or k.IsEmptying or x.epc = any(@own))
            order by e.event_time, e.event_id limit @MaxEvents
            """, new { epcs = keys.SelectMany(UnitKey.Spellings).ToArray(), own = UnitKey.Spellings(own).ToArray(), MaxEvents }, ct);

    private async Task<IEnumerable<FindingRow>> FindingsAsync(Actor reader, long[] events, CancellationToken ct) => events.Length == 0 ? []
        : await database.ReadAsync<FindingRow>(reader, """
            select n.event_id as Cursor, f.code as Code, f.severity as Severity, f.message as Message
            from unnest(@events) as n(event_id) join finding f on f.capture_id = n.event_id >> 20 and f.event = n.event_id & 1048575 order by f.capture_id, f.ordinal
            """, new { events }, ct);

    /// <summary>A container, and from when to when the unit was in it.</summary>
    private sealed record Stay(string Key, DateTime From, DateTime To)
    {
        public bool IsOpen => To == DateTime.MaxValue;
    }

    private sealed record FindingRow(long Cursor, string Code, string Severity, string Message);

    private sealed record Row
    {
        public long Cursor { get; init; }
        public string? EventId { get; init; }
        public string Type { get; init; } = "";
        public string? Action { get; init; }
        public string? BizStep { get; init; }
        public string? Disposition { get; init; }
        public DateTime EventTime { get; init; }
        public DateTime RecordTime { get; init; }
        public DateTime ReceivedTime { get; init; }
        public string? EventTimeSent { get; init; }
        public string? EventTimeZoneOffset { get; init; }
        public string? ReadPoint { get; init; }
        public string? BizLocation { get; init; }
        public Guid CaptureId { get; init; }
        public long DocumentId { get; init; }
        public string Epc { get; init; } = "";
        public short Role { get; init; }
        public string? ParentEpc { get; init; }
        public bool IsEmptying { get; init; }
        public long? DeclaredBy { get; init; }

        public bool IsPacking => IsAggregation && Role == (short)EpcRole.Child && Action == "ADD";

        public bool IsUnpacking => IsAggregation && Role == (short)EpcRole.Child && Action == "DELETE";

        public bool Empties => IsAggregation && IsEmptying;

        // What was retracted never was, and the declaration repeats it.
        private bool IsAggregation => Type == "AggregationEvent" && DeclaredBy is null;
    }
}
