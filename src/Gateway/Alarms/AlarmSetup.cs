using Gateway.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Alarms;

public static class AlarmSetup
{
    /// <summary>The slice itself; what can be wrong, the other slices add by <see cref="AlarmConditionSetup"/>.</summary>
    public static IServiceCollection AddAlarms(this IServiceCollection services)
    {
        services.AddOptions<AlarmOptions>().BindConfiguration(AlarmOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AlarmSecrets>();
        services.AddSingleton<AlarmNotices>();
        services.AddSingleton<AlarmList>();
        services.AddSingleton<AlarmDecisions>();
        services.AddSingleton<AlarmSilences>();
        services.AddSingleton<AlarmTargets>();
        services.AddSingleton<IAlarmSender, EmailSender>();
        services.AddSingleton<IAlarmSender, WebhookSender>();
        services.AddAlarm(AlarmCondition.Of(AlarmNotices.Unsent, AlarmSeverity.Error, "messages of alarms that cannot be sent", AlarmNotices.UnsentTargets));
        // Not at the start: after a night without any node everything is late until the others have begun.
        services.AddNodeChore<JudgeAlarms>("judge-alarms", TimeSpan.FromSeconds(30), atStart: false);
        services.AddNodeChore<SendNotices>("send-alarm-notices", TimeSpan.FromSeconds(10), atStart: false);
        return services;
    }
}
