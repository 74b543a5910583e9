using System.ComponentModel.DataAnnotations;

namespace Gateway.Hub;

/// <summary>Section <c>HubAlerts</c> of the configuration.</summary>
public sealed class AlertOptions
{
    public const string Section = "HubAlerts";

    /// <summary>How often each hub is asked for new alerts.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan AskEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How old what is proposed of a case that is not closed may be, before a cause is looked for anew.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")] public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromHours(1);
}
