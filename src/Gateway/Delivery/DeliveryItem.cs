namespace Gateway.Delivery;

/// <summary>A delivery as the API and the command line tell it.</summary>
/// <param name="State">As stored.</param>
/// <param name="Reason">Why it is dead.</param>
/// <param name="Shown">What a person is told: queued, sending, retrying, held, sent, delivered, needs decision, closed.</param>
/// <param name="Document">What is sent; null as long as it is not composed.</param>
/// <param name="HeldBy">The person who holds it, or gateway while it cannot be composed; null when it waits with everything for its partner.</param>
/// <param name="Why">Why it failed, needs a decision or waits: a word of a closed list, whose it is to mend, and a sentence; null when it does none of these.</param>
/// <param name="NeedBy">When the partner must have it.</param>
/// <param name="Late">It came after that, or that has passed and it is still to come.</param>
/// <param name="HeldUntil">When it goes on by itself; null: when somebody resumes it.</param>
public sealed record DeliveryItem(
    long Id, string State, string Shown, string Partner, string PartnerName, int Attempts, string? Reason, string? Code, string Ordering, long? Document, Guid MessageId,
    string Receipt, bool ReceiptOverdue, long? ReplayOf, int Version, DateTime CreatedAt, DateTime DueAt, DateTime? FinishedAt,
    string? HeldBy, string? HeldWhy, DateTime? HeldUntil, DeliveryReason? Why, DateTime? NeedBy, bool Late)
{
    /// <summary>What was composed for it, or why it is not yet; null in lists, and for a document that goes as it came.</summary>
    public ComposingItem? Composing { get; init; }

    /// <summary>Who has acknowledged what; null in lists.</summary>
    public Acknowledgements? Acknowledgements { get; init; }

    public static DeliveryItem Of(DeliveryRow d) => new(
        d.DeliveryId, d.Stored, d.State == "dead" ? "needs decision" : d.State, d.PartnerGln, d.Partner, d.Attempts, d.DeadReason, d.Code, d.Ordering, d.DocumentId, d.MessageId,
        d.Receipt, d.ReceiptOverdue, d.ReplayOf, d.Version, d.CreatedAt, d.DueAt, d.FinishedAt, d.HeldBy, d.HeldWhy, d.HeldUntil, d.Why, d.NeedBy, d.IsLate);
}

/// <summary>What a delivery is composed of, as the API tells it.</summary>
/// <param name="Kind">shipment, void or declaration.</param>
/// <param name="Corrects">The delivery whose shipment it voids, or declares to be in error.</param>
/// <param name="PartOf">The delivery of which this is another lane or part.</param>
/// <param name="Findings">Why it is not composed yet; none when it is.</param>
/// <param name="Content">What is in the document, and what was left out and why; null as long as there is none.</param>
public sealed record ComposingItem(string Kind, long? Corrects, long? PartOf, IReadOnlyList<ComposeFinding> Findings, ComposedContent? Content)
{
    public static ComposingItem? Of(ComposingRow? row) => row is null ? null : new ComposingItem(row.Kind, row.Corrects, row.PartOf,
        row.Findings is null ? [] : ComposeJson.Findings(row.Findings), row.Composed is null ? null : ComposeJson.Content(row.Composed));
}

/// <summary>An attempt as the API tells it.</summary>
public sealed record AttemptItem(int Number, DateTime StartedAt, DateTime? EndedAt, int? Status, string? Code, string? Verdict, string? Response, DeliveryReason? Why)
{
    public static AttemptItem Of(AttemptRow a) => new(a.Number, a.StartedAt, a.EndedAt, a.Status, a.Code, a.Verdict, a.Response, a.Code is null || a.Verdict == Channels.Verdict.Ok ? null : DeliveryReason.Of(a.Code));
}
