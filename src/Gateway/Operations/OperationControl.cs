using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Operations;

/// <summary>What a person does with an operation that has begun.</summary>
public sealed class OperationControl(GatewayDatabase database)
{
    /// <returns>False when the operation is not in a state for it.</returns>
    public Task<bool> PauseAsync(Actor actor, long operationId, string reason, CancellationToken ct) => ChangeAsync(actor, operationId, "pause", reason, """
        update operation set state = 'paused', pause_reason = @reason, waiting_since = null, lease_token = null, lease_until = null where operation_id = @operationId and state = 'running'
        """, ct);

    /// <summary>Goes on, and with the next stage too: whoever resumes has seen what became of the one before.</summary>
    public Task<bool> ResumeAsync(Actor actor, long operationId, string reason, CancellationToken ct) => ChangeAsync(actor, operationId, "resume", reason, """
        update operation o set state = 'running', pause_reason = null,
            approved_stage = coalesce((select min(i.stage) from operation_item i where i.operation_id = o.operation_id and i.outcome = 'pending'), o.approved_stage)
        where operation_id = @operationId and state = 'paused'
        """, ct);

    /// <summary>Leaves the rest as it is. What was done stays done.</summary>
    public Task<bool> CancelAsync(Actor actor, long operationId, string reason, CancellationToken ct) => ChangeAsync(actor, operationId, "cancel", reason, """
        with ended as (
            update operation set state = 'cancelled', pause_reason = null, finished_at = gateway_now(), lease_token = null, lease_until = null
            where operation_id = @operationId and state in ('running', 'paused') returning operation_id),
        rest as (
            update operation_item i set outcome = 'cancelled', ended_at = gateway_now() from ended e where i.operation_id = e.operation_id and i.outcome = 'pending')
        select 1 from ended
        """, ct, isQuery: true);

    private async Task<bool> ChangeAsync(Actor actor, long operationId, string step, string reason, string change, CancellationToken ct, bool isQuery = false)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var done = isQuery
            ? await work.Connection.ExecuteScalarAsync<int>(change, new { operationId, reason }, work.Transaction)
            : await work.Connection.ExecuteAsync(change, new { operationId, reason }, work.Transaction);
        if (done == 0)
        {
            await work.RefuseAsync(new RefusedStep("operation", operationId.ToString(CultureInfo.InvariantCulture), step, "The operation is over, or paused or running already.",
                "select state, null::int from operation where operation_id = @key::bigint"));
            return false;
        }
        await work.CommitAsync();
        return true;
    }
}
