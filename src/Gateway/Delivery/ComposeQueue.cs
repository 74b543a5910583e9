using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Delivery;

/// <summary>A delivery without a document, under a lease, with all that its document is composed of and for.</summary>
public sealed record ClaimedComposition
{
    public long DeliveryId { get; init; }
    public string[] Glns { get; init; } = [];
    public string PartnerGln { get; init; } = "";

    /// <summary>1.2-xml, 2.0-xml or 2.0-json.</summary>
    public string Format { get; init; } = "";

    /// <summary>Names the document, in each try.</summary>
    public Guid MessageId { get; init; }

    /// <summary>shipment, void, declaration or evidence.</summary>
    public string Kind { get; init; } = "";
    public long[] ShipmentEvents { get; init; } = [];

    /// <summary>What of the shipments it is about; null: all.</summary>
    public string[]? ShipmentEpcs { get; init; }
    public long? Corrects { get; init; }
    public DateTime CreatedAt { get; init; }
    public Guid LeaseToken { get; init; }

    /// <summary>What it was held for before this try; null when it was not.</summary>
    public string? HeldFor { get; init; }

    // As in partner_profile.
    public string Regulation { get; init; } = "none";
    public string Release { get; init; } = "R1.3";
    public string Ids { get; init; } = "epc";
    public string SbdhAuthority { get; init; } = "GS1";
    public string SbdhForm { get; init; } = "sgln";
    public string Sender { get; init; } = "owner";
    public int? MaxEvents { get; init; }
    public long? MaxBytes { get; init; }
}

/// <summary>The outbox as those see it who compose documents. Every change names the lease it is made under.</summary>
public sealed class ComposeQueue(GatewayDatabase database, IOptions<DeliveryOptions> options)
{
    /// <summary>Whoever holds what cannot be composed yet.</summary>
    public const string Holder = "gateway";

    private static readonly Actor Worker = Actor.System("composing");
    private static readonly string[] s_codes = ["compose.path", "compose.masterdata", "compose.held", "compose.statement", "compose.invalid", "compose.limit"];

    /// <summary>Leases what has waited longest; null when nothing is to be composed now. What corrects another waits until that has its document.</summary>
    public async Task<ClaimedComposition?> ClaimAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var claimed = await work.Connection.QuerySingleOrDefaultAsync<ClaimedComposition>(new CommandDefinition($"""
            with h as materialized (
                select delivery_id from delivery c where document_id is null and state = 'due' and due_at <= (select gateway_now())
                    and (lease_until is null or lease_until <= (select gateway_now())) and not {DeliveryHold.Stands}
                    and not exists (select from delivery told where told.delivery_id = c.corrects and told.document_id is null and told.state = 'due')
                order by due_at, delivery_id limit 1 for update skip locked)
            update delivery d set lease_token = gen_random_uuid(), lease_until = (select gateway_now()) + @LeaseTime, {DeliveryHold.Ends}
            from h join delivery x using (delivery_id) join partner p using (partner_id) join party y on y.party_id = p.party_id left join partner_profile f on f.partner_id = p.partner_id
            where d.delivery_id = h.delivery_id
            returning d.delivery_id as "DeliveryId", array(select gln from partner_gln g where g.partner_id = d.partner_id order by gln) as "Glns", coalesce(y.gln, '') as "PartnerGln",
                p.format as "Format", d.message_id as "MessageId", d.compose_kind as "Kind", d.shipment_events as "ShipmentEvents", d.shipment_epcs as "ShipmentEpcs", d.corrects as "Corrects",
                d.created_at as "CreatedAt", d.lease_token as "LeaseToken", d.compose_findings -> 0 ->> 'code' as "HeldFor",
                coalesce(f.regulation, 'none') as "Regulation", coalesce(f.release, 'R1.3') as "Release", coalesce(f.ids, 'epc') as "Ids", coalesce(f.sbdh_authority, 'GS1') as "SbdhAuthority",
                coalesce(f.sbdh_form, 'sgln') as "SbdhForm", coalesce(f.sender, 'owner') as "Sender", f.max_events as "MaxEvents", f.max_bytes as "MaxBytes"
            """, new { options.Value.LeaseTime }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return claimed;
    }

    /// <returns>False when the lease is no longer held.</returns>
    public async Task<bool> RenewAsync(ClaimedComposition claimed, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var held = await work.Connection.ExecuteAsync("update delivery set lease_until = gateway_now() + @LeaseTime where delivery_id = @DeliveryId and lease_token = @LeaseToken",
            new { options.Value.LeaseTime, claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        await work.CommitAsync();
        return held > 0;
    }

    /// <summary>Gives it back, for another node to compose at once.</summary>
    public async Task ReleaseAsync(ClaimedComposition claimed)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        await work.Connection.ExecuteAsync("""
            with released as (update delivery set lease_token = null, lease_until = null where delivery_id = @DeliveryId and lease_token = @LeaseToken returning partner_id)
            select pg_notify('delivery_due', partner_id::text) from released
            """, new { claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Gives the delivery its document, and ends what it was held for.</summary>
    /// <param name="bytes">At its beginning.</param>
    /// <returns>False when the lease is lost, and nothing is stored.</returns>
    public async Task<bool> CompleteAsync(ClaimedComposition claimed, Stream bytes, byte[] sha256, ComposedContent content, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var (documentId, _) = await OutgoingDocument.StoreAsync(work, bytes, sha256, claimed.Format == "2.0-json" ? "application/ld+json" : "application/xml", ct);
        // Its time for retries begins now: what it waited for was not the partner.
        var mine = await work.Connection.ExecuteAsync("""
            update delivery set document_id = @documentId, composed = @content::jsonb, compose_findings = null, lease_token = null, lease_until = null, due_at = gateway_now(), give_up_at = gateway_now() + @RetryLifetime
            where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due'
            """, new { documentId, content = ComposeJson.Of(content), options.Value.RetryLifetime, claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        if (mine == 0)
        {
            return false;
        }
        if (claimed.HeldFor is not null)
        {
            await EndExceptionsAsync(work, claimed.DeliveryId, except: null, "The document was composed.");
        }
        await work.CommitAsync();
        return true;
    }

    /// <summary>Closes a correction of which nothing concerns what it corrects, such as another part of a divided shipment.</summary>
    /// <returns>False when the lease is lost, or no other of the same correction is there to say it, and nothing is changed.</returns>
    public async Task<bool> CloseAsync(ClaimedComposition claimed)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        var mine = await work.Connection.ExecuteAsync($"""
            with closed as (
                update delivery d set state = 'closed', finished_at = gateway_now(), compose_findings = null, lease_token = null, lease_until = null, {DeliveryHold.Ends}, version = version + 1
                where d.delivery_id = @DeliveryId and d.lease_token = @LeaseToken and d.state = 'due' and exists (
                    select from delivery o where o.capture_id = d.capture_id and o.partner_id = d.partner_id and o.shipment_events = d.shipment_events and o.corrects <> d.corrects and o.state <> 'closed')
                returning delivery_id, party_id)
            insert into delivery_decision (delivery_id, party_id, action, reason, actor, decided_at)
            select delivery_id, party_id, 'close', 'Nothing of what it takes back was in the delivery that it corrects; other deliveries correct the rest.', current_setting('app.actor'), gateway_now() from closed
            """, new { claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        if (mine == 0)
        {
            return false;
        }
        await EndExceptionsAsync(work, claimed.DeliveryId, except: null, "The correction concerns another part.");
        await work.CommitAsync();
        return true;
    }

    /// <summary>Holds it with the reasons, until it is looked at again: at first after half a minute, later every five.</summary>
    /// <returns>False when the lease is lost, and nothing is changed.</returns>
    public async Task<bool> HoldAsync(ClaimedComposition claimed, IReadOnlyList<ComposeFinding> findings)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        var why = findings[0].Sentence + (findings.Count > 1 ? FormattableString.Invariant($" And {findings.Count - 1} more.") : "");
        var mine = await work.Connection.ExecuteAsync("""
            update delivery set lease_token = null, lease_until = null, held_by = @Holder, held_why = @why, compose_findings = @findings::jsonb,
                held_until = gateway_now() + t.wait, due_at = gateway_now() + t.wait -- behind what has not been looked at yet
            from (select greatest(interval '30 s', least(interval '5 min', (gateway_now() - created_at) / 4)) as wait from delivery where delivery_id = @DeliveryId) t
            where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due'
            """, new { Holder, why = Waits(findings[0].Code), findings = ComposeJson.Of(findings), claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        if (mine == 0)
        {
            return false;
        }
        if (findings[0].Code != claimed.HeldFor)
        {
            if (claimed.HeldFor is not null)
            {
                await EndExceptionsAsync(work, claimed.DeliveryId, except: findings[0].Code, "The document waits for something else.");
            }
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(findings[0].Code, Severity.Warning, why), await SourceAsync(work, claimed.DeliveryId), []);
        }
        await work.CommitAsync();
        return true;
    }

    // The partner may see this of its delivery, so it names no unit, no product and no party; the findings do.
    private static string Waits(string code) => code switch
    {
        "compose.path" => "The history of what is shipped is not complete yet.",
        "compose.masterdata" => "Master data of the document are missing.",
        "compose.held" => "A unit or lot of the shipment is held.",
        "compose.statement" => "Nobody has authorised the transaction statement.",
        "compose.limit" => "The shipment cannot be divided as the partner asks.",
        _ => "The document is not what it must be.",
    };

    /// <summary>Divides it: it keeps the first part, and the others are deliveries of their own behind it in its lane; what corrects it corrects each.</summary>
    /// <returns>False when the lease is lost, and nothing is changed.</returns>
    public async Task<bool> DivideAsync(ClaimedComposition claimed, IReadOnlyList<string[]> parts)
    {
        await using var work = await database.BeginAsync(Worker, CancellationToken.None);
        var mine = await work.Connection.ExecuteAsync(
            "update delivery set shipment_epcs = @first, lease_token = null, lease_until = null where delivery_id = @DeliveryId and lease_token = @LeaseToken and state = 'due'",
            new { first = parts[0], claimed.DeliveryId, claimed.LeaseToken }, work.Transaction);
        if (mine == 0)
        {
            return false;
        }
        await ShipmentsToFollow.DividedAsync(work, claimed.DeliveryId);
        foreach (var part in parts.Skip(1))
        {
            await work.Connection.ExecuteAsync("""
                with part as (
                    insert into delivery (party_id, capture_id, part_of, corrects, compose_kind, shipment_events, shipment_epcs, partner_id, message_id, ordering, state, due_at, created_at, need_by, give_up_at, traceparent)
                    select party_id, capture_id, coalesce(part_of, delivery_id), corrects, compose_kind, shipment_events, @part, partner_id, gen_random_uuid(), ordering, 'due', gateway_now(), created_at, need_by, give_up_at, traceparent
                    from delivery where delivery_id = @DeliveryId returning delivery_id)
                insert into delivery (party_id, capture_id, part_of, corrects, compose_kind, shipment_events, partner_id, message_id, ordering, state, due_at, created_at, need_by, give_up_at, traceparent)
                select c.party_id, c.capture_id, coalesce(c.part_of, c.delivery_id), part.delivery_id, c.compose_kind, c.shipment_events, c.partner_id, gen_random_uuid(), c.ordering, 'due', gateway_now(), c.created_at, c.need_by, c.give_up_at, c.traceparent
                from delivery c cross join part where c.corrects = @DeliveryId and c.state = 'due' and c.document_id is null order by c.delivery_id
                """, new { part, claimed.DeliveryId }, work.Transaction);
        }
        await work.Connection.ExecuteAsync("select pg_notify('delivery_due', partner_id::text) from delivery where delivery_id = @DeliveryId", new { claimed.DeliveryId }, work.Transaction);
        await work.CommitAsync();
        return true;
    }

    /// <summary>What was sent, or is to be, by a delivery that another corrects: its shipping events, what of them it is about (null: all), and the name of its document.</summary>
    public async Task<(long[] Events, string[]? Epcs, Guid MessageId)> CorrectedAsync(long deliveryId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Worker, ct);
        var row = await work.Connection.QuerySingleAsync<Corrected>(new CommandDefinition("""
            select coalesce(shipment_events, '{}') as "Events", shipment_epcs as "Epcs", message_id as "MessageId", capture_id as "CaptureId" from delivery where delivery_id = @deliveryId
            """, new { deliveryId }, work.Transaction, cancellationToken: ct));
        // A document that went as it came tells of every shipment of its capture.
        return (row.Events.Length > 0 ? row.Events : (await work.Connection.QueryAsync<long>(new CommandDefinition(
            "select event_id from event where event_id between @CaptureId::bigint << 20 and (@CaptureId::bigint + 1 << 20) - 1 and biz_step = 'shipping' order by event_id", new { row.CaptureId }, work.Transaction, cancellationToken: ct))).ToArray(),
            row.Epcs, row.MessageId);
    }

    /// <summary>Ends the exceptions of what a delivery was held for, in a transaction of the caller's.</summary>
    /// <param name="except">The code of the one that goes on; null: none.</param>
    internal static async Task EndExceptionsAsync(Work work, long deliveryId, string? except, string why)
    {
        var source = await SourceAsync(work, deliveryId);
        foreach (var code in s_codes.Where(c => c != except))
        {
            await ExceptionRecords.ResolveAsync(work, code, source, why);
        }
    }

    // The organisation's own: it names units and reasons that are nobody else's business.
    private static async Task<ExceptionSource> SourceAsync(Work work, long deliveryId) => new("delivery", FormattableString.Invariant($"{deliveryId}"),
        await work.Connection.ExecuteScalarAsync<int>("select party_id from party where kind = 'organisation'", transaction: work.Transaction), null);

    private sealed record Corrected
    {
        public long[] Events { get; init; } = [];
        public string[]? Epcs { get; init; }
        public Guid MessageId { get; init; }
        public long CaptureId { get; init; }
    }
}
