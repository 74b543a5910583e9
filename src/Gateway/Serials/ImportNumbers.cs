using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using CsvHelper;
using CsvHelper.Configuration;
using Dapper;
using Epcis;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Serials;

/// <summary>What became of a list.</summary>
/// <param name="IsReplayed">The same file was taken before; then nothing was done now.</param>
/// <param name="Findings">What is wrong, line by line; with an error nothing of the file is taken.</param>
/// <param name="Refusal">Why the pool takes no list at all.</param>
public sealed record ImportOutcome(int Taken, bool IsReplayed, Findings Findings, string? Refusal = null);

/// <summary>
/// Takes the numbers that an authority has given, as they are: all of a file or nothing. A file is one number a line, or CSV with a column
/// <c>serial</c> or <c>sscc</c>; a column <c>gtin</c> says whose they are.
/// </summary>
public sealed class ImportNumbers(GatewayDatabase database, KnownMasterData masterData)
{
    /// <summary>Of a file.</summary>
    public const int MaxBytes = 64 << 20;

    private const int AtOnce = 50_000;

    /// <summary>Imports a list into an external pool.</summary>
    /// <returns>Null when there is no such pool, or it is another party's.</returns>
    public async Task<ImportOutcome?> RunAsync(Actor actor, Guid poolId, byte[] file, string reason, CancellationToken ct)
    {
        var findings = new Findings();
        var sha256 = SHA256.HashData(file);
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        if (await PoolAsync(work, poolId) is not { } seen)
        {
            return null;
        }
        await SerialPools.LockAsync(work, seen.Item, ct);
        if (await work.Connection.ExecuteScalarAsync<int?>("select quantity from serial_change where pool_id = @PoolId and sha256 = @sha256", new { seen.PoolId, sha256 }, work.Transaction) is { } before)
        {
            return new ImportOutcome(before, IsReplayed: true, findings);
        }
        var pool = (await PoolAsync(work, poolId))!;
        if (pool.Source != "external" || pool.State != "active")
        {
            return new ImportOutcome(0, false, findings, await work.RefuseAsync(SerialPools.Refused(poolId, "import", pool.Source == "external" ? "The pool is closed: it takes no list." : "The pool generates its numbers: a list goes into an external pool.")));
        }
        var pattern = pool.Gtin is null ? null : (await masterData.ReadAsync(ct)).Find(pool.Gtin)?.SerialPattern;
        var numbers = Read(file, pool, pattern is null ? null : new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), findings);
        if (!findings.HasErrors && numbers.Count > pool.Most - (pool.Gtin is null ? pool.Made : pool.MadeOfItem))
        {
            findings.Add(new Finding("GW-SER-04", Severity.Error, string.Create(CultureInfo.InvariantCulture, $"With these {numbers.Count:N0} more than {pool.Most:N0} numbers of {pool.Name} would be issued, which is one in {SerialSpace.PossibleForEach:N0} of those possible.")));
        }
        if (!findings.HasErrors)
        {
            foreach (var some in numbers.Chunk(AtOnce))
            {
                await AddAsync(work, pool, some, findings, ct);
            }
        }
        if (findings.HasErrors)
        {
            return new ImportOutcome(0, false, findings);
        }
        await work.Connection.ExecuteAsync("""
            insert into serial_change (party_id, pool_id, kind, quantity, reason, sha256) values (@PartyId, @PoolId, 'import', @Count, @reason, @sha256);
            update serial_pool set made = made + @Count, free = free + @Count where pool_id = @PoolId
            """, new { pool.PartyId, pool.PoolId, numbers.Count, reason, sha256 }, work.Transaction);
        await work.CommitAsync();
        return new ImportOutcome(numbers.Count, false, findings);
    }

    private static Task<SerialPool?> PoolAsync(Work work, Guid id) => work.Connection.QuerySingleOrDefaultAsync<SerialPool?>($"{SerialPools.Rows} where p.public_id = @id", new { id }, work.Transaction);

    // What the index does not take was there before, with whomever: that it was, and no more, is told.
    private static async Task AddAsync(Work work, SerialPool pool, KeyValuePair<string, int>[] some, Findings findings, CancellationToken ct)
    {
        var onPacks = await KnownUnits.AmongAsync(work, Array.ConvertAll(some, s => SerialNumbers.KeyOf(pool.Gtin, s.Key)), ct);
        var serials = some.Select(s => s.Key).Where(s => !onPacks.Contains(SerialNumbers.KeyOf(pool.Gtin, s))).ToArray();
        var added = (await work.Connection.QueryAsync<string>(new CommandDefinition("""
            insert into serial_number (item, pool_id, party_id, grant_id, state, serial) select @Item, @PoolId, @PartyId, null, 0, s from unnest(@serials) as s on conflict (item, serial) do nothing returning serial
            """, new { pool.Item, pool.PoolId, pool.PartyId, serials }, work.Transaction, cancellationToken: ct))).ToHashSet(StringComparer.Ordinal);
        foreach (var (serial, line) in some.Where(s => !added.Contains(s.Key)))
        {
            findings.Add(new Finding("GW-SER-05", Severity.Error, $"{serial} {(onPacks.Contains(SerialNumbers.KeyOf(pool.Gtin, serial)) ? "stands on a unit" : "is in a pool")} already: no number is given out twice.") { Where = new Place(line, 1), Got = serial });
        }
    }

    private static Dictionary<string, int> Read(byte[] file, SerialPool pool, Regex? pattern, Findings findings)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            using var text = new StreamReader(new MemoryStream(file), new UTF8Encoding(false, throwOnInvalidBytes: true));
            foreach (var (number, gtin, line) in Rows(text))
            {
                if ((gtin is { Length: > 0 } && Gtin.Parse(gtin).Value?.Value != pool.Gtin ? $"it is of {gtin}, and the pool of {pool.Name}" : Refuse(number, pool, pattern)) is { } wrong)
                {
                    findings.Add(new Finding("GW-SER-06", Severity.Error, $"'{(number.Length > 50 ? number[..50] + "…" : number)}' is no number of this pool: {wrong}.") { Where = new Place(line, 1) });
                }
                else if (!numbers.TryAdd(number, line))
                {
                    findings.Add(new Finding("GW-SER-05", Severity.Error, $"{number} stands in line {numbers[number]} already.") { Where = new Place(line, 1), Got = number });
                }
            }
            if (numbers.Count == 0 && !findings.HasErrors)
            {
                findings.Add(new Finding("GW-SER-06", Severity.Error, "The file holds no number.") { Where = new Place(1, 1) });
            }
        }
        catch (Exception e) when (e is DecoderFallbackException or CsvHelperException)
        {
            findings.Add(new Finding("GW-SER-06", Severity.Error, e is DecoderFallbackException ? "The file is not in UTF-8." : "The CSV cannot be read on.") { Where = new Place((e as CsvHelperException)?.Context?.Parser?.RawRow ?? 1, 1) });
        }
        return numbers;
    }

    private static IEnumerable<(string Number, string? Gtin, int Line)> Rows(StreamReader text)
    {
        var first = text.ReadLine();
        var columns = (first ?? "").Split(first?.Contains(';', StringComparison.Ordinal) == true ? ';' : ',').Select(c => c.Trim(' ', '"')).ToArray();
        var at = Array.FindIndex(columns, c => c is "serial" or "sscc");
        if (at < 0)
        {
            for (var (line, number) = (first, 1); line is not null; (line, number) = (text.ReadLine(), number + 1))
            {
                if (line.Trim() is { Length: > 0 } one)
                {
                    yield return (one, null, number);
                }
            }
            yield break;
        }
        var gtin = Array.IndexOf(columns, "gtin");
        using var rows = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture) { Delimiter = first!.Contains(';', StringComparison.Ordinal) ? ";" : ",", TrimOptions = TrimOptions.Trim });
        while (rows.Read())
        {
            var cells = rows.Record!;
            yield return (at < cells.Length ? cells[at] : "", gtin >= 0 && gtin < cells.Length ? cells[gtin] : null, rows.RawRow + 1);
        }
    }

    private static string? Refuse(string number, SerialPool pool, Regex? pattern) =>
        pool.Gtin is null
            ? number.Length != 18 || !number.All(char.IsAsciiDigit) ? "an SSCC has 18 digits"
                : !CheckDigit.Completes(number) ? $"its check digit should be {CheckDigit.Of(number.AsSpan(0, 17))}"
                : !number.StartsWith(pool.SsccPrefix!, StringComparison.Ordinal) ? $"the pool's begin with {pool.SsccPrefix}"
                : long.Parse(number.AsSpan(pool.SsccPrefix!.Length, pool.Length), CultureInfo.InvariantCulture) is var reference && (reference < pool.RangeFrom || reference > pool.RangeTo) ? "it is outside of the pool's range"
                : null
            : number.Length != pool.Length ? $"it has {number.Length} characters, and the pool's have {pool.Length}"
                : number.FirstOrDefault(c => !pool.Alphabet.Contains(c, StringComparison.Ordinal)) is var foreign && foreign != '\0' ? $"the pool's alphabet has no '{foreign}'"
                : pattern?.IsMatch(number) == false ? $"it does not match the product's serial pattern {pattern}"
                : null;
}
