using System.Diagnostics.Metrics;
using Gateway.Capture;
using Gateway.Delivery;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Host.Telemetry;

/// <summary>Shows what waits. The exporter's callback never asks the database: it is told what was read last, or nothing when reading failed.</summary>
public sealed partial class QueueGauges : BackgroundService
{
    private readonly CaptureDepth _captures;
    private readonly DeliveryDepth _deliveries;
    private readonly TimeSpan _every;
    private readonly ILogger<QueueGauges> _log;
    private readonly Meter _meter = new(GatewayMeter.Name);
    private volatile Depth? _last;

    public QueueGauges(CaptureDepth captures, DeliveryDepth deliveries, IOptions<TelemetryOptions> options, ILogger<QueueGauges> log)
    {
        _captures = captures;
        _deliveries = deliveries;
        _every = options.Value.ExportEvery;
        _log = log;
        _meter.CreateObservableGauge("gateway.captures.open", () => Of<long>(d => [new Measurement<long>(d.Captures)]), "{capture}", "Documents accepted and not yet decided.");
        _meter.CreateObservableGauge("gateway.captures.age", () => Of<double>(d => [new Measurement<double>(d.CaptureAge.TotalSeconds)]), "s", "Age of the oldest document not yet decided.");
        _meter.CreateObservableGauge("gateway.deliveries", () => Of<long>(d => d.Deliveries.Select(s => new Measurement<long>(s.Value, new KeyValuePair<string, object?>("state", s.Key)))), "{delivery}", "Deliveries that wait, by stored state: due, or dead until a person decides.");
        _meter.CreateObservableGauge("gateway.deliveries.age", () => Of<double>(d => [new Measurement<double>(d.DeliveryAge.TotalSeconds)]), "s", "How long the most overdue delivery is due.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every);
        do
        {
            try
            {
                var (open, age) = await _captures.ReadAsync(stoppingToken);
                var (byState, oldest) = await _deliveries.ReadAsync(stoppingToken);
                _last = new Depth(open, age, byState, oldest);
            }
            catch (NpgsqlException e)
            {
                _last = null;
                Unread(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    private IEnumerable<Measurement<T>> Of<T>(Func<Depth, IEnumerable<Measurement<T>>> read)
        where T : struct => _last is { } last ? read(last) : [];

    [LoggerMessage(3101, LogLevel.Warning, "The queues could not be measured: {Reason}")]
    private partial void Unread(string reason);

    private sealed record Depth(long Captures, TimeSpan CaptureAge, IReadOnlyDictionary<string, long> Deliveries, TimeSpan DeliveryAge);
}
