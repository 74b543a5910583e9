using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Epcis.Events;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>
/// Facts as EPCIS events (LINES.md section 2, last column; docs/decisions/0027). What was commissioned or printed one after another within a minute is
/// one event, which says when each was; what was packed into one container at one moment is one event; all else is an event for each moment.
/// </summary>
internal sealed class LineEvents(IntakeContext context, LinePlace? place)
{
    private const int MaxUnits = 1_000;
    private static readonly long s_window = TimeSpan.TicksPerMinute;
    private const string MasterData = "urn:epcglobal:cbv:mda";
    private int _count;

    /// <summary>Prefixes of the namespaces that the events use.</summary>
    public static IReadOnlyDictionary<string, string> Namespaces { get; } = new Dictionary<string, string> { ["gw"] = EventFacts.LineNamespace, ["cbvmda"] = MasterData };

    /// <param name="facts">In the order of time.</param>
    public IEnumerable<EpcisEvent> Of(IReadOnlyList<LineFact> facts)
    {
        for (int start = 0, end; start < facts.Count; start = end)
        {
            var window = facts[start].Time.UtcTicks / s_window;
            for (end = start; end < facts.Count && facts[end].Time.UtcTicks / s_window == window; end++)
            {
            }
            // Before a minute's other facts stand those that begin a life.
            foreach (var e in Begun(facts, start, end, FactKind.Encode).Concat(Begun(facts, start, end, FactKind.Commission)).Concat(Others(facts, start, end)))
            {
                yield return e;
            }
        }
    }

    private IEnumerable<EpcisEvent> Begun(IReadOnlyList<LineFact> facts, int start, int end, FactKind kind)
    {
        var groups = new Dictionary<object, (List<LineFact> Facts, HashSet<string> Epcs)>();
        var all = new List<List<LineFact>>();
        for (var i = start; i < end; i++)
        {
            var fact = facts[i];
            if (fact.Kind != kind)
            {
                continue;
            }
            var alike = (fact.Lot, fact.Expiry, fact.Station, fact.Device, fact.Person, fact.IsPartial, fact.IsMixed, fact.Time.Offset);
            // A number that is said twice is said in two events.
            if (!groups.TryGetValue(alike, out var group) || group.Facts.Count >= MaxUnits || group.Epcs.Contains(fact.Epc) || (fact.Time - group.Facts[0].Time).Ticks % TimeSpan.TicksPerMillisecond != 0)
            {
                groups[alike] = group = ([], new HashSet<string>(StringComparer.Ordinal));
                all.Add(group.Facts);
            }
            group.Facts.Add(fact);
            group.Epcs.Add(fact.Epc);
        }
        return all.Select(Event);
    }

    private IEnumerable<EpcisEvent> Others(IReadOnlyList<LineFact> facts, int start, int end)
    {
        var together = new List<LineFact>();
        for (var i = start; i < end; i++)
        {
            var fact = facts[i];
            if (fact.Kind is FactKind.Encode or FactKind.Commission)
            {
                continue;
            }
            if (together.Count > 0 && !AreOne(together, fact))
            {
                yield return Event(together);
                together = [];
            }
            together.Add(fact);
        }
        if (together.Count > 0)
        {
            yield return Event(together);
        }
    }

    private static bool AreOne(List<LineFact> together, LineFact fact)
    {
        var first = together[0];
        return together.Count < MaxUnits && !first.IsClosing && first.Kind == fact.Kind && first.Time == fact.Time && first.Parent == fact.Parent && first.Reason == fact.Reason && first.Station == fact.Station
            && first.Device == fact.Device && first.Person == fact.Person && first.IsPartial == fact.IsPartial && first.IsMixed == fact.IsMixed && first.IsOfUnit == fact.IsOfUnit && !together[^1].IsClosing && !together.Exists(f => f.Epc == fact.Epc);
    }

    private EpcisEvent Event(List<LineFact> facts)
    {
        var first = facts[0];
        EpcisEvent e = first.Kind is FactKind.Pack or FactKind.Unpack
            ? new AggregationEvent { ParentId = first.Parent, ChildEpcs = [.. facts.Select(f => f.Epc).Where(epc => epc.Length > 0)] }
            : new ObjectEvent { EpcList = [.. facts.Select(f => f.Epc)], Ilmd = IlmdOf(first) };
        var (action, step, disposition) = Words(first);
        var index = _count++;
        return e with
        {
            Index = index,
            EventId = IdOf(index),
            EventTime = first.Time,
            EventTimeText = first.Time.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFzzz", CultureInfo.InvariantCulture),
            EventTimeZoneOffset = first.Time.ToString("zzz", CultureInfo.InvariantCulture),
            Action = action,
            BizStep = step,
            Disposition = disposition,
            ReadPoint = place is null ? null : new Location(place.ReadPoint),
            BizLocation = place?.BizLocation is { } location ? new Location(location) : null,
            Extensions = [.. ExtensionsOf(facts)],
            Place = new Epcis.Place(first.Row, 1),
        };
    }

    private static (EventAction, string, string?) Words(LineFact fact) => fact.Kind switch
    {
        FactKind.Commission => (EventAction.Add, "commissioning", "active"),
        FactKind.Pack => (EventAction.Add, "packing", "in_progress"),
        FactKind.Unpack => (EventAction.Delete, "unpacking", "in_progress"),
        FactKind.Reject when fact.IsOfUnit => (EventAction.Observe, "inspecting", "non_sellable_other"),
        FactKind.ReworkOk => (EventAction.Observe, "inspecting", "active"),
        FactKind.Sample => (EventAction.Observe, "sampling", "non_sellable_other"),
        FactKind.Decommission => (EventAction.Delete, "decommissioning", "inactive"),
        FactKind.Destroy => (EventAction.Delete, "destroying", "destroyed"),
        FactKind.Hold => (EventAction.Observe, "holding", "non_sellable_other"),
        FactKind.Release => (EventAction.Observe, "inspecting", "active"),
        var inside => (EventAction.Observe, EventFacts.InternalStep + inside.ToString().ToLowerInvariant(), null),
    };

    private static List<Extension> IlmdOf(LineFact fact)
    {
        var ilmd = new List<Extension>();
        if (fact.Lot is { } lot)
        {
            ilmd.Add(new Extension(MasterData, "cbvmda", "lotNumber") { Text = lot });
        }
        if (fact.Expiry is { } expiry)
        {
            ilmd.Add(new Extension(MasterData, "cbvmda", "itemExpirationDate") { Text = expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) });
        }
        return ilmd;
    }

    private static IEnumerable<Extension> ExtensionsOf(List<LineFact> facts)
    {
        var first = facts[0];
        if (facts[^1].Time != first.Time)
        {
            yield return Word("at", string.Join(' ', facts.Select(f => ((f.Time - first.Time).Ticks / TimeSpan.TicksPerMillisecond).ToString(CultureInfo.InvariantCulture))));
        }
        var rows = facts.Select(f => f.Row).Distinct().Take(2).ToList();
        yield return Word("row", string.Join(' ', (rows.Count == 1 ? rows : facts.Select(f => f.Row)).Select(r => r.ToString(CultureInfo.InvariantCulture))));
        foreach (var (name, text) in ((string, string?)[])[("reason", first.Reason), ("station", first.Station), ("device", first.Device), ("person", first.Person)])
        {
            if (text is not null)
            {
                yield return Word(name, text);
            }
        }
        foreach (var (name, isSo) in ((string, bool)[])[("partial", first.IsPartial), ("mixed", first.IsMixed), ("closed", facts[^1].IsClosing)])
        {
            if (isSo)
            {
                yield return Word(name, "true");
            }
        }
    }

    public static Extension Word(string name, string text) => new(EventFacts.LineNamespace, "gw", name) { Text = text };

    // A UUID of the file's hash and the event's place (RFC 9562, version 8): the same file says the same events wherever it is read.
    private string IdOf(int index)
    {
        Span<byte> named = stackalloc byte[context.DocumentHash.Length + 4];
        context.DocumentHash.CopyTo(named);
        BinaryPrimitives.WriteInt32BigEndian(named[^4..], index);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(named, hash);
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return $"urn:uuid:{new Guid(hash[..16], bigEndian: true)}";
    }
}
