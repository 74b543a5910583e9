using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;

namespace Gateway.Serials;

/// <summary>Generates numbers ahead into pools whose stock is low.</summary>
public sealed class RefillPools(GatewayDatabase database) : IChore
{
    private const int AtOnce = 20_000; // who asks for numbers of the product waits for no more than these
    private static readonly Actor Gateway = Actor.System("serials");

    public async Task RunAsync(CancellationToken ct)
    {
        var pools = await database.ReadAsync<int>(Gateway, "select pool_id from serial_pool where state = 'active' and stock > 0 order by pool_id", null, ct);
        foreach (var poolId in pools)
        {
            long missing = long.MaxValue;
            while (missing > 0)
            {
                await using var work = await database.BeginAsync(Gateway, ct);
                await SerialPools.LockAsync(work, await work.Connection.ExecuteScalarAsync<long>("select item from serial_pool where pool_id = @poolId", new { poolId }, work.Transaction), ct);
                var pool = await work.Connection.QuerySingleAsync<SerialPool>($"{SerialPools.Rows} where p.pool_id = @poolId", new { poolId }, work.Transaction);
                // What is missing is told by the first look; the mark is passed before the stock is full.
                missing = missing == long.MaxValue ? pool.Missing : Math.Min(missing, pool.Generable);
                var made = missing == 0 ? [] : await MakeNumbers.AddAsync(work, pool, (int)Math.Min(missing, AtOnce), null, ct);
                await work.CommitAsync();
                missing = made.Count == 0 ? 0 : missing - made.Count;
            }
        }
    }
}
