namespace Gateway.Operations;

/// <summary>An operation as lists and its own page show it.</summary>
/// <param name="Kind">retry, replay or close.</param>
/// <param name="State">running, paused, cancelled or finished.</param>
/// <param name="Filter">What was asked for, as it stands in addresses.</param>
/// <param name="FilterWords">The same as people were shown it.</param>
/// <param name="Rate">Deliveries a second, at most.</param>
/// <param name="ApprovedStage">This stage starts whatever became of those before.</param>
/// <param name="Done">Items applied; the rest is pending, refused or cancelled.</param>
public sealed record OperationRow(
    long OperationId, string Kind, string State, string? PauseReason, int PartnerId, string PartnerName, string Filter, string FilterWords, string Reason, string Actor, string ActorName,
    int Rate, int ApprovedStage, DateTime? WaitingSince, int Total, long Pending, long Done, long Refused, long Cancelled, DateTime CreatedAt, DateTime? FinishedAt, string RequestKey)
{
    public long Ended => Total - Pending;
}

/// <summary>One delivery of an operation.</summary>
/// <param name="Detail">Why it was refused.</param>
/// <param name="Created">The row a replay made.</param>
public sealed record OperationItem(int Ordinal, int Stage, long DeliveryId, int Version, string Outcome, string? Detail, long? Created, DateTime? EndedAt)
{
    /// <summary>The delivery that shows what became of it.</summary>
    public long Followed => Created ?? DeliveryId;
}

/// <summary>A stage: how many of its items ended how, and what became of the deliveries since.</summary>
/// <param name="Delivered">Taken by the partner since, or closed.</param>
/// <param name="FailedAgain">Tried since, and failed.</param>
/// <param name="Waiting">Neither yet.</param>
public sealed record OperationStage(int Stage, long Items, long Pending, long Done, long Refused, long Cancelled, long Delivered, long FailedAgain, long Waiting)
{
    /// <summary>Why the next stage should not follow by itself; null when it may.</summary>
    public string? Objection => FailedAgain * 2 > Done ? $"{FailedAgain} of {Done} deliveries of stage {Stage} failed again." : null;
}

/// <summary>What somebody asks for.</summary>
/// <param name="Key">Made when the dialog opens: the same key asks for the same operation.</param>
/// <param name="Confirm">The partner's name, typed by who begins an operation on very many.</param>
public sealed record OperationRequest(string Key, string Kind, Delivery.DeliveryFilter Filter, string Reason, int? Rate = null, string? Confirm = null);

public enum Refused
{
    None,
    KindUnknown,
    NoPartner,
    Nothing,
    TooMany,
    NotConfirmed,
    NotSigned,
    KeyReused,
    RateImpossible,
}

/// <param name="IsNew">False when the same request was made before.</param>
public sealed record Begun(long OperationId, bool IsNew, Refused Refused = Refused.None, string? Detail = null);
