using Dapper;
using Gateway.Database;

namespace Gateway.Units;

/// <summary>Whether the ledger has units, for whoever asks of numbers that are to be given out.</summary>
public static class KnownUnits
{
    /// <summary>Those of the keys that the ledger has a unit of, whichever party told of it.</summary>
    public static async Task<IReadOnlySet<string>> AmongAsync(Work work, IReadOnlyCollection<string> keys, CancellationToken ct) =>
        (await work.Connection.QueryAsync<string>(new CommandDefinition("select units_known(@heads, @hashes, @keys)", new
        {
            heads = keys.Select(k => UnitKey.Head(k)).ToArray(), hashes = keys.Select(UnitKey.Hash).ToArray(), keys = keys.ToArray(),
        }, work.Transaction, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);
}
