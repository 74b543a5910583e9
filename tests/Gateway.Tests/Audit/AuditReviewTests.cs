using Dapper;
using Gateway.Access;
using Gateway.Audit;
using Gateway.Tests.Access;
using Npgsql;

namespace Gateway.Tests.Audit;

/// <summary>Reviews of the trail: what is frozen, whose entries are left to whom, and what the signature covers.</summary>
[Requirement("P11-22")]
public sealed class AuditReviewTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private SealedTrail _trail = default!;
    private AccountsOf _accounts = default!;
    private AuditReviews _reviews = default!;
    private (Actor Actor, long Session) _anna, _ben;

    public async ValueTask InitializeAsync()
    {
        _trail = await SealedTrail.CreateAsync();
        _accounts = new AccountsOf(_trail.Database.Gateway);
        _reviews = new AuditReviews(_trail.Database.Gateway);
        foreach (var user in (string[])["anna", "ben"])
        {
            await _accounts.AddAsync(user, "officer");
            await _accounts.People.VerifyIdentityAsync(AccountsOf.Admin, user, "identity card", Ct);
        }
        (_anna, _ben) = (await SignerAsync("anna"), await SignerAsync("ben"));
        await _trail.WriteAsync(20);
        await ActAsync(_anna.Actor, 3);
        await ActAsync(_ben.Actor, 2);
    }

    public async ValueTask DisposeAsync() => await _trail.DisposeAsync();

    [Fact]
    public async Task A_review_freezes_a_sealed_selection_and_leaves_the_reviewers_own_entries_to_another()
    {
        var (from, to) = await PeriodAsync();
        Assert.Contains("not sealed yet", (await _reviews.BeginAsync(_anna.Actor, from, to, new AuditFilter(), Ct)).Refusal, StringComparison.Ordinal);
        await _trail.SealAsync();
        var all = await _trail.Database.ScalarAsync<long>("select count(*) from audit_entry");
        var own = await _trail.Database.ScalarAsync<long>("select count(*) from audit_entry where actor = 'person:anna'");
        var id = await BeginAsync(_anna.Actor, from, to, new AuditFilter());
        var review = (await _reviews.FindAsync(_anna.Actor, id, Ct))!;
        Assert.True(own >= 3, $"{own} are hers");
        Assert.Equal((all - own, own, true), (review.Entries, review.OwnEntries, review.IsLeft));
        Assert.Equal(await _trail.Database.ScalarAsync<long>("select max(ord) from audit_entry where recorded_at < (select to_at from audit_review)"), review.UpToOrd);
        Assert.Equal(await _trail.Database.ScalarAsync<byte[]>("select root from audit_seal order by epoch desc, size desc limit 1"), review.Root);

        // Every page of them, each once, and none of hers.
        var read = new List<AuditEntry>();
        for (string? after = null; ;)
        {
            var page = await _reviews.EntriesAsync(_anna.Actor, id, after, 7, Ct);
            if (page.Count == 0)
            {
                break;
            }
            Assert.All(page, e => Assert.True(e.IsPart));
            read.AddRange(page.Select(e => e.Entry));
            after = page[^1].Entry.Cursor;
        }
        Assert.Equal(review.Entries, read.Select(e => e.Ord).Distinct().Count());
        Assert.Equal(read.Count, read.Select(e => e.Ord).Distinct().Count());
        Assert.DoesNotContain(read, e => e.Actor == "person:anna");

        // Another reviewer reads hers, and leaves his own.
        await ConcludeAndSignAsync(_anna, id);
        Assert.True((await _reviews.FindAsync(_anna.Actor, id, Ct))!.IsLeft);
        var other = await BeginAsync(_ben.Actor, from, to, new AuditFilter());
        Assert.True((await _reviews.FindAsync(_ben.Actor, other, Ct))!.OwnEntries >= 2);
        await ConcludeAndSignAsync(_ben, other);
        Assert.False((await _reviews.FindAsync(_anna.Actor, id, Ct))!.IsLeft);
        Assert.Equal([other], (await _reviews.OfEntryAsync(_anna.Actor, await FirstOfAsync("person:anna"), Ct)).Select(r => r.ReviewId));
        Assert.Equal([id], (await _reviews.OfEntryAsync(_anna.Actor, await FirstOfAsync("person:ben"), Ct)).Select(r => r.ReviewId));
        Assert.Equal([id, other], (await _reviews.OfEntryAsync(_anna.Actor, await FirstOfAsync("system:test"), Ct)).Select(r => r.ReviewId));
    }

    [Fact]
    public async Task A_filter_narrows_a_review_and_what_it_says_of_entries()
    {
        await _trail.SealAsync();
        var (from, to) = await PeriodAsync();
        var id = await BeginAsync(_anna.Actor, from, to, new AuditFilter(Entity: "thing", Key: "k7"));
        var review = (await _reviews.FindAsync(_anna.Actor, id, Ct))!;
        Assert.Equal((1L, 0L, false), (review.Entries, review.OwnEntries, review.IsLeft));
        Assert.Equal(("thing", "k7", from, to), (review.Filter.Entity, review.Filter.Key, review.Filter.From, review.Filter.To));
        await ConcludeAndSignAsync(_anna, id);
        Assert.Equal([id], (await _reviews.OfEntryAsync(_anna.Actor, await _trail.Database.ScalarAsync<long>("select ord from audit_entry where entity_key = 'k7'"), Ct)).Select(r => r.ReviewId));
        Assert.Empty(await _reviews.OfEntryAsync(_anna.Actor, await _trail.Database.ScalarAsync<long>("select ord from audit_entry where entity_key = 'k8'"), Ct));
    }

    [Fact]
    [Requirement("P11-25")]
    public async Task Only_the_reviewer_concludes_and_signs_and_what_is_signed_stays()
    {
        await _trail.SealAsync();
        var (from, to) = await PeriodAsync();
        Assert.Contains("Only a person", (await _reviews.BeginAsync(AccountsOf.Admin, from, to, new AuditFilter(), Ct)).Refusal, StringComparison.Ordinal);
        Assert.Contains("ends before it begins", (await _reviews.BeginAsync(_anna.Actor, to, from, new AuditFilter(), Ct)).Refusal, StringComparison.Ordinal);
        Assert.Contains("not ended yet", (await _reviews.BeginAsync(_anna.Actor, from, to.AddDays(1), new AuditFilter(), Ct)).Refusal, StringComparison.Ordinal);
        var id = await BeginAsync(_anna.Actor, from, to, new AuditFilter());
        Assert.Equal("Say first what you found.", (await SignAsync(_anna, id)).Refusal);
        Assert.Contains("his own review", await _reviews.ConcludeAsync(_ben.Actor, id, true, null, Ct), StringComparison.Ordinal);
        Assert.Equal("Write down what you found.", await _reviews.ConcludeAsync(_anna.Actor, id, false, " ", Ct));
        Assert.Null(await _reviews.ConcludeAsync(_anna.Actor, id, false, "Key k7 was changed without a reason.", Ct));
        Assert.Contains("by who has read", (await SignAsync(_ben, id)).Refusal, StringComparison.Ordinal);

        // What is written between looking and signing is not signed unseen.
        var begun = await _accounts.Signing.BeginAsync(_anna.Actor, _anna.Session, (await _reviews.RecordAsync(_anna.Actor, id, Ct))!, AuditReviews.Meaning, Ct);
        Assert.Null(await _reviews.ConcludeAsync(_anna.Actor, id, true, null, Ct));
        Assert.Contains("has changed", (await _accounts.Signing.SignAsync(_anna.Actor, _anna.Session, begun.Nonce!.Value, Secret("anna"), AuditReviews.SignedAsync, Ct)).Refusal, StringComparison.Ordinal);

        Assert.Null((await SignAsync(_anna, id)).Refusal);
        var review = (await _reviews.FindAsync(_anna.Actor, id, Ct))!;
        Assert.NotNull(review.SignedAt);
        Assert.Equal("signed v3", Signatures.Status(await _accounts.Signatures.OfAsync(_anna.Actor, AuditReviews.RecordType, review.Id, Ct), review.Version, review.ContentSha256));
        Assert.Contains("is signed", await _reviews.ConcludeAsync(_anna.Actor, id, false, "Later", Ct), StringComparison.Ordinal);

        // The database says so too: nobody writes in another's name, concludes what is signed, or takes a review away.
        foreach (var attack in (string[])["update audit_review set conclusion = 'findings', findings = 'x'", "update audit_review set entries = 0", "delete from audit_review", "truncate audit_review"])
        {
            await using var work = await _trail.Database.Gateway.BeginAsync(_anna.Actor, Ct);
            await Assert.ThrowsAsync<PostgresException>(() => work.Connection.ExecuteAsync(attack, transaction: work.Transaction));
        }
        await using (var work = await _trail.Database.Gateway.BeginAsync(_ben.Actor, Ct))
        {
            Assert.Equal(0, await work.Connection.ExecuteAsync("update audit_review set findings = 'x'", transaction: work.Transaction));
            await Assert.ThrowsAsync<PostgresException>(() => work.Connection.ExecuteAsync("""
                insert into audit_review (party_id, from_at, to_at, up_to_ord, entries, own_entries, epoch, size, root, began_at, reviewer, reviewer_name)
                select party_id, from_at, to_at, 0, 0, 0, epoch, size, root, began_at, reviewer, reviewer_name from audit_review
                """, transaction: work.Transaction));
        }
        foreach (var administration in (string[])[Permissions.ManagePeople, Permissions.ManageKeys, Permissions.ManageRoles])
        {
            Assert.Contains("exclude each other", await _accounts.Roles.PermitAsync(AccountsOf.Admin, "officer", administration, "handy", Ct), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_day_with_entries_that_no_signed_review_covers_is_told()
    {
        await _trail.TamperAsync("update audit_entry set recorded_at = date_trunc('day', now(), 'UTC') - interval '2 days' + interval '1 hour' where entity_key in ('k1', 'k2'); update audit_entry set recorded_at = now() - interval '20 days' where entity_key = 'k3'");
        await _trail.SealAsync();
        var day = (await _trail.Database.ScalarAsync<DateTime>("select date_trunc('day', now(), 'UTC') - interval '2 days'")).ToUniversalTime();
        Assert.Equal([DateOnly.FromDateTime(day)], await _reviews.OpenDaysAsync(_anna.Actor, Ct));
        await ConcludeAndSignAsync(_anna, await BeginAsync(_anna.Actor, day, day.AddDays(1), new AuditFilter(Entity: "thing")));
        Assert.Single(await _reviews.OpenDaysAsync(_anna.Actor, Ct)); // not of everything
        await ConcludeAndSignAsync(_anna, await BeginAsync(_anna.Actor, day, day.AddHours(12), new AuditFilter()));
        Assert.Single(await _reviews.OpenDaysAsync(_anna.Actor, Ct)); // half of it
        var rest = await BeginAsync(_ben.Actor, day.AddHours(12), day.AddDays(1), new AuditFilter());
        Assert.Single(await _reviews.OpenDaysAsync(_anna.Actor, Ct)); // not signed
        await ConcludeAndSignAsync(_ben, rest);
        Assert.Empty(await _reviews.OpenDaysAsync(_anna.Actor, Ct));
    }

    private static SigningSecret Secret(string user) => new(user, AccountsOf.Good, null, 1);

    private async Task<int> BeginAsync(Actor reviewer, DateTime from, DateTime to, AuditFilter filter)
    {
        await _trail.SealAsync(); // what the last signature left
        var (review, refusal) = await _reviews.BeginAsync(reviewer, from, to, filter, Ct);
        Assert.Null(refusal);
        return review!.Value;
    }

    private async Task ConcludeAndSignAsync((Actor Actor, long Session) signer, int review)
    {
        Assert.Null(await _reviews.ConcludeAsync(signer.Actor, review, true, null, Ct));
        Assert.Null((await SignAsync(signer, review)).Refusal);
    }

    private async Task<SigningAnswer> SignAsync((Actor Actor, long Session) signer, int review)
    {
        var begun = await _accounts.Signing.BeginAsync(signer.Actor, signer.Session, (await _reviews.RecordAsync(signer.Actor, review, Ct))!, AuditReviews.Meaning, Ct);
        return begun.Nonce is { } nonce ? await _accounts.Signing.SignAsync(signer.Actor, signer.Session, nonce, Secret(signer.Actor.Id["person:".Length..]), AuditReviews.SignedAsync, Ct) : new SigningAnswer(begun.Refusal, null);
    }

    private async Task<(Actor Actor, long Session)> SignerAsync(string user)
    {
        var holder = await _accounts.HolderAsync(await _accounts.SignInAsync(user));
        return (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
    }

    private async Task ActAsync(Actor actor, int entries)
    {
        await using var work = await _trail.Database.Gateway.BeginAsync(actor, Ct);
        await work.Connection.ExecuteAsync("select audit_write('change', 'own', 'o' || n, null, null) from generate_series(1, @entries) n", new { entries }, work.Transaction);
        await work.CommitAsync();
    }

    private Task<long> FirstOfAsync(string actor) => _trail.Database.ScalarAsync<long>($"select min(ord) from audit_entry where actor = '{actor}'");

    // Up to now by the database's clock.
    private async Task<(DateTime From, DateTime To)> PeriodAsync()
    {
        var to = (await _trail.Database.ScalarAsync<DateTime>("select gateway_now()")).ToUniversalTime();
        return (to.AddHours(-1), to);
    }
}
