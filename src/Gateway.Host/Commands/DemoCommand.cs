using System.CommandLine;

namespace Gateway.Host.Commands;

/// <summary><c>gateway demo</c>: a living plant on loopback.</summary>
public static class DemoCommand
{
    public static Command Create()
    {
        var command = new Command("demo", "Run the demonstration: simulated CMO and partners on loopback.");
        command.SetAction(async (_, ct) => await Demonstration.RunAsync(ct));
        return command;
    }
}
