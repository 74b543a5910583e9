using Gateway.Access;
using Gateway.Telemetry;

namespace Gateway.Capture;

/// <summary>A document that has come in, with the first answer to it.</summary>
/// <param name="Key">The sender's idempotency key, if it gave one.</param>
internal sealed record NewCapture(
    Guid PublicId, int PartyId, string SubmittedBy, byte[] Sha256, long Length, string MediaType, string? ContentEncoding, string? Key, string ErrorBehaviour, DateTime Now, int Status, string Answer)
{
    /// <summary>What its sender's key may send; null when that is not bound. A key that is bound otherwise later changes nothing of this document.</summary>
    public KeyScope? Scope { get; init; }
    /// <summary>What reads the document, name and version; null when it is EPCIS.</summary>
    public string? Mapping { get; init; }

    /// <summary>How a line's records came about: <c>device</c>, <c>file</c> or <c>manual</c>; null when it is EPCIS.</summary>
    public string? Method { get; init; }

    /// <summary>The run that the document tells of.</summary>
    public long? RunId { get; init; }
    public string State { get; init; } = "processing";
    public DateTime? FinishedAt { get; init; }
    public string? Form { get; init; }

    /// <summary>The trace it came in, for whoever works on it later.</summary>
    public string? TraceParent { get; init; } = GatewayTrace.Context;

    /// <summary>Set when whoever stores the document also decides it, in the same transaction.</summary>
    public Guid? LeaseToken { get; init; }
}
