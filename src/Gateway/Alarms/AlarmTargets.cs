using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Alarms;

/// <summary>Who is told of alarms.</summary>
/// <param name="Channel">email or webhook.</param>
/// <param name="Least">Of what severity on: warning or error.</param>
/// <param name="LastSentAt">When a message last reached it.</param>
/// <param name="Waiting">Messages that are still to be sent.</param>
/// <param name="LastCode">How the last attempt ended; null before the first.</param>
public sealed record AlarmTargetItem(Guid TargetId, string Name, string Channel, string Address, string Least, DateTime AddedAt, DateTime? LastSentAt, long Waiting, string? LastCode, int Version);

/// <summary>A target as somebody asks for it.</summary>
/// <param name="Version">Of the target that was looked at; not for a new one.</param>
public sealed record AlarmTargetRequest(string? Name, string? Channel, string? Address, string? Least, string? Reason, int? Version = null);

/// <summary>A message that a target would have had.</summary>
public sealed record PreviewedNotice(long AlarmId, string Turn, string Kind, string Subject, string Severity, string Sentence, DateTime At);

/// <summary>The people and systems that are told of alarms. An address never leaves with its secret, which is shown once.</summary>
public sealed class AlarmTargets(GatewayDatabase database, AlarmSecrets secrets, IOptions<AlarmOptions> options)
{
    /// <summary>More are a mailing list's.</summary>
    public const int MaxTargets = 20;

    /// <summary>So far back a preview looks.</summary>
    public const int PreviewDays = 7;

    /// <summary>How a secret begins, as Standard Webhooks writes it.</summary>
    public const string SecretPrefix = "whsec_";

    private const int SecretBytes = 32;
    private const int MaxName = 100;

    private const string Rows = """
        select t.target_id as TargetId, t.name as Name, t.channel as Channel, t.address as Address, t.least as Least, t.added_at as AddedAt,
            (select max(finished_at) from alarm_notice n where n.target_id = t.target_id and n.state = 'sent') as LastSentAt,
            (select count(*) from alarm_notice n where n.target_id = t.target_id and n.state = 'due') as Waiting,
            (select code from alarm_notice n where n.target_id = t.target_id and n.code is not null order by n.made_at desc, n.notice_id limit 1) as LastCode, t.version as Version
        from alarm_target t where t.removed_at is null
        """;

    public async Task<IReadOnlyList<AlarmTargetItem>> ListAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<AlarmTargetItem>(new CommandDefinition($"{Rows} order by t.name, t.target_id", transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<AlarmTargetItem?> FindAsync(Actor reader, Guid targetId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<AlarmTargetItem>(new CommandDefinition($"{Rows} and t.target_id = @targetId", new { targetId }, work.Transaction, cancellationToken: ct));
    }

    /// <returns>The target, and of a webhook the secret that is shown this once; or the refusal as a sentence.</returns>
    public async Task<(Guid? TargetId, string? Secret, string? Refusal)> AddAsync(Actor actor, AlarmTargetRequest request, CancellationToken ct)
    {
        if (Refuse(request) is { } unfit)
        {
            return (null, null, unfit);
        }
        var (targetId, secret) = (Guid.NewGuid(), request.Channel == "webhook" ? RandomNumberGenerator.GetBytes(SecretBytes) : null);
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        try
        {
            await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtext('alarm_target'))", transaction: work.Transaction);
            if (await work.Connection.ExecuteAsync("""
                insert into alarm_target (target_id, name, channel, address, secret, least, added_at)
                select @targetId, @name, @Channel, @address, @secret, @least, gateway_now() where (select count(*) from alarm_target where removed_at is null) < @MaxTargets
                """, new { targetId, name = request.Name!.Trim(), request.Channel, address = request.Address!.Trim(), secret = secret is null ? null : secrets.Seal(targetId, secret), least = request.Least ?? AlarmSeverity.Warning, MaxTargets }, work.Transaction) == 0)
            {
                return (null, null, string.Create(CultureInfo.InvariantCulture, $"There are {MaxTargets} targets already: let a mailing list tell more people."));
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return (null, null, "This address is told already.");
        }
        await work.CommitAsync();
        return (targetId, secret is null ? null : SecretPrefix + Convert.ToBase64String(secret), null);
    }

    /// <summary>Gives a target another name, address or least severity; its channel and secret stay.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> ChangeAsync(Actor actor, AlarmTargetItem target, AlarmTargetRequest request, CancellationToken ct)
    {
        if (Refuse(request with { Channel = target.Channel }) is { } unfit)
        {
            return unfit;
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        try
        {
            if (await work.Connection.ExecuteAsync("""
                update alarm_target set name = @name, address = @address, least = @least, version = version + 1 where target_id = @TargetId and removed_at is null and version = @Version
                """, new { target.TargetId, name = request.Name!.Trim(), address = request.Address!.Trim(), least = request.Least ?? AlarmSeverity.Warning, request.Version }, work.Transaction) == 0)
            {
                return await work.RefuseAsync(Refused(target.TargetId, "change", request.Version));
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return "This address is told already.";
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>It is told nothing any more, not even what waits.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> RemoveAsync(Actor actor, Guid targetId, int? version, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync("update alarm_target set removed_at = gateway_now(), version = version + 1 where target_id = @targetId and removed_at is null and version = coalesce(@version, version)", new { targetId, version }, work.Transaction) == 0)
        {
            return await work.RefuseAsync(Refused(targetId, "remove", version));
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>Sends a message that says that it is a test. Whether it came is told by the target's row, as of any message.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing is sent.</returns>
    public async Task<string?> TestAsync(Actor actor, Guid targetId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        if (await work.Connection.ExecuteAsync("""
            insert into alarm_notice (target_id, turn, made_at, due_at) select target_id, 'test', gateway_now(), gateway_now() from alarm_target t where target_id = @targetId and removed_at is null
                and not exists (select from alarm_notice n where n.target_id = t.target_id and n.turn = 'test' and n.state = 'due')
            """, new { targetId }, work.Transaction) == 0)
        {
            return "A test is on its way to this target already, or it is gone.";
        }
        await work.AuditAsync("test", "alarm_target", targetId.ToString());
        await work.CommitAsync();
        return null;
    }

    /// <summary>What a target with this least severity would have been told in the last days, the newest first; silences of now count as if they had been.</summary>
    public async Task<IReadOnlyList<PreviewedNotice>> PreviewAsync(Actor reader, string least, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<PreviewedNotice>(new CommandDefinition("""
            select a.alarm_id as AlarmId, m.turn as Turn, a.kind as Kind, a.subject as Subject, a.severity as Severity, a.raised_as as Sentence, m.at as At
            from alarm a cross join lateral (values ('raised', a.raised_at), ('cleared', a.cleared_at)) as m (turn, at)
            where m.at > gateway_now() - make_interval(days => @PreviewDays) and a.kind <> @Unsent and (@least = 'warning' or a.severity = 'error') and not alarm_silenced(a.kind, a.subject)
            order by m.at desc, a.alarm_id desc limit @limit
            """, new { least, PreviewDays, AlarmNotices.Unsent, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    private static RefusedStep Refused(Guid targetId, string step, int? version) => new("alarm_target", targetId.ToString(), step, "The target is gone, or has changed since you looked.",
        "select case when removed_at is null then 'told' else 'removed' end, version from alarm_target where target_id = @key::uuid", version);

    private string? Refuse(AlarmTargetRequest request) => request switch
    {
        _ when string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > MaxName => string.Create(CultureInfo.InvariantCulture, $"name is missing, or longer than {MaxName} characters."),
        _ when request.Name.Any(char.IsControl) => "name is one line.",
        { Channel: not ("email" or "webhook") } => "channel is email or webhook.",
        { Least: not (null or AlarmSeverity.Warning or AlarmSeverity.Error) } => "least is warning or error.",
        _ when string.IsNullOrWhiteSpace(request.Address) => "address is missing.",
        { Channel: "email" } => EmailAddress.Refuse(request.Address.Trim()),
        _ => PublicAddress.Refuse(request.Address.Trim(), options.Value.AllowPrivateAddresses, options.Value.AllowedPorts, []),
    };
}
