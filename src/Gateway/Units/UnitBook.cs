using Epcis.Events;
using Epcis.Identifiers;

namespace Gateway.Units;

/// <summary>What became of an event.</summary>
/// <param name="Findings">What the rules have to say about it.</param>
/// <param name="Changed">The units whose rows differ from before, each once; their containers stand among them where those changed.</param>
public sealed record Applied(IReadOnlyList<UnitFinding> Findings, IReadOnlyList<Unit> Changed);

/// <summary>What became of a history: a book of its own, and what the rules say of all events together.</summary>
public sealed record Replayed(UnitBook Book, IReadOnlyList<UnitFinding> Findings);

/// <summary>
/// The units that some events touch, and the rules by which the events change them (LINES.md sections 2 and 3). It knows no
/// database and no clock: whoever uses it loads the units that an event names, the containers around them, and of a container
/// that is emptied the contents.
/// </summary>
/// <param name="specificationOf">
/// The pack specification of a GTIN as it was known at a moment of recording; <see langword="null"/> for a product that is not known.
/// </param>
/// <param name="allocationCheck">Whether a number must have been given out before it is used.</param>
public sealed partial class UnitBook(Func<string, DateTime, PackSpecification?>? specificationOf = null, bool allocationCheck = false)
{
    private readonly Dictionary<string, Unit> _units = [];
    private readonly Dictionary<string, PackSpecification?> _specifications = [];
    private readonly Dictionary<string, string> _places = [];
    private readonly Dictionary<Unit, List<Wait>> _waits = [];
    private readonly List<Unit> _named = [];
    private readonly Tellings _tellings = new();
    private List<Unit> _changed = [];
    private HashSet<string>? _only;
    private DateTime _recordedAt;
    private int _turn, _changes;

    /// <summary>Every unit of the book, in no order.</summary>
    public IReadOnlyCollection<Unit> Units => _units.Values;

    /// <summary>Whether it has the unit of a key.</summary>
    public bool Has(string key) => _units.ContainsKey(key);

    /// <summary>The unit of a key; <see langword="null"/> when the book has none.</summary>
    public Unit? OfKey(string key) => _units.GetValueOrDefault(key);

    /// <summary>A unit in any spelling; <see langword="null"/> when the book has none.</summary>
    public Unit? this[string epc]
    {
        get
        {
            Span<char> key = stackalloc char[UnitKey.MaxLength];
            return UnitKey.Read(epc, key) is var length and > 0 && _units.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key[..length], out var unit) ? unit : null;
        }
    }

    /// <summary>The keys of units that a replay has decided: facts about them are passed over. A set that holds together, as <c>only</c> of a replay.</summary>
    public IReadOnlySet<string>? Except { get; set; }

    /// <summary>Takes in a stored unit, within a container that was taken in before.</summary>
    public void Load(Unit unit, Unit? parent = null)
    {
        _units.Add(unit.Key, unit);
        if (parent is not null)
        {
            unit.Attach(parent);
        }
    }

    /// <summary>
    /// Whether an event comes on top of what is known: it takes nothing back, is older than nothing that was said of its units and
    /// of what they are in, and none of its units waited for it. Otherwise those units' histories are replayed.
    /// </summary>
    public bool CanApply(LedgerEvent said)
    {
        if (said.Event.ErrorDeclaration is not null)
        {
            return false;
        }
        foreach (var fact in EventFacts.Of(said))
        {
            if (!CanApply(fact))
            {
                return false;
            }
        }
        return true;
    }

    /// <inheritdoc cref="CanApply(LedgerEvent)"/>
    public bool CanApply(UnitFact fact)
    {
        if (fact.Parent is { } parent && !IsOnTop(parent, fact))
        {
            return false;
        }
        for (var i = 0; i < fact.Epcs.Count; i++)
        {
            if (!IsOnTop(fact.Epcs[i], fact))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Applies an event on top of what is known; see <see cref="CanApply"/>.</summary>
    public Applied Apply(LedgerEvent said) => Apply(EventFacts.Of(said));

    /// <summary>Applies facts in their order. Facts of lines that no event states come this way.</summary>
    public Applied Apply(IReadOnlyList<UnitFact> facts)
    {
        _changes++;
        _changed = [];
        var findings = new List<UnitFinding>();
        for (var i = 0; i < facts.Count; i++)
        {
            Take(facts[i]);
            _tellings.MoveTo(findings);
        }
        return new Applied(findings, _changed);
    }

    /// <summary>
    /// The book as if all events had come in the order of their event times (ties: LINES.md section 9, then their numbers), each
    /// eventID once, and as if none had been said that an error declaration takes back; those that correct it count as any other.
    /// </summary>
    /// <param name="events">In any order.</param>
    /// <param name="facts">What lines said besides; in any order.</param>
    /// <param name="only">
    /// The keys of the units that are replayed; <see langword="null"/> for all. Units matter to each other only by being packed
    /// and unpacked, so a set holds together when it has, with each unit, whatever any of the events packs it into or unpacks it
    /// from, and whatever goes into or out of it.
    /// </param>
    /// <param name="until">Leaves out what happened after that moment, and so tells how things stood then, as is known today.</param>
    /// <param name="specificationOf">As for the book.</param>
    /// <param name="allocationCheck">As for the book.</param>
    public static Replayed Replay(
        IEnumerable<LedgerEvent> events, IEnumerable<UnitFact>? facts = null, HashSet<string>? only = null, DateTimeOffset? until = null,
        Func<string, DateTime, PackSpecification?>? specificationOf = null, bool allocationCheck = false)
    {
        var book = new UnitBook(specificationOf, allocationCheck) { _only = only };
        var findings = new List<UnitFinding>();
        foreach (var fact in Standing(events).SelectMany(EventFacts.Of).Concat(facts ?? []).Where(f => until is null || f.Stamp.Time <= until).OrderBy(f => f.Stamp))
        {
            findings.AddRange(book.Apply([fact]).Findings);
        }
        return new Replayed(book, [.. findings.Select(book.WithoutEndedWaits).OfType<UnitFinding>()]);
    }

    /// <summary>The events that count: each eventID once, as it was said first, and none that a declaration takes back.</summary>
    internal static IEnumerable<LedgerEvent> Standing(IEnumerable<LedgerEvent> events)
    {
        var all = events.OrderBy(e => e.Number).ToList();
        var gone = all.Where(e => e.Event is { ErrorDeclaration: not null, EventId: not null }).Select(e => (e.PartyId, e.Event.EventId!)).ToHashSet();
        return all.Where(e => e.Event.ErrorDeclaration is null && (e.Event.EventId is not { } id || gone.Add((e.PartyId, id))));
    }

    private bool IsOnTop(string epc, UnitFact fact)
    {
        if (this[epc] is not { } unit)
        {
            return true;
        }
        if (unit.Has(UnitFlags.Waiting) && Lifecycle.MayBeFirst(fact.Kind))
        {
            return false;
        }
        var stamp = fact.Stamp;
        for (var container = unit; container is not null; container = container.Parent)
        {
            if (container.Last.CompareTo(stamp) > 0)
            {
                return false;
            }
        }
        return true;
    }

    private void Take(UnitFact fact)
    {
        _named.Clear();
        _turn++;
        if (_recordedAt != fact.RecordedAt)
        {
            _recordedAt = fact.RecordedAt;
            _specifications.Clear();
        }
        for (var i = 0; i < fact.Epcs.Count; i++)
        {
            if (Named(fact.Epcs[i], fact) is { } unit && unit.NamedIn != _turn)
            {
                unit.NamedIn = _turn;
                _named.Add(unit);
            }
        }
        switch (fact.Kind)
        {
            case FactKind.Pack when fact.Parent is not null:
                Pack(fact);
                break;
            case FactKind.Unpack when fact.Parent is not null:
                Unpack(fact);
                break;
            default:
                foreach (var unit in _named)
                {
                    Happen(unit, fact);
                }
                break;
        }
    }

    /// <summary>The unit of an EPC, which counts as changed; what is packed moves its containers' last event too, since they decide about it.</summary>
    private Unit? Named(string epc, UnitFact fact)
    {
        Span<char> key = stackalloc char[UnitKey.MaxLength];
        var length = UnitKey.Read(epc, key);
        if (length == 0 || _only is not null && !_only.GetAlternateLookup<ReadOnlySpan<char>>().Contains(key[..length]) || Except is not null && Except.Contains(key[..length].ToString()))
        {
            return null;
        }
        var units = _units.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!units.TryGetValue(key[..length], out var unit))
        {
            unit = new Unit(new string(key[..length]), UnitKey.PrefixLength(epc));
            unit.Level = SpecificationOf(unit)?.Level ?? 0;
            _units.Add(unit.Key, unit);
        }
        Touch(unit, fact.Stamp);
        return unit;
    }

    private void Touch(Unit unit, EventStamp stamp)
    {
        for (var container = unit; container is not null; container = container.Parent)
        {
            if (container.ChangedIn != _changes)
            {
                container.ChangedIn = _changes;
                _changed.Add(container);
            }
            container.FirstEvent ??= stamp.Number;
            if (container.Last == stamp)
            {
                return;
            }
            if (container.Last.CompareTo(stamp) < 0)
            {
                container.Last = stamp;
            }
        }
    }

    // Of a unit that is in no container, and of what a container does as a whole.
    private void Happen(Unit unit, UnitFact fact)
    {
        if (unit.IsUnheardOf && !Lifecycle.MayBeFirst(fact.Kind))
        {
            Await(unit, fact, []);
            return;
        }
        if (Lifecycle.MayBeFirst(fact.Kind))
        {
            Hear(unit, fact);
        }
        if (fact.Kind == FactKind.Commission)
        {
            Commission(unit, fact);
            return;
        }
        if (unit.Parent is not null)
        {
            HappenInside(unit, fact);
            return;
        }
        ImplyReceipt(unit, fact);
        if (Next(unit.State, unit, fact.Kind) is not { } next)
        {
            if (fact.Kind == FactKind.Receive && unit.State == UnitState.Commissioned && unit.Has(UnitFlags.ReceiptInferred))
            {
                Arrive(unit, fact, isInferred: false);
            }
            else
            {
                Refuse(unit, fact);
            }
            return;
        }
        if (Lifecycle.IsBlockedByHold(fact) && unit.IsHeld)
        {
            Tell(UnitCodes.Held, unit, fact);
            return;
        }
        Move(unit, next, fact);
    }

    private void Move(Unit unit, UnitState next, UnitFact fact)
    {
        (unit.State, unit.Reason) = next == unit.State ? (next, unit.Reason) : (next, fact.Reason);
        switch (fact.Kind)
        {
            case FactKind.Hold:
                unit.Hold(HoldReason(fact));
                break;
            case FactKind.Release:
                unit.Release();
                break;
            case FactKind.Ship:
                Close(unit, fact);
                unit.Set(UnitFlags.SeenElsewhere | UnitFlags.ReceiptInferred, false);
                unit.Holder = fact.Holder ?? unit.Holder;
                unit.Location = fact.Place ?? unit.Location;
                break;
            case FactKind.Receive or FactKind.Return:
                Arrive(unit, fact, isInferred: false);
                break;
            case FactKind.VoidShip:
                unit.Set(UnitFlags.SeenElsewhere, false);
                unit.Location = fact.Place ?? unit.Location;
                break;
            default:
                See(unit, fact);
                break;
        }
    }

    private void See(Unit unit, UnitFact fact)
    {
        unit.Set(UnitFlags.SeenElsewhere, unit.Has(UnitFlags.SeenElsewhere) || unit.State == UnitState.Shipped && IsElsewhere(unit, fact));
        if (fact.Kind == FactKind.Observe)
        {
            unit.Set(UnitFlags.ReceiptInferred, false);
        }
        unit.Location = fact.Place ?? unit.Location;
    }

    private static void Arrive(Unit unit, UnitFact fact, bool isInferred)
    {
        unit.Set(UnitFlags.SeenElsewhere, false);
        unit.Set(UnitFlags.ReceiptInferred, isInferred);
        (unit.Holder, unit.Location) = (fact.Holder ?? fact.Place, fact.Place);
    }

    // Of a unit in a container: where it is and whether it was shipped is the outermost container's.
    private void HappenInside(Unit unit, UnitFact fact)
    {
        var top = unit.Top;
        switch (fact.Kind)
        {
            case FactKind.ReworkOk when fact.IsOnlyIfItFits:
                return;
            case FactKind.Ship or FactKind.VoidShip or FactKind.Receive or FactKind.Return when top.NamedIn == _turn:
                return; // Said of the container too, and happens with it.
            case FactKind.Hold or FactKind.Release or FactKind.Observe when Next(top.State, unit, fact.Kind) is not null:
                if (fact.Kind == FactKind.Hold)
                {
                    unit.Hold(HoldReason(fact));
                }
                else if (fact.Kind == FactKind.Release)
                {
                    unit.Release();
                }
                return;
            case FactKind.Receive when top.State == UnitState.Shipped:
                // A part does not arrive without the whole, of which nobody has said it yet.
                top.State = UnitState.Commissioned;
                Arrive(top, fact, isInferred: true);
                return;
            case FactKind.Receive when top.State == UnitState.Commissioned && top.Has(UnitFlags.ReceiptInferred):
                return;
            case FactKind.VoidShip when top.State == UnitState.Shipped:
                Leave(unit, top);
                Move(unit, UnitState.Commissioned, fact);
                Tell(UnitCodes.Missing, unit, fact);
                unit.Hold(UnitCodes.Missing);
                return;
            case FactKind.Return when top.State == UnitState.Shipped:
                // Customers seldom tell of unpacking, and what comes back alone is in nothing.
                Leave(unit, top);
                Move(unit, UnitState.Returned, fact);
                return;
            case var kind when kind == FactKind.Ship || Lifecycle.NeedsUnpacking(kind):
                Tell(UnitCodes.Packed, unit, fact, unit.Parent);
                unit.Hold(UnitCodes.Packed);
                return;
            default:
                Refuse(unit, fact);
                return;
        }
    }

    private void Commission(Unit unit, UnitFact fact)
    {
        if (unit.EverCommissioned)
        {
            Tell(UnitCodes.DuplicateCommission, unit, fact);
            unit.Hold(UnitCodes.DuplicateCommission);
            return;
        }
        if (Next(unit.State, unit, fact.Kind) is not { } next)
        {
            Refuse(unit, fact);
            return;
        }
        if (fact.Lot is null && !IsContainer(unit))
        {
            Tell(UnitCodes.LotMissing, unit, fact);
            return;
        }
        if (fact.Expiry is { } expiry && expiry <= DateOnly.FromDateTime(fact.Time.DateTime))
        {
            Tell(UnitCodes.LotExpired, unit, fact);
            return;
        }
        (unit.State, unit.Reason, unit.Lot, unit.Expiry) = (next, null, fact.Lot, fact.Expiry);
        (unit.Holder, unit.Location) = (fact.Holder ?? fact.Place, fact.Place);
        unit.Set(UnitFlags.EverCommissioned, true);
        Flag(unit, fact);
    }

    /// <summary>What somebody else does to shipped goods says that he has received them.</summary>
    private void ImplyReceipt(Unit unit, UnitFact fact)
    {
        if (unit.State == UnitState.Shipped && Lifecycle.ImpliesReceipt(fact.Kind) && (unit.Has(UnitFlags.SeenElsewhere) || IsElsewhere(unit, fact)))
        {
            unit.State = UnitState.Commissioned;
            Arrive(unit, fact with { Holder = null, Place = fact.Place ?? unit.Location }, isInferred: true);
        }
    }

    // A line and the dock of one site have one GLN, and goods do not change hands between them.
    private bool IsElsewhere(Unit unit, UnitFact fact) =>
        fact.Place is { } place && !ReferenceEquals(place, unit.Location) && place != unit.Location && (unit.Location is null || SiteOf(place) != SiteOf(unit.Location));

    private string SiteOf(string place)
    {
        if (!_places.TryGetValue(place, out var site))
        {
            _places.Add(place, site = Epc.Parse(place, CompanyPrefixes.None).Value is { Key: var gln } ? gln : place);
        }
        return site;
    }

    private UnitState? Next(UnitState state, Unit unit, FactKind kind) => Lifecycle.Next(state, kind, unit.EverCommissioned, allocationCheck);

    private void Refuse(Unit unit, UnitFact fact)
    {
        if (fact.IsOnlyIfItFits)
        {
            return;
        }
        // A number that nobody gave out is another fault than a fact out of order: without the check it would be none.
        var code = unit.State == UnitState.Pool && Lifecycle.Next(unit.State, fact.Kind, unit.EverCommissioned, allocationCheck: false) is not null
            ? UnitCodes.NotAllocated
            : UnitCodes.IllegalTransition;
        Tell(code, unit, fact);
        unit.Hold(code);
    }

    /// <summary>A fact came before any other of how the unit came to be: its place may be told, and the rest waits.</summary>
    private void Await(Unit unit, UnitFact fact, Unit[] others)
    {
        if (fact.IsOnlyIfItFits)
        {
            return;
        }
        unit.Set(UnitFlags.Waiting, true);
        if (!_waits.TryGetValue(unit, out var waits))
        {
            _waits.Add(unit, waits = []);
        }
        waits.Add(new Wait(fact, others));
        Tell(UnitCodes.Waiting, unit, fact);
        unit.Location = fact.Place ?? unit.Location;
        if (fact.Kind == FactKind.Hold)
        {
            unit.Hold(HoldReason(fact));
        }
        else if (fact.Kind == FactKind.Release)
        {
            unit.Release();
        }
    }

    private void AwaitUnheardOf(UnitFact fact, Unit parent)
    {
        foreach (var child in _named)
        {
            if (child.IsUnheardOf && child != parent)
            {
                Await(child, fact, [parent]);
            }
        }
    }

    /// <summary>The unit's life begins. What was said of an earlier moment can be true no longer, so it is told as what it is.</summary>
    private void Hear(Unit unit, UnitFact now)
    {
        unit.Set(UnitFlags.HeardOf, true);
        unit.Set(UnitFlags.Waiting, false);
        if (!_waits.Remove(unit, out var waits))
        {
            return;
        }
        foreach (var (fact, others) in waits)
        {
            var code = fact.Kind switch
            {
                FactKind.Hold or FactKind.Release or FactKind.Observe => null,
                FactKind.Pack => fact.Parent is { } parent && this[parent] == unit ? UnitCodes.ParentUnknown : UnitCodes.ChildNotActive,
                FactKind.Unpack when others is [_] => UnitCodes.NotChild,
                _ => UnitCodes.IllegalTransition,
            };
            if (code is not null)
            {
                _tellings.Add(code, unit, fact, others is [var other] ? other : null);
                unit.Hold(code);
                foreach (var with in others)
                {
                    Touch(with, now.Stamp);
                    with.Hold(code);
                }
            }
        }
    }

    private UnitFinding? WithoutEndedWaits(UnitFinding finding)
    {
        if (finding.Code != UnitCodes.Waiting)
        {
            return finding;
        }
        var waiting = finding.Units.Where(epc => this[epc]!.Has(UnitFlags.Waiting)).ToList();
        return waiting.Count == 0 ? null : finding with { Units = waiting };
    }

    private void Tell(string code, Unit unit, UnitFact fact, Unit? other = null) => _tellings.Add(code, unit, fact, other);

    private static string HoldReason(UnitFact fact) => fact.Reason ?? "holding";

    // Codes have a dot, dispositions have none.
    private static bool IsOfEvents(string reason) => !reason.Contains('.', StringComparison.Ordinal);

    private static bool IsWithin(Unit unit, Unit container)
    {
        for (var around = unit; around is not null; around = around.Parent)
        {
            if (around == container)
            {
                return true;
            }
        }
        return false;
    }

    // A saleable pack has the indicator 0; containers have 1 to 8 or an SSCC (GS1 General Specifications). Master data know better.
    private bool IsContainer(Unit unit) =>
        UnitKey.GtinOf(unit.Key) is var gtin && (gtin.IsEmpty || (SpecificationOf(unit) is { } specification ? specification.Level > 1 : gtin[0] != '0'));

    private PackSpecification? SpecificationOf(Unit unit)
    {
        var gtin = UnitKey.GtinOf(unit.Key);
        if (specificationOf is null || gtin.IsEmpty)
        {
            return null;
        }
        var known = _specifications.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!known.TryGetValue(gtin, out var specification))
        {
            var product = gtin.ToString();
            _specifications.Add(product, specification = specificationOf(product, _recordedAt));
        }
        return specification;
    }

    private sealed record Wait(UnitFact Fact, Unit[] Others);
}
