using System.Security.Cryptography;
using System.Text;
using Dapper;
using Epcis.Cbv;
using Epcis.Identifiers;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Delivery;

/// <summary>
/// Queues for the partners of a captured document what they are to get of it, in the capture's own transaction: the document as it came, where it is
/// just that, or a delivery whose document is composed afterwards. Says of each candidate why, or why not.
/// </summary>
public sealed class RouteCapture(IOptions<DeliveryOptions> options)
{
    // Findings beyond this number are counted, not kept.
    private const int MaxRepeats = 1000;
    private const int MaxLaneLength = 200;

    // Properties, because arrays do not come through a constructor.
    internal sealed record Candidate
    {
        public int PartnerId { get; init; }
        public int PartyId { get; init; }
        public string Format { get; init; } = "";
        public string State { get; init; } = "";
        public string Form { get; init; } = "";
        public string[] Glns { get; init; } = [];
        public string[] RouteSources { get; init; } = [];
        public string[] RouteDestinations { get; init; } = [];
        public bool TakesErrorDeclaration { get; init; }
        public bool TakesVoidShipping { get; init; }

        /// <summary>The document, as it came, is what the partner's profile asks for: no regulation, the ids that it wrote, no more than the partner takes.</summary>
        public bool TakesAsItCame { get; init; }
    }

    /// <param name="documents">Stored in the transaction of <paramref name="work"/>.</param>
    public async Task RouteAsync(Work work, IReadOnlyList<CapturedDocument> documents)
    {
        foreach (var answer in documents.Where(d => d.Receipts.Count > 0 || d.States.Count > 0))
        {
            var reader = await SetAsync(work, "*", "on");
            if (answer.Receipts.Count > 0)
            {
                await ShipmentsToFollow.AnswerAsync(work, answer);
            }
            if (answer.States.Count > 0)
            {
                await StatesToHear.AddAsync(work, answer);
            }
            await SetAsync(work, reader ?? "", "on");
        }
        if (documents.Count > 1 && !await ConcernAnybodyAsync(work, documents))
        {
            return;
        }
        // The capturing party may not see partners; routing must. Estimates on rows just written are poor, and nested loops over them ruinous.
        var before = await SetAsync(work, "*", "off");
        foreach (var document in documents)
        {
            await RouteOneAsync(work, document);
        }
        await SetAsync(work, before ?? "", "on");
    }

    private async Task RouteOneAsync(Work work, CapturedDocument document)
    {
        var candidates = await CandidatesAsync(work, document);
        if (candidates.Count == 0)
        {
            return;
        }
        // Who tells something is told nothing by it.
        await ShipmentsToFollow.AddAsync(work, document, [.. from c in candidates where c.State is not ("draft" or "practice") && c.PartyId != document.PartyId
            from s in document.Shipments.Concat(document.Voids) where Concerns(c, s) select (c.PartnerId, c.PartyId, s)]);
        string? foreign = null;
        if (document.Shipments.Count > 0 && candidates.Any(c => document.Shipments.All(s => Concerns(c, s))))
        {
            foreign = await ForeignAsync(work, document);
        }
        // A document that is sent as it came is not looked into, so one with goods that may not leave is composed, and waits with the reason;
        // so is one that tells again what another party told, since its events moved nothing and so found nothing.
        var isDoubted = document.Shipments.Count > 0 && candidates.Any(c => c.TakesAsItCame) && await work.Connection.ExecuteScalarAsync<bool>("""
            select exists (select from finding where capture_id = @CaptureId and code in ('unit.illegal_transition', 'unit.held', 'unit.packed') and (event is null or (@CaptureId::bigint << 20) + event = any(@shipments)))
                or exists (select from event where event_id = any(@shipments) and told_again)
            """, new { document.CaptureId, shipments = document.Shipments.Select(s => s.EventId).ToArray() }, work.Transaction);
        var decisions = new (string Decision, string Code, string Reason)[candidates.Count];
        var queued = new List<Queued>();
        foreach (var (c, i) in candidates.Select((c, i) => (c, i)))
        {
            decisions[i] = Decide(c, document, foreign);
            if (decisions[i].Decision == "queued" && c.TakesAsItCame && !isDoubted)
            {
                queued.Add(new Queued(c.PartnerId, Ordering(document)));
            }
            else if (c.State is not ("draft" or "practice"))
            {
                var composed = await ToComposeAsync(work, c, document);
                queued.AddRange(composed);
                decisions[i] = composed.Count > 0 ? ("queued", "ROUTE-COMPOSED", "A document of what concerns the partner is composed for it.")
                    : decisions[i].Decision == "queued" ? ("not sent", "ROUTE-NO-SHIPMENT", "The document ships nothing to the partner, and corrects nothing that was sent to it.")
                    : decisions[i];
            }
        }
        await RecordAsync(work, document, candidates, decisions, queued);
    }

    /// <summary>What is put into the outbox.</summary>
    /// <param name="Kind">What is to be composed; null: the captured document goes as it came.</param>
    internal sealed record Queued(int PartnerId, string Lane, string? Kind = null, long[]? Events = null, long? Corrects = null);

    /// <summary>One for each correction of what went to the partner before, then one for each lane of the shipments that concern it.</summary>
    private static async Task<IReadOnlyList<Queued>> ToComposeAsync(Work work, Candidate c, CapturedDocument document)
    {
        var queued = new List<Queued>();
        foreach (var correction in document.Voids.Concat(document.Shipments.Where(s => s.IsDeclaration)).Where(s => Concerns(c, s)).OrderBy(s => s.EventId))
        {
            var kind = correction.IsDeclaration && c.TakesErrorDeclaration ? "declaration" : c.TakesVoidShipping ? "void" : null;
            foreach (var (deliveryId, lane) in kind is null ? [] : await CorrectedAsync(work, c.PartnerId, correction, document.PartyId))
            {
                queued.Add(new Queued(c.PartnerId, lane, kind, [correction.EventId], deliveryId));
            }
        }
        var toldBefore = await ToldBeforeAsync(work, c.PartnerId, [.. document.Shipments.Where(s => !s.IsDeclaration && Concerns(c, s)).Concat(document.Evidence).Select(s => s.EventId)]);
        queued.AddRange(document.Shipments.Where(s => !s.IsDeclaration && Concerns(c, s) && !toldBefore.Contains(s.EventId)).GroupBy(s => Lane([s]) ?? FormattableString.Invariant($"event {s.EventId}"))
            .Select(lane => new Queued(c.PartnerId, lane.Key, "shipment", [.. lane.Select(s => s.EventId)])));
        // Only whom the event itself names, in whatever role: a route says where goods go. Who tells something is told nothing by it.
        if (document.Evidence.Where(s => c.PartyId != document.PartyId && !toldBefore.Contains(s.EventId) && s.Destinations.Any(d => c.Glns.Contains(d.Gln))).Select(s => s.EventId).ToArray() is { Length: > 0 } told)
        {
            queued.Add(new Queued(c.PartnerId, FormattableString.Invariant($"event {told[0]}"), "evidence", told));
        }
        return queued;
    }

    /// <summary>The shipments, and what was destroyed or is recalled, that the partner is told of already, because another party told of them first.</summary>
    private static async Task<IReadOnlyList<long>> ToldBeforeAsync(Work work, int partnerId, long[] events) => events.Length == 0 ? [] : (await work.Connection.QueryAsync<long>("""
        select e.event_id from event e join event_identity i on i.event_uri = e.event_uri and i.event_id <> e.event_id
        join delivery d on d.capture_id = i.event_id >> 20 and (d.shipment_events is null or i.event_id = any(d.shipment_events))
        where e.event_id = any(@events) and e.told_again and d.partner_id = @partnerId and d.replay_of is null and d.state <> 'closed'
        """, new { events, partnerId }, work.Transaction)).AsList();

    /// <summary>
    /// The deliveries by which the partner was told, or is to be told, of what an event takes back: each part of a divided one. They are held against
    /// being divided while this transaction lasts, and what is divided later takes its corrections along.
    /// </summary>
    private static async Task<IReadOnlyList<(long DeliveryId, string Lane)>> CorrectedAsync(Work work, int partnerId, ShippingEvent correction, int partyId)
    {
        var values = new
        {
            correction.EventUri, correction.IsDeclaration, correction.EventId, epcs = correction.Epcs.Select(e => EpcKey.Normalise(e)).ToArray(), partnerId, partyId,
            notice = DespatchAdvice([correction]) is { } name ? Lane(name) : null, lane = Lane([correction]),
        };
        // Asked twice: what was divided while the lock was waited for has parts that the first look did not see.
        await work.Connection.ExecuteAsync($"select from delivery where delivery_id in (select delivery_id from ({Corrected}) c) for share", values, work.Transaction);
        return (await work.Connection.QueryAsync<(long, string)>(Corrected + " order by 1", values, work.Transaction)).AsList();
    }

    // A declaration names its event, and only who told that event takes it back. A void is of the shipment that its despatch advice names; without one, of
    // the last shipment of each of its EPCs before it; and where nobody shipped these by name, of what went in the lane that they would have.
    private const string Corrected = """
        select delivery_id, ordering from (
            with declared as materialized (
                select event_id from event where event_uri = @EventUri and party_id = @partyId and @IsDeclaration and event_id <> @EventId and biz_step = 'shipping'),
            shipped as materialized (
                select last.event_id from (select unnest(@epcs) as epc) n cross join lateral (
                    select e.event_id from (select distinct event_id from event_epc where epc = n.epc and role in (1, 2)) x cross join lateral (select * from event where event_id = x.event_id limit 1) e
                    where e.biz_step = 'shipping' and not e.told_again and e.event_id <> @EventId
                    order by e.event_time <= (select event_time from event where event_id = @EventId) desc, e.event_time desc, e.event_id desc limit 1) last where not @IsDeclaration),
            told as materialized (
                select d.delivery_id, d.ordering, case when not @IsDeclaration and d.ordering = @notice then 1 when s.is_shipped then 2 else 3 end as rank
                from delivery d cross join lateral (select d.capture_id in (select event_id >> 20 from declared union all select event_id >> 20 from shipped)
                    and (d.shipment_events is null or d.shipment_events && array(select event_id from declared union all select event_id from shipped)) as is_shipped) s
                where d.partner_id = @partnerId and d.replay_of is null and d.state <> 'closed' and coalesce(d.compose_kind, 'shipment') = 'shipment'
                  and (d.capture_id in (select event_id >> 20 from declared union all select event_id >> 20 from shipped) and s.is_shipped or not @IsDeclaration and d.ordering = @lane))
            select delivery_id, ordering from told where rank = (select min(rank) from told)) c
        """;

    /// <returns>The party that was seen before.</returns>
    private static async Task<string?> SetAsync(Work work, string party, string nestedLoops) => (await work.Connection.QuerySingleAsync<(string? Before, string, string)>("""
        with seen as materialized (select current_setting('app.party', true) as party)
        select party, set_config('app.party', @party, true), set_config('enable_nestloop', @nestedLoops, true) from seen
        """, new { party, nestedLoops }, work.Transaction)).Before;

    // What partners and routes of a document are found by. Of several documents it finds whatever each alone would.
    // A hub is told of packs, not of shipments.
    private const string IsCandidate = """
        p.channel <> 'hub' and (exists (select from partner_gln g where g.partner_id = p.partner_id and g.gln = any(@destinations))
        or exists (select from route r where r.partner_id = p.partner_id and r.active
                   and (r.source_gln is null or r.source_gln = any(@sources)) and (r.destination_gln is null or r.destination_gln = any(@destinations))))
        """;

    private static (string[] Sources, string[] Destinations) PartiesOf(IEnumerable<CapturedDocument> documents)
    {
        var shipments = documents.SelectMany(d => d.Shipments.Concat(d.Voids)).ToList();
        return ([.. shipments.SelectMany(s => Of(s.Sources)).Distinct()], [.. shipments.SelectMany(s => Of(s.Destinations)).Concat(documents.SelectMany(d => d.Evidence).SelectMany(e => e.Destinations).Select(d => d.Gln)).Distinct()]);
    }

    /// <summary>Whether any of the documents has a candidate: one question for all, where nearly always nothing concerns anybody.</summary>
    private static async Task<bool> ConcernAnybodyAsync(Work work, IReadOnlyList<CapturedDocument> documents)
    {
        var (sources, destinations) = PartiesOf(documents);
        await using var answers = await work.Connection.QueryMultipleAsync($"""
            select set_config('app.before', current_setting('app.party', true), true);
            select set_config('app.party', '*', true);
            select exists (select from partner p where {IsCandidate});
            select set_config('app.party', current_setting('app.before', true), true)
            """, new { sources, destinations }, work.Transaction);
        await answers.ReadAsync<string>();
        await answers.ReadAsync<string>();
        return await answers.ReadSingleAsync<bool>();
    }

    private static async Task<IReadOnlyList<Candidate>> CandidatesAsync(Work work, CapturedDocument document)
    {
        var (sources, destinations) = PartiesOf([document]);
        var rows = await work.Connection.QueryAsync<Candidate>($"""
            select p.partner_id as "PartnerId", p.party_id as "PartyId", p.format as "Format", p.state as "State",
                case when o.media_type like '%json%' then '2.0-json' when @version like '1%' then '1.2-xml' else '2.0-xml' end as "Form",
                array(select gln from partner_gln g where g.partner_id = p.partner_id) as "Glns",
                array(select coalesce(r.source_gln, '') from route r where r.partner_id = p.partner_id and r.active order by r.route_id) as "RouteSources",
                array(select coalesce(r.destination_gln, '') from route r where r.partner_id = p.partner_id and r.active order by r.route_id) as "RouteDestinations",
                coalesce(f.takes_error_declaration, false) as "TakesErrorDeclaration", coalesce(f.takes_void_shipping, true) as "TakesVoidShipping",
                coalesce(f.regulation = 'none' and f.ids = 'epc' and o.length <= coalesce(f.max_bytes, o.length) and @events <= coalesce(f.max_events, @events), true) as "TakesAsItCame"
            from partner p left join partner_profile f on f.partner_id = p.partner_id cross join document o
            where o.document_id = @DocumentId and ({IsCandidate})
            order by p.partner_id
            """, new { version = document.Header.SchemaVersion ?? "", document.DocumentId, destinations, sources, events = document.LastEventId - document.FirstEventId + 1 }, work.Transaction);
        return rows.AsList();
    }

    private static IEnumerable<string> Of(IReadOnlyList<(string Type, string Gln)> parties) =>
        parties.Where(p => p.Type is "owning_party" or "location").Select(p => p.Gln);

    private static bool Concerns(Candidate c, ShippingEvent shipment) =>
        Of(shipment.Destinations).Intersect(c.Glns).Any()
        || c.RouteSources.Zip(c.RouteDestinations).Any(r => (r.First.Length == 0 || Of(shipment.Sources).Contains(r.First)) && (r.Second.Length == 0 || Of(shipment.Destinations).Contains(r.Second)));

    private static (string Decision, string Code, string Reason) Decide(Candidate c, CapturedDocument document, string? foreign) => c switch
    {
        { State: "draft" } => ("not sent", "ROUTE-PARTNER-DRAFT", "The partner is a draft."),
        { State: "practice" } => ("not sent", "ROUTE-PARTNER-PRACTICE", "The partner is in practice: only marked test documents go to it."),
        _ when document.Shipments.Count == 0 => ("not sent", "ROUTE-NO-SHIPMENT", "The document ships nothing, so nothing says that it concerns the partner."),
        _ when !document.Shipments.All(s => Concerns(c, s)) => ("not sent", "ROUTE-MIXED-DESTINATIONS", "The document has shipments to others, and a captured document is never cut."),
        _ when foreign is not null => ("not sent", "ROUTE-FOREIGN-EVENTS", $"The document tells of {foreign}."),
        _ when c.Format != c.Form => ("not sent", "ROUTE-PARTNER-FORMAT", $"The document is {c.Form}; the partner takes {c.Format}."),
        _ => ("queued", "ROUTE-SHIPMENT", "Every shipment in the document goes to the partner."),
    };

    // A document that tells what was told before has those events in any year's partition. Else the year stands in the text, so that the plan has one partition.
    private const string ToldBefore = """

            union all select e.event_id, e.body, e.keys from event e where not e.internal and e.event_id not between @FirstEventId and @LastEventId
                and e.event_id in (select i.event_id from said s join event_identity i on i.event_uri = s.event_uri and i.party_id = @PartyId where s.code = 'GW-EVT-01')
        """;

    /// <summary>
    /// What the document tells beyond the history of its shipments, or null. History is what names only things that are shipped, or packed
    /// at any depth in what is shipped (EPCs, and classes such as a lot), and an event without any thing that names a business transaction of
    /// the shipment. Of an event that is not stored here nothing is known; a repeat is stored under its first capture.
    /// </summary>
    private static Task<string?> ForeignAsync(Work work, CapturedDocument document) => work.Connection.ExecuteScalarAsync<string?>($"""
        with recursive
        said as materialized (select code, severity, event, event_uri from finding where capture_id = @CaptureId),
        told as not materialized (
            select event_id, body, keys from event where period = {document.Period} and not internal and event_id between @FirstEventId and @LastEventId{(document.HasRepeats ? ToldBefore : "")}),
        thing as materialized ( -- a class has the role of its list, and ten
            select event_id, role % 10 as role, epc from told cross join lateral event_things(body, keys)),
        edge as materialized (select p.epc as parent, c.epc as child from thing p join thing c on c.event_id = p.event_id and c.role = 3 where p.role = 2),
        shipped (epc) as (select epc from thing where event_id = any(@shipments) union select e.child from edge e join shipped s on e.parent = s.epc),
        bare as materialized (select t.event_id, t.body from told t where not exists (select from thing x where x.event_id = t.event_id) and not t.event_id = any(@shipments)),
        transaction (value) as (
            select b.value ->> 'bizTransaction' from told t cross join lateral jsonb_array_elements(event_json(t.body) -> 'bizTransactionList') b
            where t.event_id = any(@shipments) and exists (select from bare))
        select coalesce(
            (select x.epc || ', which is not in the shipment' from thing x where not exists (select from shipped s where s.epc = x.epc) limit 1),
            (select 'something that names no product of the shipment' from bare b
             where not exists (select from jsonb_array_elements(event_json(b.body) -> 'bizTransactionList') l join transaction t on t.value = l.value ->> 'bizTransaction') limit 1),
            (select 'an event that was not accepted' from said where event is not null and (severity = 'error' or code = 'GW-EVT-02') limit 1),
            (select 'more repeated events than can be looked at' from capture where capture_id = @CaptureId
             and (finding_count > (select count(*) from said) or (select count(*) from said where code = 'GW-EVT-01') >= @MaxRepeats)))
        """, new { document.CaptureId, document.PartyId, document.FirstEventId, document.LastEventId, shipments = document.Shipments.Select(s => s.EventId).ToArray(), MaxRepeats }, work.Transaction);

    private async Task RecordAsync(Work work, CapturedDocument document, IReadOnlyList<Candidate> candidates, (string Decision, string Code, string Reason)[] decisions, IReadOnlyList<Queued> queued)
    {
        // The decision names the first of a partner's deliveries; the others are parts of that.
        var first = queued.DistinctBy(q => q.PartnerId).ToList();
        await work.Connection.ExecuteAsync("""
            with u as (select * from unnest(@partners, @parties, @decided, @codes, @reasons) as u (partner_id, party_id, decision, code, reason)),
            q as (insert into delivery (party_id, document_id, capture_id, partner_id, message_id, ordering, compose_kind, shipment_events, corrects, state, due_at, created_at, need_by, give_up_at, traceparent)
                  select u.party_id, case when l.kind is null then @DocumentId end, @CaptureId, l.partner_id, gen_random_uuid(), l.ordering, l.kind, l.events::bigint[], l.corrects, 'due', gateway_now(), gateway_now(),
                      gateway_now() + coalesce(p.need_within, @NeedWithin), gateway_now() + @RetryLifetime, @traceParent
                  from unnest(@lanePartners, @lanes, @kinds, @events, @corrects) with ordinality as l (partner_id, ordering, kind, events, corrects, n) join u using (partner_id) join partner p using (partner_id) order by l.n
                  returning delivery_id, partner_id)
            insert into routing_decision (capture_id, partner_id, party_id, decision, code, reason, delivery_id)
            select @CaptureId, u.partner_id, u.party_id, u.decision, u.code, u.reason, q.delivery_id from u left join q using (partner_id)
            """, Values(first), work.Transaction);
        if (queued.Count > first.Count)
        {
            await work.Connection.ExecuteAsync("""
                insert into delivery (party_id, capture_id, part_of, partner_id, message_id, ordering, compose_kind, shipment_events, corrects, state, due_at, created_at, need_by, give_up_at, traceparent)
                select r.party_id, @CaptureId, r.delivery_id, l.partner_id, gen_random_uuid(), l.ordering, l.kind, l.events::bigint[], l.corrects, 'due', gateway_now(), gateway_now(), gateway_now() + coalesce(p.need_within, @NeedWithin), gateway_now() + @RetryLifetime, @traceParent
                from unnest(@lanePartners, @lanes, @kinds, @events, @corrects) with ordinality as l (partner_id, ordering, kind, events, corrects, n)
                join routing_decision r on r.capture_id = @CaptureId and r.partner_id = l.partner_id join partner p on p.partner_id = l.partner_id order by l.n
                """, Values([.. queued.Except(first)]), work.Transaction);
        }

        object Values(IReadOnlyList<Queued> rows) => new
        {
            partners = candidates.Select(c => c.PartnerId).ToArray(), parties = candidates.Select(c => c.PartyId).ToArray(),
            decided = decisions.Select(d => d.Decision).ToArray(), codes = decisions.Select(d => d.Code).ToArray(), reasons = decisions.Select(d => d.Reason).ToArray(),
            lanePartners = rows.Select(q => q.PartnerId).ToArray(), lanes = rows.Select(q => q.Lane).ToArray(), kinds = rows.Select(q => q.Kind).ToArray(),
            // Arrays of arrays are square, and these are not.
            events = rows.Select(q => q.Events is null ? null : $"{{{string.Join(',', q.Events)}}}").ToArray(), corrects = rows.Select(q => q.Corrects).ToArray(),
            document.DocumentId, document.CaptureId, options.Value.RetryLifetime, options.Value.NeedWithin, traceParent = document.TraceParent,
        };
    }

    // Messages about one shipment go one after the other.
    internal static string Ordering(CapturedDocument document) => Lane(document.Shipments) ?? FormattableString.Invariant($"document {document.DocumentId}");

    private static string? Lane(IReadOnlyList<ShippingEvent> shipments) => (DespatchAdvice(shipments) ?? shipments.SelectMany(s => s.Epcs).FirstOrDefault()) is { } name ? Lane(name) : null;

    private static string? DespatchAdvice(IReadOnlyList<ShippingEvent> shipments) =>
        shipments.SelectMany(s => s.BizTransactions).FirstOrDefault(t => t.Type is { } type && CbvTerms.ToBare(CbvVocabulary.BizTransactionType, type) == "desadv")?.Value;

    // The lane is indexed, and an index holds no text of any length.
    private static string Lane(string name) => name.Length <= MaxLaneLength ? name : "sha256 " + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
