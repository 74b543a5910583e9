using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Gateway.Partners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Delivery;

/// <summary>How a partner did with the documents of some days. Replays count no document twice.</summary>
/// <param name="Until">The last day.</param>
/// <param name="Documents">Queued for it in these days, without those it does not get.</param>
/// <param name="FirstTry">Of the accepted ones, with one attempt.</param>
/// <param name="Rejected">Taken by nobody, because the partner refused them.</param>
/// <param name="MedianMinutes">From capture to when it was accepted.</param>
/// <param name="OldestWaiting">When the oldest that waits was queued.</param>
/// <param name="DownMinutes">Within which at least two attempts in a row failed on its side or the network's, up to the next that was answered.</param>
public sealed record Scorecard(
    DateOnly From, DateOnly Until, long Documents, long Accepted, long FirstTry, long Rejected, long Waiting, long Undecided, IReadOnlyList<RejectCount> Rejects, double? MedianMinutes, double? P95Minutes,
    DateTime? OldestWaiting, double DownMinutes)
{
    /// <summary>In hundredths; null when nothing was accepted.</summary>
    public double? FirstTryPercent => Accepted == 0 ? null : Math.Round(100.0 * FirstTry / Accepted, 1);
}

/// <param name="Code">As attempts name it.</param>
public sealed record RejectCount(string Code, long Count);

/// <summary>The scorecards of partners: one question each.</summary>
public sealed class Scorecards(GatewayDatabase database)
{
    /// <summary>Days that are shown when nobody says which.</summary>
    public const int UsualDays = 30;

    private const int MaxDays = 400;

    /// <summary>Reads the days as they are asked for; the last thirty when they are not.</summary>
    /// <returns>Why they cannot be, or null.</returns>
    public static string? Read(string? from, string? until, DateOnly today, out DateOnly first, out DateOnly last)
    {
        first = last = today;
        if (!string.IsNullOrEmpty(until) && !TryRead(until, out last) || !string.IsNullOrEmpty(from) && !TryRead(from, out first))
        {
            return "from and until are days of UTC such as 2026-11-21.";
        }
        first = string.IsNullOrEmpty(from) ? last.AddDays(1 - UsualDays) : first;
        return first > last || last.DayNumber - first.DayNumber >= MaxDays ? $"from comes before until, at most {MaxDays} days." : null;

        static bool TryRead(string text, out DateOnly day) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day) && day.Year is >= 2000 and < 9999;
    }

    public async Task<Scorecard> FindAsync(Actor reader, int partnerId, DateOnly first, DateOnly last, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var row = await work.Connection.QuerySingleAsync<Row>(new CommandDefinition("""
            with d as materialized (
                select d.state, d.dead_reason, coalesce(d.code, 'unknown') as code, d.attempts, d.receipt, d.created_at, extract(epoch from coalesce(d.receipt_at, d.finished_at) - c.created_at) / 60 as minutes
                from delivery d left join capture c using (capture_id)
                where d.partner_id = @partnerId and d.created_at >= @from and d.created_at < @to and d.replay_of is null),
            refused as (select code, count(*) as n from d where dead_reason = 'refused' and state in ('dead', 'closed') group by code),
            tried as (
                select a.started_at, a.ended_at, coalesce(a.verdict in ('theirs', 'network'), false) as failed,
                    row_number() over (order by a.ended_at, a.delivery_id, a.number) - row_number() over (partition by coalesce(a.verdict in ('theirs', 'network'), false) order by a.ended_at, a.delivery_id, a.number) as island,
                    lead(a.ended_at) over (order by a.ended_at, a.delivery_id, a.number) as next_at
                from attempt a where a.party_id = (select party_id from partner where partner_id = @partnerId) and a.ended_at >= @from and a.ended_at < @to),
            down as (select min(started_at) as began, max(coalesce(next_at, ended_at)) as ended from tried where failed group by island having count(*) > 1)
            select count(*) as "Documents", count(*) filter (where state = 'delivered' and receipt <> 'pending') as "Accepted", count(*) filter (where state = 'delivered' and receipt <> 'pending' and attempts = 1) as "FirstTry",
                (select coalesce(sum(n), 0) from refused)::bigint as "Rejected", count(*) filter (where state = 'due' or state = 'delivered' and receipt = 'pending') as "Waiting", count(*) filter (where state = 'dead') as "Undecided",
                coalesce((select jsonb_agg(jsonb_build_object('code', code, 'count', n) order by n desc, code) from refused), '[]')::text as "Rejects",
                percentile_cont(0.5) within group (order by minutes) filter (where state = 'delivered' and receipt <> 'pending') as "MedianMinutes",
                percentile_cont(0.95) within group (order by minutes) filter (where state = 'delivered' and receipt <> 'pending') as "P95Minutes",
                min(created_at) filter (where state = 'due') as "OldestWaiting",
                coalesce((select sum(extract(epoch from ended - began)) / 60 from down), 0)::float8 as "DownMinutes"
            from d
            """, new { partnerId, from = first.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc), to = last.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc) }, work.Transaction, cancellationToken: ct));
        return new Scorecard(first, last, row.Documents, row.Accepted, row.FirstTry, row.Rejected, row.Waiting, row.Undecided, JsonSerializer.Deserialize<RejectCount[]>(row.Rejects, JsonSerializerOptions.Web)!,
            Rounded(row.MedianMinutes), Rounded(row.P95Minutes), row.OldestWaiting, Math.Round(row.DownMinutes, 1));

        static double? Rounded(double? minutes) => minutes is { } m ? Math.Round(m, 2) : null;
    }

    // Properties, because nulls of these types do not come through a constructor.
    private sealed record Row
    {
        public long Documents { get; init; }
        public long Accepted { get; init; }
        public long FirstTry { get; init; }
        public long Rejected { get; init; }
        public long Waiting { get; init; }
        public long Undecided { get; init; }
        public string Rejects { get; init; } = "[]";
        public double? MedianMinutes { get; init; }
        public double? P95Minutes { get; init; }
        public DateTime? OldestWaiting { get; init; }
        public double DownMinutes { get; init; }
    }
}

/// <summary>Scorecards over REST, as JSON or CSV.</summary>
public static class ScorecardEndpoints
{
    public static void MapScorecards(this IEndpointRouteBuilder app) =>
        app.MapGet("/api/partners/{gln}/scorecard", FindAsync).RequireAuthorization(Permissions.ReadPartners);

    private static async Task<IResult> FindAsync(HttpContext context, string gln, string? from, string? until, string? format, Scorecards scorecards, PartnerDirectory directory, TimeProvider time, CancellationToken ct)
    {
        if ((Scorecards.Read(from, until, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), out var first, out var last) ?? (format is null or "json" or "csv" ? null : "format is json or csv.")) is { } refusal)
        {
            return Problems.BadParameter(refusal);
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        var card = await scorecards.FindAsync(context.Actor(), partner.Id, first, last, ct);
        return format == "csv" ? Results.Text(Csv(partner.Gln, partner.Name, card), "text/csv; charset=utf-8") : TypedResults.Ok(card);
    }

    /// <summary>A row for each figure.</summary>
    public static string Csv(string gln, string name, Scorecard c)
    {
        List<(string Figure, object? Value)> rows =
        [
            ("gln", gln), ("name", name), ("from", c.From.ToString("O", CultureInfo.InvariantCulture)), ("until", c.Until.ToString("O", CultureInfo.InvariantCulture)), ("documents", c.Documents), ("accepted", c.Accepted),
            ("firstTry", c.FirstTry), ("firstTryPercent", c.FirstTryPercent), ("rejected", c.Rejected), .. c.Rejects.Select(r => ($"rejected {r.Code}", (object?)r.Count)), ("waiting", c.Waiting), ("undecided", c.Undecided),
            ("medianMinutes", c.MedianMinutes), ("p95Minutes", c.P95Minutes), ("oldestWaiting", c.OldestWaiting), ("downMinutes", c.DownMinutes),
        ];
        return string.Join("\r\n", [Http.Csv.Row("figure", "value"), .. rows.Select(r => Http.Csv.Row(r.Figure, r.Value))]) + "\r\n";
    }
}
