using Gateway.Access;
using Gateway.Database;

namespace Gateway.Tests.Access;

/// <summary>Reviews of access: what is frozen, who decides about whom, and what a signature covers.</summary>
[Requirement("P11-36")]
public sealed class AccessReviewTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    [Requirement("P11-45")]
    public async Task A_review_freezes_who_may_do_what_flags_what_is_unused_and_is_signed_when_all_but_ones_own_is_decided()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        foreach (var user in (string[])["anna", "ben", "old", "gone"])
        {
            await accounts.AddAsync(user, user == "old" ? "operator" : "officer");
            await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct);
        }
        await accounts.People.DisableAsync(AccountsOf.Admin, "gone", "left", Ct);
        await using (var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct))
        {
            await ApiKeys.CreateAsync(work, 1, "operator", "line 2", "gwl");
            await work.CommitAsync();
        }
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update person set created_at = created_at - interval '91 days' where user_name in ('old', 'ben')");
        var (anna, ben) = (await SignerAsync(accounts, "anna"), await SignerAsync(accounts, "ben"));
        var reviews = new AccessReviews(database.Gateway);
        var id = await reviews.BeginAsync(anna.Actor, "quarterly", Ct);
        var lines = await reviews.LinesAsync(anna.Actor, id, Ct);
        Assert.Equal(["anna", "ben", "old", "line 2"], lines.Select(l => l.Kind == "key" ? l.Name : l.Subject));
        Assert.Equal(["old"], lines.Where(l => l.Unused).Select(l => l.Subject));
        Assert.Contains(Permissions.SignReview, lines[0].Permissions);
        Assert.Equal(["officer: system:test"], lines[0].GrantedBy);
        await accounts.People.RevokeAsync(AccountsOf.Admin, "old", "operator", "moved", Ct);
        Assert.Equal(["operator"], (await reviews.LinesAsync(anna.Actor, id, Ct))[2].Roles); // it is a copy

        Assert.Contains("about yourself", await reviews.DecideAsync(anna.Actor, id, lines[0].LineId, true, null, Ct), StringComparison.Ordinal);
        Assert.Contains("what is to be withdrawn", await reviews.DecideAsync(anna.Actor, id, lines[2].LineId, false, " ", Ct), StringComparison.Ordinal);
        Assert.Equal("There is no such line.", await reviews.DecideAsync(anna.Actor, 99, lines[2].LineId, true, null, Ct));
        Assert.Null(await reviews.DecideAsync(anna.Actor, id, lines[1].LineId, true, null, Ct));
        Assert.Null(await reviews.DecideAsync(anna.Actor, id, lines[2].LineId, false, "Not seen for months", Ct));
        Assert.Equal("1 lines are not decided yet.", (await SignAsync(accounts, reviews, anna, id)).Refusal);

        // A decision between looking and signing is not signed unseen.
        var begun = await accounts.Signing.BeginAsync(anna.Actor, anna.Session, (await reviews.RecordAsync(anna.Actor, id, Ct))!, AccessReviews.Meaning, Ct);
        Assert.Null(await reviews.DecideAsync(ben.Actor, id, lines[3].LineId, true, null, Ct));
        Assert.Equal("The review has changed: look at it again.", (await accounts.Signing.SignAsync(anna.Actor, anna.Session, begun.Nonce!.Value, Secret("anna"), AccessReviews.SignedAsync, Ct)).Refusal);

        Assert.Null((await SignAsync(accounts, reviews, anna, id)).Refusal);
        var now = await reviews.FindAsync(anna.Actor, id, Ct);
        Assert.Equal((1, true, 1L, 1L), (now!.Version, now.Signed, now.Open, now.Withdrawn));
        Assert.Equal("This line was signed as it is: begin a new review.", await reviews.DecideAsync(ben.Actor, id, lines[2].LineId, true, null, Ct));
        Assert.Null(await reviews.DecideAsync(ben.Actor, id, lines[0].LineId, true, null, Ct));
        now = await reviews.FindAsync(anna.Actor, id, Ct);
        Assert.Equal((2, false, 0L), (now!.Version, now.Signed, now.Open));
        Assert.Null((await SignAsync(accounts, reviews, ben, id)).Refusal);
        Assert.Equal("signed v2", Signatures.Status(await accounts.Signatures.OfAsync(anna.Actor, AccessReviews.RecordType, "1", Ct), 2, now.ContentSha256));
    }

    [Fact]
    public async Task A_decision_that_waits_for_a_signature_sees_it_and_makes_a_new_version()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        foreach (var user in (string[])["anna", "ben"])
        {
            await accounts.AddAsync(user, "officer");
            await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct);
        }
        var (anna, ben) = (await SignerAsync(accounts, "anna"), await SignerAsync(accounts, "ben"));
        var reviews = new AccessReviews(database.Gateway);
        var id = await reviews.BeginAsync(anna.Actor, "quarterly", Ct);
        var lines = await reviews.LinesAsync(anna.Actor, id, Ct);
        Assert.Null(await reviews.DecideAsync(anna.Actor, id, lines[1].LineId, true, null, Ct));
        Assert.Contains("2,000", await reviews.DecideAsync(ben.Actor, id, lines[0].LineId, true, new string('x', 2001), Ct), StringComparison.Ordinal);
        Assert.Contains("U+0000", await reviews.DecideAsync(ben.Actor, id, lines[0].LineId, true, "a\0b", Ct), StringComparison.Ordinal);
        var begun = await accounts.Signing.BeginAsync(anna.Actor, anna.Session, (await reviews.RecordAsync(anna.Actor, id, Ct))!, AccessReviews.Meaning, Ct);
        Task<string?>? decided = null;
        var answer = await accounts.Signing.SignAsync(anna.Actor, anna.Session, begun.Nonce!.Value, Secret("anna"), async (work, signature) =>
        {
            var refusal = await AccessReviews.SignedAsync(work, signature);
            decided = reviews.DecideAsync(ben.Actor, id, lines[0].LineId, true, null, Ct);
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 1);
            return refusal;
        }, Ct);
        Assert.Null(answer.Refusal);
        Assert.Null(await decided!);
        var now = await reviews.FindAsync(anna.Actor, id, Ct);
        Assert.Equal((2, false), (now!.Version, now.Signed));
    }

    private static SigningSecret Secret(string user) => new(user, AccountsOf.Good, null, 1);

    private static async Task<SigningAnswer> SignAsync(AccountsOf accounts, AccessReviews reviews, (Actor Actor, long Session) signer, int review)
    {
        var begun = await accounts.Signing.BeginAsync(signer.Actor, signer.Session, (await reviews.RecordAsync(signer.Actor, review, Ct))!, AccessReviews.Meaning, Ct);
        return begun.Nonce is { } nonce ? await accounts.Signing.SignAsync(signer.Actor, signer.Session, nonce, Secret(signer.Actor.Id["person:".Length..]), AccessReviews.SignedAsync, Ct) : new SigningAnswer(begun.Refusal, null);
    }

    private static async Task<(Actor Actor, long Session)> SignerAsync(AccountsOf accounts, string user)
    {
        var holder = await accounts.HolderAsync(await accounts.SignInAsync(user));
        return (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
    }
}
