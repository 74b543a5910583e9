using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Capture;

/// <summary>What happens with captured documents in the transaction that stores them: deliveries are queued here, and pools learn what became of their numbers.</summary>
public sealed record CaptureRouting(Func<Work, IReadOnlyList<CapturedDocument>, Task>? Route)
{
    /// <summary>Who gives out numbers; null: nobody does.</summary>
    public CaptureNumbers? Numbers { get; init; }
}

/// <summary>Who gives out serial numbers and is to know what became of them.</summary>
/// <param name="AreAny">Whether any were given out. Asked for each chunk of events, so it has to be cheap.</param>
/// <param name="Tell">Is told what events say of numbers.</param>
public sealed record CaptureNumbers(Func<Work, CancellationToken, ValueTask<bool>> AreAny, Func<Work, ToldNumbers, CancellationToken, Task> Tell);

/// <summary>What events say of numbers; each is named as the ledger names its unit.</summary>
/// <param name="Encoded">Printed, or commissioned: they are on something.</param>
/// <param name="Unused">Not used.</param>
/// <param name="Voided">Never to be used.</param>
public sealed record ToldNumbers(IReadOnlyList<string> Encoded, IReadOnlyList<string> Unused, IReadOnlyList<string> Voided);
