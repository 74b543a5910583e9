using System.Diagnostics;

namespace Gateway.Telemetry;

/// <summary>
/// The gateway's own spans. The context travels with the rows, so that one trace shows a document's way from the request through
/// its processing to the partner. Tags hold ids, codes and states, never payloads, secrets or serials.
/// </summary>
public static class GatewayTrace
{
    public const string Name = "Gateway";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>What to store with a row so that whoever works on it later continues this trace.</summary>
    public static string? Context => Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current.Id : null;

    /// <returns>Null when nobody listens.</returns>
    public static Activity? Continue(string name, string? traceParent, ActivityKind kind = ActivityKind.Internal) =>
        Source.StartActivity(name, kind, ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent) ? parent : default);
}
