using Gateway.Access;

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
        Assert.Equal(new KeyRefusal("A key of the role operator would carry what its maker does not have: capture, captures.read, events.read, exceptions.read, masterdata.read, proofs.read, units.read.", IsBeyondMaker: true), refusal);
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

    private static Task<(string? Token, KeyRefusal? Refusal)> AddAsync(TestDatabase database, Actor maker, string role) =>
        new AddKey(database.Gateway).AddAsync(maker, new KeyRequest(role, "k", null, null, null), Ct);

    private static async Task<string> IdAsync(TestDatabase database, Actor maker, string role)
    {
        var (token, refusal) = await AddAsync(database, maker, role);
        Assert.Null(refusal);
        return token![4..20];
    }

    private static Task<KeyChange> RevokeAsync(TestDatabase database, string id) => new ApiKeys(database.Gateway).RevokeAsync(AccountsOf.Admin with { Reason = "over" }, id, Ct);
}
