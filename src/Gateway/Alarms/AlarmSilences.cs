using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;

namespace Gateway.Alarms;

/// <summary>Nobody is told of alarms of this kind and subject for a time; a star stands for any characters.</summary>
public sealed record SilenceItem(long SilenceId, string Kind, string Subject, string Reason, DateTime MadeAt, string MadeBy, DateTime Until, DateTime? EndedAt, string? EndedBy, bool Stands, int Version);

/// <summary>A silence as somebody asks for it.</summary>
/// <param name="Kind">Of the alarms; null: any.</param>
/// <param name="Subject">Of the alarms; null: any.</param>
/// <param name="Until">A moment such as 2026-11-21T08:00:00Z.</param>
public sealed record SilenceRequest(string? Kind, string? Subject, string? Until, string? Reason);

/// <summary>Silences. What is silenced is recorded and shown all the same, and told when the silence ends and it still stands.</summary>
public sealed class AlarmSilences(GatewayDatabase database)
{
    /// <summary>No silence is for longer: what nobody wants to hear of at all is to be mended.</summary>
    public const int MaxDays = 30;

    private const int MaxPattern = 200;

    /// <summary>Those that stand first, then the newest.</summary>
    /// <param name="before">The number of the last row already known.</param>
    public async Task<IReadOnlyList<SilenceItem>> ListAsync(Actor reader, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<SilenceItem>(new CommandDefinition("""
            select silence_id as SilenceId, kind as Kind, subject as Subject, reason as Reason, made_at as MadeAt, made_by as MadeBy, until as Until, ended_at as EndedAt, ended_by as EndedBy,
                ended_at is null and until > gateway_now() as Stands, version as Version
            from alarm_silence where @before::bigint is null or silence_id < @before order by silence_id desc limit @limit
            """, new { before, limit }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <returns>The number of the silence, or the refusal as a sentence.</returns>
    public async Task<(long? SilenceId, string? Refusal)> AddAsync(Actor actor, SilenceRequest request, CancellationToken ct)
    {
        var (kind, subject) = (Pattern(request.Kind), Pattern(request.Subject));
        var given = new GivenValues(_ => request.Until);
        var until = given.Moment("until", null, "until is a moment such as 2026-11-21T08:00:00Z.");
        if (Refuse(kind, subject, request, given.Wrong, until) is { } refusal)
        {
            return (null, refusal);
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var silenceId = await work.Connection.ExecuteScalarAsync<long?>("""
            insert into alarm_silence (kind, subject, reason, made_at, made_by, until) select @kind, @subject, @Reason, n.at, @Name, @until from (select gateway_now() as at) n
            where @until > n.at and @until <= n.at + make_interval(days => @MaxDays) returning silence_id
            """, new { kind, subject, request.Reason, actor.Name, until, MaxDays }, work.Transaction);
        await work.CommitAsync();
        return (silenceId, silenceId is null ? string.Create(CultureInfo.InvariantCulture, $"A silence ends in the future, and within {MaxDays} days.") : null);
    }

    /// <summary>Ends it before its time: what stands is told.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> EndAsync(Actor actor, long silenceId, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync("update alarm_silence set ended_at = gateway_now(), ended_by = @Name, version = version + 1 where silence_id = @silenceId and ended_at is null and until > gateway_now()",
            new { silenceId, actor.Name }, work.Transaction) == 0)
        {
            return await work.RefuseAsync(new RefusedStep("alarm_silence", silenceId.ToString(CultureInfo.InvariantCulture), "end", "The silence has ended already, or there is none of this number.",
                "select case when ended_at is null and until > gateway_now() then 'stands' else 'ended' end, version from alarm_silence where silence_id = @key::bigint"));
        }
        await work.CommitAsync();
        return null;
    }

    private static string Pattern(string? given) => string.IsNullOrWhiteSpace(given) ? "*" : given.Trim();

    private static string? Refuse(string kind, string subject, SilenceRequest request, string? wrong, DateTime? until) => (kind, subject) switch
    {
        _ when wrong is not null => wrong,
        _ when until is null => "until is missing: a silence ends.",
        ({ Length: > MaxPattern }, _) or (_, { Length: > MaxPattern }) => string.Create(CultureInfo.InvariantCulture, $"A kind or subject has at most {MaxPattern} characters."),
        _ when request.Reason?.Length > AlarmDecisions.MaxText => string.Create(CultureInfo.InvariantCulture, $"A reason has at most {AlarmDecisions.MaxText} characters."),
        _ => null,
    };
}
