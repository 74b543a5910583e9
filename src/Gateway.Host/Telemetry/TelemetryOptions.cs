using System.ComponentModel.DataAnnotations;

namespace Gateway.Host.Telemetry;

/// <summary>Section <c>Telemetry</c> of the configuration.</summary>
public sealed class TelemetryOptions : IValidatableObject
{
    public const string Section = "Telemetry";

    /// <summary>Base address of an OpenTelemetry collector that speaks OTLP over HTTP, such as <c>http://127.0.0.1:4318</c>. Empty: nothing is measured or sent.</summary>
    public string OtlpEndpoint { get; init; } = "";

    /// <summary>Which part of the traces is kept, from 0 to 1. A caller's own sampling flag is not believed.</summary>
    [Range(0.0, 1.0)]
    public double TraceRatio { get; init; } = 1;

    /// <summary>How often metrics are read and sent.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan ExportEvery { get; init; } = TimeSpan.FromSeconds(15);

    public bool IsOn => OtlpEndpoint.Length > 0;

    public Uri Endpoint(string signal) => new($"{OtlpEndpoint.TrimEnd('/')}/v1/{signal}");

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // Credentials go into the environment's OTEL_EXPORTER_OTLP_HEADERS, never into an address that may be logged.
        if (IsOn && !(Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri is { UserInfo: "", Query: "" }))
        {
            yield return new ValidationResult("Telemetry:OtlpEndpoint is an http or https address without user and query, or empty.", [nameof(OtlpEndpoint)]);
        }
    }
}
