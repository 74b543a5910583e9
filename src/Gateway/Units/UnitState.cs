namespace Gateway.Units;

/// <summary>
/// Where a unit is in its life (LINES.md section 2). The numbers are stored and never change meaning: those of OPEN-SCS where
/// it has the state, and above 100 the three that it lacks. Packed is no state but having a parent, received is being at a
/// receiver, held is having holds.
/// </summary>
public enum UnitState : short
{
    /// <summary>The serial number is nobody's yet, or nothing was told of how it became somebody's.</summary>
    Pool = 1,

    /// <summary>The number is given out to a line.</summary>
    Allocated = 2,

    /// <summary>The number will never be used.</summary>
    Voided = 3,

    /// <summary>The number is printed.</summary>
    Encoded = 4,

    /// <summary>Printed, never commissioned, and thrown away.</summary>
    Scrapped = 6,

    /// <summary>A good unit, wherever it is.</summary>
    Commissioned = 7,

    /// <summary>Taken for inspection or retention.</summary>
    Sampled = 8,

    /// <summary>Out of the world of serial numbers: dispensed, stolen, or otherwise ended.</summary>
    Decommissioned = 9,

    /// <summary>It is no more.</summary>
    Destroyed = 10,

    /// <summary>On its way, and nobody has received it yet.</summary>
    Shipped = 11,

    /// <summary>The number was given out and came back unused.</summary>
    Unused = 101,

    /// <summary>Found bad by an inspection.</summary>
    Rejected = 102,

    /// <summary>Back from a customer, and not inspected yet.</summary>
    Returned = 103,
}
