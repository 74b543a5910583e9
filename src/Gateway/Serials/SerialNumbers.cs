using System.Globalization;
using Dapper;
using Gateway.Database;

namespace Gateway.Serials;

/// <summary>A number that was told of and was not allocated.</summary>
/// <param name="Key"><c>01</c>, GTIN, <c>21</c> and serial number; or <c>00</c> and SSCC.</param>
/// <param name="State">in the pool, unused, voided or encoded; null: no pool of the teller's has it.</param>
public sealed record NotAllocated(string Key, string? State);

/// <summary>What lines say of numbers, in the transaction that takes it down. Numbers are named as the ledger names units: <c>01GTIN21SERIAL</c>, <c>00SSCC</c>.</summary>
public static class SerialNumbers
{
    private const int AtOnce = 20_000;
    private static readonly string[] s_states = ["in the pool", "allocated", "unused", "voided", "encoded"];

    private sealed record Told(long Item, string Serial, short? State, int? PoolId);

    /// <summary>
    /// They were printed, or commissioned. Whatever they were before, they are never given out again; told again, it changes nothing.
    /// </summary>
    /// <returns>Those that were not allocated: a person may have to look, unless the product has no pool here.</returns>
    public static Task<IReadOnlyList<NotAllocated>> MarkEncodedAsync(Work work, IReadOnlyList<string> keys, CancellationToken ct = default) => MarkAsync(work, keys, 4, [0, 1, 2], ct);

    /// <summary>They are not used. They stay with their grant until they are returned or voided; told again, it changes nothing.</summary>
    /// <returns>Those that were not allocated.</returns>
    public static Task<IReadOnlyList<NotAllocated>> MarkUnusedAsync(Work work, IReadOnlyList<string> keys, CancellationToken ct = default) => MarkAsync(work, keys, 2, [1], ct);

    /// <summary>They are never to be used. What was printed stays so; told again, it changes nothing.</summary>
    /// <returns>Those that were not allocated.</returns>
    public static Task<IReadOnlyList<NotAllocated>> MarkVoidedAsync(Work work, IReadOnlyList<string> keys, CancellationToken ct = default) => MarkAsync(work, keys, 3, [0, 1, 2], ct);

    private static async Task<IReadOnlyList<NotAllocated>> MarkAsync(Work work, IReadOnlyList<string> keys, short to, short[] from, CancellationToken ct)
    {
        var wrong = new List<NotAllocated>();
        foreach (var some in keys.Distinct(StringComparer.Ordinal).Chunk(AtOnce))
        {
            // In one order, so that two who tell of the same numbers do not wait for each other.
            var told = (await work.Connection.QueryAsync<Told>(new CommandDefinition("""
                with given as (select item, serial from unnest(@items, @serials) as g (item, serial)),
                found as materialized (select n.item, n.serial, n.state, n.pool_id from given join serial_number n using (item, serial) order by n.item, n.serial for update of n),
                marked as (update serial_number n set state = @to from found f where n.item = f.item and n.serial = f.serial and f.state = any(@from))
                select g.item as Item, g.serial as Serial, f.state as State, f.pool_id as PoolId from given g left join found f using (item, serial) where f.state is null or f.state not in (1, @to)
                """, new { items = Array.ConvertAll(some, ItemOf), serials = Array.ConvertAll(some, SerialOf), to, from }, work.Transaction, cancellationToken: ct))).AsList();
            foreach (var pool in told.Where(t => t.State == 0 && from.Contains((short)0)).GroupBy(t => t.PoolId).OrderBy(p => p.Key))
            {
                // Locked first: a check is made of the row as the statement found it, which may be old.
                await work.Connection.ExecuteAsync("select from serial_pool where pool_id = @Key for update; update serial_pool set free = free - @count where pool_id = @Key", new { pool.Key, count = pool.Count() }, work.Transaction);
            }
            wrong.AddRange(told.Select(t => new NotAllocated(t.Item == 0 ? $"00{t.Serial}" : string.Create(CultureInfo.InvariantCulture, $"01{t.Item:D14}21{t.Serial}"), t.State is { } state ? s_states[state] : null)));
        }
        return wrong;
    }

    /// <param name="gtin">Null: the number is an SSCC.</param>
    internal static string KeyOf(string? gtin, string serial) => gtin is null ? $"00{serial}" : $"01{gtin}21{serial}";

    private static long ItemOf(string key) => key[1] == '0' ? 0 : long.Parse(key.AsSpan(2, 14), NumberStyles.None, CultureInfo.InvariantCulture);

    private static string SerialOf(string key) => key[1] == '0' ? key[2..] : key[18..];
}

/// <summary>Hears what captured events say of numbers, in their transaction.</summary>
public sealed class HearOfNumbers
{
    private volatile bool _areAny;

    /// <summary>Whether there is any pool. Pools stay for ever, so once there is one nobody asks again.</summary>
    public async ValueTask<bool> AreAnyAsync(Work work, CancellationToken ct) =>
        _areAny || (_areAny = await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select exists (select from serial_pool)", null, work.Transaction, cancellationToken: ct)));

    /// <param name="encoded">Printed, or commissioned.</param>
    public static async Task HearAsync(Work work, IReadOnlyList<string> encoded, IReadOnlyList<string> unused, IReadOnlyList<string> voided, CancellationToken ct)
    {
        // What is on something is so, whatever else is said of it.
        await SerialNumbers.MarkUnusedAsync(work, unused, ct);
        await SerialNumbers.MarkEncodedAsync(work, encoded, ct);
        await SerialNumbers.MarkVoidedAsync(work, voided, ct);
    }
}
