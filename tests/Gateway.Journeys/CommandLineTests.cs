using System.Diagnostics;
using Gateway.Host;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Journeys;

/// <summary>How a verb ends when it cannot do its work.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("GATEWAY_DATA", "/dev/null/data", "/dev/null/data", "doctor")]
    [InlineData("ConnectionStrings__Gateway", "Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=2", "The database cannot be used", "doctor")]
    [InlineData("GATEWAY_KEY", "x", "The gateway does not answer", "submit", "--url", "http://127.0.0.1:1/", "Gateway.Host.dll")]
    public async Task What_the_surroundings_do_wrong_is_told_in_a_sentence(string variable, string value, string sentence, params string[] verb)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = AppContext.BaseDirectory };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), .. verb])
        {
            info.ArgumentList.Add(argument);
        }
        info.Environment.Remove("ConnectionStrings__Gateway");
        info.Environment[variable] = value;
        using var process = Process.Start(info)!;
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task A_host_that_a_worker_ended_ends_as_failed(bool breaks, int exitCode)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddHostedService(_ => new Worker(breaks));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        if (!breaks)
        {
            host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        }
        await host.WaitForShutdownAsync(TestContext.Current.CancellationToken);
        Assert.Equal(exitCode, GatewayHost.ExitCode(host));
    }

    private sealed class Worker(bool breaks) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
            breaks ? Task.FromException(new InvalidOperationException("The worker breaks.")) : Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
