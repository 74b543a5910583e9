using System.ComponentModel.DataAnnotations;

namespace Gateway.Audit;

/// <summary>Where the sealed audit trail has what must not be in the database.</summary>
public sealed class AuditOptions
{
    public const string Section = "Audit";

    /// <summary>The file of the key that signs checkpoints; empty: audit-key.pem in the data directory. Nodes share it.</summary>
    public string SealKey { get; init; } = "";

    /// <summary>Where each checkpoint is also written, best on another host; empty: audit-anchor.txt in the data directory.</summary>
    public string AnchorFile { get; init; } = "";

    /// <summary>How often entries are sealed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:00:05")]
    public TimeSpan Every { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the last root is signed anew while there is nothing to seal.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);
}
