using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Validation;

public static class ValidationSetup
{
    /// <summary>Tells in every answer what the installation is.</summary>
    public const string Header = "Gateway-Validated-State";

    /// <param name="host">Whose options are compared besides the gateway's own.</param>
    public static IServiceCollection AddValidation(this IServiceCollection services, IConfiguration configuration, System.Reflection.Assembly host, string dataDirectory)
    {
        services.AddOptions<ValidationOptions>().BindConfiguration(ValidationOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.Block.All(Permissions.All.Contains), "Validation:Block names permissions, such as capture or deliveries.decide.").ValidateOnStart();
        services.AddSingleton(provider => FingerprintOf(provider.GetRequiredService<GatewayDatabase>(), configuration, host, dataDirectory));
        services.AddSingleton<ValidationStatus>();
        services.AddSingleton<ReadValidation>();
        services.AddSingleton<Baselines>();
        services.AddSingleton<ChangeRecords>();
        services.AddSingleton<WatchValidation>();
        services.AddHostedService(provider => provider.GetRequiredService<WatchValidation>());
        return services;
    }

    /// <summary>What reads the fingerprint of a program with this configuration.</summary>
    public static Fingerprint FingerprintOf(GatewayDatabase database, IConfiguration configuration, System.Reflection.Assembly host, string dataDirectory) =>
        new(database, new GxpSettings(configuration, OptionsSection.In(typeof(ValidationSetup).Assembly).Concat(OptionsSection.In(host))), dataDirectory);

    /// <summary>Stands before everything, so that no answer is without the header.</summary>
    public static void UseValidationHeader(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Header] = context.RequestServices.GetRequiredService<ValidationStatus>().Now.State;
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>Stands after authentication: whoever may not do it anyway is told that first.</summary>
    public static void UseValidationBlock(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        var status = context.RequestServices.GetRequiredService<ValidationStatus>();
        var withheld = context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy).FirstOrDefault(status.Withholds);
        return withheld is null || !context.User.Has(withheld) ? next(context) : FailureAnswers.WriteAsync(context, Problems.NotValidated(withheld, status.Now.State));
    });
}
