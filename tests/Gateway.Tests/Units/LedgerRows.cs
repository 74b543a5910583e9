using System.Globalization;
using Gateway.Access;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>Puts rows of the ledger where no document can: damaged ones, many, or such as only a party's own.</summary>
internal sealed class LedgerRows(TestDatabase database)
{
    private int _last;

    public static async Task<LedgerRows> CreateAsync(TestDatabase database)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), CancellationToken.None);
        foreach (var (kind, name) in ((string, string)[])[("organisation", "Owner"), ("cmo", "First CMO"), ("cmo", "Second CMO")])
        {
            await Parties.EnsureAsync(work, kind, name, null);
        }
        await work.CommitAsync();
        return new LedgerRows(database);
    }

    /// <returns>The row's number.</returns>
    public async Task<long> AddAsync(
        string epc, long? parent = null, UnitState state = UnitState.Commissioned, int prefix = 7, string? lot = null, string? holds = null, int? children = null, string party = "First CMO", int level = 0)
    {
        var key = UnitKey.Of(epc)!;
        var id = ++_last;
        var lotId = lot is null ? "null" : await database.ScalarAsync<int>($"""
            with added as (insert into lot (party_id, gtin, lot, expiry) select party_id, '{UnitKey.GtinOf(key)}', '{lot}', date '2028-02-29' from party where name = '{party}' on conflict do nothing returning lot_id)
            select lot_id from added union all select lot_id from lot where gtin = '{UnitKey.GtinOf(key)}' and lot = '{lot}' limit 1
            """) is var number ? number.ToString(CultureInfo.InvariantCulture) : "";
        await database.ExecuteAsync($"""
            insert into unit_row (unit_id, parent_id, first_event, last_event, last_at, party_id, lot_id, children, head, state, flags, level, last_kind, prefix_length, key, hash, holds)
            select {id}, {Or(parent)}, 1, 1, gateway_now(), party_id, {lotId}, {Or(children)}, {UnitKey.Head(key)}, {(short)state}, 3, {level}, 7, {prefix}, '{key}', {UnitKey.Hash(key)}, {(holds is null ? "null" : $"'{holds}'")}
            from party where name = '{party}'
            """);
        return id;
    }

    public Task PutIntoAsync(long unit, long parent) => database.ExecuteAsync($"update unit_row set parent_id = {parent} where unit_id = {unit}");

    private static string Or(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "null";
}
