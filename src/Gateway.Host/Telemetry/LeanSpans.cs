using System.Diagnostics;
using OpenTelemetry;

namespace Gateway.Host.Telemetry;

/// <summary>
/// Keeps of the framework's spans only what says nothing about a pack or a person: paths and queries of a request hold serials,
/// addresses hold hosts of partners and their tokens.
/// </summary>
internal sealed class LeanSpans : BaseProcessor<Activity>
{
    private static readonly HashSet<string> Kept =
    [
        "http.request.method", "http.response.status_code", "http.route", "error.type", "network.protocol.version",
        "db.system.name", "db.namespace", "db.query.text", "db.response.status_code",
    ];

    public override void OnEnd(Activity data)
    {
        if (data.Source.Name == Gateway.Telemetry.GatewayTrace.Name)
        {
            return;
        }
        foreach (var tag in data.TagObjects.Where(t => !Kept.Contains(t.Key)).Select(t => t.Key).ToList())
        {
            data.SetTag(tag, null);
        }
    }
}
