using Dapper;
using Epcis.Events;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Units;

namespace Gateway.Shipments;

/// <summary>Where an event's capture stands in the audit trail.</summary>
/// <param name="Entry">Its number in the trail.</param>
/// <param name="Epoch">With <paramref name="Leaf"/>, its place in the sealed trail; null as long as it is not sealed.</param>
public sealed record CustodySeal(long Entry, int? Epoch, long? Leaf);

/// <summary>A document by which a partner was told of a shipment.</summary>
/// <param name="State">As stored.</param>
/// <param name="Sha256">Of the bytes; null as long as there are none.</param>
public sealed record CustodyTelling(
    long Delivery, string Partner, string PartnerName, string State, Guid MessageId, string? Sha256, long? ReplayOf, long? Corrects, IReadOnlyList<CustodyAttempt> Attempts, Acknowledgements? Acknowledgements);

/// <param name="RequestSha256">Of what was sent.</param>
/// <param name="AnswerSha256">Of what was answered.</param>
public sealed record CustodyAttempt(int Number, DateTime StartedAt, DateTime? EndedAt, string? Code, int? Status, string RequestSha256, string? AnswerSha256, string? ReceiptSha256);

/// <summary>The unit's part in a shipment to a partner.</summary>
/// <param name="Chain">What it was in when it was shipped, from inside to outside.</param>
/// <param name="ReceivedBy">The eventID of the partner's event by which it arrived.</param>
/// <param name="TakenBackBy">The eventID of the event by which it was not shipped after all.</param>
/// <param name="Documents">Those that tell it; none: nothing does.</param>
public sealed record CustodyShipment(string Partner, string PartnerName, IReadOnlyList<string> Chain, string? ReceivedBy, string? TakenBackBy, IReadOnlyList<CustodyTelling> Documents);

/// <summary>What happened to a unit, once.</summary>
/// <param name="Of">The unit, or the container by which the event meant it too.</param>
/// <param name="Sources">Who gave, as the event says it: its kind and its name; likewise the destinations.</param>
/// <param name="DocumentSha256">Of the document that told it, as it came.</param>
public sealed record CustodyHop(
    string? EventId, string Type, string? BizStep, string? Disposition, DateTime EventTime, DateTime RecordTime, string Of, string? ReadPoint, string? BizLocation, bool IsRetracted, bool IsDeclaration,
    IReadOnlyList<SourceOrDestination> Sources, IReadOnlyList<SourceOrDestination> Destinations, Guid CaptureId, string? DocumentSha256, CustodySeal? Audit, IReadOnlyList<CustodyShipment> Shipments);

/// <summary>The custody of a unit, from how it came to be to who has it, with what proves each hop.</summary>
public sealed record Custody(string Epc, string? Gtin, string? Serial, string? Lot, string State, DateTime MadeAt, IReadOnlyList<CustodyHop> Hops);

/// <summary>Custody of a unit: every hop with its event, its parties, the documents that told it and who acknowledged them. A reader is told what row security shows him.</summary>
public sealed class CustodyReport(GatewayDatabase database, UnitQueries units, UnitTimeline timeline)
{
    /// <param name="key">Of the unit (<see cref="UnitKey"/>).</param>
    /// <param name="withDeliveries">Whether the reader may look at deliveries.</param>
    /// <returns>Null when nobody has told the reader of the unit.</returns>
    public async Task<Custody?> OfAsync(Actor reader, string key, bool withDeliveries, CancellationToken ct)
    {
        if (await units.FindAsync(reader, key, ct) is not { } unit)
        {
            return null;
        }
        var events = await timeline.ListAsync(reader, unit, null, UnitTimeline.MaxEvents, ct);
        await using var work = await database.BeginAsync(reader, ct);
        var facts = (await work.Connection.QueryAsync<EventRow>(new CommandDefinition("""
            select e.event_id as EventId, case when e.biz_step in ('shipping', 'receiving', 'void_shipping') then e.body end as Body, encode(o.sha256, 'hex') as Sha256, a.ord as Ord, l.epoch as Epoch, l.leaf as Leaf
            from event e join capture c on c.capture_id = e.event_id >> 20 join document o on o.document_id = c.document_id
            left join lateral (select ord from audit_entry where entity = 'capture' and entity_key = c.public_id::text and action = 'capture' order by ord limit 1) a on true left join audit_leaf l on l.ord = a.ord
            where e.event_id = any(@events)
            """, new { events = events.Select(e => e.Cursor).ToArray() }, work.Transaction, cancellationToken: ct))).ToDictionary(e => e.EventId);
        var shipments = (withDeliveries ? await ShipmentsAsync(work, key, ct) : []).ToLookup(s => s.EventId, s => s.Shipment);
        var now = await work.Connection.ExecuteScalarAsync<DateTime>(new CommandDefinition("select gateway_now()", transaction: work.Transaction, cancellationToken: ct));
        var item = UnitItem.Of(unit);
        return new Custody(unit.Epc, item.Gtin, item.Serial, item.Lot, item.State, now, [.. events.Select(e => HopOf(e, facts.GetValueOrDefault(e.Cursor), [.. shipments[e.Cursor]]))]);
    }

    private static CustodyHop HopOf(UnitEvent e, EventRow? row, IReadOnlyList<CustodyShipment> shipments)
    {
        var told = row?.Body is { } body ? StoredEvents.Parse(body) : null;
        return new CustodyHop(e.EventId, e.Type, e.BizStep, e.Disposition, e.EventTime, e.RecordTime, e.Of, e.ReadPoint, e.BizLocation, e.IsRetracted, e.IsDeclaration,
            told?.Sources ?? [], told?.Destinations ?? [], e.CaptureId, row?.Sha256, row?.Ord is { } ord ? new CustodySeal(ord, row.Epoch, row.Leaf) : null, shipments);
    }

    private static async Task<IReadOnlyList<(long EventId, CustodyShipment Shipment)>> ShipmentsAsync(Work work, string key, CancellationToken ct)
    {
        var rows = (await work.Connection.QueryAsync<ShipmentRow>(new CommandDefinition("""
            with recursive mine as materialized (
                select x.* from (select unit_id from unit where head = @head and hash = @hash and key = @key limit 1) u join shipped_unit x using (unit_id)),
            up (shipment_id, unit_id, height) as (
                select shipment_id, parent_id, 1 from mine where parent_id is not null
                union all
                select x.shipment_id, x.parent_id, up.height + 1 from up join shipped_unit x on x.shipment_id = up.shipment_id and x.unit_id = up.unit_id where x.parent_id is not null and up.height < 20)
            select s.event_id as EventId, s.partner_id as PartnerId, coalesce(y.gln, '') as Partner, p.name as PartnerName, m.delivery_id as DeliveryId,
                array(select u.key || ' ' || u.prefix_length from up join unit u using (unit_id) where up.shipment_id = m.shipment_id order by up.height) as Chain,
                (select event_uri from event where event_id = m.received_by limit 1) as ReceivedBy, (select event_uri from event where event_id = coalesce(m.taken_back_by, s.taken_back_by) limit 1) as TakenBackBy
            from mine m join shipment s using (shipment_id) join partner p on p.partner_id = s.partner_id join party y on y.party_id = p.party_id order by s.shipment_id
            """, new { head = UnitKey.Head(key), hash = UnitKey.Hash(key), key }, work.Transaction, cancellationToken: ct))).AsList();
        var shipments = new List<(long, CustodyShipment)>();
        foreach (var row in rows)
        {
            shipments.Add((row.EventId, new CustodyShipment(row.Partner, row.PartnerName, [.. row.Chain.Select(EpcOf)], row.ReceivedBy, row.TakenBackBy, await TellingsAsync(work, row, ct))));
        }
        return shipments;
    }

    /// <summary>The delivery, what was sent again of it, and what corrects it.</summary>
    private static async Task<IReadOnlyList<CustodyTelling>> TellingsAsync(Work work, ShipmentRow of, CancellationToken ct)
    {
        var deliveries = (await work.Connection.QueryAsync<DeliveryRowOf>(new CommandDefinition("""
            select d.delivery_id as DeliveryId, d.state as State, d.message_id as MessageId, encode(o.sha256, 'hex') as Sha256, d.replay_of as ReplayOf, d.corrects as Corrects
            from delivery d left join document o on o.document_id = d.document_id where d.delivery_id = @DeliveryId or d.partner_id = @PartnerId and (d.replay_of = @DeliveryId or d.corrects = @DeliveryId) order by d.delivery_id
            """, of, work.Transaction, cancellationToken: ct))).AsList();
        var attempts = (await work.Connection.QueryAsync<AttemptRowOf>(new CommandDefinition("""
            select delivery_id as DeliveryId, number as Number, started_at as StartedAt, ended_at as EndedAt, code as Code, status as Status,
                encode(request_hash, 'hex') as RequestSha256, encode(answer_sha256, 'hex') as AnswerSha256, encode(receipt_sha256, 'hex') as ReceiptSha256
            from attempt where delivery_id = any(@ids) order by delivery_id, number
            """, new { ids = deliveries.Select(d => d.DeliveryId).ToArray() }, work.Transaction, cancellationToken: ct))).ToLookup(a => a.DeliveryId);
        var tellings = new List<CustodyTelling>();
        foreach (var d in deliveries)
        {
            tellings.Add(new CustodyTelling(d.DeliveryId, of.Partner, of.PartnerName, d.State, d.MessageId, d.Sha256, d.ReplayOf, d.Corrects,
                [.. attempts[d.DeliveryId].Select(a => new CustodyAttempt(a.Number, a.StartedAt, a.EndedAt, a.Code, a.Status, a.RequestSha256, a.AnswerSha256, a.ReceiptSha256))],
                await Acknowledgements.FindAsync(work, d.DeliveryId, ct)));
        }
        return tellings;
    }

    private static string EpcOf(string keyAndPrefix) => keyAndPrefix.LastIndexOf(' ') is var blank ? UnitKey.ToEpc(keyAndPrefix[..blank], int.Parse(keyAndPrefix[(blank + 1)..], System.Globalization.CultureInfo.InvariantCulture)) : "";

    private sealed record EventRow
    {
        public long EventId { get; init; }
        public string? Body { get; init; }
        public string? Sha256 { get; init; }
        public long? Ord { get; init; }
        public int? Epoch { get; init; }
        public long? Leaf { get; init; }
    }

    private sealed record ShipmentRow
    {
        public long EventId { get; init; }
        public int PartnerId { get; init; }
        public string Partner { get; init; } = "";
        public string PartnerName { get; init; } = "";
        public long? DeliveryId { get; init; }
        public string[] Chain { get; init; } = [];
        public string? ReceivedBy { get; init; }
        public string? TakenBackBy { get; init; }
    }

    private sealed record DeliveryRowOf
    {
        public long DeliveryId { get; init; }
        public string State { get; init; } = "";
        public Guid MessageId { get; init; }
        public string? Sha256 { get; init; }
        public long? ReplayOf { get; init; }
        public long? Corrects { get; init; }
    }

    private sealed record AttemptRowOf
    {
        public long DeliveryId { get; init; }
        public int Number { get; init; }
        public DateTime StartedAt { get; init; }
        public DateTime? EndedAt { get; init; }
        public string? Code { get; init; }
        public int? Status { get; init; }
        public string RequestSha256 { get; init; } = "";
        public string? AnswerSha256 { get; init; }
        public string? ReceiptSha256 { get; init; }
    }
}
