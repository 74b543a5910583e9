using Dapper;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Partners;
using Gateway.Tests.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>Nothing goes to a partner that needs a licence and has none that is valid today, unless somebody answers for it.</summary>
public sealed class LicenceTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SigningSecret Secret = new("anna", AccountsOf.Good, null, 1);

    [Fact]
    public async Task Lapsing_holds_what_is_due_and_a_licence_that_is_valid_lets_it_go()
    {
        await using var outbox = await Outbox.CreateAsync();
        var database = outbox.Database;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var node = outbox.Node();
        var (licences, directory) = (node.GetRequiredService<Licences>(), node.GetRequiredService<PartnerDirectory>());
        var today = DateOnly.FromDateTime(await database.ScalarAsync<DateTime>("select gateway_now()"));

        Assert.Null(await licences.NeedAsync(AccountsOf.Admin, 1, true, "US trade", Ct));
        Assert.StartsWith("No licence of it is valid today: ", await licences.NeedAsync(AccountsOf.Admin, 1, false, "never mind", Ct), StringComparison.Ordinal);
        Assert.Equal("paused " + Licences.Waiting, await StateAsync());
        Assert.False(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: false, "go on", Ct));
        Assert.Equal(0, await Outbox.TurnAsync(node));
        Assert.Equal((false, 0), await licences.FindAsync(AccountsOf.Admin, 1, Ct) is { } none ? (none.MayBeSentTo, none.Licences.Count) : default);

        // One that begins tomorrow or ended yesterday authorises nothing today.
        Assert.Null(await AddAsync("NJ-1", today.AddDays(1), today.AddDays(100)));
        Assert.Null(await AddAsync("NJ-2", today.AddDays(-100), today.AddDays(-1)));
        Assert.Equal("paused " + Licences.Waiting, await StateAsync());
        Assert.Null(await AddAsync("NJ-3", today, today.AddDays(9)));
        Assert.Equal("active ", await StateAsync());
        Assert.Equal("This licence is on record already: note that you have looked it up again, or withdraw it.", await AddAsync("NJ-3", today, today.AddDays(9)));
        Assert.Equal("valid, not yet valid, lapsed", string.Join(", ", (await licences.FindAsync(AccountsOf.Admin, 1, Ct))!.Licences.OrderByDescending(l => l.State == "valid").ThenByDescending(l => l.ValidFrom).Select(l => l.State)));

        // Its last day is over between two looks of the clock: the claim itself holds what is due.
        Assert.Null(await licences.WithdrawAsync(AccountsOf.Admin, 1, 1, "not ours", Ct));
        await database.AdvanceAsync(TimeSpan.FromDays(10));
        Assert.Equal("active ", await StateAsync());
        Assert.Equal(0, await Outbox.TurnAsync(node));
        Assert.Equal("paused " + Licences.Waiting, await StateAsync());
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from attempt"));

        // Whoever pauses it himself, before or while it waits, is not overruled by a licence; and waiting has used up no time for retries.
        Assert.True(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: true, "holiday", Ct));
        Assert.Null(await AddAsync("NJ-4", today, today.AddDays(400)));
        Assert.Equal("paused holiday", await StateAsync());
        Assert.True(await directory.SetPausedAsync(AccountsOf.Admin, 1, paused: false, "back", Ct));
        Assert.Null(await licences.WithdrawAsync(AccountsOf.Admin, 1, await NewestAsync(), "revoked", Ct));
        Assert.Equal("paused " + Licences.Waiting, await StateAsync());
        Assert.Null(await AddAsync("NJ-3", today, today.AddDays(500))); // the same, for longer
        Assert.True(await database.ScalarAsync<bool>("select give_up_at - gateway_now() >= give_up_at - created_at - interval '1 day' - interval '10 days' and give_up_at > gateway_now() + interval '6 days' from delivery"));

        // What was claimed before is not sent after.
        var claimed = await node.GetRequiredService<DeliveryQueue>().ClaimAsync(1, 10, Ct);
        Assert.Single(claimed);
        Assert.Null(await licences.WithdrawAsync(AccountsOf.Admin, 1, await NewestAsync(), "revoked", Ct));
        Assert.Null(await node.GetRequiredService<DeliveryQueue>().IntendAsync(claimed[0]));
        Assert.Equal("due 0 free", await database.ScalarAsync<string>("select concat_ws(' ', state, attempts, case when lease_token is null then 'free' end) from delivery"));
        Assert.Equal("The licence is withdrawn.", await licences.WithdrawAsync(AccountsOf.Admin, 1, 1, "again", Ct));
        Assert.Equal("There is no such licence.", await licences.CheckAsync(AccountsOf.Admin, 1, 99, "looked", Ct));
        Assert.Equal("refused licence 1 withdraw", await database.ScalarAsync<string>("select concat_ws(' ', action, entity, entity_key, new ->> 'step') from audit_entry where action = 'refused' and entity = 'licence'"));

        Task<string> StateAsync() => database.ScalarAsync<string>("select state || ' ' || coalesce(pause_reason, '') from partner");

        Task<int> NewestAsync() => database.ScalarAsync<int>("select max(licence_id) from licence");

        Task<string?> AddAsync(string number, DateOnly from, DateOnly until) => licences.AddAsync(AccountsOf.Admin, 1, new Licence("wholesale distributor", number, "Board of Pharmacy", "US-NJ", from, until, "register"), "looked up", Ct);
    }

    [Fact]
    public async Task An_exception_is_signed_for_thirty_days_at_most_and_ends_with_its_day()
    {
        await using var outbox = await Outbox.CreateAsync();
        var database = outbox.Database;
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 1);
        var node = outbox.Node();
        var licences = node.GetRequiredService<Licences>();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "officer");
        await accounts.People.VerifyIdentityAsync(AccountsOf.Admin, "anna", "identity card", Ct);
        var holder = await accounts.HolderAsync(await accounts.SignInAsync("anna"));
        var (anna, session) = (holder!.ToPrincipal("test").ToActor("dashboard"), holder.SessionId!.Value);
        var today = DateOnly.FromDateTime(await database.ScalarAsync<DateTime>("select gateway_now()"));
        await licences.NeedAsync(AccountsOf.Admin, 1, true, "US trade", Ct);

        Assert.Equal("An exception ends within 30 days.", (await SignAsync(today.AddDays(31), "renewal under way")).Refusal);
        Assert.Equal("An exception ends within 30 days.", (await SignAsync(today.AddDays(-1), "renewal under way")).Refusal);
        // What is signed is what takes effect.
        var begun = await BeginAsync(today.AddDays(3), "renewal under way");
        Assert.Equal("An exception is made by signing it.", (await accounts.Signing.SignAsync(anna, session, begun, Secret, licences.Excepted(today.AddDays(5), "renewal under way"), Ct)).Refusal);
        Assert.Equal("paused", await database.ScalarAsync<string>("select state from partner"));
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from signature"));

        Assert.Null((await SignAsync(today.AddDays(3), "renewal under way")).Refusal);
        Assert.Equal("active", await database.ScalarAsync<string>("select state from partner"));
        Assert.Equal(today.AddDays(3), (await licences.FindAsync(anna, 1, Ct))!.Until);
        Assert.Equal("licence exception", await database.ScalarAsync<string>("select meaning from signature"));
        // It was signed for the partner as it was set up.
        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set url = 'https://example.net'");
        Assert.Equal("paused", await HeldAsync());
        Assert.Null((await SignAsync(today.AddDays(3), "still under way")).Refusal);
        Assert.Equal("active", await HeldAsync());
        await database.AdvanceAsync(TimeSpan.FromDays(3));
        Assert.Equal("active", await HeldAsync());
        await database.AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Equal("paused", await HeldAsync());

        async Task<string> HeldAsync()
        {
            await new WatchLicences(database.Gateway, node.GetRequiredService<GoLive>()).RunAsync(Ct);
            return await database.ScalarAsync<string>("select state from partner");
        }

        async Task<Guid> BeginAsync(DateOnly until, string why) => (await accounts.Signing.BeginAsync(anna, session, (await licences.ExceptionAsync(anna, 1, until, why, Ct))!, Licences.Meaning, Ct)).Nonce!.Value;

        async Task<SigningAnswer> SignAsync(DateOnly until, string why) => await accounts.Signing.SignAsync(anna, session, await BeginAsync(until, why), Secret, licences.Excepted(until, why), Ct);
    }

    [Fact]
    public async Task The_end_is_told_sixty_days_before_until_another_is_on_record()
    {
        await using var outbox = await Outbox.CreateAsync();
        var database = outbox.Database;
        await outbox.AddPartnerAsync("https://example.org");
        var node = outbox.Node();
        var licences = node.GetRequiredService<Licences>();
        var today = DateOnly.FromDateTime(await database.ScalarAsync<DateTime>("select gateway_now()"));
        await licences.NeedAsync(AccountsOf.Admin, 1, true, "US trade", Ct);
        Assert.EndsWith("needs a licence, and none is valid today: nothing is sent to it. error open", await ToldAsync(), StringComparison.Ordinal);
        Assert.Null(await licences.AddAsync(AccountsOf.Admin, 1, new Licence("dispenser", "1", "Board", "US", today, today.AddDays(70)), "looked up", Ct));
        Assert.EndsWith("resolved", await ToldAsync(), StringComparison.Ordinal);
        await database.AdvanceAsync(TimeSpan.FromDays(11));
        Assert.EndsWith($"are valid until {today.AddDays(70):yyyy-MM-dd}: without another nothing is sent to it after that day. warning open", await ToldAsync(), StringComparison.Ordinal);
        // One that leaves days uncovered helps nothing; one that begins the day after does.
        Assert.Null(await licences.AddAsync(AccountsOf.Admin, 1, new Licence("dispenser", "2", "Board", "US", today.AddDays(72), today.AddDays(700)), "looked up", Ct));
        Assert.EndsWith("warning open", await ToldAsync(), StringComparison.Ordinal);
        Assert.Null(await licences.AddAsync(AccountsOf.Admin, 1, new Licence("dispenser", "3", "Board", "US", today.AddDays(71), today.AddDays(71)), "looked up", Ct));
        Assert.EndsWith("resolved", await ToldAsync(), StringComparison.Ordinal);
        await database.AdvanceAsync(TimeSpan.FromDays(650));
        Assert.EndsWith("warning open", await ToldAsync(), StringComparison.Ordinal);
        await database.AdvanceAsync(TimeSpan.FromDays(60));
        Assert.EndsWith("none is valid today: nothing is sent to it. error open", await ToldAsync(), StringComparison.Ordinal);
        Assert.Equal("error resolved, warning resolved, warning resolved, error open", await database.ScalarAsync<string>("select string_agg(severity || ' ' || state, ', ' order by exception_id) from exception"));

        async Task<string> ToldAsync()
        {
            await new WatchLicences(database.Gateway, node.GetRequiredService<GoLive>()).RunAsync(Ct);
            return await database.ScalarAsync<string>("select concat_ws(' ', message, severity, state) from exception where code = 'partner.licence' order by exception_id desc limit 1");
        }
    }

    [Theory]
    [InlineData("shop", "1", "Board", "US", "2026-01-01", "2026-12-31", "kind is one of manufacturer, repackager, wholesale distributor, third-party logistics provider, dispenser.")]
    [InlineData("dispenser", " ", "Board", "US", "2026-01-01", "2026-12-31", "number is missing, or longer than 200 characters.")]
    [InlineData("dispenser", "1", null, "US", "2026-01-01", "2026-12-31", "issuer is missing, or longer than 200 characters.")]
    [InlineData("dispenser", "1", "Board", "New Jersey", "2026-01-01", "2026-12-31", "region is a country such as US, or a state of it such as US-NJ (ISO 3166).")]
    [InlineData("dispenser", "1", "Board", "US-", "2026-01-01", "2026-12-31", "region is a country such as US, or a state of it such as US-NJ (ISO 3166).")]
    [InlineData("dispenser", "1", "Board", "US", null, "2026-12-31", "validFrom and validUntil are days such as 2026-11-30.")]
    [InlineData("dispenser", "1", "Board", "US", "2026-12-31", "2026-01-01", "validUntil is before validFrom.")]
    public void What_is_no_licence_is_told(string kind, string number, string? issuer, string region, string? from, string? until, string refusal) =>
        Assert.Equal(refusal, new Licence(kind, number, issuer, region, from is null ? null : DateOnly.Parse(from), until is null ? null : DateOnly.Parse(until)).Refuse());
}
