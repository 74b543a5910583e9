using Gateway.Access;
using Gateway.TestSupport;

namespace Gateway.Tests.Access;

/// <summary>Who makes a key has it in his hands: it may no more than he, and both together obey separation of duty.</summary>
public sealed class KeyMakerTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_carries_nothing_that_its_maker_does_not_have_and_the_command_line_makes_any()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await RoleAsync(accounts, "key-maker", Permissions.ManageKeys, Permissions.Check);
        await RoleAsync(accounts, "checker", Permissions.Check);
        await accounts.AddTemporaryAsync("anna", "key-maker");
        var anna = AccountsOf.Admin with { Id = "person:anna" };

        var (none, refusal) = await AddAsync(database, anna, "operator");
        Assert.Null(none);
        Assert.Equal(new KeyRefusal("A key of the role operator would carry what its maker does not have: alarms.read, capture, captures.read, devices.read, devices.register, devices.speak, events.read, exceptions.read, hub.read, lines.read, lines.run, masterdata.read, proofs.read, serials.read, serials.request, units.read.", IsBeyondMaker: true), refusal);
        Assert.Contains("everything", (await AddAsync(database, anna, "demonstration")).Refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal(new KeyRefusal("There is no such role."), (await AddAsync(database, anna, "king")).Refusal);
        Assert.Null((await AddAsync(database, anna, "checker")).Refusal);
        Assert.Null((await AddAsync(database, Actor.System("command line"), "officer")).Refusal);
        // A key is a maker like a person, and one that may do everything makes any.
        var makers = await IdAsync(database, anna, "key-maker");
        Assert.True((await AddAsync(database, AccountsOf.Admin with { Id = $"key:{makers}" }, "administrator")).Refusal!.IsBeyondMaker);
        var everything = await IdAsync(database, Actor.System("command line"), "demonstration");
        Assert.Null((await AddAsync(database, AccountsOf.Admin with { Id = $"key:{everything}" }, "officer")).Refusal);
    }

    [Fact]
    public async Task Rotating_a_key_shows_it_so_it_is_refused_like_making_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddTemporaryAsync("chief", "administrator");
        var (keys, chief) = (new ApiKeys(database.Gateway), AccountsOf.Admin with { Id = "person:chief", Reason = "yearly" });
        var officer = await IdAsync(database, Actor.System("command line"), "officer");
        var own = await IdAsync(database, Actor.System("command line"), "operator");

        Assert.Equal((KeyChange.BeyondMaker, null), await keys.RotateAsync(chief, officer, TimeSpan.Zero, Ct));
        Assert.Equal(KeyChange.Done, (await keys.RotateAsync(chief, own, TimeSpan.Zero, Ct)).Change);
        Assert.Equal(KeyChange.Done, (await keys.RotateAsync(Actor.System("command line"), officer, TimeSpan.Zero, Ct)).Change);
        Assert.Equal(2L, await database.ScalarAsync<long>("select count(*) from api_key where expires_at <= gateway_now()"));
    }

    [Fact]
    [Requirement("P11-26")]
    public async Task A_bound_key_makes_and_rotates_no_key_that_is_bound_less_and_a_person_is_not_bound()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await RoleAsync(accounts, "key-maker", Permissions.ManageKeys, Permissions.Check);
        await accounts.AddTemporaryAsync("anna", "key-maker");
        var anna = AccountsOf.Admin with { Id = "person:anna" };
        const string site = "4012345000016", other = "0614141000012";
        var bound = AccountsOf.Admin with { Id = $"key:{await IdAsync(database, anna, "key-maker", ["4012345", "95212"], [site])}", Reason = "yearly" };

        Assert.Null((await AddAsync(database, bound, "key-maker", ["401234567", "95212"], [site])).Refusal);
        foreach (var (prefixes, sites, beyond) in ((string[], string[], string)[])
            [(["4012345", "9521", "0614141"], [site], "0614141, 9521"), ([], [site], "any company prefix"), (["4012345"], [site, other], other), (["4012345"], [], "any site")])
        {
            Assert.Equal(new KeyRefusal($"A key for {beyond} would be bound less than the key that makes it.", IsBeyondMaker: true), (await AddAsync(database, bound, "key-maker", prefixes, sites)).Refusal);
        }

        // Rotating shows the new key, which is bound as the old one is.
        var keys = new ApiKeys(database.Gateway);
        var free = await IdAsync(database, anna, "key-maker");
        var narrow = await IdAsync(database, anna, "key-maker", ["4012345"], [site]);
        Assert.Equal((KeyChange.BeyondMaker, null), await keys.RotateAsync(bound, free, TimeSpan.Zero, Ct));
        var (change, token) = await keys.RotateAsync(bound, narrow, TimeSpan.Zero, Ct);
        Assert.Equal(KeyChange.Done, change);
        Assert.Equal($"4012345 {site}", await database.ScalarAsync<string>($"select array_to_string(prefixes || sites, ' ') from api_key where key_id = '{token![4..20]}'"));

        // Nor does the everything that another key may lift the bounds of one.
        var everything = AccountsOf.Admin with { Id = $"key:{await IdAsync(database, Actor.System("command line"), "demonstration", ["4012345"])}" };
        Assert.True((await AddAsync(database, everything, "officer")).Refusal!.IsBeyondMaker);
        Assert.Null((await AddAsync(database, everything, "officer", ["4012345"])).Refusal);
    }

    [Theory]
    [InlineData("401", null, "'401' is no GS1 company prefix: it has 4 to 12 digits.")]
    [InlineData("4012345000016", null, "'4012345000016' is no GS1 company prefix: it has 4 to 12 digits.")]
    [InlineData("40123x5", null, "'40123x5' is no GS1 company prefix: it has 4 to 12 digits.")]
    [InlineData("", null, "'' is no GS1 company prefix: it has 4 to 12 digits.")]
    [InlineData(null, "4012345000017", "sites: The check digit of GLN 4012345000017 is 7")]
    [InlineData(null, "401234500001", "sites: ")]
    [Requirement("P11-26")]
    public async Task What_a_key_is_bound_to_must_be_prefixes_and_glns(string? prefix, string? site, string sentence)
    {
        await using var database = await TestDatabase.CreateAsync();
        var (token, refusal) = await AddAsync(database, Actor.System("command line"), "operator", prefix is null ? null : [prefix], site is null ? null : [site]);
        Assert.Null(token);
        Assert.StartsWith(sentence, refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal("prefixes are at most 100.", (await AddAsync(database, Actor.System("command line"), "operator", [.. Enumerable.Range(1000, 101).Select(n => $"{n}")])).Refusal!.Sentence);
        Assert.Null((await AddAsync(database, Actor.System("command line"), "operator", [.. Enumerable.Range(1000, 100).Select(n => $"{n}"), "1000"])).Refusal);

        // Nor does the database keep others.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.ExecuteAsync("select set_config('app.actor', 'test', false); update api_key set prefixes = '{401}'"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.ExecuteAsync("select set_config('app.actor', 'test', false); update api_key set sites = '{null}'"));
    }

    [Fact]
    public async Task A_person_and_the_keys_of_his_hands_never_come_to_hold_a_pair()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await RoleAsync(accounts, "line", Permissions.Check);
        await accounts.AddTemporaryAsync("chief", "administrator");
        var chief = AccountsOf.Admin with { Id = "person:chief" };
        var first = await IdAsync(database, chief, "administrator");
        var line = await IdAsync(database, AccountsOf.Admin with { Id = $"key:{first}" }, "line"); // by way of another key

        // Not by what the role of a made key is permitted later,
        Assert.Contains(" exclude each other: ", await accounts.Roles.PermitAsync(AccountsOf.Admin, "line", Permissions.Decide, "handy", Ct), StringComparison.Ordinal);
        await RevokeAsync(database, line);
        Assert.Null(await accounts.Roles.PermitAsync(AccountsOf.Admin, "line", Permissions.Decide, "handy", Ct));

        // nor by another role for the person.
        Assert.Null((await accounts.People.RevokeAsync(AccountsOf.Admin, "chief", "administrator", "moved", Ct)).Refusal);
        Assert.Contains(" exclude each other: ", (await accounts.People.GrantAsync(AccountsOf.Admin, "chief", "officer", "moved", Ct)).Refusal, StringComparison.Ordinal);
        await RevokeAsync(database, first);
        Assert.Null((await accounts.People.GrantAsync(AccountsOf.Admin, "chief", "officer", "moved", Ct)).Refusal);
    }

    private static async Task RoleAsync(AccountsOf accounts, string role, params string[] permissions)
    {
        Assert.Null(await accounts.Roles.AddAsync(AccountsOf.Admin, role, role, Ct));
        foreach (var permission in permissions)
        {
            Assert.Null(await accounts.Roles.PermitAsync(AccountsOf.Admin, role, permission, "needed", Ct));
        }
    }

    private static Task<(string? Token, KeyRefusal? Refusal)> AddAsync(TestDatabase database, Actor maker, string role, string[]? prefixes = null, string[]? sites = null) =>
        new AddKey(database.Gateway).AddAsync(maker, new KeyRequest(role, "k", null, null, null, prefixes, sites), Ct);

    private static async Task<string> IdAsync(TestDatabase database, Actor maker, string role, string[]? prefixes = null, string[]? sites = null)
    {
        var (token, refusal) = await AddAsync(database, maker, role, prefixes, sites);
        Assert.Null(refusal);
        return token![4..20];
    }

    private static Task<KeyChange> RevokeAsync(TestDatabase database, string id) => new ApiKeys(database.Gateway).RevokeAsync(AccountsOf.Admin with { Reason = "over" }, id, Ct);
}
