namespace Gateway.Delivery;

/// <summary>A delivery as lists and its own page show it.</summary>
/// <param name="State">As shown: one of <see cref="DeliveryOverview.Shown"/>.</param>
/// <param name="Stored">As stored: due, delivered, dead or closed.</param>
/// <param name="Sending">A worker holds it at this moment.</param>
/// <param name="HeldBy">Who holds this one; null when it waits with everything for its partner.</param>
/// <param name="HeldWhy">Why a due delivery waits for more than its time: a person's hold, a paused partner, or one left alone after failures.</param>
/// <param name="HeldUntil">When it goes on by itself; null: when somebody resumes it.</param>
/// <param name="ReceiptOverdue">The partner has owed the receipt for too long.</param>
/// <param name="DocumentId">What is sent; null as long as it is not composed.</param>
/// <param name="CaptureId">The capture that it is about; null for a reader who may not see that.</param>
/// <param name="NeedBy">When the partner must have it; null: it was queued before that was said.</param>
/// <param name="IsLate">It came after that, or that has passed and it is still to come.</param>
/// <param name="HeldFor">The reason by which it is held, in the words of <see cref="DeliveryReason"/>.</param>
public sealed record DeliveryRow(
    long DeliveryId, string State, string Stored, string? DeadReason, string? Code, int PartnerId, string Partner, string PartnerGln, string Channel, int Attempts, bool Sending,
    string? HeldBy, string? HeldWhy, DateTime? HeldUntil, DateTime DueAt, DateTime CreatedAt, DateTime GiveUpAt, DateTime? FinishedAt, string Receipt, bool ReceiptOverdue, Guid MessageId,
    string Ordering, long? DocumentId, long? ReplayOf, int Version, Guid? CaptureId, DateTime? NeedBy, bool IsLate, string? HeldFor)
{
    /// <summary>Why it failed, needs a decision or waits; null when it does none of these.</summary>
    public DeliveryReason? Why => HeldFor is not null ? DeliveryReason.Named(HeldFor) : State is "dead" or "closed" or "retrying" && (Code ?? DeadReason) is not null ? DeliveryReason.Of(Code, DeadReason) : null;

    /// <summary>When it is sent next; null when nothing is planned, or when that is for somebody to say.</summary>
    public DateTime? Next => State switch
    {
        "queued" or "retrying" => DueAt,
        "held" when HeldUntil is { } until => until > DueAt ? until : DueAt,
        _ => null,
    };
}

/// <summary>How many deliveries are in each state as it is shown, each counted up to <see cref="Cap"/>.</summary>
public sealed record DeliveryCounts(long Queued, long Sending, long Retrying, long Held, long Sent, long Delivered, long Dead, long Closed)
{
    /// <summary>Counting more would read the whole history at every refresh, and nobody acts on the difference.</summary>
    public const int Cap = 10_000;

    public long All => Queued + Sending + Retrying + Held + Sent + Delivered + Dead + Closed;

    /// <summary>There may be more than the number says. What is yet to be sent is counted together and then told apart.</summary>
    /// <param name="state">Null for all.</param>
    public bool IsAtLeast(string? state) => state switch
    {
        "sent" => Sent >= Cap,
        "delivered" => Delivered >= Cap,
        "dead" => Dead >= Cap,
        "closed" => Closed >= Cap,
        null => Shown.Any(IsAtLeast),
        _ => Queued + Sending + Retrying + Held >= Cap,
    };

    private static IReadOnlyList<string> Shown => DeliveryOverview.Shown;
}
