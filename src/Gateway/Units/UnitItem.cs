using Gateway.Http;

namespace Gateway.Units;

/// <summary>A unit as the API and the command line tell it.</summary>
/// <param name="Level">unit, bundle, case or pallet.</param>
/// <param name="State">In the words of LINES.md section 2; of what is packed, that of its outermost container.</param>
/// <param name="Parent">What it is in directly.</param>
/// <param name="Ancestors">What it is in, the innermost first.</param>
/// <param name="Holds">Why it is held itself.</param>
/// <param name="ContainerHolds">Why what is around it is held.</param>
/// <param name="HeldBelow">How many of the units in it are held.</param>
/// <param name="Children">How many units it holds directly.</param>
/// <param name="Flags">What else is known of it: see <see cref="UnitFlags"/>.</param>
/// <param name="Holder">Who has it in hand, as written.</param>
/// <param name="Location">Where it was seen last, as written.</param>
public sealed record UnitItem(
    string Epc, string Level, string? Gtin, string? Serial, string? Lot, DateOnly? Expiry, string State, string? Reason, string? Parent, IReadOnlyList<string> Ancestors, IReadOnlyList<string> Holds,
    IReadOnlyList<UnitItemHold> ContainerHolds, int HeldBelow, int Children, string? ContentLot, IReadOnlyList<string> Flags, string? Holder, string? Location, UnitItemEvent FirstEvent, UnitItemEvent LastEvent)
{
    public static UnitItem Of(UnitFacts u) => new(
        u.Epc, u.Level, u.Gtin, u.Serial, u.Lot, u.Expiry, Lifecycle.Word(u.State), u.Reason, u.Containers.Count > 0 ? u.Containers[0].Epc : null, [.. u.Containers.Select(c => c.Epc)], u.Holds,
        [.. u.Containers.SelectMany(c => c.Holds, (c, reason) => new UnitItemHold(c.Epc, reason))], u.HeldBelow, u.Children, u.ContentLot, FlagsOf(u.Flags), u.Holder, u.Location,
        UnitItemEvent.Of(u.First), UnitItemEvent.Of(u.Last));

    private static List<string> FlagsOf(UnitFlags flags) =>
        [.. Enum.GetValues<UnitFlags>().Where(f => f != UnitFlags.None && flags.HasFlag(f)).Select(f => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(f.ToString()))];
}

/// <param name="Epc">The container that is held.</param>
public sealed record UnitItemHold(string Epc, string Reason);

/// <param name="Capture">The captureID of its document.</param>
public sealed record UnitItemEvent(string? EventID, DateTime? Time, Guid? Capture)
{
    public static UnitItemEvent Of(UnitEventName e) => new(e.EventId, e.Time, e.CaptureId);
}

/// <summary>A unit in a container as the API and the command line tell it.</summary>
public sealed record ContainedUnitItem(string Epc, string Level, string Parent, int Depth, string State, string? Lot, int Children, IReadOnlyList<string> Holds)
{
    public static ContainedUnitItem Of(ContainedUnit c) => new(c.Epc, c.Level, c.Parent, c.Depth, Lifecycle.Word(c.State), c.Lot, c.Children, c.Holds);
}

/// <summary>Something told of a unit, as the API and the command line tell it.</summary>
/// <param name="Unit">The unit, or the container by which it was meant.</param>
/// <param name="Capture">The captureID of its document.</param>
/// <param name="Document">The number of its document.</param>
/// <param name="EventTimeSent">The event time as the sender wrote it; <paramref name="EventTime"/> is the same moment in UTC.</param>
/// <param name="ReceivedTime">When its document was received.</param>
/// <param name="RecordTime">When it was stored here.</param>
/// <param name="Late">It was received longer after its event time than <c>Capture:LateAfter</c>.</param>
/// <param name="Declaration">It declares an event in error.</param>
/// <param name="Retracted">It was declared in error.</param>
public sealed record UnitEventItem(
    string? EventID, string Type, string? Action, string? BizStep, string? Disposition, DateTime EventTime, string? EventTimeSent, string? EventTimeZoneOffset, DateTime ReceivedTime, DateTime RecordTime, bool Late, string Unit, string? ReadPoint, string? BizLocation,
    Guid Capture, long Document, bool Declaration, bool Retracted, IReadOnlyList<FindingView> Findings)
{
    public static UnitEventItem Of(UnitEvent e) => new(
        e.EventId, e.Type, e.Action, e.BizStep, e.Disposition, e.EventTime, e.EventTimeSent, e.EventTimeZoneOffset, e.ReceivedTime, e.RecordTime, e.IsLate, e.Of, e.ReadPoint, e.BizLocation, e.CaptureId, e.DocumentId, e.IsDeclaration, e.IsRetracted, e.Findings);
}

/// <summary>A unit that was found, as the API tells it.</summary>
public sealed record FoundUnitItem(string Why, string Epc, string Level, string? Gtin, string? Serial, string? Lot, DateOnly? Expiry, string State, bool Held)
{
    public static FoundUnitItem Of(FoundUnit u) => new(u.Why, u.Epc, u.Level, u.Gtin, u.Serial, u.Lot, u.Expiry, Lifecycle.Word(u.State), u.IsHeld);
}
