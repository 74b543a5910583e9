namespace Gateway.Units;

/// <summary>What master data say of how one product (GTIN) is packed. A product without one is not held to level, capacity or lot.</summary>
/// <param name="Level">1 for the saleable pack, one more for each container around it.</param>
public sealed record PackSpecification(byte Level)
{
    /// <summary>Of a container: the GTIN of what it holds; <see langword="null"/> leaves the product open.</summary>
    public string? Content { get; init; }

    /// <summary>Of a container: how many it holds when it is full; <see langword="null"/> when nothing says so.</summary>
    public int? Capacity { get; init; }

    /// <summary>Of a container: all it holds is of one lot, unless it is flagged as mixed.</summary>
    public bool IsOfOneLot { get; init; }

    /// <summary>How many of the product a logistic unit (SSCC) holds; <see langword="null"/> when nothing says so.</summary>
    public int? PerLogisticUnit { get; init; }
}
