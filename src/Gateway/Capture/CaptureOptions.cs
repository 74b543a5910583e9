using System.ComponentModel.DataAnnotations;
using Gateway.Units;

namespace Gateway.Capture;

/// <param name="Folder">Its whole path, by no link.</param>
/// <param name="Party">Whose files lie in it: a GLN, or a name that one party has.</param>
public sealed record InboundFolder(string Folder, string Party);

public sealed class CaptureOptions : IValidatableObject
{
    public const string Section = "Capture";

    /// <summary>Of the body as sent, and of what it inflates to.</summary>
    [Range(1, long.MaxValue)] public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Event numbers have 20 bits within their capture.</summary>
    [Range(1, 1_000_000)] public int MaxEvents { get; init; } = 1_000_000;

    /// <summary>How many times a gzip body may inflate, asked from the first mebibyte on.</summary>
    [Range(1, 10_000)] public int MaxCompressionRatio { get; init; } = 100;

    /// <summary>Bodies up to this size are received in memory, larger ones in a temporary file.</summary>
    [Range(0, 64 << 20)] public int MaxBytesInMemory { get; init; } = 256 << 10;

    /// <summary>
    /// Documents up to this size, sent without compression, are stored and decided in one transaction and answered with a finished job;
    /// those that come at the same time share it. 0: none, all are answered first and decided later.
    /// </summary>
    [Range(0, 1 << 20)] public int MaxBytesAtOnce { get; init; } = 256 << 10;

    /// <summary>How many such transactions run side by side.</summary>
    [Range(1, 16)] public int TransactionsAtOnce { get; init; } = 2;

    /// <summary>Documents received or checked at once, of any size. One more is answered 503 with Retry-After.</summary>
    [Range(1, 100_000)] public int MaxUploads { get; init; } = 256;

    /// <summary>How many of them may be larger than <see cref="MaxBytesInMemory"/>, so that large ones leave room and processor for the small.</summary>
    [Range(1, 10_000)] public int MaxLargeUploads { get; init; } = 8;

    /// <summary>What the large ones may take of the temporary folder together. At least one of <see cref="MaxBytes"/> must have room.</summary>
    [Range(1, long.MaxValue)] public long MaxLargeUploadBytes { get; init; } = 2L << 30;

    /// <summary>A node that has died is taken over after this; the living renew at a third of it.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "01:00:00")] public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The safety net when a notification is lost.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A document that ended this many turns without a result is set aside for a person.</summary>
    [Range(1, 100)] public int MaxAttempts { get; init; } = 3;

    /// <summary>A document undecided for so long is told of as stuck.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")] public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>An event received so long after its event time is flagged as late.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "36500.00:00:00")] public TimeSpan LateAfter { get; init; } = new LatenessOptions().LateAfter;

    /// <summary>Folders into which parties lay documents; none listed: none is looked at.</summary>
    [MaxLength(1000)] public InboundFolder[] Inbound { get; init; } = [];

    /// <summary>How often they are looked at. A file is taken when it has not changed between two looks.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "01:00:00")] public TimeSpan InboundEvery { get; init; } = TimeSpan.FromSeconds(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Inbound.FirstOrDefault(i => string.IsNullOrWhiteSpace(i.Party) || !Path.IsPathFullyQualified(i.Folder ?? "")) is { } incomplete)
        {
            yield return new ValidationResult($"Capture:Inbound has a whole path and a party each; {incomplete.Folder} has not.", [nameof(Inbound)]);
        }
        if (MaxLargeUploadBytes < MaxBytes)
        {
            yield return new ValidationResult("Capture:MaxLargeUploadBytes must be at least Capture:MaxBytes, or the largest document could never come in.", [nameof(MaxLargeUploadBytes)]);
        }
        if (MaxLargeUploads > MaxUploads)
        {
            yield return new ValidationResult("Capture:MaxLargeUploads is a part of Capture:MaxUploads and cannot be larger.", [nameof(MaxLargeUploads)]);
        }
    }
}
