using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Operations;

public static class OperationSetup
{
    public static IServiceCollection AddOperations(this IServiceCollection services)
    {
        services.AddOptions<OperationOptions>().BindConfiguration(OperationOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<BeginOperation>();
        services.AddSingleton<OperationOverview>();
        services.AddSingleton<OperationControl>();
        services.AddSingleton<RunOperation>();
        services.AddHostedService<OperationWorker>();
        return services;
    }
}
