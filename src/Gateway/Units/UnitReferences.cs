using Dapper;
using Gateway.Database;

namespace Gateway.Units;

/// <summary>A lot as units name it.</summary>
internal readonly record struct LotName(string Gtin, string Lot, DateOnly? Expiry);

/// <summary>
/// The lots and places of one transaction by their numbers, and the other way. What a transaction that is rolled back has made is
/// gone with it, so nothing of it is kept for the next.
/// </summary>
internal sealed class UnitReferences(Work work)
{
    private readonly Dictionary<int, LotName> _lots = [];
    private readonly Dictionary<int, string> _places = [];
    private readonly Dictionary<(int Party, LotName Lot), int> _lotIds = [];
    private readonly Dictionary<(int Party, string Uri), int> _placeIds = [];

    public LotName LotOf(int id) => _lots[id];

    public string PlaceOf(int id) => _places[id];

    public int IdOf(int party, LotName lot) => _lotIds[(party, lot)];

    public int IdOf(int party, string place) => _placeIds[(party, place)];

    /// <summary>Reads what rows name; each is read once.</summary>
    public async Task ReadAsync(IEnumerable<int> lots, IEnumerable<int> places, CancellationToken ct)
    {
        int[] unknownLots = [.. lots.Where(id => !_lots.ContainsKey(id)).Distinct()];
        int[] unknownPlaces = [.. places.Where(id => !_places.ContainsKey(id)).Distinct()];
        if (unknownLots.Length + unknownPlaces.Length > 0)
        {
            await KeepAsync("select 0, lot_id, party_id, gtin, lot, expiry from lot where lot_id = any(@unknownLots) union all select 1, place_id, party_id, uri, null, null from place where place_id = any(@unknownPlaces)",
                new { unknownLots, unknownPlaces }, ct);
        }
    }

    /// <summary>Gives each a number that has none yet.</summary>
    public async Task MakeAsync(IEnumerable<(int Party, LotName Lot)> lots, IEnumerable<(int Party, string Uri)> places, CancellationToken ct)
    {
        // In one order, so that captures with the same new ones meet in it.
        var newLots = lots.Where(l => !_lotIds.ContainsKey(l)).Distinct().OrderBy(l => l.Party).ThenBy(l => l.Lot.Gtin, StringComparer.Ordinal).ThenBy(l => l.Lot.Lot, StringComparer.Ordinal).ThenBy(l => l.Lot.Expiry).ToList();
        var newPlaces = places.Where(p => !_placeIds.ContainsKey(p)).Distinct().OrderBy(p => p.Party).ThenBy(p => p.Uri, StringComparer.Ordinal).ToList();
        if (newLots.Count + newPlaces.Count == 0)
        {
            return;
        }
        var names = new
        {
            lotParties = newLots.Select(l => l.Party).ToArray(),
            gtins = newLots.Select(l => l.Lot.Gtin).ToArray(),
            lots = newLots.Select(l => l.Lot.Lot).ToArray(),
            expiries = newLots.Select(l => l.Lot.Expiry).ToArray(),
            placeParties = newPlaces.Select(p => p.Party).ToArray(),
            uris = newPlaces.Select(p => p.Uri).ToArray(),
        };
        // The limit keeps each a look by the index: as a join, all lots there are would be read for a few.
        const string known = """
            select 0, l.* from unnest(@lotParties, @gtins, @lots, @expiries) as n (party_id, gtin, lot, expiry)
            cross join lateral (select lot_id, party_id, gtin, lot, expiry from lot where party_id = n.party_id and gtin = n.gtin and lot = n.lot and expiry is not distinct from n.expiry limit 1) l
            union all
            select 1, p.*, null, null from unnest(@placeParties, @uris) as n (party_id, uri)
            cross join lateral (select place_id, party_id, uri from place where party_id = n.party_id and uri = n.uri limit 1) p
            """;
        if (await KeepAsync(known, names, ct) == newLots.Count + newPlaces.Count)
        {
            return;
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into lot (party_id, gtin, lot, expiry) select * from unnest(@lotParties, @gtins, @lots, @expiries) on conflict do nothing;
            insert into place (party_id, uri) select * from unnest(@placeParties, @uris) on conflict do nothing
            """, names, work.Transaction, cancellationToken: ct));
        await KeepAsync(known, names, ct); // also those that somebody else has made meanwhile
    }

    private async Task<int> KeepAsync(string sql, object parameters, CancellationToken ct)
    {
        var rows = (await work.Connection.QueryAsync<(int Kind, int Id, int Party, string Text, string? Lot, DateOnly? Expiry)>(new CommandDefinition(sql, parameters, work.Transaction, cancellationToken: ct))).AsList();
        foreach (var (kind, id, party, text, lot, expiry) in rows)
        {
            if (kind == 0)
            {
                var name = new LotName(text, lot!, expiry);
                (_lots[id], _lotIds[(party, name)]) = (name, id);
            }
            else
            {
                (_places[id], _placeIds[(party, text)]) = (text, id);
            }
        }
        return rows.Count;
    }
}
