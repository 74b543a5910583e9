using Dapper;
using Gateway.Access;

namespace Gateway.Host;

/// <summary>A person to sign in as; the members are those of <c>demo.json</c>.</summary>
public sealed record DemonstrationLogin(string Role, string User, string Password);

/// <summary>The people of the demonstration. Their passwords are new at every start, because the old ones exist nowhere.</summary>
public static class DemonstrationPeople
{
    private static readonly TimeSpan InspectionLasts = TimeSpan.FromDays(14);

    public static async Task<IReadOnlyList<DemonstrationLogin>> MakeAsync(RunningDatabase database, CancellationToken ct)
    {
        var actor = Actor.System("demonstration");
        var people = new People(database.Gateway);
        var logins = new List<DemonstrationLogin>();
        // What can never be taken back is signed by two officers.
        foreach (var (user, role) in (IEnumerable<(string, string)>)[("administrator", "administrator"), ("officer", "officer"), ("quality", "officer"), ("operator", "operator"), ("inspector", "inspector")])
        {
            if (await people.FindAsync(actor, user, ct) is null)
            {
                var answer = await people.AddAsync(actor, await OrganisationAsync(database, actor, ct), user, $"Demonstration {user}", role, role == "inspector" ? InspectionLasts : null, "the demonstration", ct);
                if (answer.Refusal is { } refusal)
                {
                    throw new InvalidOperationException(refusal);
                }
            }
            if (await people.FindAsync(actor, user, ct) is { IdentityVerifiedAt: null } && role != "inspector")
            {
                await people.VerifyIdentityAsync(actor, user, "the demonstration's own account", ct);
            }
            logins.Add(new DemonstrationLogin(role, user, await ResetAsync(database, actor, user, ct)));
        }
        return logins;
    }

    private static async Task<int> OrganisationAsync(RunningDatabase database, Actor actor, CancellationToken ct)
    {
        await using var work = await database.Gateway.BeginAsync(actor, ct);
        var party = await Parties.EnsureAsync(work, "organisation", "Demonstration Pharma", null);
        await work.CommitAsync();
        return party;
    }

    // The password printed is the person's own, not a temporary one, whatever a visitor did with the account before.
    private static async Task<string> ResetAsync(RunningDatabase database, Actor actor, string user, CancellationToken ct)
    {
        var password = Passwords.Temporary();
        await using var work = await database.Gateway.BeginAsync(actor, ct);
        await work.Connection.ExecuteAsync("""
            update person set password_hash = @hash, must_change = false, temporary_since = null, security_stamp = gen_random_uuid(), totp_key = null, recovery_codes = '{}', state = 'active', failed_count = 0, locked_until = null,
                access_until = case when role = 'inspector' then gateway_now() + @InspectionLasts end
            from (select @user as role) r where user_name = @user
            """, new { hash = Passwords.Hash(password), user, InspectionLasts }, work.Transaction);
        await work.AuditAsync("password_reset", "person", user);
        await work.CommitAsync();
        return password;
    }
}
