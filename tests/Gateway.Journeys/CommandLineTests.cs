using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
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
    public async Task A_stop_that_waits_for_a_request_ends_well()
    {
        await using var database = await TestDatabase.CreateAsync();
        var key = (await TestGateway.MakeKeysAsync(database))["cmo"];
        var data = Directory.CreateTempSubdirectory();
        await using (var host = await ChildHost.StartAsync(database, data.FullName))
        {
            // The rest of the body never comes: the host gives the sender the time that it has for stopping.
            using var sender = new TcpClient();
            await sender.ConnectAsync(host.Url.Host, host.Url.Port, TestContext.Current.CancellationToken);
            await sender.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /capture HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/xml\r\nContent-Length: 1000000\r\n\r\n<?xml"), TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(async () => await database.ScalarAsync<bool>("select exists (select from api_key where last_used_at is not null)"));
            Assert.Equal(0, await host.StopAsync());
        }
        data.Delete(recursive: true);
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

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync((string Name, string Value)? variable, string[] verb, string input = "")
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = AppContext.BaseDirectory };
        foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), .. verb])
        {
            info.ArgumentList.Add(argument);
        }
        info.Environment.Remove("ConnectionStrings__Gateway");
        if (variable is { } set)
        {
            info.Environment[set.Name] = set.Value;
        }
        using var process = Process.Start(info)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, errors);
    }

    [Fact]
    public async Task An_identifier_is_told_in_every_spelling()
    {
        var (exitCode, output, _) = await RunAsync(null, ["identify", "--json", "--prefix", "0614141", "]d201806141411234581728020010LOT/1\u001D216789"]);
        Assert.Equal(0, exitCode);
        using var told = JsonDocument.Parse(output);
        string? Text(string name) => told.RootElement.GetProperty(name).GetString();
        Assert.True(told.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal(
            ("SGTIN", "urn:epc:id:sgtin:0614141.812345.6789", "https://id.gs1.org/01/80614141123458/21/6789", "(01)80614141123458(21)6789", "018061414112345810LOT/1\u001D216789\u001D17280200"),
            (Text("type"), Text("epc"), Text("digitalLink"), Text("elementString"), Text("scanned")));
        Assert.Equal("https://id.gs1.org/01/80614141123458/10/LOT%2F1/21/6789?17=280200", Text("fullDigitalLink"));
        Assert.Equal("(01)80614141123458(10)LOT/1(21)6789(17)280200", Text("fullElementString"));
        Assert.Equal("8", Text("checkDigit"));
        Assert.Equal("0614141", told.RootElement.GetProperty("companyPrefix").GetProperty("value").GetString());
        Assert.Equal("2028-02-29", Assert.Single(told.RootElement.GetProperty("elements").EnumerateArray(), e => e.GetProperty("ai").GetString() == "17").GetProperty("date").GetString());
    }

    [Fact]
    public async Task A_broken_identifier_is_shown_where_it_is_broken_and_ends_with_1()
    {
        var (exitCode, output, _) = await RunAsync(null, ["identify", "https://example.com/01/80614141123459/21/A", "\u001B[2J"]);
        Assert.Equal(1, exitCode);
        Assert.Contains("error gs1.check_digit at character 37", output, StringComparison.Ordinal);
        Assert.Contains("80614141123458", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001B', output);
    }

    [Fact]
    public async Task Identifiers_are_read_from_lines_and_an_epc_uri_tells_the_prefix_of_those_after_it()
    {
        var (exitCode, output, _) = await RunAsync(null, ["identify", "--json", "-"], "(01)80614141123458\r\n\n urn:epc:id:sscc:0614141.0123456789\n(01)80614141123458\n");
        Assert.Equal(0, exitCode);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("epc").GetString());
        Assert.Equal([null, "urn:epc:id:sscc:0614141.0123456789", "urn:epc:idpat:sgtin:0614141.812345.*"], lines);
    }

    [Theory]
    [InlineData("--gcp-length is 6 to 12", "identify", "--gcp-length", "5", "(01)80614141123458")]
    [InlineData("0614: ", "identify", "--prefix", "0614", "(01)80614141123458")]
    [InlineData("There is no file", "identify", "--prefix-table", "/no/such/table.csv", "(01)80614141123458")]
    [InlineData("Required argument", "identify")]
    [InlineData("'--urls' is required", "device-check")]
    [InlineData("--urls is an address", "device-check", "--urls", "https://127.0.0.1:0")]
    [InlineData("--seconds is a number from 1", "device-check", "--urls", "http://127.0.0.1:0", "--seconds", "0")]
    public async Task A_wrong_use_is_told_and_ends_with_2(string sentence, params string[] verb)
    {
        var (exitCode, _, errors) = await RunAsync(null, verb);
        Assert.Equal(2, exitCode);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 1, "failed    registers first           The device sent ")]
    [InlineData(false, 2, "0 passed, 0 failed, 30 not seen.")]
    public async Task A_check_of_a_device_ends_with_1_when_a_case_failed_and_with_2_when_some_were_not_seen(bool hasDevice, int exitCode, string told)
    {
        using var free = new TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        var url = new Uri($"http://{free.LocalEndpoint}");
        free.Stop();
        using var device = new Devices.TestedDevice(url, "a-key", "L1", Devices.DeviceFlaw.NeverRegisters);
        using var off = new CancellationTokenSource();
        var running = hasDevice ? device.RunAsync(off.Token) : Task.CompletedTask;
        var (exit, output, errors) = await RunAsync(null, ["device-check", "--urls", url.GetLeftPart(UriPartial.Authority), "--seconds", "3"]);
        await off.CancelAsync();
        await running;
        Assert.Equal(exitCode, exit);
        Assert.Contains(told, output, StringComparison.Ordinal);
        Assert.Contains($"Listening at {url}", errors, StringComparison.Ordinal);
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
