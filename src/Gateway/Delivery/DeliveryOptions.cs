using System.ComponentModel.DataAnnotations;
using Gateway.Http;

namespace Gateway.Delivery;

/// <summary>Section <c>Delivery</c> of the configuration.</summary>
public sealed class DeliveryOptions : IValidatableObject
{
    public const string Section = "Delivery";

    /// <summary>Lets partners have private addresses, any port and <c>http://</c>: for the demonstration and tests only.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>The ports that partners' addresses may name; none listed means 443, and 22 for SFTP.</summary>
    [MaxLength(100)] public int[] AllowedPorts { get; init; } = [];

    /// <summary>The roots below which the channel <c>folder</c> may write; none listed means that it is not available.</summary>
    [MaxLength(100)] public string[] Folders { get; init; } = [];

    /// <summary>First wait; it doubles with jitter up to <see cref="RetryCap"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")] public TimeSpan RetryBase { get; init; } = TimeSpan.FromSeconds(2);
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan RetryCap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The longest wait a partner's Retry-After can ask for.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")] public TimeSpan RetryAfterCap { get; init; } = TimeSpan.FromHours(24);

    /// <summary>After this a person decides. A week outlasts a weekend with a holiday.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "60.00:00:00")] public TimeSpan RetryLifetime { get; init; } = TimeSpan.FromDays(7);

    /// <summary>A partner that has taken a document and not told its result for so long is reported, unless its profile says another time.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")] public TimeSpan ReceiptOverdueAfter { get; init; } = TimeSpan.FromHours(4);

    /// <summary>How long after capture a partner must have a document, unless its own record says otherwise: with the goods, or before them.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "60.00:00:00")] public TimeSpan NeedWithin { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A partner that documents wait for and that has taken none for so long is an alarm.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "30.00:00:00")] public TimeSpan SilentAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A partner that is left alone after failures for so long is an alarm.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")] public TimeSpan HeldAlarmAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>So long after a document was taken the goods count as received, or their receipt is overdue where the partner has promised to tell it; a partner's profile may say another time.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")] public TimeSpan BusinessAnswerAfter { get; init; } = TimeSpan.FromDays(14);

    /// <summary>One attempt as a whole, from connecting to the end of the answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")] public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a claim lasts unless renewed; it is renewed at a third.</summary>
    [Range(typeof(TimeSpan), "00:00:03", "00:10:00")] public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Rows claimed at once.</summary>
    [Range(1, 100)] public int BatchSize { get; init; } = 100;

    /// <summary>Requests of this node at the same time, to all partners together.</summary>
    [Range(5, 1000)] public int MaxInFlight { get; init; } = 40;

    /// <summary>Requests of this node to one partner at the same time: at most a fifth of all, so that a slow one leaves the others theirs.</summary>
    [Range(1, 200)] public int MaxInFlightPerPartner { get; init; } = 8;

    /// <summary>How often due rows are looked for when no notification comes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(2);

    internal OutgoingRules Outgoing => new(AllowPrivateAddresses, AllowedPorts);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxInFlightPerPartner > MaxInFlight / 5)
        {
            yield return new ValidationResult("Delivery:MaxInFlightPerPartner is at most a fifth of Delivery:MaxInFlight.", [nameof(MaxInFlightPerPartner)]);
        }
        if (Folders.FirstOrDefault(folder => !Path.IsPathFullyQualified(folder)) is { } relative)
        {
            yield return new ValidationResult($"Delivery:Folders are whole paths; {relative} is none.", [nameof(Folders)]);
        }
        if (AllowedPorts.Any(port => port is < 1 or > 65535))
        {
            yield return new ValidationResult("Delivery:AllowedPorts are numbers from 1 to 65535.", [nameof(AllowedPorts)]);
        }
    }
}
