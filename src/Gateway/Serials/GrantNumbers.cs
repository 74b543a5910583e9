using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Epcis;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Serials;

/// <summary>
/// Gives numbers out of pools. All of a request or nothing, in one transaction with the grant that its id finds again; numbers that lie in the
/// pool first, and what is missing is generated.
/// </summary>
public sealed class GrantNumbers(GatewayDatabase database)
{
    private const string Grants = """
        select g.public_id as Id, g.request_id as RequestId, p.public_id as Pool, o.name as Party, p.gtin as Gtin, p.sscc_prefix as SsccPrefix, g.quantity as Quantity, g.state as State, g.lot as Lot, r.public_id as Run, l.code as Line,
               g.device as Device, g.granted_at as GrantedAt, g.acknowledged_at as AcknowledgedAt
        from serial_grant g join serial_pool p using (pool_id) join party o on o.party_id = g.party_id left join run r using (run_id) left join line l on l.line_id = g.line_id
        """;

    private static readonly Actor Gateway = Actor.System("serials");

    /// <summary>Grants a request, or finds what it was granted before.</summary>
    public async Task<GrantOutcome> RunAsync(Actor actor, SerialRequest asked, CancellationToken ct)
    {
        var (request, wrong) = Check(asked);
        if (wrong is not null)
        {
            return Refused(SerialRefusal.Invalid, wrong);
        }
        await using var work = await database.BeginAsync(actor, ct);
        var party = await work.Connection.ExecuteScalarAsync<int?>("select case when @Pool::uuid is null then coalesce(@PartyId, (select party_id from party where kind = 'organisation')) else (select party_id from serial_pool where public_id = @Pool) end",
            new { request.Pool, actor.PartyId }, work.Transaction);
        // Before anything is looked at: what is counted stays so until the commit.
        await SerialPools.LockAsync(work, request.Gtin is null ? 0 : long.Parse(request.Gtin, CultureInfo.InvariantCulture), ct);
        if (await FoundAsync(work, party, request, ct) is { } before)
        {
            return before;
        }
        var pools = (await work.Connection.QueryAsync<SerialPool>($"""
            {SerialPools.Rows} where p.party_id = @party and (p.public_id = @Pool or @Pool::uuid is null)
                and case when @Gtin::text is null then p.sscc_prefix = @SsccPrefix or substr(p.sscc_prefix, 2) = @SsccPrefix else p.gtin = @Gtin end
            order by p.state, p.sscc_prefix = @SsccPrefix desc, p.pool_id
            """, new { party, request.Pool, request.Gtin, request.SsccPrefix }, work.Transaction)).AsList();
        if (pools.Count == 0)
        {
            return Refused(SerialRefusal.NotFound, $"pool of numbers for {request.Gtin ?? $"SSCCs that begin with {request.SsccPrefix}"}");
        }
        if (pools[0].State != "active")
        {
            return Refused(SerialRefusal.State, await work.RefuseAsync(SerialPools.Refused(pools[0].Id, "request", $"The pool of {pools[0].Name} is closed: no number is granted out of it.")));
        }
        var (run, line, where) = await PlaceAsync(work, party!.Value, request);
        if (where is not null)
        {
            return Refused(SerialRefusal.Invalid, where);
        }
        var quantity = request.Quantity!.Value;
        if (pools.Find(p => p.State == "active" && p.Left >= quantity) is not { } pool)
        {
            return await DryAsync(work, pools[0], quantity);
        }
        var (grantId, id) = await work.Connection.QuerySingleOrDefaultAsync<(long, Guid)>("""
            insert into serial_grant (party_id, pool_id, request_id, request_sha, quantity, run_id, line_id, lot, device)
            values (@party, @PoolId, @RequestId, @Sha, @quantity, @run, @line, @lot, @device) on conflict (party_id, request_id) do nothing returning grant_id, public_id
            """, new { party, pool.PoolId, request.RequestId, request.Sha, quantity, run = run?.Id, line, lot = request.Lot ?? run?.Lot ?? "", device = request.Device ?? "" }, work.Transaction);
        if (grantId == 0)
        {
            // Of another product, which has another lock, with the same id.
            return (await FoundAsync(work, party, request, ct))!;
        }
        var numbers = await ClaimAsync(work, pool, quantity, grantId, ct);
        if (numbers.Count < quantity)
        {
            numbers.AddRange(await MakeNumbers.AddAsync(work, pool, quantity - numbers.Count, grantId, ct));
        }
        if (numbers.Count < quantity)
        {
            return await DryAsync(work, pool, quantity);
        }
        if (!pool.IsLow && pool.Left - quantity is var left && (left == 0 || left < pool.LowMark))
        {
            await OpenAsync(work, pool, "pool.low", Severity.Warning, string.Create(CultureInfo.InvariantCulture, $"The pool of {pool.Name} has {left:N0} numbers left, and counts as low below {Math.Max(pool.LowMark, 1):N0}."));
            await work.ActAsAsync(actor, ct);
        }
        var grant = await work.Connection.QuerySingleAsync<SerialGrant>($"{Grants} where g.grant_id = @grantId", new { grantId }, work.Transaction);
        await work.CommitAsync();
        return new GrantOutcome(new GrantedNumbers(grant, InOrder(id, pool.Ordered, numbers), pool.Gtin is null ? null : SerialSpace.Guess(pool.Possible, pool.MadeOfItem + Math.Max(0, quantity - pool.Free))));
    }

    /// <summary>The numbers came. Said again, it changes nothing.</summary>
    /// <returns>The grant, or null when there is none or it is another party's.</returns>
    public async Task<SerialGrant?> AcknowledgeAsync(Actor actor, Guid id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        await work.Connection.ExecuteAsync("update serial_grant set state = 'acknowledged', acknowledged_at = gateway_now(), version = version + 1 where public_id = @id and state = 'open'", new { id }, work.Transaction);
        var grant = await work.Connection.QuerySingleOrDefaultAsync<SerialGrant>($"{Grants} where g.public_id = @id", new { id }, work.Transaction);
        await work.CommitAsync();
        return grant;
    }

    /// <summary>The newest grants.</summary>
    /// <param name="pool">Only out of this pool; null: of all.</param>
    /// <param name="state">Only in this state; null: in any.</param>
    /// <param name="before">The last grant already known; null for the first.</param>
    public Task<List<SerialGrant>> ListAsync(Actor reader, Guid? pool, string? state, Guid? before, int limit, CancellationToken ct) =>
        database.ReadAsync<SerialGrant>(reader, $"""
            {Grants} where (@pool::uuid is null or p.public_id = @pool) and (@state::text is null or g.state = @state) and (@before::uuid is null or g.grant_id < (select grant_id from serial_grant where public_id = @before))
            order by g.grant_id desc limit @limit
            """, new { pool, state, before, limit }, ct);

    /// <returns>The grant with its numbers, or null when there is none or it is another party's.</returns>
    public async Task<GrantedNumbers?> FindAsync(Actor reader, Guid id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await ReadAsync(work, id, ct);
    }

    // By a number that nobody can foresee and that is the same each time: neither as they were made nor sorted, so that what is printed one
    // after another says nothing of what comes next.
    private static List<string> InOrder(Guid grant, bool ordered, IReadOnlyList<string> numbers) =>
        ordered ? [.. numbers.Order(StringComparer.Ordinal)] : [.. numbers.OrderBy(n => Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes($"{grant} {n}"))), StringComparer.Ordinal)];

    private static (SerialRequest Request, string? Wrong) Check(SerialRequest r)
    {
        var request = r with { Lot = Given(r.Lot), Line = Given(r.Line), Device = Given(r.Device), Gtin = Given(r.Gtin), SsccPrefix = Given(r.SsccPrefix) };
        Gtin? gtin = null;
        var wrong = string.IsNullOrWhiteSpace(r.RequestId) || r.RequestId.Length > 100 ? "requestId has 1 to 100 characters: the same id asks for the same numbers."
            : request.Gtin is null == request.SsccPrefix is null ? "A request is for a product (gtin) or for logistic units (ssccPrefix)."
            : request.Gtin is not null && !Gtin.Parse(request.Gtin).Try(out gtin, out var error) ? error
            : r.Quantity is not (>= 1 and <= SerialRequest.MaxQuantity) ? string.Create(CultureInfo.InvariantCulture, $"quantity is 1 to {SerialRequest.MaxQuantity:N0}.")
            : request.Lot?.Length > 20 ? "lot has at most 20 characters."
            : request.Device?.Length > 60 ? "device has at most 60 characters."
            : null;
        return (request with { Gtin = gtin?.Value }, wrong);

        static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
    }

    private static async Task<GrantOutcome?> FoundAsync(Work work, int? party, SerialRequest request, CancellationToken ct)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<(Guid Id, byte[] Sha)?>("select public_id, request_sha from serial_grant where party_id = @party and request_id = @RequestId", new { party, request.RequestId }, work.Transaction) is not { } found)
        {
            return null;
        }
        return found.Sha.AsSpan().SequenceEqual(request.Sha)
            ? new GrantOutcome(await ReadAsync(work, found.Id, ct), IsReplayed: true)
            : Refused(SerialRefusal.Reused, "This requestId was used for another request. Send the same request, or a new requestId.");
    }

    private static async Task<GrantedNumbers?> ReadAsync(Work work, Guid id, CancellationToken ct)
    {
        if (await work.Connection.QuerySingleOrDefaultAsync<SerialGrant>(new CommandDefinition($"{Grants} where g.public_id = @id", new { id }, work.Transaction, cancellationToken: ct)) is not { } grant)
        {
            return null;
        }
        var numbers = (await work.Connection.QueryAsync<string>(new CommandDefinition("select n.serial from serial_number n join serial_grant g using (grant_id) where g.public_id = @id and n.state <> 3",
            new { id }, work.Transaction, cancellationToken: ct))).AsList();
        var pool = await work.Connection.QuerySingleAsync<SerialPool>(new CommandDefinition($"{SerialPools.Rows} where p.public_id = @Pool", new { grant.Pool }, work.Transaction, cancellationToken: ct));
        return new GrantedNumbers(grant, InOrder(id, pool.Ordered, numbers), pool.Guess);
    }

    private static async Task<((long Id, string Lot)? Run, int? Line, string? Wrong)> PlaceAsync(Work work, int party, SerialRequest request)
    {
        var line = request.Line is null ? null : await work.Connection.ExecuteScalarAsync<int?>("select line_id from line where party_id = @party and code = @Line and not withdrawn", new { party, request.Line }, work.Transaction);
        if (request.Line is not null && line is null)
        {
            return (null, null, $"There is no line {request.Line}.");
        }
        var run = await work.Connection.QuerySingleOrDefaultAsync<(long Id, string Lot, int Line)?>("""
            select run_id, lot, line_id from run where party_id = @party
                and case when @Run::uuid is not null then public_id = @Run else line_id = @line and lot = @Lot end and state not in ('closed', 'cancelled')
            order by run_id desc limit 1
            """, new { party, request.Run, line, request.Lot }, work.Transaction);
        return request.Run is not null && run is null ? (null, null, "There is no such run, or it is closed.")
            : run is { } other && line is not null && other.Line != line ? (null, null, $"The run is on another line than {request.Line}.")
            : run is { } of ? request.Lot is not null && of.Lot != request.Lot ? (null, null, $"The run is of lot {of.Lot}, not of {request.Lot}.") : ((of.Id, of.Lot), of.Line, null)
            : (null, line, null);
    }

    private static async Task<List<string>> ClaimAsync(Work work, SerialPool pool, int quantity, long grantId, CancellationToken ct)
    {
        if (pool.Free == 0)
        {
            return [];
        }
        // What somebody else holds at this moment is passed over: a device may just be telling that it was printed.
        var claimed = (await work.Connection.QueryAsync<string>(new CommandDefinition("""
            update serial_number set state = 1, grant_id = @grantId
            where ctid = any(array(select ctid from serial_number where pool_id = @PoolId and state = 0 limit @quantity for update skip locked)) returning serial
            """, new { grantId, pool.PoolId, quantity }, work.Transaction, cancellationToken: ct))).AsList();
        await work.Connection.ExecuteAsync("update serial_pool set free = free - @Count where pool_id = @PoolId", new { claimed.Count, pool.PoolId }, work.Transaction);
        return claimed;
    }

    // Nothing was granted: what the transaction did is taken back, and the exception stands in its place.
    private async Task<GrantOutcome> DryAsync(Work work, SerialPool pool, int quantity)
    {
        var sentence = string.Create(CultureInfo.InvariantCulture, $"The pool of {pool.Name} has {pool.Left:N0} numbers left, and {quantity:N0} were asked for. Nothing was granted.");
        await work.DisposeAsync();
        await using var telling = await database.BeginAsync(Gateway, CancellationToken.None);
        await OpenAsync(telling, pool, "pool.dry", Severity.Error, sentence);
        await telling.CommitAsync();
        return Refused(SerialRefusal.Dry, sentence);
    }

    // By the gateway itself: to raise the count of an exception that is open already is not a party's.
    private static async Task OpenAsync(Work work, SerialPool pool, string code, Severity severity, string message)
    {
        await work.ActAsAsync(Gateway);
        await ExceptionRecords.OpenAsync(work, new ExceptionFacts(code, severity, message) { Gtin = pool.Gtin }, new ExceptionSource("pool", pool.Id.ToString(), pool.PartyId, null), []);
    }

    private static GrantOutcome Refused(SerialRefusal refusal, string sentence) => new(null, Refusal: refusal, Sentence: sentence);
}
