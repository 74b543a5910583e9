using Epcis.Identifiers;
using Gateway.Database;
using Npgsql;

namespace Gateway.Access;

/// <param name="Party">Name of the CMO or partner; the organisation's own roles need none.</param>
/// <param name="ExpiresInDays">Null: until it is revoked.</param>
/// <param name="Prefixes">GS1 company prefixes of what it may send; none: any.</param>
/// <param name="Sites">GLNs of where that may be; none: anywhere.</param>
public sealed record KeyRequest(string? Role, string? Name, string? Party, string? Gln, int? ExpiresInDays, IReadOnlyList<string>? Prefixes = null, IReadOnlyList<string>? Sites = null);

/// <param name="IsBeyondMaker">The request is as it should be, only not for this maker.</param>
public sealed record KeyRefusal(string Sentence, bool IsBeyondMaker = false);

/// <summary>
/// Makes a key for somebody, making the party when it is not known yet. Whoever makes a key has seen it, so it may no more than its
/// maker; the command line, whose user has the database in his hands, makes any.
/// </summary>
public sealed class AddKey(GatewayDatabase database)
{
    /// <returns>The key, shown this once, or why there is none.</returns>
    public async Task<(string? Token, KeyRefusal? Refusal)> AddAsync(Actor actor, KeyRequest request, CancellationToken ct)
    {
        var scope = KeyScope.Read(request.Prefixes, request.Sites, out var unfit);
        if ((Refuse(request) ?? unfit) is { } refusal)
        {
            return (null, new KeyRefusal(refusal));
        }
        var kind = Roles.PartyKindOf(request.Role!);
        await using var work = await database.BeginAsync(actor, ct);
        if (request.Gln is { } gln && await Parties.KindOfAsync(work, gln) is { } known && known != kind)
        {
            return (null, new KeyRefusal($"The party with GLN {gln} is a {known}; role {request.Role} is for a {kind}."));
        }
        var isOwn = kind == "organisation";
        var partyId = await Parties.EnsureAsync(work, kind, isOwn ? "Organisation" : request.Party!.Trim(), isOwn ? null : request.Gln);
        try
        {
            var token = await ApiKeys.CreateAsync(work, partyId, request.Role!, request.Name!.Trim(), "gwl", request.ExpiresInDays is { } days ? TimeSpan.FromDays(days) : null, scope);
            await work.CommitAsync();
            return (token, null);
        }
        catch (PostgresException e) when (Roles.Refusal(e) is { } sentence)
        {
            return (null, new KeyRefusal(sentence, Roles.IsBeyondMaker(e)));
        }
    }

    private static string? Refuse(KeyRequest request) => request switch
    {
        { Role: null } => "role is missing.",
        _ when string.IsNullOrWhiteSpace(request.Name) => "name is missing: whose key it is.",
        _ when Roles.PartyKindOf(request.Role) != "organisation" && string.IsNullOrWhiteSpace(request.Party) => $"party is missing: a key of role {request.Role} belongs to somebody.",
        { ExpiresInDays: < 1 or > 3650 } => "expiresInDays is 1 to 3650.",
        { Gln: { } gln } when !Gln.Parse(gln).Try(out _, out var error) => error,
        _ => null,
    };
}
