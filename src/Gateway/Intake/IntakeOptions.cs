using System.ComponentModel.DataAnnotations;

namespace Gateway.Intake;

/// <summary>How files of lines are taken in.</summary>
public sealed class IntakeOptions
{
    public const string Section = "Intake";

    /// <summary>The folder of the mappings' files; empty: <c>mappings</c> beside the executable.</summary>
    public string Mappings { get; init; } = "";

    /// <summary>A folder that is watched: a file in its subfolder with the name of a mapping is taken in by it. Empty: none is.</summary>
    public string Watch { get; init; } = "";

    /// <summary>How often the folder is looked at. A file is taken when it has not changed between two looks.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "01:00:00")]
    public TimeSpan WatchEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How far ahead of the gateway's clock a time may lie (LINES.md section 7).</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan FutureTolerance { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Records in one file: they are put in the order of time in memory, at about 300 bytes each.</summary>
    [Range(1, 5_000_000)]
    public int MaxRecords { get; init; } = 500_000;
}
