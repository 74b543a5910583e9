using Epcis.Events;

namespace Gateway.Units;

/// <summary>
/// What may be said of a unit, in the words of LINES.md section 2. They stand in the order in which facts of one instant are
/// taken (LINES.md section 9; what that list leaves out stands where it does least harm, so that a day without hours in it
/// still reads commission, pack, ship, receive). The numbers are that order; a unit's row keeps that of the last one said of it.
/// </summary>
public enum FactKind : byte
{
    /// <summary>The number was given out.</summary>
    Allocate,

    /// <summary>The number came back.</summary>
    Unused,

    /// <summary>The number was given up.</summary>
    Void,

    /// <summary>The number was printed.</summary>
    Encode,

    /// <summary>A printed unit that was never commissioned was thrown away.</summary>
    Scrap,

    /// <summary>An inspection found it bad.</summary>
    Reject,

    /// <summary>An inspection found it good again.</summary>
    ReworkOk,

    /// <summary>It became a unit, with lot and expiry.</summary>
    Commission,

    /// <summary>It left its container.</summary>
    Unpack,

    /// <summary>It was taken as a sample.</summary>
    Sample,

    /// <summary>Its number was ended.</summary>
    Decommission,

    /// <summary>It was destroyed.</summary>
    Destroy,

    /// <summary>It was put into a container.</summary>
    Pack,

    /// <summary>Whatever held it does so no longer.</summary>
    Release,

    /// <summary>It was put on hold.</summary>
    Hold,

    /// <summary>It left for somebody else.</summary>
    Ship,

    /// <summary>It did not leave after all.</summary>
    VoidShip,

    /// <summary>It arrived.</summary>
    Receive,

    /// <summary>It came back from a customer.</summary>
    Return,

    /// <summary>It was seen; only its place may have changed.</summary>
    Observe,
}

/// <summary>When something was said: the instant, the order of facts within it, and the event's number among the stored ones.</summary>
/// <param name="Ticks">Of the event time, in UTC.</param>
public readonly record struct EventStamp(long Ticks, FactKind Kind, long Number) : IComparable<EventStamp>
{
    /// <summary>The event time.</summary>
    public DateTimeOffset Time => new(Ticks, TimeSpan.Zero);

    /// <summary>Whether anything was said at all.</summary>
    public bool IsNone => Ticks == 0;

    /// <inheritdoc/>
    public int CompareTo(EventStamp other) =>
        Ticks != other.Ticks ? Ticks.CompareTo(other.Ticks) : Kind != other.Kind ? Kind.CompareTo(other.Kind) : Number.CompareTo(other.Number);
}

/// <summary>A stored event.</summary>
/// <param name="Number">
/// Its number among all stored events, in the order of their documents: it decides between facts of one kind at one instant,
/// and is named by findings.
/// </param>
public sealed record LedgerEvent(EpcisEvent Event, long Number)
{
    /// <summary>Who told it: an eventID is one event of its party, and only that party takes it back.</summary>
    public int PartyId { get; init; }

    /// <summary>When it was recorded: what master data said then is what it is held to.</summary>
    public DateTime RecordedAt { get; init; }
}

/// <summary>One fact about any number of units, said at one moment.</summary>
/// <param name="Time">With the offset that it was written with: whether a unit had expired is asked of the local day.</param>
/// <param name="Number">Of the event that said it.</param>
/// <param name="Epcs">The units in any spelling; of UNPACK none, which means all that the parent holds.</param>
public sealed record UnitFact(FactKind Kind, DateTimeOffset Time, long Number, IReadOnlyList<string> Epcs)
{
    /// <summary>Of PACK and UNPACK: the container.</summary>
    public string? Parent { get; init; }

    /// <summary>Of COMMISSION.</summary>
    public string? Lot { get; init; }

    /// <summary>Of COMMISSION.</summary>
    public DateOnly? Expiry { get; init; }

    /// <summary>Where it happened and the units are since, as written.</summary>
    public string? Place { get; init; }

    /// <summary>Of SHIP, RECEIVE and RETURN: who has the units in hand, as written.</summary>
    public string? Holder { get; init; }

    /// <summary>Why, as one word, such as <c>dispensed</c>.</summary>
    public string? Reason { get; init; }

    /// <summary>Of PACK and COMMISSION: the container is meant to hold less than it could.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Of PACK and COMMISSION: the container is meant to hold several lots.</summary>
    public bool IsMixed { get; init; }

    /// <summary>Of PACK: the container is complete with it, as far as its line is concerned.</summary>
    public bool IsClosing { get; init; }

    /// <summary>The event may have meant this; where it does not fit, it did not, and that is no fault.</summary>
    public bool IsOnlyIfItFits { get; init; }

    /// <summary>When it was recorded: what master data said then is what it is held to.</summary>
    public DateTime RecordedAt { get; init; }

    /// <summary>When it was said, to the microsecond, as times are stored.</summary>
    public EventStamp Stamp => new(Time.UtcTicks - Time.UtcTicks % TimeSpan.TicksPerMicrosecond, Kind, Number);
}
