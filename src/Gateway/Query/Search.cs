using System.Globalization;
using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Query;

/// <param name="Why">What of it was found, such as <c>lot</c> or <c>serial number</c>.</param>
/// <param name="What">The full identifier that was found.</param>
public sealed record SearchHit(string Why, string What, Guid? CaptureId, long? DeliveryId, DateTime At, string State);

/// <summary>Finds captures and deliveries by whatever a person has at hand: serial, lot, GTIN, SSCC, document number, capture or delivery id.</summary>
public sealed class Search(GatewayDatabase database)
{
    public const int MaxHits = 50;

    // A number alone does not tell where its company prefix ends; each length is looked up, none is guessed.
    private static readonly int[] PrefixLengths = [6, 7, 8, 9, 10, 11, 12];

    /// <summary>Newest first, at most <see cref="MaxHits"/>.</summary>
    public async Task<IReadOnlyList<SearchHit>> FindAsync(Actor reader, string text, CancellationToken ct)
    {
        var wanted = text.Trim();
        if (wanted.Length is 0 or > 200 || wanted.Contains('\0', StringComparison.Ordinal))
        {
            return [];
        }
        await using var work = await database.BeginAsync(reader, ct);
        var hits = new List<SearchHit>();
        if (Guid.TryParse(wanted, out var captureId))
        {
            hits.AddRange(await CapturesAsync(work, "capture id", "select capture_id, public_id::text as what from capture where public_id = @captureId", new { captureId }, ct));
        }
        if (long.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var deliveryId))
        {
            hits.AddRange(await work.Connection.QueryAsync<SearchHit>(new CommandDefinition("""
                select 'delivery id' as Why, d.delivery_id::text as What, null::uuid as CaptureId, d.delivery_id as DeliveryId, d.created_at as At, d.state as State
                from delivery d where d.delivery_id = @deliveryId
                """, new { deliveryId }, work.Transaction, cancellationToken: ct)));
        }
        hits.AddRange(await TermsAsync(work, "lot", "lot", [wanted], ct));
        hits.AddRange(await TermsAsync(work, "document number", "document", [wanted], ct));
        hits.AddRange(await TermsAsync(work, "GTIN", "product", [.. ProductsOf(wanted)], ct));
        hits.AddRange(await EpcsAsync(work, "identifier", [.. EpcsOf(wanted)], ct));
        // PERFORMANCE.md: the EPC index is a hash, so a serial number is asked for with each product in front of it.
        var products = await work.Connection.QueryAsync<string>(new CommandDefinition("""
            with recursive known (term) as (
                (select term from capture_term where kind = 'product' order by term limit 1)
                union all
                select (select t.term from capture_term t where t.kind = 'product' and t.term > known.term order by t.term limit 1) from known where known.term is not null)
            select term from known where term is not null limit 2000
            """, transaction: work.Transaction, cancellationToken: ct));
        hits.AddRange(await EpcsAsync(work, "serial number", [.. products.Select(p => EpcKey.Normalise(p + Uri.EscapeDataString(wanted)))], ct));
        return [.. hits.DistinctBy(h => (h.CaptureId, h.DeliveryId)).OrderByDescending(h => h.At).Take(MaxHits)];
    }

    /// <summary>The EPCs a text may mean: itself, or with each company prefix length that its check digits allow.</summary>
    private static IEnumerable<string> EpcsOf(string text)
    {
        yield return EpcKey.Normalise(text);
        var candidates = text.Length == 18 && text.All(char.IsAsciiDigit) ? "(00)" + text : text;
        foreach (var length in PrefixLengths)
        {
            if (Epc.Parse(candidates, CompanyPrefixes.OfLength(length)).Value is { IsClass: false } known)
            {
                yield return known.ToUrn()!;
            }
        }
    }

    private static IEnumerable<string> ProductsOf(string text)
    {
        if (text.Length is not (8 or 12 or 13 or 14) || Gtin.Parse(text).Value is not { } gtin)
        {
            yield break;
        }
        yield return $"https://id.gs1.org/01/{gtin.Value}/21/";
        foreach (var length in PrefixLengths)
        {
            // The unit with serial number 0 names its product, whatever the rules of prefixes.
            if (Epc.Create(EpcScheme.Sgtin, gtin.Value, CompanyPrefixes.OfLength(length), "0").Value is { } unit)
            {
                yield return unit.ToUrn()![..^1];
            }
        }
    }

    private static Task<IEnumerable<SearchHit>> TermsAsync(Work work, string why, string kind, string[] terms, CancellationToken ct) => terms.Length == 0
        ? Task.FromResult(Enumerable.Empty<SearchHit>())
        : CapturesAsync(work, why, "select capture_id, term as what from capture_term where kind = @kind and term = any(@terms) order by capture_id desc limit @MaxHits", new { kind, terms, MaxHits }, ct);

    private static Task<IEnumerable<SearchHit>> EpcsAsync(Work work, string why, string[] epcs, CancellationToken ct) => epcs.Length == 0
        ? Task.FromResult(Enumerable.Empty<SearchHit>())
        : CapturesAsync(work, why, "select distinct event_id >> 20 as capture_id, epc as what from event_epc where epc = any(@epcs) order by 1 desc limit @MaxHits", new { epcs, MaxHits }, ct);

    private static Task<IEnumerable<SearchHit>> CapturesAsync(Work work, string why, string found, object parameters, CancellationToken ct) =>
        work.Connection.QueryAsync<SearchHit>(new CommandDefinition($"""
            select '{why}' as Why, f.what as What, c.public_id as CaptureId, null::bigint as DeliveryId, c.created_at as At, c.state as State
            from ({found}) f join capture c using (capture_id)
            """, parameters, work.Transaction, cancellationToken: ct));
}
