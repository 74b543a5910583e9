using System.Diagnostics;
using System.Text.Json;
using Gateway.Host;
using Gateway.TestSupport;
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
        var (exitCode, _, errors) = await RunAsync((variable, value), verb);
        Assert.Equal(1, exitCode);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_are_added_listed_and_disabled_and_wrong_use_ends_with_2()
    {
        await using var database = await TestDatabase.CreateAsync();
        string[] anna = ["person", "add", "--user", "anna", "--name", "Anna Berg", "--role", "officer", "--days", "30", "--reason", "hired"];
        var (added, password, _) = await PersonAsync(anna);
        Assert.Equal(0, added);
        Assert.Matches("^[a-z2-7]{5}(-[a-z2-7]{5}){3}\n$", password);
        Assert.Equal("system:command line officer hired", await database.ScalarAsync<string>("select granted_by || ' ' || role || ' ' || reason from person_role"));
        Assert.True(await database.ScalarAsync<bool>("select must_change and access_until between gateway_now() + interval '29 days' and gateway_now() + interval '30 days' from person"));

        var (listed, text, _) = await PersonAsync("person", "list");
        Assert.Equal(0, listed);
        Assert.Matches("^anna +active +officer\n$", text);
        var (_, lines, _) = await PersonAsync("person", "list", "--json");
        using (var json = JsonDocument.Parse(lines))
        {
            Assert.Equal(("anna", "Anna Berg", "active", "officer"), (json.RootElement.GetProperty("user").GetString(), json.RootElement.GetProperty("name").GetString(), json.RootElement.GetProperty("state").GetString(), json.RootElement.GetProperty("roles")[0].GetString()));
        }

        string[] disable = ["person", "disable", "--user", "ANNA", "--reason", "left"];
        Assert.Equal((0, "", ""), await PersonAsync(disable));
        Assert.Equal("disabled left", await database.ScalarAsync<string>("select state || ' ' || (select reason from audit_entry where entity = 'person' order by ord desc limit 1) from person"));

        foreach (var (verb, sentence) in (IEnumerable<(string[], string)>)
        [
            (anna, "belongs to somebody, or did"), (disable, "is disabled already"), (["person", "disable", "--user", "nobody", "--reason", "x"], "There is nobody named nobody."),
            (["person", "add", "--user", "bert", "--name", "Bert", "--role", "king", "--reason", "x"], "There is no such role."), (["person", "add", "--user", "bert"], "'--name' is required"),
            (["person", "disable", "--user", "anna", "--reason", " "], "A reason is needed."), (["person", "fire"], "fire"),
        ])
        {
            var (exitCode, output, errors) = await PersonAsync(verb);
            Assert.Equal((sentence, 2, ""), (sentence, exitCode, output));
            Assert.Contains(sentence, errors, StringComparison.Ordinal);
        }
        Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from person"));

        Task<(int ExitCode, string Output, string Errors)> PersonAsync(params string[] verb) => RunAsync(("ConnectionStrings__Gateway", database.AdministratorConnectionString), verb);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync((string Name, string Value) variable, string[] verb)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = AppContext.BaseDirectory };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), .. verb])
        {
            info.ArgumentList.Add(argument);
        }
        info.Environment.Remove("ConnectionStrings__Gateway");
        info.Environment[variable.Name] = variable.Value;
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, errors);
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
