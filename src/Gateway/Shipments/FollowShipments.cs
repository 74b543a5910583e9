using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;

namespace Gateway.Shipments;

/// <summary>
/// Follows what was shipped to partners until it is received: finds its units, hears what was said of them since, and judges what each delivery's
/// acknowledgement by the goods is. Every step is a transaction that marks what it has done, so it goes on where it stopped.
/// </summary>
internal sealed class FollowShipments(FindShippedUnits units, HearNews news, JudgeAnswers judge, AnswerDeadlines deadlines, Reconciliation reconciliation) : IChore
{
    internal static readonly Actor Gateway = Actor.System("shipments");

    // Judging can find that units have to be counted again, and then that is as it is.
    private const int Rounds = 2;

    public async Task RunAsync(CancellationToken ct)
    {
        var changed = new HashSet<long>();
        for (var round = 0; round < Rounds; round++)
        {
            while (await units.RunAsync(ct))
            {
            }
            while (await news.RunAsync(ct))
            {
            }
            while (await judge.RunAsync(ct) is { } judged)
            {
                changed.UnionWith(judged);
            }
        }
        await deadlines.RunAsync(ct);
        if (changed.Count > 0)
        {
            await reconciliation.RunAsync(changed, ct);
        }
    }

    /// <summary>Whose the exceptions about partners are: they name units and reasons that are nobody else's business.</summary>
    internal static Task<int> OrganisationAsync(Work work) => Dapper.SqlMapper.ExecuteScalarAsync<int>(work.Connection, "select party_id from party where kind = 'organisation' order by party_id limit 1", transaction: work.Transaction);
}
