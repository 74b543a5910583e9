namespace Gateway.Host.Simulate.Plant;

/// <summary>What a simulated plant makes and what goes wrong in it. The same options tell the same story.</summary>
/// <param name="Units">Of each line.</param>
/// <param name="Rate">Units a minute.</param>
/// <param name="Faults">Rates by <see cref="PlantFault.Name"/>; what is not named does not happen.</param>
public sealed record PlantOptions(int Seed, int Units, int Rate, IReadOnlyDictionary<string, double> Faults)
{
    public string UnitGtin { get; init; } = "09521234001010";
    public string CaseGtin { get; init; } = "59521234001015";
    public int UnitsPerCase { get; init; } = 5;
    public int CasesPerPallet { get; init; } = 4;

    /// <summary>What a pallet's number begins with: extension digit and company prefix.</summary>
    public string SsccPrefix { get; init; } = "39521234";

    /// <summary>Cuts that come for sure, beside those of <see cref="Faults"/>.</summary>
    public IReadOnlyList<LinkCut> Cuts { get; init; } = [];

    /// <summary>The carton, counted from 0, that falls off before it is packed and is found and taken out when the line is cleared; null: none.</summary>
    public int? Fallen { get; init; }

    /// <summary>Numbers beyond <see cref="Units"/> that are left over.</summary>
    public int Spare => Math.Max(2, Units / 50);

    public double RateOf(string fault) => Faults.GetValueOrDefault(fault);
}

/// <summary>What one line makes.</summary>
/// <param name="Index">From 0: no two lines of a plant give out the same number.</param>
/// <param name="Serials">Of its packs, <see cref="PlantOptions.Spare"/> of them to be left over; null: out of the seed.</param>
public sealed record PlantLot(int Index, string Line, string Lot, IReadOnlyList<string>? Serials = null);
