using Dapper;
using Gateway.Access;
using Gateway.Partners;
using Gateway.Tests.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>Where go-live needs a signature, nothing goes to a partner before the version of its setup is signed by somebody who did not make it.</summary>
[Requirement("P11-25")]
[Requirement("P11-32")]
public sealed class GoLiveTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_partner_waits_for_the_signature_of_its_version_and_waits_again_when_its_setup_changes()
    {
        await using var outbox = await Outbox.CreateAsync();
        var database = outbox.Database;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var node = outbox.Node(("Partners:GoLiveNeedsSignature", "true"));
        var (goLive, directory) = (node.GetRequiredService<GoLive>(), node.GetRequiredService<PartnerDirectory>());
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "officer");
        await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", "identity card", Ct);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into partner_gln values ('9521321000005', 1); insert into partner_profile (partner_id, party_id) select partner_id, party_id from partner");
        var holder = await accounts.HolderAsync(await accounts.SignInAsync("anna"));
        var (anna, session) = (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);

        await HoldAsync(goLive);
        Assert.Equal("paused 2 " + GoLive.Waiting, await StateAsync());
        Assert.Equal(0, await Outbox.TurnAsync(node));
        Assert.False(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: false, "now", Ct));
        Assert.Null((await SignAsync()).Refusal);
        Assert.Equal("active 2 ", await StateAsync());
        await HoldAsync(goLive);
        Assert.Equal("active 2 ", await StateAsync());

        // Pausing and resuming change nothing that was signed; another address does.
        Assert.True(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: true, "holiday", Ct));
        Assert.True(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: false, "back", Ct));
        Assert.Equal("signed v2", await StatusAsync());
        await ChangeAsync("person:ben", "https://example.net");
        await HoldAsync(goLive);
        Assert.Equal("paused 3 " + GoLive.Waiting, await StateAsync());
        Assert.Equal("signed v2, current v3 unsigned", await StatusAsync());

        // What changed between looking and signing, and what the signer changed himself, is not signed.
        var begun = await accounts.Signing.BeginAsync(anna, session, (await goLive.RecordAsync(anna, 1, Ct))!, GoLive.Meaning, Ct);
        await ChangeAsync("person:anna", "https://example.com");
        Assert.Equal("The partner's setup has changed: look at it again.", (await accounts.Signing.SignAsync(anna, session, begun.Nonce!.Value, Secret, GoLive.SignedAsync, Ct)).Refusal);
        Assert.Contains("somebody else must sign it", (await SignAsync()).Refusal, StringComparison.Ordinal);
        Assert.Equal("paused 4 " + GoLive.Waiting, await StateAsync());

        // A GLN more is another setup, and who gave it is an author of it; so is who takes it away.
        await GlnAsync("person:ben", "insert into partner_gln values ('4012345000009', 1)");
        Assert.Equal(5, (await goLive.SetupAsync(anna, 1, Ct))!.Version);
        await GlnAsync("person:carl", "delete from partner_gln where gln = '4012345000009'");
        Assert.Equal(6, (await goLive.SetupAsync(anna, 1, Ct))!.Version);
        Assert.Subset((await goLive.RecordAsync(anna, 1, Ct))!.Authors.ToHashSet(), new HashSet<string> { "person:ben", "person:carl" });
        // Nobody says the version himself.
        await GlnAsync("person:ben", "update partner set version = 1");
        Assert.Equal(6, (await goLive.SetupAsync(anna, 1, Ct))!.Version);

        // Where it is no longer needed, nobody waits for it.
        await HoldAsync(outbox.Node().GetRequiredService<GoLive>());
        Assert.Equal("active 6 ", await StateAsync());

        Task<string> StateAsync() => database.ScalarAsync<string>("select state || ' ' || version || ' ' || coalesce(pause_reason, '') from partner");

        async Task<string> StatusAsync() => await goLive.SetupAsync(anna, 1, Ct) is { } now
            ? Signatures.Status(await accounts.Signatures.OfAsync(anna, GoLive.RecordType, "1", Ct), now.Version, now.ContentSha256) : "";

        async Task<SigningAnswer> SignAsync()
        {
            await TestedAsync(database);
            var challenge = await accounts.Signing.BeginAsync(anna, session, (await goLive.RecordAsync(anna, 1, Ct))!, GoLive.Meaning, Ct);
            return challenge.Nonce is { } nonce ? await accounts.Signing.SignAsync(anna, session, nonce, Secret, GoLive.SignedAsync, Ct) : new SigningAnswer(challenge.Refusal, null);
        }

        async Task ChangeAsync(string actor, string url)
        {
            await using var work = await database.Gateway.BeginAsync(AccountsOf.Admin with { Id = actor }, Ct);
            await work.Connection.ExecuteAsync("update partner set url = @url", new { url }, work.Transaction);
            await work.CommitAsync();
        }

        async Task GlnAsync(string actor, string sql)
        {
            await using var work = await database.Gateway.BeginAsync(AccountsOf.Admin with { Id = actor }, Ct);
            await work.Connection.ExecuteAsync(sql, transaction: work.Transaction);
            await work.CommitAsync();
        }

        async Task HoldAsync(GoLive hold)
        {
            await using var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct);
            await hold.HoldAsync(work);
            await work.CommitAsync();
        }
    }

    [Fact]
    public async Task While_a_step_of_the_onboarding_is_missing_nothing_is_signed_but_an_exception_that_names_it()
    {
        await using var outbox = await Outbox.CreateAsync();
        var database = outbox.Database;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into partner_gln values ('9521321000005', 1); update partner set state = 'practice'; update delivery set state = 'delivered'");
        var node = outbox.Node(("Partners:GoLiveNeedsSignature", "true"));
        var (goLive, onboarding) = (node.GetRequiredService<GoLive>(), node.GetRequiredService<Onboarding>());
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "officer");
        await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", "identity card", Ct);
        var holder = await accounts.HolderAsync(await accounts.SignInAsync("anna"));
        var (anna, session) = (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        const string Why = "their plant closes on Friday";

        Assert.Equal("identity done, licence not needed, profile open, channel done, test open, sample open, go-live open", await StepsAsync());
        Assert.StartsWith("Its onboarding is not complete: profile, test, sample.", await SignAsync(), StringComparison.Ordinal);
        Assert.Equal("practice", await StateAsync());

        // What is signed is what is missing now, and why.
        var begun = await accounts.Signing.BeginAsync(anna, session, (await goLive.ExceptionAsync(anna, 1, Why, Ct))!, GoLive.ExceptionMeaning, Ct);
        Assert.Contains("live without profile, test, sample, because " + Why, begun.Record.Title, StringComparison.Ordinal);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set needs_licence = true");
        Assert.Contains("what is missing, has changed", (await accounts.Signing.SignAsync(anna, session, begun.Nonce!.Value, Secret, GoLive.Excepted(Why), Ct)).Refusal, StringComparison.Ordinal);
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set needs_licence = false");
        Assert.Null(await SignAsync(Why));
        Assert.Equal("active", await StateAsync());
        Assert.Equal("identity done, licence not needed, profile open, channel done, test open, sample open, go-live done", await StepsAsync());

        // Complete, it is signed as it is, and there is nothing to except; a changed setup is tested anew.
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into partner_profile (partner_id, party_id) select partner_id, party_id from partner");
        Assert.StartsWith("Its onboarding is not complete: test, sample.", await SignAsync(), StringComparison.Ordinal);
        await TestedAsync(database, accepted: false);
        Assert.StartsWith("Its onboarding is not complete: sample. A sample was sent", await SignAsync(), StringComparison.Ordinal);
        Assert.Null(await node.GetRequiredService<PartnerTests>().ConfirmAsync(AccountsOf.Admin, 1, 1, "they called", Ct));
        Assert.Equal("No step is missing: sign the go-live itself.", await SignAsync(Why));
        Assert.Null(await SignAsync());
        Assert.DoesNotContain("open", await StepsAsync(), StringComparison.Ordinal);

        async Task<string> StepsAsync() => string.Join(", ", (await onboarding.StepsAsync(anna, 1, Ct)).Select(s => $"{s.Step} {s.State}"));

        Task<string> StateAsync() => database.ScalarAsync<string>("select state from partner");

        async Task<string?> SignAsync(string? why = null)
        {
            var record = why is null ? await goLive.RecordAsync(anna, 1, Ct) : await goLive.ExceptionAsync(anna, 1, why, Ct);
            var challenge = await accounts.Signing.BeginAsync(anna, session, record!, why is null ? GoLive.Meaning : GoLive.ExceptionMeaning, Ct);
            return challenge.Nonce is { } nonce ? (await accounts.Signing.SignAsync(anna, session, nonce, Secret, why is null ? GoLive.SignedAsync : GoLive.Excepted(why), Ct)).Refusal : challenge.Refusal;
        }
    }

    private static Task TestedAsync(TestDatabase database, bool accepted = true) => database.ExecuteAsync($"""
        select set_config('app.actor', 'test', false);
        insert into partner_test (partner_id, party_id, partner_version, started_at, ended_at, passed, accepted, document_id, message_id, steps, tested_by)
        select partner_id, party_id, version, gateway_now(), gateway_now(), true, {(accepted ? "true" : "false")}, 1, gen_random_uuid(), '[]', 'test' from partner
        """);

    private static readonly SigningSecret Secret = new("anna", AccountsOf.Good, null, 1);
}
