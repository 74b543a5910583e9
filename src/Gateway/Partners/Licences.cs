using System.Globalization;
using System.Text.Json;
using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Scheduling;
using Npgsql;

namespace Gateway.Partners;

/// <summary>
/// Who is an authorised trading partner. A partner that needs a licence and has none that is valid today is paused before anything more is
/// sent to it, and goes on by itself when one is recorded, or when somebody answers for it under signature (docs/decisions/0032).
/// </summary>
public sealed class Licences(GatewayDatabase database, GoLive goLive)
{
    public const string Meaning = "licence exception";

    /// <summary>Why such a partner is paused.</summary>
    public const string Waiting = "No licence of it is valid today: record one on the partner's page, or answer for an exception under signature.";

    /// <summary>The code under which the end of a licence is told before it comes, and when it came.</summary>
    public const string Ends = "partner.licence";

    /// <summary>An exception is for no longer.</summary>
    public const int MaxExceptionDays = 30;

    /// <summary>As the exceptions tell it that <see cref="TellAsync"/> opens and resolves.</summary>
    internal static AlarmCondition Ending { get; } = AlarmCondition.Of("alarm.licence", AlarmSeverity.Warning, "licences of partners that end or have ended", """
        select coalesce(nullif(y.gln, ''), 'partner ' || p.partner_id) as Subject, e.message as Sentence, 'partners/' || p.partner_id as Link, e.opened_at as Since, e.severity as Severity
        from exception e join partner p on p.partner_id::text = e.source_id join party y on y.party_id = p.party_id where e.code = @Ends and e.source_kind = 'partner' and e.state = 'open'
        """, _ => new { Ends });

    private const int ToldDaysBefore = 60;
    private const string NotSigned = "GW052";

    public async Task<LicenceStanding?> FindAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        if (await work.Connection.QuerySingleOrDefaultAsync<(bool Needs, DateOnly? Until)?>("select needs_licence, licence_until(partner_id) from partner where partner_id = @partnerId", new { partnerId }, work.Transaction) is not { } found)
        {
            return null;
        }
        var licences = await work.Connection.QueryAsync<LicenceItem>("""
            select licence_id as LicenceId, kind as Kind, number as Number, issuer as Issuer, region as Region, valid_from as ValidFrom, valid_until as ValidUntil, evidence as Evidence, checked_at as CheckedAt, checked_by as CheckedBy,
                case when withdrawn then 'withdrawn' when valid_until < gateway_now()::date then 'lapsed' when valid_from > gateway_now()::date then 'not yet valid' else 'valid' end as State, version as Version
            from licence where partner_id = @partnerId order by withdrawn, valid_until desc, licence_id desc limit 200
            """, new { partnerId }, work.Transaction);
        var exceptions = await work.Connection.QueryAsync<LicenceExceptionItem>("""
            select until as Until, why as Why, signed_by as SignedBy, signed_at as SignedAt, until >= gateway_now()::date as Stands from licence_exception where partner_id = @partnerId order by exception_id desc limit 50
            """, new { partnerId }, work.Transaction);
        return new LicenceStanding(found.Needs, found.Until, licences.AsList(), exceptions.AsList());
    }

    /// <summary>Says whether a partner needs one. What is signed for one that has none is not said away.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> NeedAsync(Actor actor, int partnerId, bool needs, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync("update partner set needs_licence = @needs where partner_id = @partnerId and (@needs or not needs_licence or licence_until(partner_id) is not null)", new { partnerId, needs }, work.Transaction) == 0)
        {
            return await work.Connection.ExecuteScalarAsync<bool>("select exists (select from partner where partner_id = @partnerId)", new { partnerId }, work.Transaction)
                ? await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), "need no licence", "No licence of it is valid today: that it needs none is said after somebody has answered for an exception under signature.",
                    "select concat_ws(': ', state, pause_reason), version from partner where partner_id = @key::int"))
                : "There is no such partner.";
        }
        await HoldAsync(work, goLive, partnerId);
        await work.CommitAsync();
        return null;
    }

    /// <summary>Records a licence that somebody has looked up.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> AddAsync(Actor actor, int partnerId, Licence licence, string reason, CancellationToken ct)
    {
        if (licence.Refuse() is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        try
        {
            await work.Connection.ExecuteAsync("""
                insert into licence (partner_id, party_id, kind, number, issuer, region, valid_from, valid_until, evidence, checked_at, checked_by)
                select partner_id, party_id, @Kind, @number, @issuer, @Region, @ValidFrom, @ValidUntil, @evidence, gateway_now(), current_setting('app.actor_name') from partner where partner_id = @partnerId
                """, new { partnerId, licence.Kind, number = licence.Number!.Trim(), issuer = licence.Issuer!.Trim(), licence.Region, licence.ValidFrom, licence.ValidUntil, evidence = licence.Evidence?.Trim() ?? "" }, work.Transaction);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return "This licence is on record already: note that you have looked it up again, or withdraw it.";
        }
        await HoldAsync(work, goLive, partnerId);
        await work.CommitAsync();
        return null;
    }

    /// <summary>Notes that somebody has looked a licence up again, and that it is as recorded.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> CheckAsync(Actor actor, int partnerId, int licenceId, string reason, CancellationToken ct) =>
        ChangeAsync(actor, partnerId, licenceId, "check", "checked_at = gateway_now(), checked_by = current_setting('app.actor_name')", reason, ct);

    /// <summary>It was revoked, or a mistake: it authorises nothing any more.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public Task<string?> WithdrawAsync(Actor actor, int partnerId, int licenceId, string reason, CancellationToken ct) => ChangeAsync(actor, partnerId, licenceId, "withdraw", "withdrawn = true", reason, ct);

    private async Task<string?> ChangeAsync(Actor actor, int partnerId, int licenceId, string step, string change, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync($"update licence set {change}, version = version + 1 where licence_id = @licenceId and partner_id = @partnerId and not withdrawn", new { licenceId, partnerId }, work.Transaction) == 0)
        {
            return await work.Connection.ExecuteScalarAsync<bool>("select exists (select from licence where licence_id = @licenceId and partner_id = @partnerId)", new { licenceId, partnerId }, work.Transaction)
                ? await work.RefuseAsync(new RefusedStep("licence", licenceId.ToString(CultureInfo.InvariantCulture), step, "The licence is withdrawn.", "select case when withdrawn then 'withdrawn' else 'recorded' end, version from licence where licence_id = @key::int"))
                : "There is no such licence.";
        }
        await HoldAsync(work, goLive, partnerId);
        await work.CommitAsync();
        return null;
    }

    /// <summary>The partner with the exception that is to be made of it, as it is signed; null when there is none.</summary>
    public async Task<SignableRecord?> ExceptionAsync(Actor signer, int partnerId, DateOnly until, string why, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(signer, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<(string Name, int Version, byte[] Content)?>(
            "select name, version, content_sha256(licence_exception_content(partner_id, @decided::jsonb)) from partner where partner_id = @partnerId", new { partnerId, decided = Decided(until, why) }, work.Transaction) is { } found
            ? new SignableRecord(GoLive.RecordType, partnerId.ToString(CultureInfo.InvariantCulture), found.Version, string.Create(CultureInfo.InvariantCulture, $"Partner {found.Name}: sent to without a licence until {until:yyyy-MM-dd}"), found.Content, [])
            : null;
    }

    /// <summary>What the signature of an exception does, in its transaction.</summary>
    public Func<Work, Signature, Task<string?>> Excepted(DateOnly until, string why) => async (work, signature) =>
    {
        var partnerId = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        // Whoever changes its setup meanwhile is waited for, and then the signature is of another version.
        await work.Connection.ExecuteAsync("select from partner where partner_id = @partnerId for update", new { partnerId }, work.Transaction);
        await work.Connection.ExecuteAsync("savepoint before_exception", transaction: work.Transaction);
        try
        {
            await work.Connection.ExecuteAsync("""
                insert into licence_exception (partner_id, party_id, until, why, signature_id, signed_by, signed_at)
                select partner_id, party_id, @until, @why, @SignatureId, @SignerName, @SignedAt from partner where partner_id = @partnerId
                """, new { partnerId, until, why, signature.SignatureId, signature.SignerName, signature.SignedAt }, work.Transaction);
        }
        catch (PostgresException e) when (e.SqlState == NotSigned)
        {
            await work.Connection.ExecuteAsync("rollback to savepoint before_exception", transaction: work.Transaction);
            return e.MessageText;
        }
        await HoldAsync(work, goLive, partnerId);
        return null;
    };

    private static string Decided(DateOnly until, string why) => JsonSerializer.Serialize(new { until, why }, JsonSerializerOptions.Web);

    /// <summary>Pauses a partner that may not be sent to, and resumes one that waited for nothing else: what waited has its time for retries before it.</summary>
    /// <param name="partnerId">Null: every partner.</param>
    /// <returns>How many.</returns>
    internal static async Task<int> HoldAsync(Work work, GoLive goLive, int? partnerId)
    {
        var changed = await work.Connection.ExecuteScalarAsync<int>("""
            with held as (
                update partner p set state = case when n.may then 'active' else 'paused' end, pause_reason = case when n.may then null else @Waiting end
                from (select partner_id, not needs_licence or licence_until(partner_id) is not null as may from partner where @partnerId::int is null or partner_id = @partnerId) n
                where n.partner_id = p.partner_id and (n.may and p.state = 'paused' and p.pause_reason = @Waiting or not n.may and p.state = 'active')
                returning p.partner_id, p.state),
            waited as (
                update delivery d set give_up_at = greatest(give_up_at, gateway_now() + (give_up_at - created_at)) from held h where h.state = 'active' and d.partner_id = h.partner_id and d.state = 'due')
            select count(*)::int from held
            """, new { partnerId, Waiting }, work.Transaction);
        if (changed > 0)
        {
            await goLive.HoldAsync(work);
        }
        return changed;
    }

    /// <summary>Tells of licences that end within two months, and of those that have ended, until others cover the time.</summary>
    internal static async Task TellAsync(Work work)
    {
        var partners = (await work.Connection.QueryAsync<(int Id, int PartyId, string Name, bool Needs, DateOnly? Until, DateOnly Today, string? Told)>("""
            select p.partner_id, p.party_id, p.name, p.needs_licence, licence_cover(p.partner_id), gateway_now()::date,
                (select severity from exception e where e.party_id = p.party_id and e.code = @Ends and e.source_kind = 'partner' and e.source_id = p.partner_id::text and e.state = 'open')
            from partner p where p.needs_licence or exists (select from exception e where e.party_id = p.party_id and e.code = @Ends and e.state = 'open')
            """, new { Ends }, work.Transaction)).AsList();
        foreach (var p in partners)
        {
            var source = new ExceptionSource("partner", p.Id.ToString(CultureInfo.InvariantCulture), p.PartyId, null);
            var severity = !p.Needs || p.Until >= p.Today.AddDays(ToldDaysBefore) ? (Severity?)null : p.Until is null ? Severity.Error : Severity.Warning;
            if (p.Told == severity?.ToString().ToLowerInvariant())
            {
                continue;
            }
            if (p.Told is not null)
            {
                await ExceptionRecords.ResolveAsync(work, Ends, source, severity switch { null => "Licences cover the time to come, or none is needed.", Severity.Error => "The licence has ended.", _ => "A licence is valid again." });
            }
            if (severity is { } wanting)
            {
                await ExceptionRecords.OpenAsync(work, new ExceptionFacts(Ends, wanting, p.Until is { } until
                    ? string.Create(CultureInfo.InvariantCulture, $"Licences of {p.Name} are valid until {until:yyyy-MM-dd}: without another nothing is sent to it after that day.")
                    : $"{p.Name} needs a licence, and none is valid today: nothing is sent to it."), source, []);
            }
        }
    }
}

/// <summary>Days pass without anybody doing anything.</summary>
internal sealed class WatchLicences(GatewayDatabase database, GoLive goLive) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("licences"), ct);
        await Licences.HoldAsync(work, goLive, null);
        await Licences.TellAsync(work);
        await work.CommitAsync();
    }
}
