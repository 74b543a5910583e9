using System.Text;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Identifiers;
using Gateway.Database;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Units;

/// <summary>The stored events of some units, and of all that they met.</summary>
internal sealed class StoredEvents(Work work)
{
    /// <summary>What is stored was within the limits of a capture when it came; its rendering may nest deeper, and have longer names and more values.</summary>
    public static readonly ReaderLimits Limits = ReaderLimits.Default with
    {
        MaxDepth = 2 * ReaderLimits.Default.MaxDepth, MaxAttributes = int.MaxValue, MaxNameLength = int.MaxValue, MaxTextLength = int.MaxValue / 8, MaxValues = int.MaxValue,
    };

    private readonly Dictionary<long, LedgerEvent> _events = [];

    // Which of the lengths that a company prefix may have were ever written, by product: nearly always one of them.
    private readonly Dictionary<string, int[]> _lengths = [];
    private short[]? _periods;
    private long _text;

    /// <summary>Units that were packed together later than that have not met yet.</summary>
    public DateTimeOffset Until { get; init; } = DateTimeOffset.MaxValue;

    /// <summary>Beyond so many characters of events nothing more is read: see <see cref="IsTooMuch"/>.</summary>
    public long MaxText { get; init; } = long.MaxValue;

    /// <summary>There is more than was to be read, and what was found does not hold together.</summary>
    // A unit's name takes some forty characters and stands where it was made and where it was packed, so too many units are too much
    // before their events are looked for.
    public bool IsTooMuch => _text > MaxText || Keys.Count > MaxText / 80;

    /// <summary>The events found so far, in no order.</summary>
    public IReadOnlyCollection<LedgerEvent> All => _events.Values;

    /// <summary>The keys of the units whose events they are.</summary>
    public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether an event is among them.</summary>
    public bool Has(long number) => _events.ContainsKey(number);

    /// <summary>
    /// Adds the events of these units and of those that any event packs them with, until nothing is added: a set that holds
    /// together, as a replay needs it. A round is two statements, whatever the number of units.
    /// </summary>
    public async Task AddAsync(IEnumerable<string> keys, CancellationToken ct)
    {
        Keys.UnionWith(keys);
        var next = Keys.ToList(); // also those asked for before: something may have been said of them meanwhile
        while (next.Count > 0 && !IsTooMuch)
        {
            await ReadAsync("select x.event_id from unnest($1) e cross join lateral (select event_id from event_epc where epc = e and role < 10 and period = any($3)) x", await SpellingsAsync(next, ct), ct);
            next = [.. _events.Values.SelectMany(EventFacts.Of).Where(f => f.Parent is not null && f.Stamp.Time <= Until).SelectMany(Together).Where(Keys.Add)];
        }
        if (IsTooMuch)
        {
            return;
        }
        // A declaration need not repeat the units of what it takes back.
        var ids = _events.Values.Where(e => e.Event.ErrorDeclaration is null).Select(e => e.Event.EventId).OfType<string>().Select(id => id.Replace('\0', '\uFFFD'));
        await ReadAsync("select x.event_id from unnest($1) u cross join lateral (select event_id from event where event_uri = u and period = any($3)) x", [.. ids], ct);
    }

    private IEnumerable<string> Together(UnitFact packing)
    {
        var met = packing.Epcs.Append(packing.Parent!).Select(UnitKey.Of).OfType<string>().ToList();
        return met.Exists(Keys.Contains) ? met : [];
    }

    /// <summary>Reads one stored event back.</summary>
    public static EpcisEvent Parse(string body)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(body), writable: false);
        using var reader = JsonEpcisReader.ReadBareEvent(stream, Limits);
        return reader.Read() ? reader.Current : throw new InvalidOperationException("A stored event cannot be read back: " + reader.Findings.All[0].Message);
    }

    /// <summary>The spellings in which any event names units of the same products.</summary>
    private async Task<string[]> SpellingsAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        var products = keys.Select(k => UnitKey.GtinOf(k).ToString()).Where(g => g.Length > 0 && !_lengths.ContainsKey(g)).Distinct().ToList();
        if (products.Count > 0)
        {
            var classes = products.SelectMany(g => UnitKey.PrefixLengths, (gtin, length) => (Gtin: gtin, Length: length, Class: EpcKey.ClassOf(UnitKey.ToEpc($"01{gtin}210", length)).ToString())).ToList();
            await using var select = new NpgsqlCommand("select c from unnest($1) c where exists (select from event_class where class = c)", work.Connection, work.Transaction) { Parameters = { Texts(classes.Select(c => c.Class)) } };
            var known = new HashSet<string>(StringComparer.Ordinal);
            await using (var rows = await select.ExecuteReaderAsync(ct))
            {
                while (await rows.ReadAsync(ct))
                {
                    known.Add(rows.GetString(0));
                }
            }
            foreach (var product in classes.GroupBy(c => c.Gtin))
            {
                _lengths.Add(product.Key, [.. product.Where(c => known.Contains(c.Class)).Select(c => c.Length)]);
            }
        }
        return [.. keys.SelectMany(k => _lengths.GetValueOrDefault(UnitKey.GtinOf(k).ToString(), UnitKey.PrefixLengths).Select(length => UnitKey.ToEpc(k, length)))];
    }

    private static NpgsqlParameter Texts(IEnumerable<string> texts) => new() { Value = texts.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    private async Task<short[]> PeriodsAsync(CancellationToken ct)
    {
        if (_periods is null)
        {
            // Partitions are made years ahead, and each would be looked into for each unit.
            await using var select = new NpgsqlCommand("select array_agg(p::smallint) from generate_series(2026, extract(year from gateway_now())::int + 1) p where exists (select from event where period = p)", work.Connection, work.Transaction);
            _periods = await select.ExecuteScalarAsync(ct) as short[] ?? [];
        }
        return _periods;
    }

    /// <param name="ids">Of the texts $1, in the years $3.</param>
    private async Task ReadAsync(string ids, string[] texts, CancellationToken ct)
    {
        await using var select = new NpgsqlCommand($"""
            select e.event_id, e.party_id, e.record_time, e.body from event e where e.event_id in ({ids}) and e.period = any($3) and not e.event_id = any($2) and not e.told_again
            """, work.Connection, work.Transaction)
        {
            Parameters =
            {
                Texts(texts), new NpgsqlParameter { Value = _events.Keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new NpgsqlParameter { Value = await PeriodsAsync(ct), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint },
            },
        };
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (!IsTooMuch && await rows.ReadAsync(ct))
        {
            var (number, body) = (rows.GetInt64(0), rows.GetString(3));
            _text += body.Length;
            _events.Add(number, new LedgerEvent(Parse(body), number) { PartyId = rows.GetInt32(1), RecordedAt = rows.GetDateTime(2) });
        }
    }
}
