using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>How a unit stood at a past moment, as is known today: its events until then are replayed.</summary>
public sealed class UnitPast(GatewayDatabase database, UnitLedgers ledgers)
{
    /// <param name="key">See <see cref="UnitKey"/>.</param>
    /// <param name="at">By event time; what was corrected since counts as corrected.</param>
    /// <returns>The unit with the containers that it was in and what it held; <see langword="null"/> when nothing had been said of it.</returns>
    public async Task<Unit?> FindAsync(Actor reader, string key, DateTimeOffset at, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var stored = new StoredEvents(work);
        await stored.AddAsync([key], ct);
        var specifications = await ledgers.SpecificationsAsync(ct, await MasterDataRecords.LastVersionAsync(work, ct));
        return UnitBook.Replay(stored.All, only: stored.Keys, until: at, specificationOf: specifications.Find).Book.OfKey(key);
    }
}
