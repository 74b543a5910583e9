namespace Gateway.Units;

/// <summary>The saleable packs of a lot, run or file, counted by where each is in its life (LINES.md section 5); and the containers.</summary>
public sealed record UnitBalance(
    int Unused, int Scrapped, int RejectedNeverCommissioned, int EncodedOpen, int Sampled, int DecommissionedOrDestroyed, int RejectedAfterCommission, int Shipped, int Returned, int ActivePacked, int ActiveLoose,
    int Cases, int Pallets)
{
    /// <summary>The names by which a term is asked for.</summary>
    public static IReadOnlyList<string> Terms { get; } =
        ["serialsSeen", "unused", "printed", "scrapped", "rejectedNeverCommissioned", "encodedOpen", "everCommissioned", "sampled", "decommissionedOrDestroyed", "rejectedAfterCommission", "activePacked", "activeLoose", "shipped", "returned", "cases", "pallets"];

    /// <summary>Packs that became units.</summary>
    public int EverCommissioned => ActivePacked + ActiveLoose + Sampled + RejectedAfterCommission + DecommissionedOrDestroyed + Shipped + Returned;

    /// <summary>Packs whose number was printed.</summary>
    public int Printed => Scrapped + RejectedNeverCommissioned + EncodedOpen + EverCommissioned;

    /// <summary>Every number that something was told of.</summary>
    public int SerialsSeen => Unused + Printed;

    /// <summary>A term by its name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such term.</exception>
    public int this[string term] => term switch
    {
        "serialsSeen" => SerialsSeen,
        "unused" => Unused,
        "printed" => Printed,
        "scrapped" => Scrapped,
        "rejectedNeverCommissioned" => RejectedNeverCommissioned,
        "encodedOpen" => EncodedOpen,
        "everCommissioned" => EverCommissioned,
        "sampled" => Sampled,
        "decommissionedOrDestroyed" => DecommissionedOrDestroyed,
        "rejectedAfterCommission" => RejectedAfterCommission,
        "activePacked" => ActivePacked,
        "activeLoose" => ActiveLoose,
        "shipped" => Shipped,
        "returned" => Returned,
        "cases" => Cases,
        "pallets" => Pallets,
        _ => throw new ArgumentOutOfRangeException(nameof(term), term, "There is no such term."),
    };

    /// <param name="isPack">Whether a unit is a saleable pack.</param>
    public static UnitBalance Of(IEnumerable<Unit> units, Func<Unit, bool> isPack)
    {
        int unused = 0, scrapped = 0, rejectedNever = 0, encoded = 0, sampled = 0, ended = 0, rejected = 0, shipped = 0, returned = 0, packed = 0, loose = 0, cases = 0, pallets = 0;
        foreach (var unit in units)
        {
            if (!isPack(unit))
            {
                if (unit.EverCommissioned)
                {
                    _ = UnitKey.GtinOf(unit.Key).IsEmpty ? pallets++ : cases++;
                }
                continue;
            }
            switch (unit.Top.State)
            {
                case UnitState.Unused or UnitState.Voided:
                    unused++;
                    break;
                case UnitState.Scrapped:
                    scrapped++;
                    break;
                case UnitState.Encoded:
                    encoded++;
                    break;
                case UnitState.Rejected when unit.EverCommissioned:
                    rejected++;
                    break;
                case UnitState.Rejected:
                    rejectedNever++;
                    break;
                case UnitState.Sampled:
                    sampled++;
                    break;
                case UnitState.Decommissioned or UnitState.Destroyed:
                    ended++;
                    break;
                case UnitState.Shipped:
                    shipped++;
                    break;
                case UnitState.Returned:
                    returned++;
                    break;
                case UnitState.Commissioned when unit.Parent is not null:
                    packed++;
                    break;
                case UnitState.Commissioned:
                    loose++;
                    break;
                default:
                    break; // POOL and ALLOCATED: nothing was done with the number yet
            }
        }
        return new UnitBalance(unused, scrapped, rejectedNever, encoded, sampled, ended, rejected, shipped, returned, packed, loose, cases, pallets);
    }
}
