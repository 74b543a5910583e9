using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Microsoft.Extensions.Options;

namespace Gateway.Operations;

/// <summary>Begins an operation: who asks, why, and the set of deliveries as it is at this moment, all in one transaction.</summary>
public sealed class BeginOperation(GatewayDatabase database, IOptions<OperationOptions> options)
{
    /// <summary>Who begins an operation on more than so many types the partner's name.</summary>
    public const int ManyItems = 1000;

    public static IReadOnlyList<string> Kinds { get; } = ["retry", "replay", "close"];

    public async Task<Begun> RunAsync(Actor actor, OperationRequest request, CancellationToken ct)
    {
        if (!Kinds.Contains(request.Kind))
        {
            return No(Refused.KindUnknown, $"kind is one of {string.Join(", ", Kinds)}.");
        }
        if (request.Rate is < 1 or > 1000)
        {
            return No(Refused.RateImpossible, "rate is 1 to 1000 deliveries a second.");
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var filter = request.Filter with { Before = null };
        var partner = await work.Connection.QuerySingleOrDefaultAsync<(int Id, string Name)?>("""
            select partner_id, name from partner where partner_id = @PartnerId or partner_id = (select partner_id from partner_gln where gln = @PartnerGln)
            """, new { filter.PartnerId, filter.PartnerGln }, work.Transaction);
        if (partner is not { } to)
        {
            return No(Refused.NoPartner, "An operation is on the deliveries of one partner: name it.");
        }
        // Whoever asks at the same time with the same key waits here, and then finds the other's.
        await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('operation ' || @party || ' ' || @Key, 0))", new { party = actor.PartyId ?? 0, request.Key }, work.Transaction);
        if (await work.Connection.QuerySingleOrDefaultAsync<(long Id, string Kind, string Filter, string Reason)?>($"""
            select operation_id, kind, filter, reason from operation where party_id = {Party} and request_key = @Key
            """, new { actor.PartyId, request.Key }, work.Transaction) is { } before)
        {
            return before == (before.Id, request.Kind, filter.ToQueryString(), request.Reason)
                ? new Begun(before.Id, IsNew: false)
                : No(Refused.KeyReused, "This request key was used for another operation.");
        }
        var frozen = await DeliveryOverview.FreezeAsync(work, actor, filter, request.Kind, options.Value.MaxItems + 1, ct);
        if (frozen.Count == 0)
        {
            return No(Refused.Nothing, $"No delivery in this selection can be {(request.Kind == "close" ? "closed" : request.Kind == "retry" ? "retried" : "replayed")}.");
        }
        if (frozen.Count > options.Value.MaxItems)
        {
            return No(Refused.TooMany, $"An operation takes at most {options.Value.MaxItems} deliveries: narrow the selection.");
        }
        if (frozen.Count > ManyItems && request.Confirm != to.Name)
        {
            return No(Refused.NotConfirmed, $"These are {frozen.Count} deliveries: confirm with the partner's name.");
        }
        var id = await work.Connection.ExecuteScalarAsync<long>($"""
            insert into operation (party_id, request_key, kind, partner_id, partner_name, filter, filter_words, reason, actor, actor_name, actor_role, method, origin, rate, total, created_at)
            values ({Party}, @Key, @Kind, @partnerId, @partnerName, @filter, @words, @Reason, @Id, @Name, @Role, @Method, @Origin, @rate, @total, gateway_now())
            returning operation_id
            """, new
        {
            actor.PartyId, request.Key, request.Kind, partnerId = to.Id, partnerName = to.Name, filter = filter.ToQueryString(), words = filter.ToWords(), request.Reason,
            actor.Id, actor.Name, actor.Role, actor.Method, actor.Origin, rate = request.Rate ?? options.Value.Rate, total = frozen.Count,
        }, work.Transaction);
        // One, ten, a hundred, the rest.
        await work.Connection.ExecuteAsync($"""
            insert into operation_item (operation_id, ordinal, party_id, stage, delivery_id, version)
            select @id, n, {Party}, case when n <= 1 then 1 when n <= 11 then 2 when n <= 111 then 3 else 4 end, d, v from unnest(@deliveries, @versions) with ordinality as f (d, v, n)
            """, new { id, actor.PartyId, deliveries = frozen.Select(f => f.DeliveryId).ToArray(), versions = frozen.Select(f => f.Version).ToArray() }, work.Transaction);
        await work.CommitAsync();
        return new Begun(id, IsNew: true);
    }

    // The gateway's own processes, such as the command line, act for the organisation.
    private const string Party = "coalesce(@PartyId, (select party_id from party where kind = 'organisation'))";

    private static Begun No(Refused refused, string detail) => new(0, false, refused, detail);
}
