namespace Gateway.Units;

/// <summary>What the rules have to say about an event. It never refuses the event: facts happened.</summary>
/// <param name="Code">One of <see cref="UnitCodes"/>.</param>
/// <param name="Units">The units that it is about, as written; each once.</param>
/// <param name="Why">What is wrong with them, for a person: the second half of a sentence.</param>
/// <param name="Number">Of the event.</param>
public sealed record UnitFinding(string Code, IReadOnlyList<string> Units, string Why, long Number)
{
    /// <summary>For a person.</summary>
    public string Sentence => (Units.Count == 1 ? Units[0] : FormattableString.Invariant($"{Units[0]} and {Units.Count - 1} more")) + ": " + Why;

    /// <summary>The container that they were packed into or unpacked from, as written.</summary>
    public string? Container { get; init; }

    /// <summary>The lot of them all; <see langword="null"/> when they are of several, or of none.</summary>
    public string? Lot { get; init; }
}

/// <summary>The codes of findings about units: those of LINES.md sections 2 and 3, and those that it describes without naming.</summary>
public static class UnitCodes
{
    /// <summary>The fact may not follow the unit's state.</summary>
    public const string IllegalTransition = "unit.illegal_transition";

    /// <summary>The unit was commissioned before.</summary>
    public const string DuplicateCommission = "unit.duplicate_commission";

    /// <summary>The number was not given out.</summary>
    public const string NotAllocated = "unit.not_allocated";

    /// <summary>It would have to be unpacked first.</summary>
    public const string Packed = "unit.packed";

    /// <summary>It is on hold and was shipped.</summary>
    public const string Held = "unit.held";

    /// <summary>Nothing was told yet of how it came to be.</summary>
    public const string Waiting = "unit.waiting";

    /// <summary>Its container was shipped without it.</summary>
    public const string Missing = "unit.missing";

    /// <summary>A unit without a lot.</summary>
    public const string LotMissing = "lot.missing";

    /// <summary>A unit that had expired when it was made.</summary>
    public const string LotExpired = "lot.expired";

    /// <summary>The container is not COMMISSIONED.</summary>
    public const string ParentUnknown = "agg.parent_unknown";

    /// <summary>What was packed is not COMMISSIONED.</summary>
    public const string ChildNotActive = "agg.child_not_active";

    /// <summary>It is in another container.</summary>
    public const string SecondParent = "agg.second_parent";

    /// <summary>A container within itself.</summary>
    public const string Cycle = "agg.cycle";

    /// <summary>Not the next level down.</summary>
    public const string Level = "agg.level";

    /// <summary>More than fits.</summary>
    public const string OverCapacity = "agg.over_capacity";

    /// <summary>Several lots in a container of one.</summary>
    public const string LotMixed = "agg.lot_mixed";

    /// <summary>Less than fits.</summary>
    public const string ShortNotFlagged = "agg.short_not_flagged";

    /// <summary>It is not in that container.</summary>
    public const string NotChild = "agg.not_child";

    /// <summary>Its earlier events are no longer at hand.</summary>
    public const string Archived = "unit.archived";

    private const string Rows = """
        unit.illegal_transition   The fact may not follow the state that the unit is in. The state stays; the unit is held.
        unit.duplicate_commission The unit was commissioned before, and a serial number is never used again. The first commissioning stands; the unit is held.
        unit.not_allocated        The number was used and had not been given out, where that is checked. The unit is held.
        unit.packed               It is in a container, and would have to be unpacked first. The state stays; the unit is held.
        unit.held                 It, or something in it, is on hold, and was shipped nevertheless. The shipment is not taken as done. What is shipped with the disposition returned or recalled goes back because it is held: nothing is found of it.
        unit.waiting              Something was told of a unit before anything of how it came to be. It ends by itself when that is told; nobody is held.
        unit.archived             An event comes before what is known of the unit, whose earlier events are archived. The event is kept and the unit stays as it is.
        unit.missing              The shipment of the unit was declared void while its container went: it left the container, and is held until an inspection releases it.
        lot.missing               A unit was commissioned without a lot. It is not commissioned.
        lot.expired               A unit was commissioned on or after the day it expires. It is not commissioned.
        agg.parent_unknown        The container is not COMMISSIONED. Nothing is linked; container and children are held.
        agg.child_not_active      What was packed is not COMMISSIONED. It is not linked; it and the container are held.
        agg.second_parent         What was packed is in another container. The first link stands; it and both containers are held.
        agg.cycle                 A container was packed into itself or into what it holds. It is not linked; both are held.
        agg.level                 What was packed is not the next level down in the pack specification. It is not linked; it and the container are held.
        agg.over_capacity         The container is full. What is too much is not linked; it and the container are held.
        agg.lot_mixed             The lot differs from that of a container of one lot, which is not flagged as mixed. It is not linked; it and the container are held.
        agg.short_not_flagged     A container was packed away or shipped with less than its capacity, and is not flagged as partial. It is held.
        agg.not_child             What was unpacked is not in that container. It and the container are held.
        """;

    /// <summary>Every code with its meaning, for a page that shows them.</summary>
    public static IReadOnlyList<(string Code, string Meaning)> All { get; } = [.. Rows.Split('\n').Select(r => (r[..26].Trim(), r[26..]))];
}
