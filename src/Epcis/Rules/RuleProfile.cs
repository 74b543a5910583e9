namespace Epcis.Rules;

/// <summary>What a document is held to: a column of the table of severities.</summary>
public enum RuleProfile
{
    /// <summary>What EPCIS demands of every document.</summary>
    None,

    /// <summary>GS1 US, guideline for DSCSA, release 1.2.</summary>
    Dscsa12,

    /// <summary>GS1 US, guideline for DSCSA, release 1.3.</summary>
    Dscsa13,

    /// <summary>CBV: every event has a bizStep, and all values and identifiers are those of the CBV.</summary>
    CbvCompliant,

    /// <summary>CBV: values and identifiers of one's own are allowed.</summary>
    CbvCompatible,
}

/// <summary>The names of the profiles, as the command line and settings write them.</summary>
public static class RuleProfiles
{
    /// <summary>Every profile, in the order of the table.</summary>
    public static IReadOnlyList<RuleProfile> All { get; } = Enum.GetValues<RuleProfile>();

    /// <summary>Such as <c>dscsa-1.3</c>.</summary>
    public static string NameOf(RuleProfile profile) => profile switch
    {
        RuleProfile.Dscsa12 => "dscsa-1.2",
        RuleProfile.Dscsa13 => "dscsa-1.3",
        RuleProfile.CbvCompliant => "cbv-compliant",
        RuleProfile.CbvCompatible => "cbv-compatible",
        _ => "none",
    };
}
