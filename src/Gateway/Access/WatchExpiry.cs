using Dapper;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging;

namespace Gateway.Access;

/// <summary>A certificate that this node works with.</summary>
/// <param name="Name">Begins a sentence.</param>
public sealed record ExpiringCertificate(string Name, DateTime NotAfter);

/// <summary>Warns of keys and certificates 60, 30, 7 and 1 days before they expire: in the log once each, and on the page Health until they are renewed.</summary>
public sealed partial class WatchExpiry(GatewayDatabase database, NodeFaults faults, IEnumerable<ExpiringCertificate> certificates, ILogger<WatchExpiry> logger) : IChore
{
    private static readonly int[] Days = [1, 7, 30, 60];

    private readonly HashSet<string> _told = [];

    private sealed record Expiring(string Name, DateTime At, DateTime Now);

    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("access"), ct);
        var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
        var keys = await work.Connection.QueryAsync<Expiring>("""
            select 'The key ' || key_id || ' (' || name || ')' as Name, expires_at as At, gateway_now() as Now from api_key k
            where revoked_at is null and expires_at > gateway_now() and expires_at <= gateway_now() + interval '60 days' order by key_id
            """, transaction: work.Transaction);
        var warnings = keys.Concat(certificates.Select(c => new Expiring(c.Name, c.NotAfter, now))).Select(WarningOf).Where(w => w.Sentence is not null).ToDictionary(w => w.What, w => w.Sentence!);
        foreach (var gone in _told.Except(warnings.Keys).ToList())
        {
            _told.Remove(gone);
            faults.Mended(gone);
        }
        foreach (var (what, sentence) in warnings)
        {
            _told.Add(what);
            if (faults.Found(what, sentence, isFatal: false))
            {
                Expires(sentence);
            }
        }
    }

    // The same sentence until the next of the days, so that it is logged once for each.
    private static (string What, string? Sentence) WarningOf(Expiring e) => ($"expiry {e.Name}", (e.At - e.Now).TotalDays switch
    {
        <= 0 => $"{e.Name} has expired: renew it.",
        var left when Days.FirstOrDefault(d => left <= d) is var day and > 0 => $"{e.Name} expires in {day} {(day == 1 ? "day" : "days")} or less, on {e.At:yyyy-MM-dd} at {e.At:HH:mm} UTC: renew it in time.",
        _ => null,
    });

    [LoggerMessage(1310, LogLevel.Warning, "{Sentence}")]
    private partial void Expires(string sentence);
}
