using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Delivery;

/// <param name="State">As stored.</param>
/// <param name="Reason">Why it is dead.</param>
/// <param name="Shown">What a person is told: queued, sending, retrying, held, sent, delivered, needs decision, closed.</param>
public sealed record DeliveryItem(
    long Id, string State, string Shown, string Partner, string PartnerName, int Attempts, string? Reason, string? Code, string Ordering, long Document, Guid MessageId,
    string Receipt, long? ReplayOf, int Version, DateTime CreatedAt, DateTime DueAt, DateTime? FinishedAt);

public sealed record AttemptItem(int Number, DateTime StartedAt, DateTime? EndedAt, int? Status, string? Code, string? Verdict, string? Response);

public sealed class DeliveryList(GatewayDatabase database)
{
    private const string Select = """
        select d.delivery_id as "Id", d.state as "State",
            case d.state when 'dead' then 'needs decision' when 'closed' then 'closed' when 'delivered' then case d.receipt when 'pending' then 'sent' else 'delivered' end
                else case when d.lease_until > (select gateway_now()) then 'sending' when p.state = 'paused' or b.open_until > (select gateway_now()) then 'held'
                          when d.attempts > 0 then 'retrying' else 'queued' end end as "Shown",
            coalesce(y.gln, '') as "Partner", p.name as "PartnerName", d.attempts as "Attempts", d.dead_reason as "Reason", d.code as "Code", d.ordering as "Ordering", d.document_id as "Document",
            d.message_id as "MessageId", d.receipt as "Receipt", d.replay_of as "ReplayOf", d.version as "Version", d.created_at as "CreatedAt", d.due_at as "DueAt", d.finished_at as "FinishedAt"
        from delivery d join partner p using (partner_id) join party y on y.party_id = p.party_id left join breaker b on b.partner_id = d.partner_id
        """;

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<DeliveryItem>> ListAsync(Actor actor, string? state, string? partnerGln, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var rows = await work.Connection.QueryAsync<DeliveryItem>(Select + """

            where (@state::text is null or d.state = @state) and (@before::bigint is null or d.delivery_id < @before)
              and (@partnerGln::text is null or d.partner_id in (select partner_id from partner_gln where gln = @partnerGln))
            order by d.delivery_id desc limit @limit
            """, new { state, partnerGln, before, limit }, work.Transaction);
        return rows.AsList();
    }

    public async Task<DeliveryItem?> FindAsync(Actor actor, long id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<DeliveryItem>(Select + " where d.delivery_id = @id", new { id }, work.Transaction);
    }

    public async Task<IReadOnlyList<AttemptItem>> AttemptsAsync(Actor actor, long id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var rows = await work.Connection.QueryAsync<AttemptItem>("""
            select number as "Number", started_at as "StartedAt", ended_at as "EndedAt", status as "Status", code as "Code", verdict as "Verdict", response as "Response"
            from attempt where delivery_id = @id order by number
            """, new { id }, work.Transaction);
        return rows.AsList();
    }
}
