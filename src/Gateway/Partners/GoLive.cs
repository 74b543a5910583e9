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
        var authors = await work.Connection.QueryAsync<string>("""
            select distinct actor from audit_entry where entity = 'partner' and entity_key = @id and action in ('insert', 'update')
              and (old is null or (old - 'state' - 'pause_reason' - 'live_version') is distinct from (new - 'state' - 'pause_reason' - 'live_version'))
            union
            select actor from audit_entry where entity = 'partner_gln' and @id in (old ->> 'partner_id', new ->> 'partner_id')
            """, new { id = Id(partner) }, work.Transaction);
        return new SignableRecord(RecordType, Id(partner), setup.Version, $"Partner {setup.Name}", setup.ContentSha256, [.. authors]);
    }

    /// <summary>What the signature does: the version is live, and a partner that waited for it is resumed.</summary>
    public static async Task<string?> SignedAsync(Work work, Signature signature)
    {
        var partner = int.Parse(signature.RecordId, CultureInfo.InvariantCulture);
        // A statement of its own, for the one that waits sees what was before it.
        await work.Connection.ExecuteAsync("select from partner where partner_id = @partner for update", new { partner }, work.Transaction);
        var setup = await SetupAsync(work, partner);
        if (setup is null || !signature.Covers(setup.Version, setup.ContentSha256))
        {
            return "The partner's setup has changed: look at it again.";
        }
        await work.Connection.ExecuteAsync("""
            update partner set live_version = version, state = case when pause_reason = @Waiting then 'active' else state end, pause_reason = nullif(pause_reason, @Waiting) where partner_id = @PartnerId
            """, new { setup.PartnerId, Waiting }, work.Transaction);
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
