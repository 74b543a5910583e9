using Gateway.MasterData;

namespace Gateway.Units;

/// <summary>What the ledger knows of one unit. Its state, holder and location are those of its outermost container.</summary>
/// <param name="Key">See <see cref="UnitKey"/>.</param>
/// <param name="Epc">The EPC URI with the company prefix as it was first written; a Digital Link when nobody wrote one.</param>
/// <param name="Level">unit, bundle, case or pallet.</param>
/// <param name="Gtin">14 digits; null for a logistic unit.</param>
/// <param name="ContentLot">Of a container: the lot of what was first put into it.</param>
/// <param name="Reason">Why it is in its state, as one word.</param>
/// <param name="Children">How many units it holds directly.</param>
/// <param name="HeldBelow">How many of the units in it, at any depth, are held.</param>
/// <param name="Holds">Why it is held itself: codes of findings, and dispositions of events.</param>
/// <param name="Containers">What it is in, the innermost first.</param>
/// <param name="Holder">Who has it in hand, as written.</param>
/// <param name="Location">Where it was seen last, as written.</param>
/// <param name="First">The first event that named it, by event time.</param>
/// <param name="Last">The last event that named it, or something in it.</param>
public sealed record UnitFacts(
    string Key, string Epc, string Level, string? Gtin, string? Serial, string? Lot, DateOnly? Expiry, string? ContentLot, UnitState State, string? Reason, UnitFlags Flags, int Children, int HeldBelow,
    IReadOnlyList<string> Holds, IReadOnlyList<UnitContainer> Containers, string? Holder, string? Location, UnitEventName First, UnitEventName Last)
{
    /// <summary>Of a unit as a book has it, with what is around it.</summary>
    internal static UnitFacts Of(Unit unit, MasterDataSnapshot known, UnitEventName first, UnitEventName last)
    {
        var containers = new List<UnitContainer>();
        for (var container = unit.Parent; container is not null && containers.Count < UnitQueries.MaxHeight; container = container.Parent)
        {
            containers.Add(new UnitContainer(container.Epc, UnitLevels.WordOf(container.Key, container.Level, known), container.Holds));
        }
        var top = unit.Top;
        return new UnitFacts(
            unit.Key, unit.Epc, UnitLevels.WordOf(unit.Key, unit.Level, known), UnitKey.GtinOf(unit.Key) is { Length: > 0 } gtin ? gtin.ToString() : null,
            UnitKey.SerialOf(unit.Key) is { Length: > 0 } serial ? serial.ToString() : null, unit.Lot, unit.Expiry, unit.ContentLot, top.State, top.Reason, unit.Flags,
            unit.Children, unit.HeldBelow, unit.Holds, containers, top.Holder, top.Location, first, last);
    }

    /// <summary>Whether it may not be shipped: it, something in it, or something around it is held.</summary>
    public bool IsHeld => Holds.Count > 0 || HeldBelow > 0 || Containers.Any(c => c.Holds.Count > 0);
}

/// <summary>A container around a unit.</summary>
/// <param name="Holds">Why it is held itself.</param>
public sealed record UnitContainer(string Epc, string Level, IReadOnlyList<string> Holds);

/// <summary>An event of the ledger.</summary>
/// <param name="EventId">eventID; null when it has none, or it is another party's or in the archive.</param>
/// <param name="Time">Null when it is another party's or in the archive.</param>
/// <param name="CaptureId">The captureID of its document; null likewise.</param>
public sealed record UnitEventName(string? EventId, DateTime? Time, Guid? CaptureId);

/// <summary>A unit that is in another, at any depth.</summary>
/// <param name="Parent">What it is in directly.</param>
/// <param name="Depth">1 for what the container holds directly.</param>
/// <param name="Children">How many units it holds directly.</param>
/// <param name="Holds">Why it is held itself.</param>
public sealed record ContainedUnit(string Epc, string Level, string Parent, int Depth, UnitState State, string? Lot, int Children, IReadOnlyList<string> Holds);

/// <summary>A page of what a container holds: each container followed by what is in it, in the order in which documents named them.</summary>
/// <param name="Count">How many units are in it, at any depth, on all pages.</param>
/// <param name="Next">Where the next page begins; null when this is the last.</param>
public sealed record UnitContents(string Epc, long Count, IReadOnlyList<ContainedUnit> Items, string? Next);
