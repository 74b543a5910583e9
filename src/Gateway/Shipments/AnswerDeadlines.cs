using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Exceptions;
using Microsoft.Extensions.Options;

namespace Gateway.Shipments;

/// <summary>What a partner owes and is late with.</summary>
/// <param name="Kind">receipt: its system has not said what became of documents; business: it has not said what of the goods it received.</param>
/// <param name="Oldest">When the first of them was due.</param>
public sealed record OverdueAnswers(int PartnerId, string Partner, string Kind, long Count, DateTime Oldest)
{
    /// <summary>Partner by partner, for whoever raises an alarm: nothing when nobody is late.</summary>
    public static async Task<IReadOnlyList<OverdueAnswers>> ReadAsync(Work work, CancellationToken ct) => (await work.Connection.QueryAsync<OverdueAnswers>(new CommandDefinition("""
        select p.partner_id as PartnerId, p.name as Partner, o.kind as Kind, count(*) as Count, min(o.due) as Oldest from (
            select partner_id, 'receipt' as kind, coalesce(receipt_due_at, finished_at) as due from delivery where state = 'delivered' and receipt = 'pending' and receipt_overdue
            union all
            select partner_id, 'business', business_due_at from delivery where business in ('awaited', 'partly') and business_overdue) o
        join partner p using (partner_id) group by 1, 2, 3 order by 1, 3
        """, transaction: work.Transaction, cancellationToken: ct))).AsList();
}

/// <summary>
/// Looks at what is due. Silence about goods means that they were received, unless the partner has promised to tell; what else is late opens an
/// exception: one for a partner as long as it is late with anything, one for a delivery of which a part did not arrive. Each ends by itself.
/// </summary>
internal sealed class AnswerDeadlines(GatewayDatabase database, IOptions<DeliveryOptions> options)
{
    public const string ReceiptOverdue = "receipt.overdue", Unanswered = "receipt.unanswered";

    private const string IsDue = "d.state = 'delivered' and d.business_due_at <= gateway_now()";
    private const string Promised = "exists (select from partner_profile f where f.partner_id = d.partner_id and f.tells_receipt)";

    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(FollowShipments.Gateway, ct);
        await work.Connection.ExecuteAsync($"update delivery d set business = 'assumed', business_at = gateway_now() where d.business = 'awaited' and {IsDue} and not {Promised}", transaction: work.Transaction);
        var organisation = await FollowShipments.OrganisationAsync(work);
        await ShortAsync(work, organisation);
        await LateAsync(work, organisation, Unanswered, $"business_overdue = true where d.business = 'awaited' and {IsDue} and not d.business_overdue and {Promised}",
            "d.business = 'awaited' and d.business_overdue", count => $"The partner has not told what it received of {count} deliveries in the agreed days.", "The partner has told what it received.");
        await LateAsync(work, organisation, ReceiptOverdue, "receipt_told = true, receipt_overdue = true where d.state = 'delivered' and d.receipt = 'pending' and coalesce(d.receipt_due_at, d.finished_at + @ReceiptOverdueAfter) <= gateway_now() and not d.receipt_told",
            "d.state = 'delivered' and d.receipt = 'pending' and d.receipt_told", count => $"The partner took {count} documents and has not said in time what became of them.", "The partner has said what became of its documents.");
        await work.CommitAsync();
    }

    private static async Task ShortAsync(Work work, int organisation)
    {
        foreach (var (id, expected, received) in await work.Connection.QueryAsync<(long Id, long Expected, long Received)>($"""
            with late as (update delivery d set business_overdue = true where d.business = 'partly' and {IsDue} and not d.business_overdue returning d.delivery_id)
            select l.delivery_id, coalesce(sum(s.units - s.taken_back), 0)::bigint, coalesce(sum(s.received), 0)::bigint from late l join shipment_sum s using (delivery_id) group by 1 order by 1
            """, transaction: work.Transaction))
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(Disputes.Short, Severity.Warning, $"Data No Product: the partner was told of {expected} units and has received {received}; {expected - received} are outstanding after the agreed days."), Of(id), []);
        }
        foreach (var id in await work.Connection.QueryAsync<string>("""
            select e.source_id from exception e where e.code = @Short and e.state = 'open' and e.source_kind = 'delivery' and not exists (select from delivery d where d.delivery_id = e.source_id::bigint and d.business = 'partly')
            """, new { Disputes.Short }, work.Transaction))
        {
            await ExceptionRecords.ResolveAsync(work, Disputes.Short, Of(long.Parse(id, CultureInfo.InvariantCulture)), "Nothing of it is outstanding any more.");
        }

        ExceptionSource Of(long delivery) => new("delivery", FormattableString.Invariant($"{delivery}"), organisation, null);
    }

    private async Task LateAsync(Work work, int organisation, string code, string become, string isLate, Func<long, string> message, string why)
    {
        foreach (var (partner, count) in await work.Connection.QueryAsync<(int Partner, long Count)>($"with late as (update delivery d set {become} returning d.partner_id) select partner_id, count(*) from late group by 1 order by 1",
            new { options.Value.ReceiptOverdueAfter }, work.Transaction))
        {
            await ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, Severity.Warning, message(count)) { Occurrences = (int)count }, Of(partner), []);
        }
        foreach (var partner in await work.Connection.QueryAsync<int>($"""
            select e.source_id::int from exception e where e.code = @code and e.state = 'open' and e.source_kind = 'partner' and not exists (select from delivery d where d.partner_id = e.source_id::int and {isLate})
            """, new { code }, work.Transaction))
        {
            await ExceptionRecords.ResolveAsync(work, code, Of(partner), why);
        }

        ExceptionSource Of(int partner) => new("partner", FormattableString.Invariant($"{partner}"), organisation, null);
    }
}
