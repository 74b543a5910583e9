using Gateway.Alarms;
using Gateway.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Quartz;

namespace Gateway.Scheduling;

public static class SchedulingSetup
{
    // Chores wait for rows, not for processors.
    private const int AtOnce = 4;

    /// <summary>Quartz as a clock on this database, and the node's own timer. Slices add their chores by <see cref="ChoreSetup"/>.</summary>
    public static IServiceCollection AddScheduling(this IServiceCollection services)
    {
        services.AddOptions<SchedulingOptions>().BindConfiguration(SchedulingOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<NodeFaults>();
        services.AddSingleton<RunChore>();
        // Not at the start: after a night without any node everything is late until the clock has begun.
        services.AddNodeChore<WatchClock>("watch-clock", TimeSpan.FromMinutes(1), atStart: false);
        services.AddNodeChore<WatchDurability>("watch-durability", TimeSpan.FromMinutes(1));
        services.AddAlarm(new AlarmCondition("alarm.clock", AlarmSeverity.Error, "chores that are overdue", async (provider, work, ct) =>
            (await ClockState.OverdueAsync(work.Connection, provider.GetRequiredService<IOptions<SchedulingOptions>>().Value.OverdueAfter, ct))
                .Select(o => new AlarmFinding(o.Chore, $"The chore {o.Chore} is overdue: the scheduler stands still with it ({o.State}).", "settings/health", DateTime.UtcNow - o.By))));
        services.AddAlarm(new AlarmCondition("alarm.node", AlarmSeverity.Error, "faults that a node has found with itself", (provider, _, _) => Task.FromResult(
            provider.GetRequiredService<NodeFaults>().Named.Where(f => f.What != WatchClock.Fault) // which is an alarm of its own
                .Select(f => new AlarmFinding(f.What, $"The node {Environment.MachineName} has found a fault with itself ({f.What}); Settings, Health tells which.", "settings/health", null, f.Fault.IsFatal ? null : AlarmSeverity.Warning)))) { IsOfNode = true });
        services.AddHostedService<NodeClock>();
        services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(s =>
            {
                s.InstanceName = ChoreClock.Scheduler;
                s.GenerateInstanceId = true;
                s.ShutdownJobInterruption = ShutdownJobInterruption.Always;
            });
            quartz.UseDefaultThreadPool(AtOnce);
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(source => source.DataSourceFactory = provider => provider.GetRequiredService<GatewayDatabase>().Source);
                store.UseSystemTextJsonSerializer();
                store.UseClustering();
                store.ConfigureStore(s => s.TablePrefix = "quartz.qrtz_");
            });
        });
        // Death of a node and lateness of a firing are judged by one measure.
        services.AddOptions<ClusteringOptions>().Configure<IOptions<SchedulingOptions>>((cluster, ours) =>
        {
            cluster.CheckinInterval = ours.Value.CheckinInterval;
            cluster.CheckinMisfireThreshold = 3 * ours.Value.CheckinInterval;
        });
        services.AddOptions<AdoJobStoreOptions>().Configure<IOptions<SchedulingOptions>>((store, ours) => store.MisfireThreshold = 3 * ours.Value.CheckinInterval);
        services.AddHostedService<ChoreClock>();
        return services;
    }
}
