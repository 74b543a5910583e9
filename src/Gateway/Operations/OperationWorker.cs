using Gateway.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Operations;

/// <summary>Gives every running operation its turn, side by side, once each look.</summary>
public sealed partial class OperationWorker(RunOperation run, IOptions<OperationOptions> options, TimeProvider time, ILogger<OperationWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var ended = 0;
            try
            {
                ended = (await Task.WhenAll((await run.RunnableAsync(stoppingToken)).Select(id => run.RunAsync(id, stoppingToken)))).Sum();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException or IOException or TimeoutException)
            {
                Interrupted(e);
            }
            if (ended == 0)
            {
                await Task.Delay(options.Value.CheckEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(2203, LogLevel.Error, "Operations were interrupted and will go on by themselves.")]
    private partial void Interrupted(Exception e);
}
