using Gateway.Partners;

namespace Gateway.Delivery.Channels;

/// <summary>A protocol that carries a document to a partner. One call is one attempt; it never retries by itself.</summary>
public interface IChannel
{
    /// <summary>As the partner row spells it.</summary>
    string Kind { get; }

    /// <summary>A partner has one connection of this channel at a time.</summary>
    bool OneAtATime => false;

    Task<ChannelAnswer> SendAsync(ClaimedDelivery delivery, CancellationToken ct);

    /// <summary>Asks the partner what became of a document it has taken for later processing.</summary>
    Task<ChannelAnswer> QueryReceiptAsync(ClaimedDelivery delivery, CancellationToken ct);
}

/// <summary>What an answer means for the delivery.</summary>
public enum AnswerMeaning
{
    /// <summary>The partner has it.</summary>
    Accepted,

    /// <summary>The partner has taken it and will tell later.</summary>
    Pending,

    /// <summary>The partner has processed it and says no.</summary>
    Negative,

    /// <summary>May succeed later.</summary>
    Retry,

    /// <summary>This document will hardly ever succeed.</summary>
    Refused,

    /// <summary>Our credential is not accepted: no document to this partner will succeed.</summary>
    Credential,

    /// <summary>The channel itself broke on it; as with a crash, it is tried a few times only.</summary>
    Broken,
}

/// <summary>Whose fault it was, as the attempt row spells it.</summary>
public static class Verdict
{
    public const string Ok = "ok";
    public const string Ours = "ours";
    public const string Theirs = "theirs";
    public const string Network = "network";
    public const string Unknown = "unknown";
}

/// <param name="Code"><c>ok</c>, or why not: <c>http-503</c>, <c>timeout</c>, <c>dns</c> …</param>
/// <param name="Response">First part of the answer, secrets masked.</param>
/// <param name="ReceiptRef">Where a pending receipt is asked for.</param>
/// <param name="Certificate">What the partner's server showed; null: nothing, or it was not reached.</param>
public sealed record ChannelAnswer(
    AnswerMeaning Meaning, string Verdict, string Code, int? Status = null, string? Response = null, TimeSpan? RetryAfter = null, string? ReceiptRef = null, ServedCertificate? Certificate = null)
{
    /// <summary>Of what the partner answered, as it came; null when it answered nothing.</summary>
    public byte[]? Sha256 { get; init; }
}
