using System.ComponentModel.DataAnnotations;

namespace Gateway.Devices;

/// <summary>Section <c>Devices</c> of the configuration: how much of what devices say a node takes before it asks them to wait.</summary>
public sealed class DeviceOptions
{
    public const string Section = "Devices";

    /// <summary>Messages that a node has in memory, received and not stored yet; one post more is answered with 429.</summary>
    [Range(DeviceLimits.MaxMessages, 1_000_000)] public int MaxMessagesInMemory { get; init; } = 50_000;

    /// <summary>Bytes of posts that a node has in memory, likewise: messages may be small or a post each.</summary>
    [Range(DeviceLimits.MaxBytes, 4L << 30)] public long MaxBytesInMemory { get; init; } = 64 << 20;

    /// <summary>Messages that are stored and not applied yet; beyond them posts are answered with 429, and wait in the devices' own stores.</summary>
    [Range(1, 100_000_000)] public int MaxBacklog { get; init; } = 1_000_000;

    /// <summary>Transactions that a node stores messages in side by side; the posts that come meanwhile share the next.</summary>
    [Range(1, 16)] public int TransactionsAtOnce { get; init; } = 2;

    /// <summary>Heartbeats that a node notes side by side; the others wait for their turn, and hold no connection to the database meanwhile.</summary>
    [Range(1, 64)] public int HeartbeatsAtOnce { get; init; } = 8;
}

/// <summary>LINES.md sections 6 and 7: what devices are told, and held to.</summary>
public static class DeviceLimits
{
    /// <summary>Messages of a post.</summary>
    public const int MaxMessages = 500;

    /// <summary>Bytes of a post.</summary>
    public const int MaxBytes = 1 << 20;

    public const int HeartbeatSeconds = 5;
    public const int OfflineBufferHours = 8;

    /// <summary>Without a sign of life for so long a device is offline.</summary>
    public static readonly TimeSpan OfflineAfter = TimeSpan.FromSeconds(3 * HeartbeatSeconds);

    /// <summary>What comes after a gap waits so long for it.</summary>
    public static readonly TimeSpan GapWait = TimeSpan.FromSeconds(60);

    /// <summary>Ranges of missing numbers that a device may have; what would make more is sent when some have been filled.</summary>
    public const int MaxMissingRanges = 1_000;

    /// <summary>So far a number may be ahead of the last one: more than any offline buffer holds.</summary>
    public const long MaxAhead = 10_000_000;

    /// <summary>A corrected time so far ahead of the gateway's cannot be true.</summary>
    public static readonly TimeSpan Future = TimeSpan.FromSeconds(300);

    /// <summary>Milliseconds up to which a clock is right, up to which it is a warning, and beyond which no batch starts.</summary>
    public const double OffsetOk = 500, OffsetWarning = 2_000, OffsetBlocks = 60_000;
}
