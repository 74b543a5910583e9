using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Capture;

/// <summary>What happens with captured documents in the transaction that stores them: deliveries are queued here.</summary>
public sealed record CaptureRouting(Func<Work, IReadOnlyList<CapturedDocument>, Task>? Route);
