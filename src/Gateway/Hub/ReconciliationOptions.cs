using System.ComponentModel.DataAnnotations;

namespace Gateway.Hub;

/// <summary>Section <c>HubReconciliation</c> of the configuration.</summary>
public sealed class ReconciliationOptions
{
    public const string Section = "HubReconciliation";

    /// <summary>A lot that has not expired is compared with what its markets hold once in so long, the lots spread over the last quarter of it.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "365.00:00:00")] public TimeSpan Every { get; init; } = TimeSpan.FromDays(7);
}
