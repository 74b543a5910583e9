using Dapper;
using Epcis;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;

namespace Gateway.Shipments;

/// <summary>
/// Hears what events say of shipments to a partner, event by event in their order: that units were received, were not shipped after all, or that a
/// message was not so. Who names a container means what was in it when it was shipped. What names a unit that was not shipped to the partner is
/// looked at again when something more was.
/// </summary>
internal sealed class HearNews(GatewayDatabase database)
{
    private const int MaxSamples = 1_000;

    // What was said of goods that nobody has told us of by then is of goods of others.
    private static readonly TimeSpan Horizon = TimeSpan.FromDays(90);

    // The units that an event names, the last shipment to the partner before it that each is in, and what was in them.
    private const string Meant = """
        with recursive named as materialized (
            select distinct u.unit_id, n.key, u.prefix_length from unnest(@heads, @hashes, @keys) as n (head, hash, key)
            cross join lateral (select unit_id, prefix_length from unit where head = n.head and hash = n.hash and key = n.key limit 1) u),
        hit as materialized (
            select distinct on (x.unit_id) x.shipment_id, x.unit_id, x.delivery_id from named n
            cross join lateral (select * from shipped_unit where unit_id = n.unit_id offset 0) x join shipment s on s.shipment_id = x.shipment_id
            cross join lateral (select event_time from event where event_id = s.event_id limit 1) t
            where s.partner_id = @PartnerId and s.taken_back_by is null and x.taken_back_by is null and t.event_time <= @At + interval '1 day' -- clocks differ
            order by x.unit_id, t.event_time <= @At desc, abs(extract(epoch from @At - t.event_time)), x.shipment_id desc),
        meant as (
            select shipment_id, unit_id from hit
            union
            select c.shipment_id, c.unit_id from meant m cross join lateral (select shipment_id, unit_id from shipped_unit where shipment_id = m.shipment_id and parent_id = m.unit_id offset 0) c)
        """;

    private const string Found = """
        , touched as (update shipment set stale = true, answered_by = case when @isAnswer then @EventId else answered_by end where shipment_id in (select shipment_id from hit))
        select array(select distinct shipment_id from hit order by 1) as Shipments, (select min(delivery_id) from hit) as Delivery,
            (select count(*) from named n where not exists (select from hit h where h.unit_id = n.unit_id))::int as Extra,
            array(select key from named n where not exists (select from hit h where h.unit_id = n.unit_id) order by key limit @MaxSamples) as ExtraKeys,
            array(select prefix_length::int from named n where not exists (select from hit h where h.unit_id = n.unit_id) order by key limit @MaxSamples) as ExtraPrefixes
        """;

    /// <summary>One event, in one transaction, once the units of the partner's shipments are known.</summary>
    /// <returns>False when there is none to hear now.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(FollowShipments.Gateway, ct);
        var news = await work.Connection.QuerySingleOrDefaultAsync<News>(new CommandDefinition("""
            select n.event_id as EventId, n.partner_id as PartnerId, n.kind as Kind, n.extra as Extra, n.shipment_id as ShipmentId, e.body as Body, e.party_id as TellerId, l.last as Last
            from shipment_news n cross join lateral (select coalesce(max(s.shipment_id), 0) as last, bool_or(s.units is null) as waits from shipment s where s.partner_id = n.partner_id) l
            cross join lateral (select body, party_id from event where event_id = n.event_id limit 1) e
            where not n.is_done and (n.seen is null or n.seen < l.last) and l.waits is not true and n.created_at > gateway_now() - @Horizon order by n.event_id limit 1 for update of n skip locked
            """, new { Horizon }, work.Transaction, cancellationToken: ct));
        if (news is null)
        {
            return false;
        }
        var e = StoredEvents.Parse(news.Body);
        var heard = news.Kind switch
        {
            "declaration" => await DeclaredAsync(work, news, e),
            "void" => await VoidedAsync(work, news, e),
            _ when e.ErrorDeclaration is not null => await TakenBackAsync(work, news, e),
            _ => await ReceivedAsync(work, news, e),
        };
        await work.Connection.ExecuteAsync("update shipment_news set shipment_id = @ShipmentId, extra = @Extra, is_done = @IsDone, seen = @Last where event_id = @EventId and partner_id = @PartnerId",
            new { heard.ShipmentId, heard.Extra, heard.IsDone, news.Last, news.EventId, news.PartnerId }, work.Transaction);
        await work.CommitAsync();
        return true;
    }

    /// <summary>Whoever told a shipment declares that it was not so.</summary>
    private static async Task<Heard> DeclaredAsync(Work work, News news, EpcisEvent e)
    {
        var taken = (await work.Connection.QueryAsync<long>("""
            update shipment s set taken_back_by = @EventId, stale = true where s.partner_id = @PartnerId and s.taken_back_by is null and s.event_id in (
                select event_id from event where event_uri = @uri and party_id = @TellerId and event_id <> @EventId) returning s.shipment_id
            """, new { news.EventId, news.PartnerId, news.TellerId, uri = e.EventId }, work.Transaction)).AsList();
        return new Heard(taken.Count > 0 ? taken[^1] : null, 0, taken.Count > 0);
    }

    private static async Task<Heard> VoidedAsync(Work work, News news, EpcisEvent e)
    {
        var keys = KeysOf(e);
        if (keys.Length == 0)
        {
            var all = await ByTransactionAsync(work, news, e);
            await work.Connection.ExecuteAsync("update shipped_unit set taken_back_by = @EventId where shipment_id = any(@all) and taken_back_by is null and received_by is null; update shipment set stale = true where shipment_id = any(@all)",
                new { news.EventId, all }, work.Transaction, commandTimeout: 0);
            return new Heard(all.Length > 0 ? all[^1] : null, 0, all.Length > 0);
        }
        var found = await AskAsync(work, news, e.EventTime!.Value, keys, isAnswer: false, """
            , done as (update shipped_unit x set taken_back_by = @EventId from meant m where x.shipment_id = m.shipment_id and x.unit_id = m.unit_id and x.taken_back_by is null and x.received_by is null)
            """);
        return new Heard(found.Last, 0, found.Extra == 0);
    }

    private static async Task<Heard> ReceivedAsync(Work work, News news, EpcisEvent e)
    {
        var disposition = e.Disposition is { } said ? CbvTerms.BareOrNull(CbvVocabulary.Disposition, said) : null;
        if (disposition == "returned")
        {
            return new Heard(null, 0, true); // it came back to the partner from its own customer
        }
        var keys = KeysOf(e);
        Answer found;
        if (keys.Length == 0)
        {
            var all = await ByTransactionAsync(work, news, e);
            if (e.Quantities.Any() && e.Quantities.Sum(q => q.Item2.Quantity ?? 0) < await work.Connection.ExecuteScalarAsync<long>(
                "select count(*) from shipped_unit where shipment_id = any(@all) and is_serial and taken_back_by is null and received_by is null", new { all }, work.Transaction))
            {
                return new Heard(null, 0, true); // fewer than are outstanding, and nothing says which
            }
            await work.Connection.ExecuteAsync("""
                update shipped_unit set received_by = @EventId where shipment_id = any(@all) and taken_back_by is null and received_by is null;
                update shipment set stale = true, answered_by = @EventId where shipment_id = any(@all)
                """, new { news.EventId, all }, work.Transaction, commandTimeout: 0);
            found = new Answer { Shipments = all };
        }
        else
        {
            found = await AskAsync(work, news, e.EventTime!.Value, keys, isAnswer: true, """
                , done as (update shipped_unit x set received_by = @EventId from meant m where x.shipment_id = m.shipment_id and x.unit_id = m.unit_id and x.received_by is null and x.taken_back_by is null)
                """);
            found = found.Shipments.Length > 0 ? found : found with { Shipments = await ByTransactionAsync(work, news, e) };
        }
        if (found.Shipments.Length == 0)
        {
            return new Heard(null, 0, false); // nothing that was shipped to the partner yet, or goods of others
        }
        // The history of what was shipped may have come after its units were found, so they are found once more before anybody is told.
        if (found.Extra > 0 && await work.Connection.ExecuteAsync("update shipment set units = null, recounted = true, stale = true where shipment_id = any(@Shipments) and not recounted", new { found.Shipments }, work.Transaction) > 0)
        {
            return new Heard(news.ShipmentId, news.Extra, false);
        }
        var delivery = found.Delivery ?? await DeliveryOfAsync(work, found.Shipments[^1]);
        await work.Connection.ExecuteAsync("update shipment set stale = true where shipment_id = any(@Shipments)", new { found.Shipments }, work.Transaction);
        if (found.Extra > 0 && news.Extra != found.Extra)
        {
            await DisputeAsync(work, delivery, Disputes.Over, $"Product No Data: the partner has received {found.Extra} units that no document tells it of.", e,
                [.. found.ExtraKeys.Zip(found.ExtraPrefixes).Select(x => UnitKey.ToEpc(x.First, x.Second))]);
        }
        if (found.Extra == 0 && news.Extra > 0 && delivery is { } settled)
        {
            await ExceptionRecords.ResolveAsync(work, Disputes.Over, await SourceAsync(work, settled), "A shipment tells the partner of these units now.");
        }
        if (news.ShipmentId is null && Disputes.OfDisposition(disposition) is { } dispute)
        {
            await DisputeAsync(work, delivery, dispute.Code, $"{dispute.Class}: the partner has received goods as {disposition}.", e, [.. e.Epcs.Select(x => Epcis.Identifiers.EpcKey.Normalise(x.Epc)).Take(MaxSamples)]);
        }
        return new Heard(found.Last, found.Extra, found.Extra == 0);
    }

    /// <summary>The partner says that its own receipt, or what we told it, was not so.</summary>
    private static async Task<Heard> TakenBackAsync(Work work, News news, EpcisEvent e)
    {
        var own = (await work.Connection.QueryAsync<long>("select event_id from event where event_uri = @uri and party_id = @TellerId and event_id <> @EventId and biz_step = 'receiving'",
            new { uri = e.EventId, news.TellerId, news.EventId }, work.Transaction)).ToArray();
        if (own.Length == 0 && await work.Connection.ExecuteScalarAsync<bool>("select exists (select from event where event_uri = @uri and party_id = @TellerId and event_id <> @EventId)", new { uri = e.EventId, news.TellerId, news.EventId }, work.Transaction))
        {
            return new Heard(null, 0, true); // another event of its own, such as what it shipped on
        }
        var found = await AskAsync(work, news, e.EventTime!.Value, KeysOf(e), isAnswer: true, """
            , done as (update shipped_unit x set received_by = null from meant m where x.shipment_id = m.shipment_id and x.unit_id = m.unit_id and x.received_by = any(@own))
            """, own);
        if (found.Shipments.Length == 0 && own.Length > 0 && await ByTransactionAsync(work, news, e) is { Length: > 0 } all)
        {
            await work.Connection.ExecuteAsync("update shipped_unit set received_by = null where shipment_id = any(@all) and received_by = any(@own); update shipment set stale = true where shipment_id = any(@all)", new { all, own }, work.Transaction, commandTimeout: 0);
            found = found with { Shipments = all };
        }
        if (found.Shipments.Length == 0)
        {
            return new Heard(null, 0, false);
        }
        await work.Connection.ExecuteAsync("update shipment_news set is_done = true, extra = 0 where partner_id = @PartnerId and event_id = any(@own)", new { news.PartnerId, own }, work.Transaction);
        await DisputeAsync(work, found.Delivery ?? await DeliveryOfAsync(work, found.Shipments[^1]), Disputes.Declared, $"Data Issue: the partner declares that what {(own.Length > 0 ? "it told of its receipt" : "it was told")} was not so.", e, []);
        return new Heard(found.Last, 0, true);
    }

    private static async Task<Answer> AskAsync(Work work, News news, DateTimeOffset at, string[] keys, bool isAnswer, string change, long[]? own = null) => await work.Connection.QuerySingleAsync<Answer>($"{Meant} {change} {Found}", new
    {
        heads = keys.Select(k => UnitKey.Head(k)).ToArray(), hashes = keys.Select(UnitKey.Hash).ToArray(), keys, news.PartnerId, news.EventId, At = at.UtcDateTime, isAnswer, MaxSamples, own = own ?? [],
    }, work.Transaction, commandTimeout: 0);

    // By the despatch advice; by the purchase order only where nothing else was shipped on it.
    private static async Task<long[]> ByTransactionAsync(Work work, News news, EpcisEvent e)
    {
        var open = await FindAsync("desadv");
        return open.Length > 0 ? open : await FindAsync("po") is { Length: 1 } one ? one : [];

        async Task<long[]> FindAsync(string type) => [.. await work.Connection.QueryAsync<long>(
            "select shipment_id from shipment where partner_id = @PartnerId and taken_back_by is null and transactions && @named order by shipment_id",
            new { news.PartnerId, named = e.BizTransactions.Where(t => t.Type is { } of && CbvTerms.ToBare(CbvVocabulary.BizTransactionType, of) == type).Select(t => t.Value).ToArray() }, work.Transaction)];
    }

    private static string[] KeysOf(EpcisEvent e) => [.. e.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent or EpcRole.Child).Select(x => UnitKey.Of(x.Epc)).OfType<string>().Distinct(StringComparer.Ordinal)];

    private static Task<long?> DeliveryOfAsync(Work work, long shipmentId) => work.Connection.ExecuteScalarAsync<long?>(
        "select delivery_id from shipped_unit where shipment_id = @shipmentId and delivery_id is not null limit 1", new { shipmentId }, work.Transaction);

    private static async Task DisputeAsync(Work work, long? delivery, string code, string message, EpcisEvent e, IReadOnlyCollection<string> epcs)
    {
        // Where no document tells of the shipment, that is the gap which reconciling finds.
        if (delivery is { } id)
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, Severity.Warning, message) { EventUri = e.EventId }, await SourceAsync(work, id), epcs);
        }
    }

    private static async Task<ExceptionSource> SourceAsync(Work work, long delivery) => new("delivery", FormattableString.Invariant($"{delivery}"), await FollowShipments.OrganisationAsync(work), null);

    private sealed record Heard(long? ShipmentId, int Extra, bool IsDone);

    private sealed record News
    {
        public long EventId { get; init; }
        public int PartnerId { get; init; }
        public string Kind { get; init; } = "";
        public int Extra { get; init; }
        public long? ShipmentId { get; init; }
        public string Body { get; init; } = "";
        public int TellerId { get; init; }
        public long Last { get; init; }
    }

    private sealed record Answer
    {
        public long[] Shipments { get; init; } = [];
        public long? Delivery { get; init; }
        public int Extra { get; init; }
        public string[] ExtraKeys { get; init; } = [];
        public int[] ExtraPrefixes { get; init; } = [];
        public long? Last => Shipments.Length > 0 ? Shipments[^1] : null;
    }
}

/// <summary>Why a delivery is disputed, in the classes of HDA's guideline on exceptions; it is as long as such an exception of it is open.</summary>
internal static class Disputes
{
    public const string Over = "receipt.over", Short = "receipt.short", Declared = "receipt.declared", Damaged = "receipt.damaged", Unavailable = "receipt.unavailable";

    /// <summary>A short receipt is none: what is outstanding may still come.</summary>
    public static readonly string[] All = [Over, Declared, Damaged, Unavailable];

    public static (string Code, string Class)? OfDisposition(string? disposition) => disposition switch
    {
        "mismatch_class" or "mismatch_instance" or "mismatch_quantity" => (Declared, "Data Issue"),
        "damaged" => (Damaged, "Packaging and Labeling"),
        "recalled" or "expired" or "non_sellable_other" => (Unavailable, "Unavailable for Distribution"),
        _ => null,
    };
}
