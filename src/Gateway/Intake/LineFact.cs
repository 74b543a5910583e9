using Gateway.Units;

namespace Gateway.Intake;

/// <summary>One fact about one unit, as a record said it.</summary>
/// <param name="Epc">The EPC URI with the company prefix that master data know.</param>
/// <param name="Time">Corrected, with the offset in which it was said.</param>
/// <param name="Row">Where it stands in the file.</param>
internal sealed record LineFact(FactKind Kind, string Epc, DateTimeOffset Time, int Row)
{
    /// <summary>Of PACK and UNPACK.</summary>
    public string? Parent { get; init; }

    /// <summary>Of COMMISSION.</summary>
    public string? Lot { get; init; }

    /// <summary>Of COMMISSION.</summary>
    public DateOnly? Expiry { get; init; }

    /// <summary>As one word; of facts that have one.</summary>
    public string? Reason { get; init; }

    public string? Station { get; init; }
    public string? Device { get; init; }
    public string? Person { get; init; }

    /// <summary>Of a container: it is meant to hold less than it could.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Of a container: it is meant to hold several lots.</summary>
    public bool IsMixed { get; init; }

    /// <summary>Of PACK: the container is complete with it.</summary>
    public bool IsClosing { get; init; }

    /// <summary>Of REJECT: the unit was commissioned, so that EPCIS has a word for it.</summary>
    public bool IsOfUnit { get; init; }

    /// <summary>Facts that carry a reason (LINES.md section 2).</summary>
    public static bool HasReason(FactKind kind) =>
        kind is FactKind.Reject or FactKind.Scrap or FactKind.Sample or FactKind.Destroy or FactKind.Decommission or FactKind.Void or FactKind.Hold or FactKind.ReworkOk or FactKind.Return;
}
