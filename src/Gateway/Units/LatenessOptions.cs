namespace Gateway.Units;

/// <summary>When an event counts as late; read from the section of capture, which checks it and tells the sender.</summary>
public sealed class LatenessOptions
{
    public const string Section = "Capture";

    /// <summary>From the event time until its document was received.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromHours(24);
}
