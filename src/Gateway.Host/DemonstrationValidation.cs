using Gateway.Access;
using Gateway.Database;
using Gateway.Validation;

namespace Gateway.Host;

/// <summary>
/// Makes what runs the validated state of the demonstration, through the same steps and signatures as anybody: a baseline, and a change
/// record when an earlier run had another build.
/// </summary>
public static class DemonstrationValidation
{
    private const string Reviewer = "operator", Approver = "officer", Role = "reviewer";
    private static readonly TimeSpan CompareWithin = TimeSpan.FromSeconds(60);
    private static readonly Actor s_author = Actor.System("demonstration");

    public static async Task SignAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, CancellationToken ct)
    {
        await MakeReviewerAsync(services, ct);
        var (validation, baselines, changes) = (services.GetRequiredService<ReadValidation>(), services.GetRequiredService<Baselines>(), services.GetRequiredService<ChangeRecords>());
        var watch = services.GetRequiredService<WatchValidation>();
        // What the role above changed is part of what runs.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(CompareWithin);
        await watch.RunAsync(limit.Token);
        var node = (await validation.ReadAsync(s_author, ct)).Nodes.First(n => n.Node == watch.Node);
        if (node.State == ValidationStates.Validated)
        {
            return;
        }
        var explained = Array.Empty<string>();
        if (node.Differences.Count > 0)
        {
            var kinds = node.Differences.Select(d => $"{d.Name.Split(' ')[0]} *").Distinct().ToArray();
            var number = Made(await changes.DraftAsync(s_author, new ChangeRequest("Another build of the demonstration", "The demonstration was started with another build or other settings.", "None: nothing here is real.", "None.", "The tests of the build.", kinds), ct));
            await SignAsAsync(services, logins, Approver, await changes.SignableAsync(s_author, number, ct), "change approved", ChangeRecords.ApprovedAsync, ct);
            explained = [number];
        }
        var (id, refusal) = await baselines.DraftAsync(s_author, new BaselineRequest("The demonstration as it was started", "The tests of the build have passed.", node.Fingerprint, explained), ct);
        Check(refusal);
        await SignAsAsync(services, logins, Reviewer, await baselines.SignableAsync(s_author, id!.Value, ct), "baseline reviewed", Baselines.ReviewedAsync, ct);
        await SignAsAsync(services, logins, Approver, await baselines.SignableAsync(s_author, id.Value, ct), "baseline approved", Baselines.ApprovedAsync, ct);
        Check(await baselines.TakeEffectAsync(s_author, id.Value, "the demonstration begins", ct));
    }

    // Two people sign, and one officer is all there is: so the operator reviews.
    private static async Task MakeReviewerAsync(IServiceProvider services, CancellationToken ct)
    {
        var (roles, people) = (services.GetRequiredService<Roles>(), services.GetRequiredService<People>());
        if (await roles.AddAsync(s_author, Role, "Reviews records under signature", ct) is null)
        {
            Check(await roles.PermitAsync(s_author, Role, Permissions.SignReview, "the demonstration", ct));
            Check(await roles.PermitAsync(s_author, Role, Permissions.ReadValidation, "the demonstration", ct));
        }
        if (await people.FindAsync(s_author, Reviewer, ct) is { } person && !person.Roles.Contains(Role))
        {
            Check((await people.GrantAsync(s_author, Reviewer, Role, "the demonstration", ct)).Refusal);
        }
    }

    private static async Task SignAsAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, string user, SignableRecord? record, string meaning, Func<Work, Signature, Task<string?>> effect, CancellationToken ct)
    {
        var (sessions, signing) = (services.GetRequiredService<Sessions>(), services.GetRequiredService<Signing>());
        var login = logins.First(l => l.User == user);
        var secret = (await services.GetRequiredService<SignInPerson>().TryAsync(login.User, login.Password, null, "demonstration", ct)).Secret ?? throw new InvalidOperationException($"{user} cannot sign in.");
        var holder = await sessions.FindAsync(secret, ct) ?? throw new InvalidOperationException($"{user} has no session.");
        var (signer, session) = (holder.ToPrincipal("demonstration").ToActor("demonstration"), holder.SessionId!.Value);
        var begun = await signing.BeginAsync(signer, session, record!, meaning, ct);
        Check(begun.Refusal);
        Check((await signing.SignAsync(signer, session, begun.Nonce!.Value, new SigningSecret(login.User, login.Password, null, begun.StatementVersion), effect, ct)).Refusal);
        await sessions.EndAsync(secret, "signed", signer, ct);
    }

    private static string Made((string? Number, string? Refusal) answer)
    {
        Check(answer.Refusal);
        return answer.Number!;
    }

    private static void Check(string? refusal)
    {
        if (refusal is not null)
        {
            throw new InvalidOperationException(refusal);
        }
    }
}
