using System.CommandLine;

namespace Gateway.Host.Commands;

/// <summary><c>gateway serve</c>: the gateway without demonstration data.</summary>
public static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Serve the gateway until it is stopped.");
        command.SetAction(async (_, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            if (await database.ScalarAsync<string>("select kind from installation", ct) == "demonstration")
            {
                throw new WrongUseException("This data directory holds a demonstration: run gateway demo, or choose another GATEWAY_DATA.");
            }
            await using var app = GatewayHost.Build(database);
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
}
