using Gateway.Access;
using Gateway.Database;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Access;

/// <summary>The classes of people's accounts on one database, as one node has them.</summary>
internal sealed class AccountsOf(GatewayDatabase database, IDataProtectionProvider? ring = null)
{
    public const string Good = "seven herons over Lake Ohrid";
    public static readonly Actor Admin = Actor.System("test");
    private readonly IOptions<SignInOptions> _options = Options.Create(new SignInOptions());
    private readonly PersonSecrets _secrets = new(ring ?? new EphemeralDataProtectionProvider());

    public GatewayDatabase Database { get; } = database;
    public People People { get; } = new(database);
    public Roles Roles { get; } = new(database);
    public Sessions Sessions => new(Database, _options);
    private ProvePerson Prove => new(_secrets, _options, NullLogger<ProvePerson>.Instance);
    public SignInPerson SignIn => new(Database, Prove, NullLogger<SignInPerson>.Instance);
    public OwnAccount Own => new(Database, new PasswordRules(_options), _secrets, Prove);
    public Signing Signing => new(Database, Sessions, Prove, Options.Create(new Gateway.Http.RateLimitOptions()));
    public Signatures Signatures => new(Database);

    public async Task<string?> SignInAsync(string user, string password = Good, string? code = null) => (await SignIn.TryAsync(user, password, code, "192.0.2.1", CancellationToken.None)).Secret;

    public async Task<Holder?> HolderAsync(string? secret) => secret is null ? null : await Sessions.FindAsync(secret, CancellationToken.None);

    /// <summary>Adds a person with a password of his own.</summary>
    public async Task AddAsync(string user, string? role = "operator", TimeSpan? accessFor = null)
    {
        var temporary = await AddTemporaryAsync(user, role, accessFor);
        Assert.Null(await Own.ChangePasswordAsync(Admin, user, null, temporary, Good, CancellationToken.None));
    }

    public async Task<string> AddTemporaryAsync(string user, string? role = "operator", TimeSpan? accessFor = null)
    {
        int party;
        await using (var work = await Database.BeginAsync(Admin, CancellationToken.None))
        {
            party = await Parties.EnsureAsync(work, "organisation", "Test Pharma", null);
            await work.CommitAsync();
        }
        var answer = await People.AddAsync(Admin, party, user, "Somebody", role, accessFor, "hired", CancellationToken.None);
        Assert.Null(answer.Refusal);
        return answer.TemporaryPassword!;
    }

    public static Task<string> TrailAsync(TestDatabase database) =>
        database.ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', actor, action, entity, entity_key, old::text, new::text, reason, convert_from(canonical, 'UTF8')), E'\\n' order by ord), '') from audit_entry");
}
