using Gateway.Alarms;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Audit;

/// <summary>
/// Seals the trail as long as the gateway runs. Nodes take turns; whichever comes first has the turn. Nothing is sealed before the
/// database is known to have what is outside, at the start and after each disturbance: it may have been restored.
/// </summary>
public sealed partial class Sealer(SealEntries seal, SignSeals sign, NodeFaults faults, IOptions<AuditOptions> options, TimeProvider time, ILogger<Sealer> log) : BackgroundService
{
    private const string What = "audit trail";
    private static readonly TimeSpan SignEvery = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Every, time);
        var isKnown = false;
        var signedAt = time.GetTimestamp();
        do
        {
            try
            {
                if (isKnown)
                {
                    await seal.RunAsync(stoppingToken);
                }
                if (!isKnown || time.GetElapsedTime(signedAt) >= SignEvery)
                {
                    signedAt = time.GetTimestamp();
                    await sign.RunAsync(stoppingToken);
                    isKnown = true;
                    if (faults.Mended(What))
                    {
                        Resumed();
                    }
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is TrailRewoundException or InvalidOperationException or SealKeyException or PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege })
            {
                isKnown = false;
                sign.Forget();
                if (faults.Found(What, $"The audit trail is not sealed. {e.Message}", isFatal: false))
                {
                    Refused(e.Message);
                }
            }
            catch (Exception e)
            {
                // Whatever it is, captures go on.
                isKnown = false;
                sign.Forget();
                if (faults.Found(What, "Sealing of the audit trail is interrupted.", isFatal: false))
                {
                    Interrupted(e);
                }
            }
        }
        while (await WaitAsync(timer, stoppingToken));
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(1701, LogLevel.Critical, "The audit trail is not sealed: {Reason} A person has to look.")]
    private partial void Refused(string reason);

    [LoggerMessage(1702, LogLevel.Warning, "Sealing of the audit trail is interrupted; it goes on when it can.")]
    private partial void Interrupted(Exception exception);

    [LoggerMessage(1703, LogLevel.Information, "The audit trail is sealed again.")]
    private partial void Resumed();
}

/// <summary>What sealing has outside the database.</summary>
public sealed record SealingFiles(SealKey Key, AnchorFile Anchor) : IDisposable
{
    /// <param name="dataDirectory">Where both are when they are not configured.</param>
    /// <param name="make">Makes a key where there is none.</param>
    /// <exception cref="SealKeyException">The key cannot be used.</exception>
    public static SealingFiles Open(IConfiguration configuration, string dataDirectory, bool make)
    {
        var options = configuration.GetSection(AuditOptions.Section).Get<AuditOptions>() ?? new AuditOptions();
        return new SealingFiles(
            SealKey.Open(options.SealKey is { Length: > 0 } key ? key : Path.Combine(dataDirectory, "audit-key.pem"), make),
            new AnchorFile(options.AnchorFile is { Length: > 0 } anchor ? anchor : Path.Combine(dataDirectory, "audit-anchor.txt")));
    }

    public void Dispose() => Key.Dispose();
}

public static class SealingSetup
{
    /// <param name="dataDirectory">Where the key and the anchor file are when they are not configured.</param>
    public static IServiceCollection AddSealing(this IServiceCollection services, IConfiguration configuration, GatewayDatabase sealer, string dataDirectory)
    {
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(new SealerDatabase(sealer));
        services.AddSingleton(_ => SealingFiles.Open(configuration, dataDirectory, make: true));
        services.AddSingleton(provider => provider.GetRequiredService<SealingFiles>().Key);
        services.AddSingleton(provider => provider.GetRequiredService<SealingFiles>().Anchor);
        services.AddSingleton<NewestCheckpoint>();
        services.AddSingleton<CaptureReceipts>();
        services.AddSingleton<TrailProofs>();
        services.AddSingleton<AuditSearch>();
        services.AddSingleton<AuditReviews>();
        services.AddSingleton<CheckTrail>();
        services.AddSingleton<SealEntries>();
        services.AddSingleton<SignSeals>();
        services.AddAlarm(CheckTrail.Behind);
        services.AddNodeChore<VerifyTrail>("verify-trail", TimeSpan.FromDays(1), atStart: false);
        services.AddHostedService<Sealer>();
        return services;
    }
}
