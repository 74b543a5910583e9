using System.ComponentModel.DataAnnotations;

namespace Gateway.Scheduling;

/// <summary>Section <c>Scheduling</c> of the configuration.</summary>
public sealed class SchedulingOptions
{
    public const string Section = "Scheduling";

    /// <summary>The clock begins this long after the gateway serves, so that starting is not slowed.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan StartDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often a node says that it lives. Three missed check-ins count as its death, and a firing that late as missed: both
    /// rise with this, so that a slow database is not taken for a dead node while firings are already repeated.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan CheckinInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A firing overdue by more than this is an alarm, whatever Quartz says of itself.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")]
    public TimeSpan OverdueAfter { get; init; } = TimeSpan.FromMinutes(5);
}
