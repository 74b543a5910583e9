using System.CommandLine;
using Gateway.Database;

namespace Gateway.Host.Commands;

/// <summary><c>gateway migrate</c>: brings the database to this build's schema.</summary>
public static class MigrateCommand
{
    public static Command Create()
    {
        var command = new Command("migrate", "Bring the database to this build's schema.");
        command.SetAction(async (_, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            await Console.Out.WriteLineAsync($"The database has schema {Migrator.Newest}.");
            return 0;
        });
        return command;
    }
}
