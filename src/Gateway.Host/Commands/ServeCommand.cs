using System.CommandLine;

namespace Gateway.Host.Commands;

/// <summary><c>gateway serve</c>: the gateway without demonstration data.</summary>
public static class ServeCommand
{
    public static Command Create()
    {
        var set = new Option<string[]>("--set") { Description = "A setting that stands above files and environment, such as Capture:MaxEvents=1000; more than once." };
        var command = new Command("serve", "Serve the gateway until it is stopped.") { set };
        command.SetAction(async (parsed, ct) =>
        {
            var settings = Settings(parsed.GetValue(set) ?? []);
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            if (await database.ScalarAsync<string>("select kind from installation", ct) == "demonstration")
            {
                throw new WrongUseException("This data directory holds a demonstration: run gateway demo, or choose another GATEWAY_DATA.");
            }
            await using var app = GatewayHost.Build(database, settings);
            await app.StartAsync(ct);
            await Console.Out.WriteLineAsync($"The gateway serves {app.Urls.First()}. Stop with Ctrl-C.");
            if (!await database.ScalarAsync<bool>("select exists (select from api_key)", ct))
            {
                await Console.Out.WriteLineAsync("There is no key yet: gateway key add --role administrator --name \"First administrator\"");
            }
            await app.WaitForShutdownAsync(ct);
            return GatewayHost.ExitCode(app);
        });
        return command;
    }

    private static Dictionary<string, string?> Settings(IEnumerable<string> given) => given
        .Select(g => g.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? KeyValuePair.Create(g[..at], (string?)g[(at + 1)..]) : throw new WrongUseException($"--set takes NAME=VALUE, such as Capture:MaxEvents=1000; got {g}."))
        .GroupBy(s => s.Key, StringComparer.OrdinalIgnoreCase).ToDictionary(s => s.Key, s => s.Last().Value);
}
