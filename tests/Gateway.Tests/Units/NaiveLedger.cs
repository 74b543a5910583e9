using Epcis.Events;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>One thing said in a random history: a word, the units, and perhaps a container, a place and a lot.</summary>
internal sealed record Move(string Word, string[] Units, string? Parent, string? Place, string? Lot, int Minute, int Number, bool Flag)
{
    public LedgerEvent Event => Story.At(Minute, Bare, Number);

    private EpcisEvent Bare => Word switch
    {
        "commission" => Said.Commissioned(Lot, Units) with { ReadPoint = At },
        "pack" => Said.Packed(Parent!, Units) with { ReadPoint = At, Extensions = Flag ? [new Extension(EventFacts.LineNamespace, "l", "partial") { Text = "true" }, new Extension(EventFacts.LineNamespace, "l", "mixed") { Text = "true" }] : [] },
        "unpack" => Said.Unpacked(Said.Plant, Parent!, Units) with { ReadPoint = At },
        "ship" => Said.Shipped(Units) with { ReadPoint = At },
        "void" => Said.Voided(Units) with { ReadPoint = At },
        "receive" => Said.Received(Said.Plant, Units) with { ReadPoint = null, BizLocation = At },
        "return" => Said.Returned(Said.Plant, Units) with { ReadPoint = At },
        "hold" => Said.Held(Units) with { ReadPoint = At },
        "inspect" => Said.Released(Units) with { ReadPoint = At },
        "reject" => Said.Object(EventAction.Observe, "inspecting", "non_sellable_other", Place, Units),
        "sample" => Said.Object(EventAction.Observe, "sampling", null, Place, Units),
        "decommission" => Said.Object(EventAction.Delete, "decommissioning", "inactive", Place, Units),
        "destroy" => Said.Object(EventAction.Delete, "destroying", "destroyed", Place, Units),
        "encode" => Said.Object(EventAction.Observe, "encoding", null, Place, Units),
        _ => Said.Object(EventAction.Observe, "storing", null, Place, Units),
    };

    private Location? At => Place is null ? null : new Location(Place);

    public override string ToString() => $"{Minute}/{Number} {Word} [{string.Join(' ', Units.Select(u => u[^3..]))}] in {Parent?[^3..]} at {Place?[^7..]} lot {Lot}{(Flag ? " flagged" : "")}";
}

/// <summary>
/// The rules a second time and otherwise: a few sets of words, nothing counted or remembered that can be looked up in them,
/// and every question answered by going through all units. Slow, and easy to hold against the paper.
/// </summary>
internal sealed class NaiveLedger(int caseHolds, int palletHolds)
{
    private static readonly string[] s_order = ["encode", "reject", "rework", "commission", "unpack", "sample", "decommission", "destroy", "pack", "release", "hold", "ship", "void", "receive", "return", "see"];

    private readonly Dictionary<string, string> _state = [], _parent = [], _lot = [];
    private readonly Dictionary<string, string?> _at = [], _with = [];
    private readonly Dictionary<string, SortedSet<string>> _holds = [];
    private readonly Dictionary<string, List<string>> _entered = [];
    private readonly Dictionary<string, int> _level = [];
    private readonly HashSet<string> _known = [], _ever = [], _inferred = [], _elsewhere = [], _partial = [], _mixed = [], _closed = [];
    private readonly List<(string Unit, string Word, string[] Others, bool AsParent, int Number)> _waits = [];
    private readonly List<string> _found = [];

    public static NaiveLedger Of(IEnumerable<Move> moves, int caseHolds, int palletHolds)
    {
        var ledger = new NaiveLedger(caseHolds, palletHolds);
        var facts = moves.SelectMany(m => m.Word == "inspect" ? new[] { m with { Word = "rework" }, m with { Word = "release" } } : [m]);
        foreach (var fact in facts.OrderBy(f => (f.Minute, Array.IndexOf(s_order, f.Word), f.Number)))
        {
            ledger.Take(fact);
        }
        return ledger;
    }

    public string Tell(IEnumerable<string> units) => string.Join('\n', units.Where(_state.ContainsKey).Order(StringComparer.Ordinal).Select(u =>
        $"{u} {_state[u]} {_state[Top(u)]} in {_parent.GetValueOrDefault(u)} at {_at[Top(u)]} with {_with[Top(u)]} lot {_lot.GetValueOrDefault(u)} held {string.Join(',', _holds[u])} {(IsHeld(u) ? "blocked" : "free")} holds {Children(u).Count} {(_inferred.Contains(Top(u)) ? "inferred" : "")}"));

    public static string Tell(UnitBook book) => string.Join('\n', book.Units.OrderBy(u => u.Epc, StringComparer.Ordinal).Select(u =>
        $"{u.Epc} {u.State} {u.Top.State} in {u.Parent?.Epc} at {u.Top.Location} with {u.Top.Holder} lot {u.Lot} held {string.Join(',', u.Holds.Order(StringComparer.Ordinal))} {(u.IsHeld ? "blocked" : "free")} holds {u.Children} {(u.Top.Has(UnitFlags.ReceiptInferred) ? "inferred" : "")}"));

    public string Found => string.Join('\n', _found.Concat(_waits.Select(w => $"{w.Number} unit.waiting {w.Unit}")).Order(StringComparer.Ordinal));

    public static string FoundBy(IEnumerable<UnitFinding> findings) =>
        string.Join('\n', findings.SelectMany(f => f.Units.Select(u => $"{f.Number} {f.Code} {u}")).Order(StringComparer.Ordinal));

    private string Top(string unit) => _parent.TryGetValue(unit, out var parent) ? Top(parent) : unit;

    private List<string> Children(string unit) => [.. _parent.Where(p => p.Value == unit).Select(p => p.Key)];

    private IEnumerable<string> Below(string unit) => Children(unit).SelectMany(c => Below(c).Prepend(c));

    private bool IsHeld(string unit) => Below(unit).Prepend(unit).Any(u => _holds[u].Count > 0);

    private static bool IsPack(string unit) => unit.Contains(".000101.", StringComparison.Ordinal);

    private static bool IsCase(string unit) => unit.Contains(".500101.", StringComparison.Ordinal);

    private static string? Site(string? place) => place?[..^place.Split('.')[^1].Length];

    private void Find(Move m, string code, params string[] units)
    {
        _found.Add($"{m.Number} {code} {units[0]}");
        foreach (var unit in units)
        {
            _holds[unit].Add(code);
        }
    }

    private void Take(Move m)
    {
        foreach (var unit in m.Units.Concat(m.Parent is null ? [] : [m.Parent]).Where(u => _state.TryAdd(u, "Pool")))
        {
            (_at[unit], _with[unit], _holds[unit], _entered[unit]) = (null, null, [], []);
            _level[unit] = IsPack(unit) ? 1 : IsCase(unit) ? 2 : 0;
        }
        if (m.Parent is { } parent)
        {
            PackOrUnpack(m, parent);
            return;
        }
        foreach (var unit in m.Units)
        {
            TakeOne(m, unit);
        }
    }

    private void Wait(Move m, string unit, string[] others, bool asParent = false)
    {
        if (m.Word == "rework")
        {
            return;
        }
        _waits.Add((unit, m.Word, others, asParent, m.Number));
        _at[unit] = m.Place ?? _at[unit];
        if (m.Word == "hold")
        {
            _holds[unit].Add("non_sellable_other");
        }
        if (m.Word == "release")
        {
            _holds[unit].Clear();
        }
    }

    private void Begin(string unit)
    {
        _known.Add(unit);
        foreach (var wait in _waits.Where(w => w.Unit == unit).ToList())
        {
            _waits.Remove(wait);
            var code = wait.Word is "see" or "hold" or "release" ? null
                : wait.AsParent ? wait.Word == "pack" ? "agg.parent_unknown" : "unit.illegal_transition"
                : wait.Word switch { "pack" => "agg.child_not_active", "unpack" => "agg.not_child", _ => "unit.illegal_transition" };
            if (code is not null)
            {
                _found.Add($"{wait.Number} {code} {unit}");
                foreach (var held in wait.Others.Append(unit))
                {
                    _holds[held].Add(code);
                }
            }
        }
    }

    // Somebody else has it in hand.
    private void Arrives(Move m, string unit)
    {
        if (_state[unit] == "Shipped" && (_elsewhere.Contains(unit) || m.Place is not null && Site(m.Place) != Site(_at[unit])))
        {
            _state[unit] = "Commissioned";
            _at[unit] = _with[unit] = m.Place ?? _at[unit];
            _inferred.Add(unit);
            _elsewhere.Remove(unit);
        }
    }

    private void Sees(Move m, string unit)
    {
        if (_state[unit] == "Shipped" && m.Place is not null && Site(m.Place) != Site(_at[unit]))
        {
            _elsewhere.Add(unit);
        }
        if (m.Word == "see")
        {
            _inferred.Remove(unit);
        }
        _at[unit] = m.Place ?? _at[unit];
    }

    private void TakeOne(Move m, string unit)
    {
        var begins = m.Word is "commission" or "encode";
        if (!_known.Contains(unit) && !begins)
        {
            Wait(m, unit, []);
            return;
        }
        if (begins)
        {
            Begin(unit);
        }
        if (m.Word == "commission")
        {
            Commission(m, unit);
        }
        else if (_parent.ContainsKey(unit))
        {
            TakeInside(m, unit, Top(unit));
        }
        else
        {
            TakeAlone(m, unit);
        }
    }

    private void Commission(Move m, string unit)
    {
        if (_ever.Contains(unit))
        {
            Find(m, "unit.duplicate_commission", unit);
        }
        else if (_state[unit] is not ("Pool" or "Encoded" or "Rejected"))
        {
            Find(m, "unit.illegal_transition", unit);
        }
        else if (m.Lot is null && IsPack(unit))
        {
            _found.Add($"{m.Number} lot.missing {unit}");
        }
        else
        {
            _state[unit] = "Commissioned";
            _ever.Add(unit);
            (_at[unit], _with[unit]) = (m.Place, m.Place);
            if (m.Lot is { } lot)
            {
                _lot[unit] = lot;
            }
        }
    }

    private void TakeAlone(Move m, string unit)
    {
        if (m.Word is "ship" or "reject" or "sample" or "decommission" or "destroy")
        {
            Arrives(m, unit);
        }
        var (state, ever) = (_state[unit], _ever.Contains(unit));
        var bad = state is "Commissioned" or "Sampled" || state == "Rejected" && ever;
        var ended = state is "Decommissioned" or "Destroyed";
        var next = m.Word switch
        {
            "encode" when state == "Pool" => "Encoded",
            "reject" when state is "Encoded" or "Commissioned" => "Rejected",
            "rework" when state == "Rejected" && ever || state == "Returned" => "Commissioned",
            "sample" when state == "Commissioned" => "Sampled",
            "decommission" when bad => "Decommissioned",
            "destroy" when bad || state is "Decommissioned" or "Returned" => "Destroyed",
            "ship" when state == "Commissioned" => "Shipped",
            "void" or "receive" when state == "Shipped" => "Commissioned",
            "return" when state == "Shipped" => "Returned",
            "hold" or "release" or "see" when !ended => state,
            _ => null,
        };
        switch (m.Word)
        {
            case "rework" when next is null:
                return;
            case "receive" when state == "Commissioned" && _inferred.Contains(unit):
                _inferred.Remove(unit);
                (_at[unit], _with[unit]) = (m.Place, m.Place);
                return;
            case var _ when next is null:
                Find(m, "unit.illegal_transition", unit);
                return;
            case "ship" when IsHeld(unit):
                _found.Add($"{m.Number} unit.held {unit}");
                return;
        }
        _state[unit] = next;
        switch (m.Word)
        {
            case "hold":
                _holds[unit].Add("non_sellable_other");
                break;
            case "release":
                _holds[unit].Clear();
                break;
            case "ship":
                Closes(m, unit);
                _at[unit] = m.Place ?? _at[unit];
                _elsewhere.Remove(unit);
                _inferred.Remove(unit);
                break;
            case "void":
                _at[unit] = m.Place ?? _at[unit];
                _elsewhere.Remove(unit);
                break;
            case "receive" or "return":
                (_at[unit], _with[unit]) = (m.Place, m.Place);
                _elsewhere.Remove(unit);
                _inferred.Remove(unit);
                break;
            default:
                Sees(m, unit);
                break;
        }
    }

    private void TakeInside(Move m, string unit, string top)
    {
        var (state, moves) = (_state[top], m.Word is "ship" or "void" or "receive" or "return");
        if (m.Word == "rework" || moves && m.Units.Contains(top))
        {
            return;
        }
        if (m.Word is "hold" or "release" or "see" && state is not ("Decommissioned" or "Destroyed"))
        {
            if (m.Word == "hold")
            {
                _holds[unit].Add("non_sellable_other");
            }
            if (m.Word == "release")
            {
                _holds[unit].Clear();
            }
        }
        else if (m.Word == "receive" && state == "Shipped")
        {
            _state[top] = "Commissioned";
            (_at[top], _with[top]) = (m.Place, m.Place);
            _elsewhere.Remove(top);
            _inferred.Add(top);
        }
        else if (m.Word == "receive" && state == "Commissioned" && _inferred.Contains(top))
        {
        }
        else if (m.Word == "void" && state == "Shipped")
        {
            Leaves(unit);
            _state[unit] = "Commissioned";
            _at[unit] = m.Place ?? _at[unit];
            _elsewhere.Remove(unit);
            Find(m, "unit.missing", unit);
        }
        else if (m.Word == "return" && state == "Shipped")
        {
            Leaves(unit);
            _state[unit] = "Returned";
            (_at[unit], _with[unit]) = (m.Place, m.Place);
            _elsewhere.Remove(unit);
            _inferred.Remove(unit);
        }
        else
        {
            Find(m, m.Word is "ship" or "sample" or "reject" or "decommission" or "destroy" ? "unit.packed" : "unit.illegal_transition", unit);
        }
    }

    private void Leaves(string unit)
    {
        var (parent, top) = (_parent[unit], Top(unit));
        for (var around = parent; around is not null; around = _parent.GetValueOrDefault(around))
        {
            _holds[unit].UnionWith(_holds[around].Where(h => !h.Contains('.', StringComparison.Ordinal)));
        }
        (_state[unit], _at[unit], _with[unit]) = (_state[top], _at[top], _with[top]);
        foreach (var set in new[] { _inferred, _elsewhere })
        {
            if (set.Contains(top))
            {
                set.Add(unit);
            }
            else
            {
                set.Remove(unit);
            }
        }
        _parent.Remove(unit);
        if (Children(parent).Count == 0)
        {
            _closed.Remove(parent);
            _partial.Remove(parent);
            _mixed.Remove(parent);
            _entered[parent].Clear();
            _level[parent] = IsCase(parent) ? 2 : IsPack(parent) ? 1 : 0;
        }
    }

    private void Closes(Move m, string unit)
    {
        if (IsCase(unit) && _closed.Add(unit) && Children(unit).Count < caseHolds && !_partial.Contains(unit))
        {
            Find(m, "agg.short_not_flagged", unit);
        }
    }

    private void PackOrUnpack(Move m, string parent)
    {
        if (!_known.Contains(parent))
        {
            Wait(m, parent, m.Word == "pack" ? m.Units : [], asParent: true);
            foreach (var child in m.Units.Where(u => !_known.Contains(u) && u != parent))
            {
                Wait(m, child, [parent]);
            }
            return;
        }
        var top = Top(parent);
        Arrives(m, top);
        if (_state[top] != "Commissioned")
        {
            Find(m, m.Word == "pack" ? "agg.parent_unknown" : "unit.illegal_transition", [parent, .. m.Word == "pack" ? m.Units : []]);
            return;
        }
        Sees(m, top);
        if (m.Word == "pack" && m.Flag)
        {
            _partial.Add(parent);
            _mixed.Add(parent);
        }
        foreach (var child in m.Units.Length == 0 ? Children(parent) : [.. m.Units])
        {
            if (!_known.Contains(child))
            {
                Wait(m, child, [parent]);
            }
            else if (m.Word == "pack")
            {
                Packs(m, child, parent);
            }
            else if (_parent.GetValueOrDefault(child) != parent)
            {
                Find(m, "agg.not_child", child, parent);
            }
            else
            {
                Leaves(child);
            }
        }
    }

    private void Packs(Move m, string child, string parent)
    {
        if (_parent.GetValueOrDefault(child) == parent)
        {
            return;
        }
        Arrives(m, Top(child));
        var lot = _lot.GetValueOrDefault(parent) ?? _entered[parent].FirstOrDefault();
        if (_state[Top(child)] != "Commissioned")
        {
            Find(m, "agg.child_not_active", child, parent);
        }
        else if (child == parent || Below(child).Contains(parent))
        {
            Find(m, "agg.cycle", child, parent);
        }
        else if (_parent.TryGetValue(child, out var first))
        {
            Find(m, "agg.second_parent", child, parent, first);
        }
        else if (IsCase(parent) && !IsPack(child) || _level[parent] > 0 && _level[child] > 0 && _level[parent] != _level[child] + 1)
        {
            Find(m, "agg.level", child, parent);
        }
        else if (IsCase(parent) && Children(parent).Count >= caseHolds || !IsCase(parent) && !IsPack(parent) && IsCase(child) && Children(parent).Count >= palletHolds)
        {
            Find(m, "agg.over_capacity", child, parent);
        }
        else if (IsCase(parent) && !_mixed.Contains(parent) && lot is not null && _lot.TryGetValue(child, out var own) && own != lot)
        {
            Find(m, "agg.lot_mixed", child, parent);
        }
        else
        {
            Closes(m, child);
            _parent[child] = parent;
            if (_lot.TryGetValue(child, out var entering))
            {
                _entered[parent].Add(entering);
            }
            if (_level[parent] == 0 && _level[child] > 0)
            {
                _level[parent] = _level[child] + 1;
            }
        }
    }
}
