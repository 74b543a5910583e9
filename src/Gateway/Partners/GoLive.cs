using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Options;

namespace Gateway.Partners;

/// <summary>How a partner is set up now, and the version that was signed for.</summary>
public sealed record PartnerSetup(int PartnerId, string Name, int Version, int? LiveVersion, byte[] ContentSha256)
{
    public bool IsLive => Version == LiveVersion;
}

/// <summary>Signing that documents may go to a partner as it is set up. Where that is needed, a partner without it is paused.</summary>
public sealed class GoLive(GatewayDatabase database, IOptions<GoLiveOptions> options)
{
    public const string RecordType = "partner";
    public const string Meaning = "go-live";

    /// <summary>What is signed where a step of the onboarding is missing and somebody answers for it.</summary>
    public const string ExceptionMeaning = "go-live exception";

    /// <summary>Why such a partner is paused; the signature resumes it.</summary>
    public const string Waiting = "Its setup is not signed for go-live yet: somebody who did not make it signs on the partner's page.";

    public async Task<PartnerSetup?> SetupAsync(Actor reader, int partner, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await SetupAsync(work, partner);
    }

    /// <summary>The setup as it is signed. Whoever made or changed it is its author.</summary>
    public async Task<SignableRecord?> RecordAsync(Actor signer, int partner, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(signer, ct);
        if (await SetupAsync(work, partner) is not { } setup)
        {
            return null;
        }
        return new SignableRecord(RecordType, Id(partner), setup.Version, $"Partner {setup.Name}", setup.ContentSha256, await AuthorsAsync(work, partner));
    }

    private static async Task<IReadOnlyList<string>> AuthorsAsync(Work work, int partner) => (await work.Connection.QueryAsync<string>("""
        select distinct actor from audit_entry where entity = 'partner' and entity_key = @id and action in ('insert', 'update')
          and (old is null or (old - 'state' - 'pause_reason' - 'live_version') is distinct from (new - 'state' - 'pause_reason' - 'live_version'))
        union
        select actor from audit_entry where entity = 'partner_gln' and @id in (old ->> 'partner_id', new ->> 'partner_id')
        """, new { id = Id(partner) }, work.Transaction)).AsList();

    /// <summary>The setup with the steps that are missing and why it is to be live without them, as it is signed; null when there is no such partner.</summary>
    public async Task<SignableRecord?> ExceptionAsync(Actor signer, int partner, string why, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(signer, ct);
        if (await SetupAsync(work, partner) is not { } setup)
        {
            return null;
        }
        var missing = await Onboarding.MissingAsync(work, partner);
        return new SignableRecord(RecordType, Id(partner), setup.Version, $"Partner {setup.Name}: live without {Names(missing)}, because {why}", await ContentAsync(work, partner, missing, why), await AuthorsAsync(work, partner));
    }

    /// <summary>What the signature of such an exception does, in its transaction.</summary>
    public static Func<Work, Signature, Task<string?>> Excepted(string why) => async (work, signature) =>
    {
        var (partner, setup) = await LockAsync(work, signature);
        var missing = await Onboarding.MissingAsync(work, partner);
        if (missing.Count == 0)
        {
            return "No step is missing: sign the go-live itself.";
        }
        return setup is null || !signature.Covers(setup.Version, await ContentAsync(work, partner, missing, why))
            ? "The partner's setup, or what is missing, has changed: look at it again."
            : await ResumeAsync(work, partner);
    };

    private static string Names(IEnumerable<OnboardingStep> missing) => string.Join(", ", missing.Select(m => m.Step));

    private static async Task<byte[]> ContentAsync(Work work, int partner, IEnumerable<OnboardingStep> missing, string why) => (await work.Connection.ExecuteScalarAsync<byte[]>(
        "select content_sha256(go_live_exception_content(@partner, jsonb_build_object('missing', @missing::text[], 'why', @why::text)))", new { partner, missing = missing.Select(m => m.Step).ToArray(), why }, work.Transaction))!;

    /// <summary>What the signature does: the version is live, a partner that waited for it is resumed, and practice ends. While a step is missing it comes to nothing.</summary>
    public static async Task<string?> SignedAsync(Work work, Signature signature)
    {
        var (partner, setup) = await LockAsync(work, signature);
        if (setup is null || !signature.Covers(setup.Version, setup.ContentSha256))
        {
            return "The partner's setup has changed: look at it again.";
        }
        var missing = await Onboarding.MissingAsync(work, partner);
        return missing.Count > 0
            ? $"Its onboarding is not complete: {Names(missing)}. {missing[0].Seen} {missing[0].Missing}"
            : await ResumeAsync(work, partner);
    }

    private static async Task<(int Partner, PartnerSetup? Setup)> LockAsync(Work work, Signature signature)
    {
        var partner = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        // A statement of its own, for the one that waits sees what was before it.
        await work.Connection.ExecuteAsync("select from partner where partner_id = @partner for update", new { partner }, work.Transaction);
        return (partner, await SetupAsync(work, partner));
    }

    private static async Task<string?> ResumeAsync(Work work, int partner)
    {
        await work.Connection.ExecuteAsync("""
            update partner set live_version = version, state = case when state = 'practice' or pause_reason = @Waiting then 'active' else state end, pause_reason = nullif(pause_reason, @Waiting) where partner_id = @partner
            """, new { partner, Waiting }, work.Transaction);
        return null;
    }

    /// <summary>Pauses every active partner whose setup is not signed for, where that is needed.</summary>
    /// <returns>How many.</returns>
    public async Task<int> HoldAsync(Work work) => options.Value.GoLiveNeedsSignature
        ? await work.Connection.ExecuteAsync("update partner set state = 'paused', pause_reason = @Waiting where state = 'active' and live_version is distinct from version", new { Waiting }, work.Transaction)
        : await work.Connection.ExecuteAsync("update partner set state = 'active', pause_reason = null where state = 'paused' and pause_reason = @Waiting", new { Waiting }, work.Transaction);

    private static Task<PartnerSetup?> SetupAsync(Work work, int partner) => work.Connection.QuerySingleOrDefaultAsync<PartnerSetup>("""
        select partner_id as PartnerId, name as Name, version as Version, live_version as LiveVersion, content_sha256(partner_content(partner_id)) as ContentSha256
        from partner where partner_id = @partner
        """, new { partner }, work.Transaction);

    private static string Id(int partner) => partner.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A setup that came otherwise than by the dashboard or the API is held too; and nothing waits for what is no longer asked for.</summary>
internal sealed class HoldUnsigned(GatewayDatabase database, GoLive goLive) : IChore
{
    public async Task RunAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("go-live"), ct);
        if (await goLive.HoldAsync(work) > 0)
        {
            await work.CommitAsync();
        }
    }
}
