using System.Globalization;
using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Serials;

/// <summary>Numbers to be returned or voided: those listed, or all of a grant that are neither printed nor gone.</summary>
/// <param name="Grant">The grant that they are of; null: of any.</param>
/// <param name="Gtin">Of their product; where they are listed without it, they are SSCCs, or of the grant's product.</param>
/// <param name="Serials">Serial numbers, or whole SSCCs; null: all of the grant.</param>
public sealed record GiveBackRequest(Guid? Grant = null, string? Gtin = null, IReadOnlyList<string>? Serials = null, string? Reason = null);

/// <summary>What became of numbers that were to go.</summary>
/// <param name="Sentence">Why not; then nothing was changed.</param>
public sealed record GiveBackOutcome(int Quantity, SerialRefusal Refusal = default, string? Sentence = null);

/// <summary>
/// Takes numbers back into their pool, from where the same product may have them again, or voids them for ever. Only what was never encoded: a
/// number that a printer had may be on a pack. All that are named, or none.
/// </summary>
public sealed class GiveBackNumbers(GatewayDatabase database)
{
    private static readonly string[] StateWords = ["in the pool", "allocated", "unused", "voided", "encoded"];

    private const string Found = """
        select (array['in the pool', 'allocated', 'unused', 'voided', 'encoded'])[state + 1], null::int from serial_number
        where item = case left(@key, 2) when '01' then substr(@key, 3, 14)::bigint else 0 end and serial = substr(@key, case left(@key, 2) when '01' then 19 else 3 end)
        """;

    private sealed record Row(string Serial, short State, long? GrantId, int PoolId, int PartyId);

    /// <summary>Unused numbers go back into their pool.</summary>
    public Task<GiveBackOutcome> ReturnAsync(Actor actor, GiveBackRequest request, CancellationToken ct) => RunAsync(actor, request, "return", ct);

    /// <summary>Numbers are given to nobody any more.</summary>
    public Task<GiveBackOutcome> VoidAsync(Actor actor, GiveBackRequest request, CancellationToken ct) => RunAsync(actor, request, "void", ct);

    private async Task<GiveBackOutcome> RunAsync(Actor actor, GiveBackRequest request, string kind, CancellationToken ct)
    {
        var (gtin, serials) = (request.Gtin is null ? null : Gtin.Parse(request.Gtin).Value?.Value, request.Serials?.Distinct(StringComparer.Ordinal).ToArray());
        var wrong = request.Gtin is not null && gtin is null ? Gtin.Parse(request.Gtin).Error
            : request.Grant is null && serials is not { Length: > 0 } ? "Name the numbers (serials), or a grant whose numbers are all meant."
            : serials is { Length: 0 or > SerialRequest.MaxQuantity } ? string.Create(CultureInfo.InvariantCulture, $"serials are 1 to {SerialRequest.MaxQuantity:N0}.")
            : serials?.FirstOrDefault(s => string.IsNullOrEmpty(s) || s.Length > 20) is not null ? "A serial number has 1 to 20 characters."
            : null;
        if (wrong is not null)
        {
            return Refused(SerialRefusal.Invalid, wrong);
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        long? grantId = null;
        if (request.Grant is { } id)
        {
            if (await work.Connection.QuerySingleOrDefaultAsync<(long GrantId, string? Gtin)?>("select g.grant_id, p.gtin from serial_grant g join serial_pool p using (pool_id) where g.public_id = @id", new { id }, work.Transaction) is not { } grant)
            {
                return Refused(SerialRefusal.NotFound, "such grant");
            }
            if (gtin is not null && gtin != grant.Gtin)
            {
                return Refused(SerialRefusal.Invalid, $"The grant is of {grant.Gtin ?? "logistic units"}: numbers go back to their own product only.");
            }
            (grantId, gtin) = (grant.GrantId, grant.Gtin);
        }
        var item = gtin is null ? 0 : long.Parse(gtin, CultureInfo.InvariantCulture);
        await SerialPools.LockAsync(work, item, ct);
        var rows = (await work.Connection.QueryAsync<Row>(new CommandDefinition("""
            select serial as Serial, state as State, grant_id as GrantId, pool_id as PoolId, party_id as PartyId from serial_number
            where item = @item and (@grantId::bigint is null or grant_id = @grantId) and case when @serials::text[] is null then state in (1, 2) else serial = any(@serials) end order by serial for update
            """, new { item, grantId, serials }, work.Transaction, cancellationToken: ct))).AsList();
        if (serials is null && rows.Count == 0)
        {
            return Refused(SerialRefusal.State, await work.RefuseAsync(new("serial_grant", request.Grant!.Value.ToString(), kind, "Nothing is left of the grant: its numbers are printed, went back or are voided.", "select state, version from serial_grant where public_id = @key::uuid")));
        }
        if (serials is not null && rows.Count < serials.Length)
        {
            var strange = serials.Except(rows.Select(r => r.Serial)).First();
            return Refused(SerialRefusal.Invalid, $"{strange} is no number {(grantId is null ? gtin is null ? "of an SSCC that was granted" : $"of {gtin}" : "of this grant")}, or it is another party's. Nothing was changed.");
        }
        if (rows.Find(r => r.State is 3 or 4 || r.State == 0 && kind == "return") is { } held)
        {
            var many = rows.Count(r => r.State is 3 or 4 || r.State == 0 && kind == "return");
            return Refused(SerialRefusal.State, await work.RefuseAsync(new("serial_number", SerialNumbers.KeyOf(gtin, held.Serial), kind,
                $"{held.Serial} is {StateWords[held.State]}{(many == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", as {many - 1:N0} more cannot"))}: {(kind == "return" ? "only what was allocated and never encoded goes back" : "only what was never encoded is voided")}. Nothing was changed.", Found)));
        }
        if (await SaidOfNumbers.AmongAsync(work, rows.Select(r => r.Serial), andDiscarded: kind == "return", ct) is { Count: > 0 } said)
        {
            var first = said.Min(StringComparer.Ordinal)!;
            return Refused(SerialRefusal.State, await work.RefuseAsync(new("serial_number", SerialNumbers.KeyOf(gtin, first), kind, string.Create(CultureInfo.InvariantCulture,
                $"{said.Count:N0} of the numbers {(said.Count == 1 ? "stands" : "stand")} in messages of devices that are not applied{(kind == "return" ? ", or were discarded" : " yet")}, {first} to begin with: they may be on packs. Nothing was changed; {(kind == "return" ? "void them, or try again when the messages are applied" : "try again when the messages are applied")}."), Found)));
        }
        if (kind == "return" && await work.Connection.ExecuteScalarAsync<string?>(new CommandDefinition("""
            select min(d.name) from serial_grant g join device d on d.line_id = g.line_id and not d.withdrawn join device_status s using (device_id)
            where g.grant_id = any(@grants) and (s.offline_since is not null or s.reported_seq > s.last_seq)
            """, new { grants = rows.Select(r => r.GrantId).OfType<long>().Distinct().ToArray() }, work.Transaction, cancellationToken: ct)) is { } silent)
        {
            return Refused(SerialRefusal.State, await work.RefuseAsync(new("serial_number", SerialNumbers.KeyOf(gtin, rows[0].Serial), kind,
                $"{silent} is offline or keeps messages: what it has not told yet may be of these numbers. Nothing was changed; return them when it has told all.", Found)));
        }
        foreach (var pool in rows.GroupBy(r => (r.PoolId, r.PartyId)))
        {
            await ChangeAsync(work, kind, item, pool.Key.PoolId, pool.Key.PartyId, [.. pool], request.Reason!, ct);
        }
        await work.CommitAsync();
        return new GiveBackOutcome(rows.Count);
    }

    private static async Task ChangeAsync(Work work, string kind, long item, int poolId, int partyId, List<Row> rows, string reason, CancellationToken ct)
    {
        var (serials, grants) = (rows.Select(r => r.Serial).ToArray(), rows.Select(r => r.GrantId).ToArray());
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            with changed as (
                insert into serial_change (party_id, pool_id, kind, quantity, reason) values (@partyId, @poolId, @kind, @Count, @reason) returning change_id)
            insert into serial_change_number (change_id, grant_id, party_id, serial) select change_id, u.grant_id, @partyId, u.serial from changed, unnest(@serials, @grants) as u (serial, grant_id)
            """, new { partyId, poolId, kind, rows.Count, reason, serials, grants }, work.Transaction, cancellationToken: ct));
        await work.Connection.ExecuteAsync(new CommandDefinition(kind == "return"
            ? "update serial_number set state = 0, grant_id = null where item = @item and serial = any(@serials)"
            : "update serial_number set state = 3 where item = @item and serial = any(@serials)", new { item, serials }, work.Transaction, cancellationToken: ct));
        var free = kind == "return" ? rows.Count : -rows.Count(r => r.State == 0);
        await work.Connection.ExecuteAsync("update serial_pool set free = free + @free where pool_id = @poolId", new { free, poolId }, work.Transaction);
    }

    private static GiveBackOutcome Refused(SerialRefusal refusal, string sentence) => new(0, refusal, sentence);
}
