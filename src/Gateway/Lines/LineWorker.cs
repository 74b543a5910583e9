using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Lines;

/// <summary>Applies what devices said, again and again.</summary>
internal sealed partial class LineWorker(ApplyMessages apply, IOptions<LineOptions> options, TimeProvider time, ILogger<LineWorker> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await apply.RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException or IOException or TimeoutException)
            {
                Interrupted(e);
            }
            await Task.Delay(options.Value.ApplyEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(1872, LogLevel.Warning, "Applying what devices said is interrupted; it goes on by itself.")]
    private partial void Interrupted(Exception exception);
}
