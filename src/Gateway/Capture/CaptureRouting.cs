using Gateway.Database;
using Gateway.Delivery;

namespace Gateway.Capture;

/// <summary>What happens with a captured document in its own transaction: deliveries are queued here.</summary>
public sealed record CaptureRouting(Func<Work, CapturedDocument, Task>? Route);
