using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Gateway.Scheduling;

/// <summary>Starts Quartz once the host serves, gives it the registered chores, and stops it with the host.</summary>
internal sealed partial class ChoreClock(ISchedulerFactory factory, IEnumerable<ChoreRegistration> chores, IHostApplicationLifetime lifetime,
    IOptions<SchedulingOptions> options, ILogger<ChoreClock> log) : BackgroundService
{
    /// <summary>The name under which all nodes share their triggers.</summary>
    public const string Scheduler = "gateway";

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private IScheduler? _scheduler;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            await Task.Delay(options.Value.StartDelay, stoppingToken);
            while (true)
            {
                try
                {
                    await BeginAsync(stoppingToken);
                    return;
                }
                catch (Exception e) when (e is SchedulerException or NpgsqlException)
                {
                    NotBegun(e);
                    await Task.Delay(RetryAfter, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops before the clock began.
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_scheduler is { } scheduler)
        {
            // Tells the running chores to end and waits for them, as long as the host may take to stop.
            await scheduler.Shutdown(true, cancellationToken);
        }
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var whenStarted = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    private async Task BeginAsync(CancellationToken ct)
    {
        var scheduler = _scheduler ??= await factory.GetScheduler(ct);
        var mine = chores.Where(c => !c.OnEveryNode).ToList();
        foreach (var chore in mine)
        {
            await ScheduleAsync(scheduler, chore, ct);
        }
        await scheduler.Start(ct);
        Begun(mine.Count);
    }

    // A trigger already there with the same interval keeps its times: a restart of one node must not move the cluster's clock.
    private static async Task ScheduleAsync(IScheduler scheduler, ChoreRegistration chore, CancellationToken ct)
    {
        var key = new TriggerKey(chore.Name);
        if (await scheduler.GetTrigger(key, ct) is ISimpleTrigger there && there.RepeatInterval == chore.Every)
        {
            return;
        }
        var job = JobBuilder.Create<ChoreJob>().WithIdentity(chore.Name).Build();
        var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(job).StartNow()
            .WithSimpleSchedule(s => s.WithInterval(chore.Every).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.FireNow)).Build();
        await scheduler.ScheduleJob(job, [trigger], ScheduleJobOptions.Replacing, ct);
    }

    [LoggerMessage(3030, LogLevel.Information, "The clock runs with {Chores} chores.")]
    private partial void Begun(int chores);

    [LoggerMessage(3031, LogLevel.Warning, "The clock could not begin and tries again.")]
    private partial void NotBegun(Exception e);
}
