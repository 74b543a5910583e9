using System.Numerics;
using System.Security.Cryptography;
using Dapper;
using Gateway.Database;
using Gateway.Units;

namespace Gateway.Serials;

/// <summary>
/// Makes numbers by the system's cryptographic generator, so that from those that are known no other follows, and keeps those that nobody had
/// before: the unique index over all pools of a product says which they are.
/// </summary>
internal static class MakeNumbers
{
    private const int AtOnce = 100_000;

    // Where a range is nearly used up, few tries hit what is left: after so many rounds a range of logistic units is listed instead.
    private const int Rounds = 20, Listed = 1_000_000;

    /// <summary>Adds numbers to a pool whose lock the caller holds, and which has room for them.</summary>
    /// <param name="grantId">Whose they are from the beginning; null: they lie in the pool.</param>
    /// <returns>Those added; fewer than asked for only when the range is used up, and then the caller gives none of them out.</returns>
    public static async Task<List<string>> AddAsync(Work work, SerialPool pool, int quantity, long? grantId, CancellationToken ct)
    {
        var (added, next) = (new List<string>(quantity), pool.NextReference);
        IEnumerator<string[]>? left = null;
        for (var round = 0; added.Count < quantity; round++)
        {
            string[] tries;
            if (next is { } from)
            {
                // Wider each time: how many in a row are others', nobody knows, and those found beyond what is wanted lie in the pool.
                var to = Math.Min(from + Math.Min((quantity - added.Count) * (1L << Math.Min(round, 16)), AtOnce), pool.RangeTo!.Value + 1);
                tries = [.. Enumerable.Range(0, (int)(to - from)).Select(n => pool.SsccOf(from + n))];
                next = to;
                if (tries.Length == 0)
                {
                    break;
                }
            }
            else if (round < Rounds)
            {
                tries = Candidates(pool, Tries(pool, quantity - added.Count));
            }
            else if ((left ??= (await LeftAsync(work, pool, ct)).GetEnumerator()).MoveNext())
            {
                tries = left.Current;
            }
            else
            {
                break;
            }
            // What a line has printed without having asked here stands in no pool, and is passed over all the same.
            if (await KnownUnits.AmongAsync(work, Array.ConvertAll(tries, t => SerialNumbers.KeyOf(pool.Gtin, t)), ct) is { Count: > 0 } onPacks)
            {
                tries = Array.FindAll(tries, t => !onPacks.Contains(SerialNumbers.KeyOf(pool.Gtin, t)));
            }
            added.AddRange(await work.Connection.QueryAsync<string>(new CommandDefinition("""
                insert into serial_number (item, pool_id, party_id, grant_id, state, serial)
                select @Item, @PoolId, @PartyId, @grantId, case when @grantId::bigint is null then 0 else 1 end, s from unnest(@tries) as s
                on conflict (item, serial) do nothing returning serial
                """, new { pool.Item, pool.PoolId, pool.PartyId, grantId, tries }, work.Transaction, cancellationToken: ct)));
        }
        // Where more were found than are wanted, which only a nearly used range has, the rest lies in the pool.
        if (added.Count > quantity && grantId is not null)
        {
            await work.Connection.ExecuteAsync(new CommandDefinition("update serial_number set state = 0, grant_id = null where item = @Item and serial = any(@rest)",
                new { pool.Item, rest = added.Skip(quantity).ToArray() }, work.Transaction, cancellationToken: ct));
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("update serial_pool set made = made + @made, free = free + @free, next_ref = @next where pool_id = @PoolId",
            new { made = added.Count, free = grantId is null ? added.Count : Math.Max(0, added.Count - quantity), next, pool.PoolId }, work.Transaction, cancellationToken: ct));
        return added.Count > quantity ? added[..quantity] : added;
    }

    /// <summary>Random numbers of the pool's form, each independent of all others.</summary>
    public static string[] Candidates(SerialPool pool, int quantity)
    {
        if (pool.Gtin is null)
        {
            var numbers = new string[quantity];
            for (var n = 0; n < quantity; n++)
            {
                numbers[n] = pool.SsccOf(Below(pool.RangeTo!.Value - pool.RangeFrom!.Value + 1) + pool.RangeFrom.Value);
            }
            return numbers;
        }
        var characters = RandomNumberGenerator.GetItems<char>(pool.Alphabet, quantity * pool.Length);
        return [.. Enumerable.Range(0, quantity).Select(n => new string(characters, n * pool.Length, pool.Length))];
    }

    // Of a range in which tries no longer hit: all that this party has not, in an order by chance, for what others have it cannot see; nothing
    // where the range is too long to be listed.
    private static async Task<IEnumerable<string[]>> LeftAsync(Work work, SerialPool pool, CancellationToken ct)
    {
        if (pool.Gtin is not null || pool.Possible > Listed)
        {
            return [];
        }
        var first = pool.RangeFrom!.Value;
        var isOwn = new bool[(int)pool.Possible];
        foreach (var reference in await work.Connection.QueryAsync<long>(new CommandDefinition("select substr(serial, @at, @Length)::bigint from serial_number where item = 0 and serial between @first and @last",
            new { at = pool.SsccPrefix!.Length + 1, pool.Length, first = pool.SsccOf(first), last = pool.SsccOf(pool.RangeTo!.Value) }, work.Transaction, cancellationToken: ct)))
        {
            isOwn[reference - first] = true;
        }
        var left = Enumerable.Range(0, isOwn.Length).Where(n => !isOwn[n]).ToArray();
        RandomNumberGenerator.Shuffle(left.AsSpan());
        return left.Chunk(10_000).Select(chunk => chunk.Select(n => pool.SsccOf(first + n)).ToArray());
    }

    private static int Tries(SerialPool pool, int missing)
    {
        var free = pool.Possible - Math.Max(pool.Made, 0);
        return free <= 0 ? missing : (int)BigInteger.Min(AtOnce, missing * pool.Possible / free + (missing < 100 && free < 10 * (BigInteger)missing ? 100 : 0));
    }

    // Each value equally likely: what lies beyond the last whole multiple of the range is thrown again.
    private static long Below(long count)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        var limit = ulong.MaxValue - ulong.MaxValue % (ulong)count;
        ulong value;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            value = BitConverter.ToUInt64(bytes);
        }
        while (value >= limit);
        return (long)(value % (ulong)count);
    }
}
