using System.Collections.Concurrent;
using System.Globalization;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Scheduling;

namespace Gateway.Partners;

/// <summary>The certificate that a partner's server showed last, at the address that the partner has now.</summary>
/// <param name="SeenAt">When it was first seen.</param>
/// <param name="Days">Until its end; below zero when it has ended.</param>
public sealed record PartnerCertificate(int PartnerId, string Host, string Subject, string Issuer, DateTime NotBefore, DateTime NotAfter, DateTime SeenAt, int Days)
{
    /// <summary>Its end is told.</summary>
    public bool Ends => Days <= Certificates.ToldDays[^1];

    /// <summary>In words.</summary>
    public string Words => Days < 0
        ? string.Create(CultureInfo.InvariantCulture, $"certificate expired on {NotAfter:yyyy-MM-dd}")
        : string.Create(CultureInfo.InvariantCulture, $"certificate ends on {NotAfter:yyyy-MM-dd}, in {Days} {(Days == 1 ? "day" : "days")}");
}

/// <summary>Keeps what partners' servers show when they are tested or sent to, and tells of certificates before they end (P11-39).</summary>
public sealed class Certificates(GatewayDatabase database)
{
    /// <summary>The code under which the end of a certificate is told before it comes, and when it came.</summary>
    public const string Ending = "partner.certificate";

    /// <summary>As the exceptions tell it that <see cref="TellAsync"/> opens and resolves.</summary>
    internal static AlarmCondition EndingAlarm { get; } = AlarmCondition.Of("alarm.certificate", AlarmSeverity.Warning, "certificates of partners that end or have ended", """
        select coalesce(nullif(y.gln, ''), 'partner ' || p.partner_id) as Subject, e.message as Sentence, 'partners/' || p.partner_id as Link, e.opened_at as Since, e.severity as Severity
        from exception e join partner p on p.partner_id::text = e.source_id join party y on y.party_id = p.party_id where e.code = @Ending and e.source_kind = 'partner' and e.state = 'open'
        """, _ => new { Ending });

    /// <summary>So many days before its end it is told anew.</summary>
    public static IReadOnlyList<int> ToldDays { get; } = [1, 7, 14, 30, 60];

    private const int ErrorDays = 7;

    // The address is the partner's now: what another server showed says nothing of it.
    private const string OfAddress = "from partner_certificate c join partner p using (partner_id) where p.channel in ('https', 'epcis') and regexp_replace(lower(substring(p.url from '^[Hh][Tt][Tt][Pp][Ss]://([^/?#]+)')), ':443$', '') = c.host";

    // What this node has seen last of each partner: nearly always the same, and then nothing is asked of the database.
    private readonly ConcurrentDictionary<int, (string Host, string Sha256, DateTime At)> _seen = new();

    // Another node may have seen another one meanwhile, at another of the partner's servers.
    private static readonly TimeSpan SeenFor = TimeSpan.FromMinutes(5);

    /// <summary>Keeps a certificate that is another than the last.</summary>
    public async Task SeenAsync(int partnerId, ServedCertificate served)
    {
        var (sha256, now) = (Convert.ToHexString(served.Sha256), DateTime.UtcNow);
        if (_seen.TryGetValue(partnerId, out var last) && (last.Host, last.Sha256) == (served.Host, sha256) && now - last.At < SeenFor)
        {
            return;
        }
        await using var work = await database.BeginAsync(Actor.System("certificates"), CancellationToken.None);
        await work.Connection.ExecuteAsync("""
            insert into partner_certificate as c (partner_id, party_id, host, sha256, subject, issuer, not_before, not_after, seen_at)
            select partner_id, party_id, @Host, @Sha256, @Subject, @Issuer, @NotBefore, @NotAfter, gateway_now() from partner where partner_id = @partnerId
            on conflict (partner_id) do update set host = @Host, sha256 = @Sha256, subject = @Subject, issuer = @Issuer, not_before = @NotBefore, not_after = @NotAfter, seen_at = gateway_now()
            where (c.host, c.sha256) is distinct from (@Host, @Sha256)
            """, new { partnerId, served.Host, served.Sha256, served.Subject, served.Issuer, served.NotBefore, served.NotAfter }, work.Transaction);
        await work.CommitAsync();
        _seen[partnerId] = (served.Host, sha256, now);
    }

    /// <summary>Of these partners, those of which one is known.</summary>
    public async Task<IReadOnlyList<PartnerCertificate>> OfAsync(Actor reader, IReadOnlyCollection<int> partners, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<PartnerCertificate>(new CommandDefinition($"""
            select c.partner_id as PartnerId, c.host as Host, c.subject as Subject, c.issuer as Issuer, c.not_before as NotBefore, c.not_after as NotAfter, c.seen_at as SeenAt,
                floor(extract(epoch from c.not_after - gateway_now()) / 86400)::int as Days
            {OfAddress} and c.partner_id = any(@partners)
            """, new { partners = partners.ToArray() }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>Tells of each certificate as its end comes nearer, once at each of the days before it.</summary>
    internal static async Task TellAsync(Work work)
    {
        var certificates = await work.Connection.QueryAsync<(int PartnerId, int PartyId, string Name, DateTime NotAfter, double Days, int? Told, bool IsCurrent)>($"""
            select c.partner_id, c.party_id, p.name, c.not_after, extract(epoch from c.not_after - gateway_now())::float8 / 86400, c.told_days, c.partner_id in (select c.partner_id {OfAddress})
            from partner_certificate c join partner p using (partner_id) where c.told_days is not null or c.not_after < gateway_now() + make_interval(days => @most) order by c.partner_id
            """, new { most = ToldDays[^1] }, work.Transaction);
        foreach (var c in certificates)
        {
            int? stage = !c.IsCurrent || c.Days > ToldDays[^1] ? null : c.Days < 0 ? 0 : ToldDays.First(d => c.Days <= d);
            if (stage == c.Told)
            {
                continue;
            }
            var source = new ExceptionSource("partner", c.PartnerId.ToString(CultureInfo.InvariantCulture), c.PartyId, null);
            if (c.Told is not null)
            {
                await ExceptionRecords.ResolveAsync(work, Ending, source, stage is null ? "Its server shows a certificate that is valid for longer, or is called no more." : "It is told anew, for the end is nearer.");
            }
            if (stage is { } days)
            {
                await ExceptionRecords.OpenAsync(work, new ExceptionFacts(Ending, days <= ErrorDays ? Severity.Error : Severity.Warning, days == 0
                    ? string.Create(CultureInfo.InvariantCulture, $"The certificate of {c.Name} expired on {c.NotAfter:yyyy-MM-dd}: nothing is sent to it until it shows another.")
                    : string.Create(CultureInfo.InvariantCulture, $"The certificate of {c.Name} ends on {c.NotAfter:yyyy-MM-dd}, within {days} {(days == 1 ? "day" : "days")}: after that nothing is sent to it.")), source, []);
            }
            await work.Connection.ExecuteAsync("update partner_certificate set told_days = @stage where partner_id = @PartnerId", new { stage, c.PartnerId }, work.Transaction);
        }
    }
}

/// <summary>Days pass without anybody doing anything.</summary>
internal sealed class WatchCertificates(GatewayDatabase database) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("certificates"), ct);
        await Certificates.TellAsync(work);
        await work.CommitAsync();
    }
}
