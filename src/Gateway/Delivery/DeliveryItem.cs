namespace Gateway.Delivery;

/// <summary>A delivery as the API and the command line tell it.</summary>
/// <param name="State">As stored.</param>
/// <param name="Reason">Why it is dead.</param>
/// <param name="Shown">What a person is told: queued, sending, retrying, held, sent, delivered, needs decision, closed.</param>
/// <param name="HeldBy">The person who holds it; null when it waits with everything for its partner.</param>
/// <param name="HeldUntil">When it goes on by itself; null: when somebody resumes it.</param>
public sealed record DeliveryItem(
    long Id, string State, string Shown, string Partner, string PartnerName, int Attempts, string? Reason, string? Code, string Ordering, long Document, Guid MessageId,
    string Receipt, bool ReceiptOverdue, long? ReplayOf, int Version, DateTime CreatedAt, DateTime DueAt, DateTime? FinishedAt,
    string? HeldBy, string? HeldWhy, DateTime? HeldUntil)
{
    public static DeliveryItem Of(DeliveryRow d) => new(
        d.DeliveryId, d.Stored, d.State == "dead" ? "needs decision" : d.State, d.PartnerGln, d.Partner, d.Attempts, d.DeadReason, d.Code, d.Ordering, d.DocumentId, d.MessageId,
        d.Receipt, d.ReceiptOverdue, d.ReplayOf, d.Version, d.CreatedAt, d.DueAt, d.FinishedAt, d.HeldBy, d.HeldWhy, d.HeldUntil);
}

/// <summary>An attempt as the API tells it.</summary>
public sealed record AttemptItem(int Number, DateTime StartedAt, DateTime? EndedAt, int? Status, string? Code, string? Verdict, string? Response)
{
    public static AttemptItem Of(AttemptRow a) => new(a.Number, a.StartedAt, a.EndedAt, a.Status, a.Code, a.Verdict, a.Response);
}
