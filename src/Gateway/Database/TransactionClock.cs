using Dapper;

namespace Gateway.Database;

/// <summary>Lets a transaction lie in the past, for the histories of demonstrations and tests. A live database knows the present only.</summary>
public static class TransactionClock
{
    /// <summary>From here on <c>gateway_now()</c> goes on from this moment, until the transaction ends or is moved again.</summary>
    /// <returns>The moment, as the transaction's rows will bear it.</returns>
    /// <exception cref="InvalidOperationException">The database is live.</exception>
    public static async Task<DateTime> MoveToAsync(Work work, DateTime moment) =>
        await work.Connection.ExecuteScalarAsync<DateTime?>("""
            select gateway_now() from (
                select set_config('app.clock_offset', (@moment - clock_timestamp() - clock_offset)::text, true) from installation where kind <> 'live') moved
            where moved.set_config <> ''
            """, new { moment }, work.Transaction)
        ?? throw Live();

    /// <exception cref="InvalidOperationException">The database is live.</exception>
    public static async Task RefuseLiveAsync(Work work)
    {
        if (await work.Connection.ExecuteScalarAsync<bool>("select kind = 'live' from installation", transaction: work.Transaction))
        {
            throw Live();
        }
    }

    private static InvalidOperationException Live() => new("The database is live: nothing can be written into its past.");
}
