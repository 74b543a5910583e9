using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Query;

/// <summary>
/// Where a listing stands. Ids of events are not given in the order of commits, so "greater than the last" alone would miss
/// the events of a capture that commits late. A listing therefore goes through what one snapshot of the database saw, and
/// then, page by page, through what was committed since: nothing is missed, nothing comes twice, whoever writes meanwhile.
/// </summary>
/// <param name="Query">The parameters of the query: a listing keeps them.</param>
/// <param name="Seen">The snapshot whose events were all listed; null at the start.</param>
/// <param name="Current">The snapshot whose events are being listed; null when the next page takes one.</param>
/// <param name="After">The last event listed of it.</param>
/// <param name="Expires">In seconds of the Unix epoch.</param>
internal sealed record EventPosition(string Query, string? Seen, string? Current, long After, long Expires)
{
    public string ToToken() => PageToken.Seal(JsonSerializer.Serialize(this));

    /// <returns>Null when the token is not one of ours.</returns>
    public static EventPosition? OfToken(string token)
    {
        try
        {
            return PageToken.Open(token) is { } content && JsonSerializer.Deserialize<EventPosition>(content) is { Query: not null } position
                && IsSnapshot(position.Seen) && IsSnapshot(position.Current) ? position : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>xmin:xmax:running, as PostgreSQL writes a snapshot; it refuses any other with an error.</summary>
    private static bool IsSnapshot(string? text)
    {
        if (text is null)
        {
            return true;
        }
        if (text.Split(':') is not [var from, var to, var running] || !Number(from, out var xmin) || !Number(to, out var xmax) || xmin == 0 || xmin > xmax)
        {
            return false;
        }
        var last = xmin;
        return running.Length == 0 || running.Split(',').All(r =>
        {
            var isInOrder = Number(r, out var xid) && xid >= last && xid < xmax;
            last = xid;
            return isInOrder;
        });
    }

    private static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>One page of events.</summary>
/// <param name="Next">The next page's position; null at the end.</param>
internal sealed record EventPage(long[] EventIds, EventPosition? Next, DateTime Now);

internal static class EventPages
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    /// <returns>Null when the position has expired.</returns>
    public static async Task<EventPage?> ReadAsync(Work work, EventFilter filter, EventPosition position, int size)
    {
        var (snapshot, now) = await work.Connection.QuerySingleAsync<(string, DateTime)>("select pg_current_snapshot()::text, gateway_now()", transaction: work.Transaction);
        var seconds = new DateTimeOffset(now, TimeSpan.Zero).ToUnixTimeSeconds();
        if (position.Expires < seconds)
        {
            return null;
        }
        var isOpening = position is { Seen: null, Current: null };
        var current = position.Current ?? snapshot;
        var values = filter.Values;
        values.Add("after", position.After);
        values.Add("current", current);
        values.Add("seen", position.Seen);
        values.Add("limit", size + 1);
        var ids = (await work.Connection.QueryAsync<long>(PageSql(filter.Where, position.Seen is not null), values, work.Transaction)).AsList();
        EventPosition? next = null;
        var expires = seconds + (long)Lifetime.TotalSeconds;
        if (ids.Count > size)
        {
            next = position with { Current = current, After = ids[size - 1], Expires = expires };
        }
        else if (!isOpening && await work.Connection.ExecuteScalarAsync<bool>(SinceSql(filter.Where), values, work.Transaction))
        {
            next = position with { Seen = current, Current = null, After = 0, Expires = expires };
        }
        return new EventPage([.. ids.Take(size)], next, now);
    }

    internal static string PageSql(string where, bool isSince) =>
        "select e.event_id from event e where not e.internal and e.event_id > @after and pg_visible_in_snapshot(e.txid, @current::pg_snapshot)"
        + (isSince ? " and e.txid >= pg_snapshot_xmin(@seen::pg_snapshot) and not pg_visible_in_snapshot(e.txid, @seen::pg_snapshot)" : "")
        + where + " order by e.event_id limit @limit";

    private static string SinceSql(string where) =>
        "select exists (select from event e where not e.internal and e.txid >= pg_snapshot_xmin(@current::pg_snapshot) and not pg_visible_in_snapshot(e.txid, @current::pg_snapshot)" + where + ")";
}
