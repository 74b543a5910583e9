using Gateway.Delivery;
using Gateway.MasterData;
using Gateway.Units;
using System.Threading.Channels;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Identifiers;
using Epcis.Rules;

namespace Gateway.Capture;

/// <summary>An event ready to be stored.</summary>
/// <param name="Epcs">With the numbers of <see cref="EpcRole"/>; classes of objects with <see cref="ClassRoles"/> more.</param>
/// <param name="Classes">What patterns find: of EPCs their <see cref="EpcKey.ClassOf"/>, of classes of objects the whole, each once for a role.</param>
/// <param name="Respelled">Those of <paramref name="Epcs"/> that the event spells in another way, by its spelling; null when there are none, as nearly always.</param>
/// <param name="Content">What the event says, the same in every form; only an event with an eventID can be told again.</param>
internal sealed record ParsedEvent(
    EpcisEvent Event, byte[] Body, IReadOnlyList<(short Role, string Epc)> Epcs, IReadOnlyList<(short Role, string Class)> Classes, IReadOnlyDictionary<string, string>? Respelled, byte[] Content)
{
    public const short ClassRoles = 10;
}

/// <summary>Some consecutive events; the last chunk may be empty.</summary>
/// <param name="IsRefused">What was read so far leaves nothing of the document to store.</param>
internal sealed record ParsedChunk(IReadOnlyList<ParsedEvent> Events, bool IsRefused);

/// <summary>Parses on a thread of its own into a bounded channel, so that reading and storing overlap in flat memory.</summary>
internal sealed class ParsedEvents
{
    private const int MaxEpcs = 5_000; // five chunks may be on their way, and what lives long is collected late
    private const int MaxBodyBytes = 4 << 20;
    private const int MaxKeptCapacity = 10_000;
    private readonly Channel<ParsedChunk> _chunks = Channel.CreateBounded<ParsedChunk>(new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true });
    private readonly EpcisReader _reader;
    private readonly RuleSet.Run? _rules;
    private readonly bool _proceed;
    private readonly CaptureTerms _terms;
    private readonly IReadOnlySet<(string Gtin, string Lot)> _recalled;
    private readonly ScopeCheck? _scope;
    private readonly UnknownKeys _unknown;
    private readonly EpcKeys _keys = new();
    private HashSet<string> _seen = new(StringComparer.Ordinal), _classes = new(StringComparer.Ordinal);

    private ParsedEvents(EpcisReader reader, CaptureRules? rules, bool proceed, CaptureTerms terms, MasterDataSnapshot known, ScopeCheck? scope) =>
        (_reader, _rules, _proceed, _terms, _unknown, _recalled, _scope) = (reader, rules?.Set.Begin(reader.Findings), proceed, terms, new UnknownKeys(known), known.RecalledLots, scope);

    // After an error under rollback nothing is stored, and of a document with foreign events under either.
    private bool IsRefused => _reader.Findings.HasErrors && !_proceed || _scope is { First: not null };

    /// <summary>Ends when the channel is complete; the reader's findings and header, and the terms, are whole then.</summary>
    /// <param name="rules">Null for a document that a mapping reads.</param>
    public static ChannelReader<ParsedChunk> Start(EpcisReader reader, CaptureRules? rules, bool proceed, CaptureTerms terms, MasterDataSnapshot known, ScopeCheck? scope, CancellationToken ct, out Task parsing)
    {
        var parser = new ParsedEvents(reader, rules, proceed, terms, known, scope);
        parsing = Task.Factory.StartNew(() => parser.Run(ct), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return parser._chunks.Reader;
    }

    /// <summary>The same on the caller's thread; with its last chunk the reader's findings and header, and the terms, are whole.</summary>
    public static IEnumerable<ParsedChunk> Read(EpcisReader reader, CaptureRules? rules, bool proceed, CaptureTerms terms, MasterDataSnapshot known, ScopeCheck? scope, CancellationToken ct) =>
        new ParsedEvents(reader, rules, proceed, terms, known, scope).Chunks(ct);

    private void Run(CancellationToken ct)
    {
        try
        {
            foreach (var chunk in Chunks(ct))
            {
                _chunks.Writer.WriteAsync(chunk, ct).AsTask().GetAwaiter().GetResult();
            }
            _chunks.Writer.Complete();
        }
        catch (Exception e)
        {
            _chunks.Writer.Complete(e); // the storing side throws it
        }
    }

    private IEnumerable<ParsedChunk> Chunks(CancellationToken ct)
    {
        var events = new List<ParsedEvent>();
        int epcs = 0, bytes = 0;
        var isTold = false;
        while (_reader.ReadChecked(_rules, _scope, out var isGood))
        {
            ct.ThrowIfCancellationRequested();
            // Also those that are not stored: a refused document is found by its number, and so its corrected successor.
            _terms.See(_reader.Current);
            isGood &= !IsOfRecalledLot(_reader.Current);
            // Of a document that is refused all findings are wanted.
            if (!isGood || IsRefused)
            {
                if (!isTold && IsRefused)
                {
                    // Told at once: the storing side gives its transaction up, however long the rest of the document is.
                    isTold = true;
                    yield return new ParsedChunk([], IsRefused);
                }
                continue;
            }
            var e = Parse(_reader.Current);
            _terms.SeeProducts(e.Epcs);
            _unknown.See(e);
            events.Add(e);
            epcs += e.Epcs.Count;
            bytes += e.Body.Length;
            if (epcs >= MaxEpcs || bytes >= MaxBodyBytes)
            {
                yield return new ParsedChunk(events, IsRefused);
                (events, epcs, bytes) = ([], 0, 0);
            }
        }
        _unknown.Tell(_reader.Findings);
        yield return new ParsedChunk(events, IsRefused);
    }

    // Whoever commissions into a recalled lot would make packs that no market may hand out (EXCHANGES.md S12).
    private bool IsOfRecalledLot(EpcisEvent e)
    {
        if (_recalled.Count == 0 || e is not ObjectEvent { Action: EventAction.Add, ErrorDeclaration: null } made || made.Ilmd.FirstOrDefault(x => x.Name == "lotNumber")?.Text?.Trim() is not { Length: > 0 } lot
            || made.EpcList.FirstOrDefault(epc => UnitKey.Of(epc) is { } key && _recalled.Contains((UnitKey.GtinOf(key).ToString(), lot))) is not { } unit)
        {
            return false;
        }
        _reader.Findings.Error("lot.recalled", e, $"The lot {lot} is recalled: nothing is commissioned into it any more.", got: unit);
        return true;
    }

    private ParsedEvent Parse(EpcisEvent e)
    {
        var namespaces = _reader.Namespaces; // in JSON, an event may declare its own
        _seen = Cleared(_seen);
        _classes = Cleared(_classes);
        var epcs = new List<(short Role, string Epc)>();
        var classes = new List<(short Role, string Class)>();
        Dictionary<string, string>? respelled = null;
        short last = 0;
        foreach (var (role, epc) in e.Epcs)
        {
            Add((short)role, epc);
        }
        foreach (var (role, quantity) in e.Quantities)
        {
            Add((short)((short)role + ParsedEvent.ClassRoles), quantity.EpcClass);
        }
        return new ParsedEvent(e, JsonEventWriter.ToUtf8(e, recordTime: null, namespaces), epcs, classes, respelled, e.EventId is null ? [] : EventContent.Hash(e, namespaces));

        // To clear it costs what its largest list did.
        static HashSet<string> Cleared(HashSet<string> names)
        {
            if (names.Capacity > MaxKeptCapacity)
            {
                return new HashSet<string>(StringComparer.Ordinal);
            }
            names.Clear();
            return names;
        }

        // Those of one role follow each other, and each is kept once.
        void Add(short role, string identifier)
        {
            if (role != last)
            {
                last = role;
                _seen = Cleared(_seen);
                _classes = Cleared(_classes);
            }
            var key = CaptureRecords.Storable(_keys.Normalise(identifier))!;
            if (!_seen.Add(key))
            {
                return;
            }
            epcs.Add((role, key));
            var of = role > ParsedEvent.ClassRoles ? key : EpcKey.ClassOf(key);
            // Those of one class mostly follow each other.
            if (of.Length > 0 && !(classes is [.., var known] && known.Role == role && of.SequenceEqual(known.Class)) && _classes.GetAlternateLookup<ReadOnlySpan<char>>().Add(of))
            {
                classes.Add((role, of.ToString()));
            }
            if (key != identifier)
            {
                (respelled ??= [])[CaptureRecords.Storable(identifier)!] = key;
            }
        }
    }
}

/// <summary>The shipping events of a document, those that void shipments and those that answer them, for routing; a bounded number of EPCs is kept.</summary>
internal sealed class Shipments
{
    private const int MaxEpcsInAll = 100_000;
    private readonly List<ShippingEvent> _all = [];
    private readonly List<ShippingEvent> _voids = [];
    private readonly List<ShippingEvent> _evidence = [];
    private readonly List<long> _receipts = [];
    private readonly List<long> _states = [];
    private int _epcs;

    public IReadOnlyList<ShippingEvent> All => _all;

    public IReadOnlyList<ShippingEvent> Voids => _voids;

    public IReadOnlyList<ShippingEvent> Evidence => _evidence;

    public IReadOnlyList<long> Receipts => _receipts;

    public IReadOnlyList<long> States => _states;

    public void See(long eventId, EpcisEvent e)
    {
        var step = e.BizStep is { } said ? CbvTerms.ToBare(CbvVocabulary.BizStep, said) : null;
        if (step == "receiving" || step == "shipping" && e.ErrorDeclaration is not null)
        {
            _receipts.Add(eventId);
        }
        var disposition = e.Disposition is { } at ? CbvTerms.ToBare(CbvVocabulary.Disposition, at) : null;
        if (step is "destroying" or "decommissioning" or "sampling" or "holding" or "inspecting" or "shipping" or "void_shipping" || disposition is "stolen" or "recalled" || e is ObjectEvent { Action: EventAction.Delete })
        {
            _states.Add(eventId);
        }
        var of = step switch
        {
            "shipping" => _all,
            "void_shipping" when e.ErrorDeclaration is null => _voids,
            _ when (step == "destroying" || disposition == "recalled" && e is ObjectEvent) && e is { ErrorDeclaration: null, Destinations.Count: > 0 } => _evidence,
            _ => null,
        };
        if (of is null)
        {
            return;
        }
        // The top of a shipment: its objects, or the parent that holds them.
        var tops = e.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => x.Epc).Take(Math.Min(ShippingEvent.MaxEpcs, MaxEpcsInAll - _epcs)).ToList();
        _epcs += tops.Count;
        of.Add(new ShippingEvent(eventId, tops, Glns(e.Sources), Glns(e.Destinations), e.BizTransactions) { EventUri = e.EventId, IsDeclaration = e.ErrorDeclaration is not null });
    }

    private static List<(string Type, string Gln)> Glns(IReadOnlyList<SourceOrDestination> places)
    {
        var glns = new List<(string, string)>();
        foreach (var place in places)
        {
            if (Gln.TryFromAny(place.Value, out var gln))
            {
                glns.Add((CbvTerms.ToBare(CbvVocabulary.SourceDestType, place.Type), gln));
            }
        }
        return glns;
    }
}
