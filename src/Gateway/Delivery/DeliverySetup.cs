using Gateway.Delivery.Channels;
using Gateway.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Delivery;

public static class DeliverySetup
{
    public static IServiceCollection AddDelivery(this IServiceCollection services)
    {
        services.AddOptions<DeliveryOptions>().BindConfiguration(DeliveryOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OutgoingHttp>();
        services.AddSingleton<IChannel, HttpsChannel>();
        services.AddSingleton<IChannel, EpcisChannel>();
        services.AddSingleton<IChannel, SftpChannel>();
        services.AddSingleton<IChannel, FolderChannel>();
        services.AddSingleton<RouteCapture>();
        services.AddSingleton<DeliveryQueue>();
        services.AddSingleton<ComposeQueue>();
        services.AddSingleton<DeliverOne>();
        services.AddSingleton<DeliverDue>();
        services.AddSingleton<DeliveryDecisions>();
        services.AddSingleton<DeliveryOverview>();
        services.AddSingleton<DeliveryDepth>();
        services.AddSingleton<Testing.TestPartner>();
        services.AddSingleton<Scorecards>();
        services.AddChore<FindOverdueReceipts>("find-overdue-receipts", TimeSpan.FromMinutes(5));
        services.AddChore<EndAbandonedAttempts>("end-abandoned-attempts", TimeSpan.FromMinutes(1));
        services.AddNodeChore<RemoveLeftSessions>("remove-left-sessions", TimeSpan.FromMinutes(10));
        services.AddDeliveryAlarms();
        services.AddHostedService<DeliveryWorker>();
        return services;
    }
}
