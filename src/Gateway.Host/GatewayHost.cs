using Gateway.Access;
using Gateway.Alarms;
using Gateway.Audit;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Composing;
using Gateway.Delivery;
using Gateway.Delivery.Testing;
using Gateway.Devices;
using Gateway.Exceptions;
using Gateway.Host.Dashboard;
using Gateway.Host.Telemetry;
using Gateway.Http;
using Gateway.Hub;
using Gateway.Http.Help;
using Gateway.Intake;
using Gateway.Lines;
using Gateway.MasterData;
using Gateway.Operations;
using Gateway.Partners;
using Gateway.Query;
using Gateway.Scheduling;
using Gateway.Serials;
using Gateway.Shipments;
using Gateway.Units;
using Gateway.Validation;

namespace Gateway.Host;

/// <summary>The web host, read as a table of contents.</summary>
public static class GatewayHost
{
    /// <summary>appsettings.json beside the executable, then environment variables.</summary>
    public static IConfiguration Configuration() => new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddEnvironmentVariables()
        .Build();

    /// <param name="settings">Settings that stand above files and environment: those of the demonstration and of tests.</param>
    public static WebApplication Build(RunningDatabase database, IReadOnlyDictionary<string, string?>? settings = null)
    {
        // Static files and samples stand beside the executable, wherever it is started.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "Gateway.Host" });
        builder.Configuration.AddInMemoryCollection(settings ?? new Dictionary<string, string?>());
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(HttpOptions.Read(builder.Configuration).Apply);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(3));
        builder.AddLog();
        builder.Services.AddTelemetry(builder.Configuration);

        builder.Services.AddSingleton(database.Gateway);
        builder.Services.AddKeyRing(builder.Configuration, DataDirectory.Path);
        builder.Services.AddSealing(builder.Configuration, database.Sealer, DataDirectory.Path);
        builder.Services.AddFailureAnswers();
        builder.Services.AddRateLimits();
        builder.Services.AddAccess();
        builder.Services.AddExceptions();
        builder.Services.AddAlarms();
        builder.Services.AddPartners();
        builder.Services.AddMasterData();
        builder.Services.AddSerials();
        builder.Services.AddUnits();
        builder.Services.AddLots();
        builder.Services.AddDelivery();
        builder.Services.AddComposing();
        builder.Services.AddShipments();
        builder.Services.AddHub();
        builder.Services.AddOperations();
        builder.Services.AddSingleton(services => new CaptureRouting(services.GetRequiredService<RouteCapture>().RouteAsync)
        {
            Numbers = new CaptureNumbers(services.GetRequiredService<HearOfNumbers>().AreAnyAsync, (work, told, ct) => HearOfNumbers.HearAsync(work, told.Encoded, told.Unused, told.Voided, ct)),
        });
        builder.Services.AddIntake();
        builder.Services.AddCapture();
        builder.Services.AddInboundFetching();
        builder.Services.AddDevices();
        builder.Services.AddLines();
        builder.Services.AddDeviceCommands();
        builder.Services.AddLineHolds();
        builder.Services.AddScheduling();
        builder.Services.AddValidation(builder.Configuration, typeof(GatewayHost).Assembly, DataDirectory.Path);
        builder.Services.AddDashboard();
        builder.Services.AddOpenApi();

        var app = builder.Build();
        app.UseSecurityHeaders();
        app.UseValidationHeader();
        app.UseFailureAnswers();
        app.UseCheckpointHeader(app.Services.GetRequiredService<NewestCheckpoint>());
        app.UseRoutesInSpans();
        app.UseStaticFiles(); // before authentication: styles and scripts are open to all
        app.UseAuthentication();
        app.UseRateLimiter(); // knows the key by now, and comes before anything is done for it
        app.UseValidationBlock();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.UseWebSockets();
        app.MapCapture();
        app.MapIntake();
        app.MapQuery();
        app.MapPartners();
        app.MapPartnerTests();
        app.MapScorecards();
        app.MapMasterData();
        app.MapSerials();
        app.MapUnits();
        app.MapLots();
        app.MapRecalls();
        app.MapDeliveries();
        app.MapComposing();
        app.MapShipments();
        app.MapHub();
        app.MapOperations();
        app.MapExceptions();
        app.MapAlarms();
        app.MapDevices();
        app.MapLines();
        app.MapDeviceCommands();
        app.MapValidation();
        app.MapKeys();
        app.MapPeople();
        app.MapAudit();
        app.MapDashboard();
        app.MapHelp();
        app.MapOpenApi().RequireAuthorization();
        app.MapGet("/health/live", () => Results.Text("live")).AllowAnonymous().DisableRateLimiting();
        app.MapGet("/health/ready", ReadyAsync).AllowAnonymous().DisableRateLimiting();
        return app;
    }

    /// <summary>0 when the host was told to stop; 1 when one of its workers ended it, so that whoever started it starts it again.</summary>
    public static int ExitCode(IHost app) => app.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(worker => worker.ExecuteTask is { IsFaulted: true }) ? 1 : 0;

    private static async Task<IResult> ReadyAsync(GatewayDatabase database, NodeFaults faults, CancellationToken ct)
    {
        try
        {
            await using var command = database.Source.CreateCommand("select max(version) from schema_version");
            if (await command.ExecuteScalarAsync(ct) is not int version || version != Migrator.Newest)
            {
                return Results.Text("schema differs", statusCode: 503);
            }
            var found = faults.All;
            var isReady = !found.Any(f => f.IsFatal);
            return Results.Text(string.Join("; ", found.Select(f => f.Detail).Prepend(isReady ? "ready" : "not ready")), statusCode: isReady ? 200 : 503);
        }
        catch (Npgsql.NpgsqlException)
        {
            return Results.Text("database unreachable", statusCode: 503);
        }
    }
}
