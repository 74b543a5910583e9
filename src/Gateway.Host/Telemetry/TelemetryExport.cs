using System.Diagnostics;
using System.Reflection;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Host.Telemetry;

/// <summary>Listens to the gateway's, the framework's and the database driver's own signals and sends them over OTLP until the host stops.</summary>
public sealed class TelemetryExport(IOptions<TelemetryOptions> options) : IHostedService, IDisposable
{
    // The collector may be gone; stopping does not wait for it longer than this.
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestBatch = TimeSpan.FromSeconds(5);

    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value;
        var every = (int)settings.ExportEvery.TotalMilliseconds;
        _traces = Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(Describe)
            .SetSampler(new TraceIdRatioBasedSampler(settings.TraceRatio))
            .AddSource(GatewayTrace.Name, "Microsoft.AspNetCore", "System.Net.Http", "Npgsql")
            .AddProcessor(new LeanSpans())
            .AddOtlpExporter(otlp =>
            {
                Send(otlp, settings.Endpoint("traces"));
                otlp.BatchExportProcessorOptions.ScheduledDelayMilliseconds = Math.Min(every, (int)LongestBatch.TotalMilliseconds);
            })
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(Describe)
            .AddMeter(GatewayMeter.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Npgsql", "System.Runtime")
            .AddOtlpExporter((otlp, reader) =>
            {
                Send(otlp, settings.Endpoint("metrics"));
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = every;
            })
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>Registered first, so stopped last: what the others did while stopping is sent too.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        var limit = (int)FlushLimit.TotalMilliseconds;
        return Task.WhenAll(Task.Run(() => _traces?.Shutdown(limit), CancellationToken.None), Task.Run(() => _metrics?.Shutdown(limit), CancellationToken.None));
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private static void Send(OtlpExporterOptions otlp, Uri endpoint)
    {
        otlp.Protocol = OtlpExportProtocol.HttpProtobuf;
        otlp.Endpoint = endpoint;
        otlp.TimeoutMilliseconds = 5000;
    }

    private static void Describe(ResourceBuilder resource) =>
        resource.AddService("gateway", serviceVersion: Assembly.GetExecutingAssembly().GetName().Version?.ToString(3), serviceInstanceId: $"{Environment.MachineName}:{Environment.ProcessId}");
}

public static class TelemetrySetup
{
    /// <summary>Call before any other hosted service is added. Without an endpoint nothing listens, and the signals cost nothing.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TelemetryOptions>().BindConfiguration(TelemetryOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        if (configuration[$"{TelemetryOptions.Section}:{nameof(TelemetryOptions.OtlpEndpoint)}"] is { Length: > 0 })
        {
            // Has the framework say method and status in its request spans.
            AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
            services.AddHostedService<TelemetryExport>();
            services.AddHostedService<QueueGauges>();
        }
        return services;
    }

    /// <summary>Names request spans by their route, which is ours, instead of their path, which is the caller's.</summary>
    public static void UseRoutesInSpans(this WebApplication app) => app.Use((context, next) =>
    {
        if (Activity.Current is { } request && context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            request.SetTag("http.route", route);
            request.DisplayName = $"{context.Request.Method} {route}";
        }
        return next(context);
    });
}
