using System.Runtime.InteropServices;
using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

/// <summary>
/// What the events of a document so far said of each object they named: one small entry an object, found by a hash of its
/// identifier. Two objects with one hash would pass for one, which can hide a fault and is rarer than any.
/// </summary>
internal sealed class UnitHistory(int maxUnits)
{
    private readonly Dictionary<ulong, Unit> _units = [];

    /// <summary>As many objects as are followed.</summary>
    public int MaxUnits => maxUnits;

    /// <summary>False when the document names more objects than are followed; then nothing may be concluded from silence.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>What is known of an object; <see langword="null"/> when nothing is.</summary>
    internal KnownUnit? this[string epc] => _units.TryGetValue(KeyOf(epc), out var unit)
        ? new KnownUnit(unit.IsCommissioned, unit.IsEnded, ParentOf(unit), unit.Children)
        : null;

    /// <summary>The identity under which a parent is compared.</summary>
    internal static ulong KeyOf(string epc)
    {
        var spelling = epc.StartsWith("urn:epc:", StringComparison.Ordinal) && !epc.Contains('%') ? epc : EpcKey.Normalise(epc);
        // FNV-1a: good enough where a sender could only deceive itself.
        var hash = 14695981039346656037UL;
        foreach (var c in spelling)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }
        return hash == 0 ? 1 : hash;
    }

    internal void Learn(EpcisEvent e)
    {
        switch (e)
        {
            case ObjectEvent { Action: EventAction.Add } o:
                Begin(o.EpcList);
                break;
            case ObjectEvent { Action: EventAction.Delete } o:
                End(o.EpcList);
                break;
            case TransformationEvent t:
                End(t.InputEpcList);
                Begin(t.OutputEpcList);
                break;
            case AggregationEvent { Action: EventAction.Add, ParentId: { } parent } a:
                Pack(parent, a.ChildEpcs);
                break;
            case AggregationEvent { Action: EventAction.Delete, ParentId: { } parent } a:
                Unpack(parent, a.ChildEpcs);
                break;
        }
    }

    private ulong? ParentOf(Unit unit) =>
        unit.Parent != 0 && _units.TryGetValue(unit.Parent, out var parent) && parent.Packings == unit.ParentPackings ? unit.Parent : null;

    private void Begin(IReadOnlyList<string> epcs)
    {
        foreach (var epc in epcs)
        {
            ref var unit = ref Entry(KeyOf(epc));
            (unit.IsCommissioned, unit.IsEnded) = (true, false);
        }
    }

    private void End(IReadOnlyList<string> epcs)
    {
        foreach (var epc in epcs)
        {
            ref var unit = ref Entry(KeyOf(epc));
            (unit.IsEnded, unit.Parent) = (true, 0);
        }
    }

    private void Pack(string parentId, IReadOnlyList<string> children)
    {
        var parent = KeyOf(parentId);
        var packings = Entry(parent).Packings;
        foreach (var child in children)
        {
            ref var unit = ref Entry(KeyOf(child));
            (unit.Parent, unit.ParentPackings) = (parent, packings);
        }
        Entry(parent).Children += children.Count;
    }

    private void Unpack(string parentId, IReadOnlyList<string> children)
    {
        var parent = KeyOf(parentId);
        if (children.Count == 0)
        {
            // All children leave at once: their memory of this parent is out of date.
            ref var emptied = ref Entry(parent);
            (emptied.Children, emptied.Packings) = (0, (ushort)(emptied.Packings + 1));
            return;
        }
        foreach (var child in children)
        {
            ref var unit = ref Entry(KeyOf(child));
            unit.Parent = unit.Parent == parent ? 0 : unit.Parent;
        }
        Entry(parent).Children -= children.Count;
    }

    private ref Unit Entry(ulong key)
    {
        if (_units.Count >= maxUnits && !_units.ContainsKey(key))
        {
            IsComplete = false;
            _overflow = default;
            return ref _overflow;
        }
        return ref CollectionsMarshal.GetValueRefOrAddDefault(_units, key, out _)!;
    }

    private Unit _overflow;

    private struct Unit
    {
        public ulong Parent;
        public int Children;

        /// <summary>How often it was emptied as a whole; a child remembers the number with which it was packed.</summary>
        public ushort Packings, ParentPackings;
        public bool IsCommissioned, IsEnded;
    }
}

/// <param name="Parent">The key of what it is packed in.</param>
internal readonly record struct KnownUnit(bool IsCommissioned, bool IsEnded, ulong? Parent, int Children);
