using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Dapper;

namespace Gateway.Access;

/// <summary>
/// Who has been authenticated, with every right read from the database at that moment. A holder of a key has a key, a person a user
/// name; a browser that either signed in with has a session too. What a key may send goes with it; a person is not bound.
/// </summary>
[method: ExplicitConstructor] // an array has no column type that Dapper could match
public sealed record Holder(string? KeyId, string? UserName, string Name, int PartyId, string PartyKind, string Method, string[] Roles, string[] Permissions, bool Everything, bool MustChange, long? SessionId, string[] Prefixes, string[] Sites)
{
    public const string SessionClaim = "session";
    public const string UserNameClaim = "user";
    public const string MustChangeClaim = "must-change";
    private const string PermissionClaim = "permission";
    private const string KeyClaim = "key";
    private const string PartyClaim = "party";
    private const string PartyKindClaim = "party-kind";
    private const string PrefixClaim = "prefix";
    private const string SiteClaim = "site";

    private string Id => UserName is null ? $"key:{KeyId}" : $"person:{UserName}";

    public ClaimsPrincipal ToPrincipal(string scheme)
    {
        var identity = new ClaimsIdentity(scheme);
        Add(ClaimTypes.NameIdentifier, Id); // forms are bound to it: a changed right does not make an open form invalid
        Add(ClaimTypes.Name, Name);
        Add(ClaimTypes.Role, string.Join(", ", Roles));
        Add(ClaimTypes.AuthenticationMethod, Method);
        Add(PartyClaim, PartyId.ToString(CultureInfo.InvariantCulture));
        Add(PartyKindClaim, PartyKind);
        Add(KeyClaim, KeyId);
        Add(UserNameClaim, UserName);
        Add(SessionClaim, SessionId?.ToString(CultureInfo.InvariantCulture));
        // A temporary password opens nothing but its own change.
        Add(MustChangeClaim, MustChange ? "true" : null);
        foreach (var permission in MustChange ? [] : Everything ? Access.Permissions.All : Permissions)
        {
            Add(PermissionClaim, permission);
        }
        foreach (var prefix in Prefixes)
        {
            Add(PrefixClaim, prefix);
        }
        foreach (var site in Sites)
        {
            Add(SiteClaim, site);
        }
        return new ClaimsPrincipal(identity);

        void Add(string type, string? value)
        {
            if (value is not null)
            {
                identity.AddClaim(new Claim(type, value));
            }
        }
    }

    /// <summary>Two principals with the same stamp are the same person with the same rights.</summary>
    public static string Stamp(ClaimsPrincipal user) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', user.Claims.Select(c => $"{c.Type}={c.Value}").Order(StringComparer.Ordinal)))));

    internal static bool Has(ClaimsPrincipal user, string permission) => user.HasClaim(PermissionClaim, permission);

    internal static bool OnlyReads(ClaimsPrincipal user) =>
        user.HasClaim(c => c.Type == PermissionClaim) && user.FindAll(PermissionClaim).All(c => Access.Permissions.IsReading(c.Value));

    internal static Actor ActorOf(ClaimsPrincipal user, string origin)
    {
        var party = user.FindFirstValue(PartyClaim) ?? throw new InvalidOperationException("Nobody is signed in.");
        return new Actor(user.FindFirstValue(ClaimTypes.NameIdentifier)!, user.FindFirstValue(ClaimTypes.Name)!, user.FindFirstValue(ClaimTypes.Role)!,
            int.Parse(party, CultureInfo.InvariantCulture), user.FindFirstValue(ClaimTypes.AuthenticationMethod)!, origin)
        {
            Sees = user.FindFirstValue(PartyKindClaim) == "organisation" ? "*" : party,
            Scope = KeyScope.Of([.. user.FindAll(PrefixClaim).Select(c => c.Value)], [.. user.FindAll(SiteClaim).Select(c => c.Value)]),
        };
    }
}
