using Epcis.Events;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>Events as lines and partners say them, of one product: packs of GTIN 09521234001010, five in a case, four cases on a pallet.</summary>
internal static class Said
{
    public const string Plant = "urn:epc:id:sgln:9521234.00001.0", Line = "urn:epc:id:sgln:9521234.00001.PL04", Wholesaler = "urn:epc:id:sgln:0614141.00777.0", Dispenser = "urn:epc:id:sgln:0614141.00888.0";

    public static readonly DateTimeOffset Start = new(2026, 9, 14, 8, 0, 0, TimeSpan.Zero);

    private static long s_told = 1_000_000;

    /// <summary>The event, so many minutes after the start, with an eventID of its own.</summary>
    public static EpcisEvent At(int minutes, EpcisEvent e) => Story.At(minutes, e, Interlocked.Increment(ref s_told)).Event;

    public static string Pack(int serial) => $"urn:epc:id:sgtin:9521234.000101.U{serial:000000}";

    public static string Case(int serial) => $"urn:epc:id:sgtin:9521234.500101.{serial:00000000}";

    public static string Pallet(int serial) => $"urn:epc:id:sscc:9521234.3{serial:000000000}";

    public static string[] Packs(int first, int count) => [.. Enumerable.Range(first, count).Select(Pack)];

    public static PackSpecification? Specification(string gtin, DateTime recordedAt = default) => gtin switch
    {
        "09521234001010" => new PackSpecification(1),
        "59521234001015" => new PackSpecification(2) { Content = "09521234001010", Capacity = 5, IsOfOneLot = true, PerLogisticUnit = 4 },
        _ => null,
    };

    public static ObjectEvent Object(EventAction action, string bizStep, string? disposition, string? place, params string[] epcs) => new()
    {
        Action = action,
        BizStep = bizStep,
        Disposition = disposition,
        EpcList = epcs,
        ReadPoint = place is null ? null : new Location(place),
    };

    public static ObjectEvent Commissioned(params string[] epcs) => Commissioned("L1", epcs);

    public static ObjectEvent Commissioned(string? lot, string[] epcs, string expiry = "2028-08-31") =>
        Object(EventAction.Add, "commissioning", "active", Line, epcs) with { Ilmd = lot is null ? [] : Ilmd(lot, expiry) };

    public static Extension[] Ilmd(string lot, string expiry) =>
    [
        new Extension("urn:epcglobal:cbv:mda", "cbvmda", "lotNumber") { Text = lot },
        new Extension("urn:epcglobal:cbv:mda", "cbvmda", "itemExpirationDate") { Text = expiry },
    ];

    public static AggregationEvent Packed(string parent, params string[] children) => Aggregation(EventAction.Add, "packing", Line, parent, children);

    public static AggregationEvent Unpacked(string place, string parent, params string[] children) => Aggregation(EventAction.Delete, "unpacking", place, parent, children);

    public static AggregationEvent Aggregation(EventAction action, string bizStep, string? place, string parent, params string[] children) => new()
    {
        Action = action,
        BizStep = bizStep,
        Disposition = "in_progress",
        ParentId = parent,
        ChildEpcs = children,
        ReadPoint = place is null ? null : new Location(place),
    };

    public static ObjectEvent Shipped(params string[] epcs) => ShippedFrom(Plant, epcs);

    public static ObjectEvent ShippedFrom(string place, params string[] epcs) => Object(EventAction.Observe, "shipping", "in_transit", place, epcs);

    public static ObjectEvent Voided(params string[] epcs) => Object(EventAction.Observe, "void_shipping", "in_progress", Plant, epcs);

    public static ObjectEvent Received(string place, params string[] epcs) => Object(EventAction.Observe, "receiving", "in_progress", place, epcs) with { BizLocation = new Location(place) };

    public static ObjectEvent Returned(string place, params string[] epcs) => Object(EventAction.Observe, "receiving", "returned", place, epcs);

    public static ObjectEvent Held(params string[] epcs) => Object(EventAction.Observe, "holding", "non_sellable_other", Plant, epcs);

    public static ObjectEvent Released(params string[] epcs) => Object(EventAction.Observe, "inspecting", "active", Plant, epcs);

    public static ObjectEvent Seen(string place, params string[] epcs) => Object(EventAction.Observe, "storing", null, place, epcs);

    public static ObjectEvent Ended(string place, string bizStep, string disposition, params string[] epcs) => Object(EventAction.Delete, bizStep, disposition, place, epcs);
}

/// <summary>A history told event by event, a minute apart, to one book.</summary>
internal sealed class Story(bool allocationCheck = false, Func<string, DateTime, PackSpecification?>? specification = null)
{
    private readonly List<UnitFinding> _findings = [];
    private int _minutes;

    public UnitBook Book { get; } = new(specification ?? Said.Specification, allocationCheck);

    public List<LedgerEvent> Events { get; } = [];

    /// <summary>What was found so far, as <c>code: units by their serial numbers</c>.</summary>
    public IEnumerable<string> Findings => _findings.Select(Short);

    public static string Short(UnitFinding finding) => finding.Code + ": " + string.Join(' ', finding.Units.Select(u => u[(u.LastIndexOf('.') + 1)..]));

    public Unit this[string epc] => Book[epc]!;

    public Applied Tell(EpcisEvent e)
    {
        var said = At(_minutes++, e);
        Events.Add(said);
        Assert.True(Book.CanApply(said));
        var applied = Book.Apply(said);
        _findings.AddRange(applied.Findings);
        return applied;
    }

    public Story With(params EpcisEvent[] events)
    {
        foreach (var e in events)
        {
            Tell(e);
        }
        return this;
    }

    public Applied State(FactKind kind, params string[] epcs)
    {
        var applied = Book.Apply([new UnitFact(kind, Said.Start.AddMinutes(_minutes), _minutes++, epcs) { Lot = "L1" }]);
        _findings.AddRange(applied.Findings);
        return applied;
    }

    public static LedgerEvent At(int minutes, EpcisEvent e, long? number = null) => new(e with { EventTime = Said.Start.AddMinutes(minutes), EventId = e.EventId ?? $"urn:uuid:{number ?? minutes}" }, number ?? minutes);
}

/// <summary>All that a book says, as text: two books are equal when their texts are.</summary>
internal static class BookText
{
    public static string Of(UnitBook book) => string.Join('\n', book.Units.OrderBy(u => u.Key, StringComparer.Ordinal).Select(Row));

    /// <summary>What stands in the unit's own row.</summary>
    public static string Row(Unit u) => Of(u) + $" | {u.Holder} | {u.Location}";

    private static string Of(Unit u) => string.Join(" | ", u.Key, u.State, u.Flags, u.Level, u.Lot, u.Expiry, u.Parent?.Key, u.Reason,
        string.Join(',', u.Holds.Order(StringComparer.Ordinal)), u.Children, u.HeldBelow, u.ContentLot, u.FirstEvent, u.Last);
}
