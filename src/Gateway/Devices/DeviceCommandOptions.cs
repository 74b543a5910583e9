using System.ComponentModel.DataAnnotations;

namespace Gateway.Devices;

/// <summary>Section <c>Commands</c> of the configuration: how long devices have (LINES.md section 8).</summary>
public sealed class CommandOptions
{
    public const string Section = "Commands";

    /// <summary>A command that is not acknowledged by then is told again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.200", "00:01:00")] public TimeSpan AckWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a command is told before nobody is expected to answer any more.</summary>
    [Range(1, 10)] public int Tries { get; init; } = 3;

    /// <summary>For a pause to be proved by the machine's own state.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(10);

    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan Resume { get; init; } = TimeSpan.FromSeconds(30);

    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan Start { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For loading a batch.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan Load { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>For every other command.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan Other { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A sign of life on a quiet stream.</summary>
    [Range(typeof(TimeSpan), "00:00:00.200", "00:01:00")] public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After this a stream ends and the device comes again, so that a right that was taken away ends too.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan StreamFor { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often commands are looked at whose time has come.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:10")] public TimeSpan CheckEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long after a machine stands at last units that it made before that are still held when they are told of: devices may have buffered them.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")] public TimeSpan HoldLateUnitsFor { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long a device has for a command of the type.</summary>
    public TimeSpan For(string type) => type switch { "pause" => Pause, "resume" => Resume, "start" => Start, "loadBatch" => Load, _ => Other };
}
