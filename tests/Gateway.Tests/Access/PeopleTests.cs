using Gateway.Access;
using Npgsql;

namespace Gateway.Tests.Access;

/// <summary>Names, roles and separation of duty, as the database holds them.</summary>
public sealed class PeopleTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [Requirement("P11-13")]
    [InlineData("Renée", "RENÉE")]
    [InlineData("Renée", "Rene\u0301e")]
    [InlineData("anna", "ａｎｎａ")]
    [InlineData("anna", "an na")]
    [InlineData("anna", "an\u200bna\ufeff")]
    [InlineData("anna", "\u00a0Anna\u3000")]
    [InlineData("strasse", "Straße")]
    [InlineData("ofﬁcer", "officer")]
    [InlineData("ΣΟΦΟΣ", "σοφος")]
    public async Task A_retired_name_is_refused_however_it_is_written(string first, string again)
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddTemporaryAsync(first);
        Assert.Null((await accounts.People.DisableAsync(AccountsOf.Admin, first, "left", Ct)).Refusal);

        var answer = await accounts.People.AddAsync(AccountsOf.Admin, 1, again, "Another", null, null, "hired", Ct);

        Assert.Contains("one person's for ever", answer.Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [Requirement("P11-13")]
    [InlineData("\u200b\u200b")]
    [InlineData("a\u0007b")]
    [InlineData(" ")]
    public async Task A_name_that_nobody_can_see_is_refused(string name)
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddTemporaryAsync("first");

        Assert.NotNull((await accounts.People.AddAsync(AccountsOf.Admin, 1, name, "Nobody", null, null, "x", Ct)).Refusal);
    }

    [Fact]
    [Requirement("P11-13")]
    public async Task A_person_is_never_deleted_nor_renamed_not_even_by_the_applications_own_hand()
    {
        await using var database = await TestDatabase.CreateAsync();
        await new AccountsOf(database.Gateway).AddTemporaryAsync("anna", role: null);
        foreach (var sql in (string[])["delete from person", "update person set user_name = 'bert'", "update person set party_id = party_id"])
        {
            await using var work = await database.Gateway.BeginAsync(AccountsOf.Admin, Ct);
            await using var command = new NpgsqlCommand(sql, work.Connection, work.Transaction);
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct))).SqlState);
        }
        Assert.Equal("GW002", (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("delete from person"))).SqlState);
    }

    [Fact]
    [Requirement("P11-12")]
    public async Task Roles_that_exclude_each_other_are_refused_to_a_person_and_permissions_that_do_to_a_role()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddTemporaryAsync("anna", "administrator");

        var asPerson = await accounts.People.GrantAsync(AccountsOf.Admin, "anna", "officer", "promoted", Ct);
        Assert.Contains(" exclude each other: ", asPerson.Refusal, StringComparison.Ordinal);
        var asRole = await accounts.Roles.PermitAsync(AccountsOf.Admin, "officer", Permissions.ManagePeople, "handy", Ct);
        Assert.StartsWith("Deliveries.decide and people.manage exclude each other", asRole, StringComparison.Ordinal);
        // A harmless role that she holds cannot be made the missing half.
        Assert.Null((await accounts.People.GrantAsync(AccountsOf.Admin, "anna", "operator", "helps out", Ct)).Refusal);
        Assert.NotNull(await accounts.Roles.PermitAsync(AccountsOf.Admin, "operator", Permissions.Decide, "handy", Ct));
        Assert.Null(await accounts.Roles.PermitAsync(AccountsOf.Admin, "operator", Permissions.ReadPartners, "handy", Ct));
        Assert.Equal("There is no permission everything.", await accounts.Roles.PermitAsync(AccountsOf.Admin, "operator", "everything", "x", Ct));
        Assert.Equal("There is no such role.", (await accounts.People.GrantAsync(AccountsOf.Admin, "anna", "king", "x", Ct)).Refusal);
        Assert.Equal("administrator,operator", await database.ScalarAsync<string>("select string_agg(role, ',' order by role) from person_role"));
    }

    [Fact]
    public async Task Of_two_grants_at_the_same_moment_that_exclude_each_other_one_is_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        var (one, other) = (new AccountsOf(database.Gateway), new AccountsOf(Gateway.Database.GatewayDatabase.Open(database.AdministratorConnectionString)));
        await using var second = other.Database.Source;
        for (var n = 0; n < 8; n++)
        {
            var user = $"person{n}";
            await one.AddTemporaryAsync(user, role: null);
            // A grant to the person on one node, and on the other the missing half given to a role she holds.
            await one.Roles.AddAsync(AccountsOf.Admin, $"half-{n}", "half", Ct);
            await one.People.GrantAsync(AccountsOf.Admin, user, $"half-{n}", "x", Ct);
            var refusals = await Task.WhenAll(
                Task.Run(async () => (await one.People.GrantAsync(AccountsOf.Admin, user, "administrator", "x", Ct)).Refusal),
                Task.Run(() => other.Roles.PermitAsync(AccountsOf.Admin, $"half-{n}", Permissions.Decide, "x", Ct)));
            Assert.Single(refusals, r => r is null);
        }
    }

    [Fact]
    public async Task An_assignment_with_an_old_snapshot_is_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        await new AccountsOf(database.Gateway).AddTemporaryAsync("anna", role: null);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("""
            begin isolation level repeatable read; select set_config('app.actor', 'test', true);
            insert into person_role (person_id, party_id, role, granted_at, granted_by, reason) values (1, 1, 'officer', now(), 'x', 'x'); commit
            """));
        Assert.Equal("GW012", refused.SqlState);
    }

    [Fact]
    public async Task The_role_that_may_do_everything_is_for_keys_only_and_never_live()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddTemporaryAsync("anna");
        Assert.Contains("keys only", (await accounts.People.GrantAsync(AccountsOf.Admin, "anna", "demonstration", "x", Ct)).Refusal, StringComparison.Ordinal);

        var (token, _) = await new AddKey(database.Gateway).AddAsync(AccountsOf.Admin, new KeyRequest("demonstration", "k", null, null, null), Ct);
        var holder = await new ApiKeys(database.Gateway).FindAsync(token!, Ct);
        Assert.All(Permissions.All, p => Assert.True(holder!.ToPrincipal("test").Has(p)));
        Assert.Equal("GW011", (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync("update installation set kind = 'live'"))).SqlState);

        await database.ExecuteAsync("select set_config('app.actor', 'test', false); update api_key set revoked_at = now(); update installation set kind = 'live'");
        var (none, refusal) = await new AddKey(database.Gateway).AddAsync(AccountsOf.Admin, new KeyRequest("demonstration", "k", null, null, null), Ct);
        Assert.Null(none);
        Assert.Contains("live installation", refusal!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_built_in_roles_may_is_known_to_the_program()
    {
        await using var database = await TestDatabase.CreateAsync();
        var roles = await new Roles(database.Gateway).ListAsync(AccountsOf.Admin, null, null, Ct);
        Assert.Empty(roles.SelectMany(r => r.Permissions).Except(Permissions.All));
        Assert.DoesNotContain(Permissions.Decide, roles.Single(r => r.Role == "administrator").Permissions);
    }

    [Fact]
    [Requirement("P11-17")]
    public async Task Nobody_manages_himself_and_nothing_happens_without_a_reason()
    {
        await using var database = await TestDatabase.CreateAsync();
        var accounts = new AccountsOf(database.Gateway);
        await accounts.AddAsync("anna", "administrator");
        var anna = (await accounts.HolderAsync(await accounts.SignInAsync("anna")))!.ToPrincipal("test").ToActor("test");

        Assert.Contains("Nobody manages himself", (await accounts.People.GrantAsync(anna, "ANNA", "operator", "x", Ct)).Refusal, StringComparison.Ordinal);
        Assert.Equal("A reason is needed.", (await accounts.People.DisableAsync(AccountsOf.Admin, "anna", " ", Ct)).Refusal);
    }
}
