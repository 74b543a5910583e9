using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;

namespace Gateway.Lines;

/// <summary>The scheduled comparison: every run that has ended and is not closed, with what machines, the warehouse and who counts pallets say of it.</summary>
public sealed class CompareRuns(GatewayDatabase database, RunCounts counts) : IChore
{
    /// <summary>How often it is done.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    public async Task RunAsync(CancellationToken ct)
    {
        List<Guid> ended;
        await using (var work = await database.BeginAsync(Actor.System("reconciliation"), ct))
        {
            ended = (await work.Connection.QueryAsync<Guid>(new CommandDefinition("""
                select public_id from run r where state in ('ended', 'reconciled')
                  and (exists (select from run_counter c where c.run_id = r.run_id) or exists (select from run_count c where c.run_id = r.run_id)) order by run_id
                """, transaction: work.Transaction, cancellationToken: ct))).AsList();
        }
        foreach (var run in ended)
        {
            await counts.CompareAsync(run, ct);
        }
    }
}
