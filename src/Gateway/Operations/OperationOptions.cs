using System.ComponentModel.DataAnnotations;

namespace Gateway.Operations;

/// <summary>Section <c>Operations</c> of the configuration.</summary>
public sealed class OperationOptions
{
    public const string Section = "Operations";

    /// <summary>The most deliveries that one operation takes; more is asked for in parts.</summary>
    [Range(1, 1_000_000)] public int MaxItems { get; init; } = 100_000;

    /// <summary>Closing more deliveries than this at once takes a person's signature.</summary>
    [Range(0, 1_000_000)] public int SignAbove { get; init; } = 100;

    /// <summary>Deliveries a second, when the request names no rate.</summary>
    [Range(1, 1000)] public int Rate { get; init; } = 20;

    /// <summary>How long a node's claim lasts after its last item.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A stage whose deliveries have no outcome for so long pauses the operation: a person decides whether to go on.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")] public TimeSpan OutcomeWithin { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often running operations are looked for.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")] public TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(1);
}
