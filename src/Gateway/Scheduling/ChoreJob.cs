using Quartz;

namespace Gateway.Scheduling;

/// <summary>All that Quartz starts: the chore of that name. One class for every chore, so no stored trigger can name one that is gone.</summary>
internal sealed class ChoreJob(RunChore run) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await run.RunAsync(context.JobDetail.Key.Name, cancellationToken);
}
