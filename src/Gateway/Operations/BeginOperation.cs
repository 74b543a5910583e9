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

    /// <summary>Of a signed operation, whose id is the request's key.</summary>
    public const string RecordType = "operation";

    /// <summary>The meaning of the signature that closing many deliveries takes.</summary>
    public const string Meaning = "responsibility";

    public async Task<Begun> RunAsync(Actor actor, OperationRequest request, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var begun = await RunAsync(work, actor, request, signature: null, ct);
        if (begun is { Refused: Refused.None, IsNew: true })
        {
            await work.CommitAsync();
        }
        return begun;
    }

    /// <summary>Begins it in the transaction of its signature, which covers the set as it was shown.</summary>
    public Task<Begun> SignedAsync(Work work, Actor signer, OperationRequest request, Signature signature) => RunAsync(work, signer, request, signature, CancellationToken.None);

    /// <summary>The operation as it would begin now: what is to be done to which deliveries, in which state, and why.</summary>
    public async Task<SignableRecord?> RecordAsync(Actor signer, OperationRequest request, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(signer, ct);
        var filter = request.Filter with { Before = null };
        var frozen = await DeliveryOverview.FreezeAsync(work, signer, filter, request.Kind, options.Value.MaxItems + 1, ct);
        return frozen.Count == 0 ? null : new SignableRecord(RecordType, request.Key, 1, $"{(request.Kind == "close" ? "Close" : request.Kind)} {frozen.Count} deliveries: {filter.ToWords()}. {request.Reason}",
            await ContentAsync(work, request, filter, frozen), [signer.Id]);
    }

    private static Task<byte[]> ContentAsync(Work work, OperationRequest request, DeliveryFilter filter, IReadOnlyList<(long DeliveryId, int Version)> frozen) => work.Connection.ExecuteScalarAsync<byte[]>("""
        select content_sha256(jsonb_build_object('kind', @Kind::text, 'filter', @filter::text, 'reason', @Reason::text, 'deliveries', to_jsonb(@deliveries::bigint[]), 'versions', to_jsonb(@versions::int[])))
        """, new { request.Kind, filter = filter.ToQueryString(), request.Reason, deliveries = frozen.Select(f => f.DeliveryId).ToArray(), versions = frozen.Select(f => f.Version).ToArray() }, work.Transaction)!;

    private async Task<Begun> RunAsync(Work work, Actor actor, OperationRequest request, Signature? signature, CancellationToken ct)
    {
        if (!Kinds.Contains(request.Kind))
        {
            return No(Refused.KindUnknown, $"kind is one of {string.Join(", ", Kinds)}.");
        }
        if (request.Rate is < 1 or > 1000)
        {
            return No(Refused.RateImpossible, "rate is 1 to 1000 deliveries a second.");
        }
        await work.ActAsAsync(actor with { Reason = request.Reason }, ct);
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
        if (request.Kind == "close" && frozen.Count > options.Value.SignAbove && signature is null)
        {
            return No(Refused.NotSigned, $"Closing {frozen.Count} deliveries needs a signature: do it in the dashboard, as a person. Up to {options.Value.SignAbove} need none.");
        }
        if (signature is not null && !signature.Covers(1, await ContentAsync(work, request, filter, frozen)))
        {
            return No(Refused.NotSigned, "The deliveries have changed since: look at them again.");
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
        return new Begun(id, IsNew: true);
    }

    // The gateway's own processes, such as the command line, act for the organisation.
    private const string Party = "coalesce(@PartyId, (select party_id from party where kind = 'organisation'))";

    private static Begun No(Refused refused, string detail) => new(0, false, refused, detail);
}
