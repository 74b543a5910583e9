namespace Gateway.Hub;

/// <summary>What a hub is told of packs that it has; what <c>hub_order.kind</c> says.</summary>
public static class OrderKinds
{
    public const string StateChange = "state change", Undo = "undo", Recall = "recall", Withdrawal = "withdrawal";
}

/// <summary>The states that a sender may ask for, as the hub names them (EU-FMD.md section 5). Supplied is for whoever hands packs out.</summary>
public static class PackStates
{
    public const string Exported = "Exported", Sample = "Sample", FreeSample = "FreeSample", Locked = "Locked", CheckedOut = "CheckedOut", Destroyed = "Destroyed", Stolen = "Stolen";

    public static IReadOnlyList<string> All { get; } = [Exported, Sample, FreeSample, Locked, CheckedOut, Destroyed, Stolen];

    /// <summary>How long after the hub's confirmation a state can be undone; without limit for <see cref="Locked"/>.</summary>
    public const int UndoDays = 10;

    /// <summary>Whether it can never be taken back, and so two people answer for it.</summary>
    public static bool IsFinal(string state) => state is Destroyed or Stolen;
}

/// <summary>A message about packs that the hub has, or about all packs of a lot or product.</summary>
/// <param name="Kind">One of <see cref="OrderKinds"/>.</param>
/// <param name="Lot">Null for a withdrawal.</param>
/// <param name="State">That packs are to be in, or with an undo: that is undone. Null for a recall or withdrawal.</param>
/// <param name="Location">GLN of where it is done; null for a recall or withdrawal.</param>
/// <param name="Markets">Of a recall or withdrawal.</param>
/// <param name="Count">How many serial numbers follow.</param>
public sealed record OrderMessage(
    Guid CorrelationId, DateTime Timestamp, string Kind, string Gtin, int Version, string? Lot, DateOnly? Expiry, string? State, string? Location, IReadOnlyList<string> Markets, string Reason, int Count)
    : HubMessage(CorrelationId, Timestamp);

/// <summary>What asking came to.</summary>
/// <param name="Refusal">The rule that forbids it, in words; null: it was taken, or would be.</param>
/// <param name="Order">Its number; null where it was only looked at.</param>
/// <param name="Units">Packs that it is about.</param>
/// <param name="Needs">How many people must sign before it is told; never whoever asked.</param>
public sealed record Placed(string? Refusal, int? Order = null, int Units = 0, int Needs = 0)
{
    /// <summary>Where it is told.</summary>
    public IReadOnlyList<string> Markets { get; init; } = [];

    public static Placed Not(string why) => new(why);
}
