using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>Says of a document what its capture would say, and stores nothing.</summary>
internal sealed class CheckDocument(GatewayDatabase database, CaptureRules rules, IOptions<CaptureOptions> options)
{
    /// <exception cref="BodyRefusedException">The body is damaged, or inflates beyond the limits.</exception>
    public async Task<CheckedDocument> CheckAsync(ReceivedBody body, Actor actor, CancellationToken ct)
    {
        var (found, identity) = await Task.Run(() => CheckedDocument.Of(body, options.Value, rules, actor.Scope), ct);
        if (identity is null || actor.PartyId is not { } party)
        {
            return found;
        }
        await using var work = await database.BeginAsync(actor, ct);
        return await identity.EarlierAsync(database, actor, work, party, body.Sha256, () => Task.Run(() => body.ContentHash(options.Value)), ct) is { IsSame: false } earlier
            ? found with { Valid = false, Findings = [.. found.Findings, FindingView.Of(identity.Refused(earlier))] }
            : found;
    }
}
