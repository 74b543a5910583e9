using System.Globalization;
using System.Text.RegularExpressions;
using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;

namespace Gateway.Serials;

/// <summary>The pools: to look at, to make, to close.</summary>
public sealed class SerialPools(GatewayDatabase database, KnownMasterData masterData)
{
    private const int DefaultStock = 10_000, SsccDigits = 17;

    internal const string Rows = """
        select p.pool_id as PoolId, p.public_id as Id, p.party_id as PartyId, o.name as Party, p.gtin as Gtin, p.sscc_prefix as SsccPrefix, p.source as Source, p.alphabet as Alphabet, p.length as Length, p.ordered as Ordered,
               p.range_from as RangeFrom, p.range_to as RangeTo, p.next_ref as NextReference, p.low_percent as LowPercent, p.low_minutes as LowMinutes, p.stock as Stock, p.state as State, p.made as Made, p.free as Free,
               p.made_at as MadeAt, p.version as Version, serials_made(p.item) as MadeOfItem,
               (select sum(l.speed) from line l where not l.withdrawn and l.line_id in (select g.line_id from serial_grant g where g.pool_id = p.pool_id and g.granted_at > gateway_now() - interval '7 days')) as Speed,
               (select count(*) from serial_grant g where g.pool_id = p.pool_id and g.state = 'open') as OpenGrants
        from serial_pool p join party o using (party_id)
        """;

    /// <summary>All pools that the reader sees, the newest first.</summary>
    /// <param name="gtin">Only of this product; null: of all.</param>
    /// <param name="before">The number of the last pool already known; null for the first.</param>
    public Task<List<SerialPool>> ListAsync(Actor reader, string? gtin, int? before, int limit, CancellationToken ct) =>
        database.ReadAsync<SerialPool>(reader, $"{Rows} where (@gtin::text is null or p.gtin = @gtin) and (@before::int is null or p.pool_id < @before) order by p.pool_id desc limit @limit", new { gtin, before, limit }, ct);

    /// <returns>The pool, or null when there is none or it is another party's.</returns>
    public async Task<SerialPool?> FindAsync(Actor reader, Guid id, CancellationToken ct) =>
        (await database.ReadAsync<SerialPool>(reader, $"{Rows} where p.public_id = @id", new { id }, ct)).SingleOrDefault();

    /// <summary>Makes a pool, unless its numbers could be guessed or nobody could tell what they are of.</summary>
    public async Task<PoolOutcome> MakeAsync(Actor actor, PoolRequest request, CancellationToken ct)
    {
        var (pool, refusal) = request.SsccPrefix is null ? await OfProductAsync(request, ct) : OfLogisticUnits(request);
        if (refusal is not null)
        {
            return new PoolOutcome(null, refusal);
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var party = await work.Connection.QuerySingleOrDefaultAsync<int?>("select party_id from party where case when @Party::text is null then kind = 'organisation' else name = @Party and kind in ('organisation', 'cmo') end",
            new { request.Party }, work.Transaction);
        if (party is null)
        {
            return new PoolOutcome(null, request.Party is null ? "The organisation is not known yet." : $"There is no party named {request.Party} that runs lines.");
        }
        var external = request.Source == "external";
        if (pool!.Gtin is not null && await MadeAsync(work, pool.Item) is var made && pool.Most < Math.Max(1, made + (external ? 0 : 1)))
        {
            return new PoolOutcome(null, string.Create(CultureInfo.InvariantCulture,
                $"Of {pool.Possible:N0} possible values at most one in {SerialSpace.PossibleForEach:N0} may be issued, which is {pool.Most:N0}; {made:N0} of this product are issued already. Take a longer number or a larger alphabet."), IsGuessable: true);
        }
        var id = await work.Connection.ExecuteScalarAsync<Guid>("""
            insert into serial_pool (party_id, gtin, sscc_prefix, source, alphabet, length, ordered, range_from, range_to, next_ref, low_percent, low_minutes, stock)
            values (@party, @Gtin, @SsccPrefix, @Source, @Alphabet, @Length, @Ordered, @RangeFrom, @RangeTo, @NextReference, @LowPercent, @LowMinutes, @Stock) returning public_id
            """, new { party, pool.Gtin, pool.SsccPrefix, pool.Source, pool.Alphabet, pool.Length, pool.Ordered, pool.RangeFrom, pool.RangeTo, pool.NextReference, pool.LowPercent, pool.LowMinutes, pool.Stock }, work.Transaction);
        await work.CommitAsync();
        return new PoolOutcome(await FindAsync(actor, id, ct));
    }

    /// <summary>No number is granted out of it any more; what was, stays as it is.</summary>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> CloseAsync(Actor actor, Guid id, int? version, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await work.Connection.ExecuteAsync("update serial_pool set state = 'closed', version = version + 1 where public_id = @id and state = 'active' and version = coalesce(@version, version)", new { id, version }, work.Transaction) == 0)
        {
            return await work.RefuseAsync(Refused(id, "close", "Only an active pool can be closed. Or it has changed since you looked.", version));
        }
        await work.CommitAsync();
        return null;
    }

    internal static RefusedStep Refused(Guid id, string step, string sentence, int? version = null) =>
        new("serial_pool", id.ToString(), step, sentence, "select state, version from serial_pool where public_id = @key::uuid", version);

    /// <summary>Whoever adds numbers of a product, or counts them, waits for whoever does; until the transaction ends.</summary>
    internal static Task LockAsync(Work work, long item, CancellationToken ct) =>
        work.Connection.ExecuteAsync(new CommandDefinition("select pg_advisory_xact_lock(hashtextextended('serials ' || @item, 43))", new { item }, work.Transaction, cancellationToken: ct));

    internal static Task<long> MadeAsync(Work work, long item) => work.Connection.ExecuteScalarAsync<long>("select serials_made(@item)", new { item }, work.Transaction);

    private async Task<(SerialPool? Pool, string? Refusal)> OfProductAsync(PoolRequest r, CancellationToken ct)
    {
        if (!Gtin.Parse(r.Gtin ?? "").Try(out var gtin, out var wrong))
        {
            return (null, r.Gtin is null ? "A pool is of a product (gtin) or of logistic units (ssccPrefix)." : wrong);
        }
        if (r.Ordered == true || r.RangeFrom is not null || r.RangeTo is not null)
        {
            return (null, "Numbers of products are random: only those of logistic units have a range and an order.");
        }
        var pattern = (await masterData.ReadAsync(ct)).Find(gtin.Value)?.SerialPattern;
        var derived = pattern is null ? null : SerialSpace.OfPattern(pattern);
        var (alphabet, length) = (r.Alphabet ?? derived?.Alphabet ?? SerialSpace.DefaultAlphabet, r.Length ?? derived?.Length ?? SerialSpace.DefaultLength);
        if (SerialSpace.Refuse(alphabet, length) is { } refusal)
        {
            return (null, refusal);
        }
        var sample = Of(r, gtin.Value, null, alphabet, length);
        if (sample.Pool is { Source: "generated" } pool && pattern is not null && pattern != "" && derived != (alphabet, length)
            && MakeNumbers.Candidates(pool, 1_000).FirstOrDefault(s => !new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant).IsMatch(s)) is { } other)
        {
            return (null, $"Numbers of this alphabet and length, such as {other}, do not match the product's serial pattern {pattern}.");
        }
        return sample;
    }

    private static (SerialPool? Pool, string? Refusal) OfLogisticUnits(PoolRequest r)
    {
        if (r.Gtin is not null || r.SsccPrefix!.Length is < 7 or > 16 || !r.SsccPrefix.All(char.IsAsciiDigit))
        {
            return (null, r.Gtin is not null ? "A pool is of a product (gtin) or of logistic units (ssccPrefix), not of both." : "An SSCC's beginning is its extension digit and the company prefix: 7 to 16 digits.");
        }
        if (r.Alphabet is not null || r.Length is not null)
        {
            return (null, "SSCCs have 18 digits: an alphabet and a length are of products' numbers.");
        }
        var digits = SsccDigits - r.SsccPrefix.Length;
        var last = (long)System.Numerics.BigInteger.Pow(10, digits) - 1;
        return r.RangeFrom < 0 || r.RangeTo > last || (r.RangeFrom ?? 0) > (r.RangeTo ?? last)
            ? (null, string.Create(CultureInfo.InvariantCulture, $"The serial references of this prefix go from 0 to {last}."))
            : Of(r, null, r.SsccPrefix, "0123456789", digits, r.RangeFrom ?? 0, r.RangeTo ?? last);
    }

    private static (SerialPool? Pool, string? Refusal) Of(PoolRequest r, string? gtin, string? prefix, string alphabet, int length, long? from = null, long? to = null)
    {
        var (source, ordered) = (r.Source ?? "generated", r.Ordered ?? false);
        return source is not ("generated" or "external") ? (null, "source is generated or external.")
            : r.LowPercent is < 0 or > 100 ? (null, "lowPercent is 0 to 100.")
            : r.LowMinutes is < 0 or > 10_000 ? (null, "lowMinutes is 0 to 10000.")
            : r.Stock is < 0 or > 1_000_000 ? (null, "stock is 0 to 1000000.")
            : ordered && source == "external" ? (null, "What an authority gives is taken as it is given: only generated numbers have an order.")
            : r.Stock > 0 && (source == "external" || ordered) ? (null, "Only random numbers are generated ahead.")
            : (new SerialPool(0, default, 0, "", gtin, prefix, source, alphabet, length, ordered, from, to, ordered ? from : null, r.LowPercent ?? 20, r.LowMinutes ?? 15,
                source == "external" || ordered ? 0 : r.Stock ?? DefaultStock, "active", 0, 0, default, 1, 0, null, 0), null);
    }
}
