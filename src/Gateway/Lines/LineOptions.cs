using System.ComponentModel.DataAnnotations;

namespace Gateway.Lines;

/// <summary>How what devices said is applied to the units of their line.</summary>
public sealed class LineOptions
{
    public const string Section = "Lines";

    /// <summary>How often messages that are ready are put together and captured. A longer time makes fewer and larger captures.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:05:00")]
    public TimeSpan ApplyEvery { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>So long a message waits for those of the line's other devices that belong before it.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan SettleFor { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>So long it waits while a device of the line is offline: what that one keeps may belong before it. Then it is applied, and what comes late is put in its place.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan WaitForOffline { get; init; } = TimeSpan.FromMinutes(10);
}
