using Gateway.Database;
using Gateway.MasterData;
using Gateway.Scheduling;
using Gateway.Units;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Capture;

/// <summary>Processes captures as they arrive: woken by the database, with the clock as safety net.</summary>
internal sealed partial class CaptureWorker(GatewayDatabase database, ProcessCapture process, IOptions<CaptureOptions> options, ILogger<CaptureWorker> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException)
            {
                Interrupted(e);
                await Task.Delay(options.Value.Sweep, stoppingToken);
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var ear = await database.OpenSessionAsync(ct);
        await using (var listen = new NpgsqlCommand("listen capture_arrived", ear))
        {
            await listen.ExecuteNonQueryAsync(ct);
        }
        while (true)
        {
            while (await process.RunAsync(ct))
            {
            }
            await ear.WaitAsync(options.Value.Sweep, ct);
        }
    }

    [LoggerMessage(1020, LogLevel.Warning, "Processing of captures is interrupted; it goes on when the database answers.")]
    private partial void Interrupted(Exception exception);
}

public static class CaptureSetup
{
    /// <summary>Register a <see cref="CaptureRouting"/> beforehand to queue deliveries with each capture.</summary>
    public static IServiceCollection AddCapture(this IServiceCollection services)
    {
        services.AddOptions<CaptureOptions>().BindConfiguration(CaptureOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RuleOptions>().BindConfiguration(RuleOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<CaptureRules>();
        services.AddMasterData();
        services.TryAddSingleton<UnitLedgers>();
        services.TryAddSingleton(new CaptureRouting(null));
        services.TryAddSingleton(new MappedDocuments(Opener: null));
        services.AddSingleton<UploadLimit>();
        services.AddSingleton<SmallCaptures>();
        services.AddSingleton<AcceptCapture>();
        services.AddSingleton<CheckDocument>();
        services.AddSingleton<TakeFile>();
        services.AddHostedService<WatchInbound>();
        services.AddSingleton<CaptureReading>();
        services.AddSingleton(s => new UploadFiles(s.GetRequiredService<AcceptCapture>(), s.GetRequiredService<UploadLimit>(), s.GetRequiredService<IAntiforgery>(),
            s.GetRequiredService<IOptions<AntiforgeryOptions>>(), s.GetRequiredService<IOptions<CaptureOptions>>(), s.GetRequiredService<CheckDocument>()));
        services.AddSingleton<ProcessCapture>();
        services.AddSingleton<CaptureHistory>();
        services.AddSingleton<CaptureDepth>();
        services.AddChore<MakePartitions>("make-partitions", TimeSpan.FromHours(12));
        services.AddCaptureAlarms();
        services.AddChore<FindStuckCaptures>("find-stuck-captures", TimeSpan.FromMinutes(5));
        services.TryAddSingleton(TimeProvider.System);
        services.AddNodeChore<RemoveLeftBodies>("remove-left-bodies", TimeSpan.FromHours(1));
        services.AddHostedService<CaptureWorker>();
        return services;
    }

    /// <summary>Fetches documents from partners' SFTP servers; register partners and deliveries beforehand.</summary>
    public static IServiceCollection AddInboundFetching(this IServiceCollection services) => services.AddChore<FetchInbound>("fetch-inbound", TimeSpan.FromMinutes(1));
}
