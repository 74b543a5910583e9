using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Partners;

namespace Gateway.Hub;

/// <summary>A partner that is a hub.</summary>
/// <param name="PartyId">The hub's own.</param>
public sealed record HubPartner(int PartnerId, int PartyId, string Gln, string Name, string State, string Protocol)
{
    /// <returns>Why nothing real may be told to it; null: it may, or waits while it is paused.</returns>
    public string? Refuse() => State is "draft" or "practice" ? $"{Name} is {(State == "draft" ? "a draft" : "in practice")}: nothing real is told to it." : null;
}

/// <summary>The hubs that packs are reported to, and what speaks with each.</summary>
public sealed class Hubs(GatewayDatabase database, IEnumerable<IHub> adapters)
{
    private readonly Dictionary<string, IHub> _adapters = adapters.ToDictionary(a => a.Protocol, StringComparer.Ordinal);

    /// <summary>What speaks with hubs.</summary>
    public IReadOnlyCollection<IHub> All => _adapters.Values;

    /// <exception cref="KeyNotFoundException">No adapter speaks it.</exception>
    public IHub Of(string protocol) => _adapters[protocol];

    public async Task<IReadOnlyList<HubPartner>> ListAsync(Actor reader, CancellationToken ct) => await FindAsync(reader, null, ct);

    /// <param name="gln">Null: the only hub there is.</param>
    /// <returns>Null: there is none, or more than one to choose from.</returns>
    public async Task<HubPartner?> OneAsync(Actor reader, string? gln, CancellationToken ct) => await FindAsync(reader, gln, ct) is [var only] ? only : null;

    private async Task<IReadOnlyList<HubPartner>> FindAsync(Actor reader, string? gln, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var rows = await work.Connection.QueryAsync<(int Id, int PartyId, string Gln, string Name, string State, string Settings)>(new CommandDefinition("""
            select p.partner_id, p.party_id, coalesce(y.gln, ''), p.name, p.state, p.channel_settings::text from partner p join party y using (party_id) where p.channel = 'hub' and (@gln::text is null or y.gln = @gln) order by p.partner_id
            """, new { gln }, work.Transaction, cancellationToken: ct));
        return [.. rows.Select(r => new HubPartner(r.Id, r.PartyId, r.Gln, r.Name, r.State, ChannelSettings.Read(r.Settings).Protocol!))];
    }
}
