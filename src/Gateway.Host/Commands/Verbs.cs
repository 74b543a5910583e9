using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using Gateway.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Host.Commands;

/// <summary>The command line: one verb, one class. Exit 0 good, 1 findings or failure, 2 wrong use.</summary>
public static class Verbs
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("The open serialization gateway for medicines.")
        {
            DemoCommand.Create(),
            ServeCommand.Create(),
            MigrateCommand.Create(),
            DoctorCommand.Create(),
            CheckCommand.Create(),
            ConvertCommand.Create(),
            IntakeCommand.Create(),
            HashCommand.Create(),
            IdentifyCommand.Create(),
            SubmitCommand.Create(),
            WatchCommand.Create(),
            PartnerCommand.Create(),
            DeliveriesCommand.Create(),
            ReplayCommand.Create(),
            ExceptionsCommand.Create(),
            AlarmsCommand.Create(),
            RunCommand.Create(),
            MasterDataCommand.Create(),
            SerialsCommand.Create(),
            DevicesCommand.Create(),
            LedgerCommand.Create(),
            AuditCommand.Create(),
            VerifyCommand.Create(),
            WitnessCommand.Create(),
            ValidationCommand.Create(),
            SimulateCommand.Create(),
            DeviceCheckCommand.Create(),
            TraceCommand.Create(),
            LotCommand.Create(),
            ReconcileCommand.Create(),
            HubCommand.Create(),
            RecallCommand.Create(),
            KeyCommand.Create(),
            PersonCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }
            await Console.Error.WriteLineAsync("Try: gateway --help");
            return 2;
        }
        try
        {
            // Its own handler would print a stack trace where a sentence with the remedy is meant. A host that is told to
            // stop ends by itself: cut off after two seconds as other verbs are, it would leave requests without an answer and its server running.
            var isHost = parsed.CommandResult.Command.Name is "serve" or "demo";
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = isHost ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(2) });
        }
        catch (Exception e) when (Remedy(e) is { } remedy)
        {
            await Console.Error.WriteLineAsync(remedy);
            return e is WrongUseException ? 2 : 1;
        }
    }

    /// <returns>A sentence for what surroundings and settings can do wrong; null for a fault of the program, whose trace is wanted.</returns>
    private static string? Remedy(Exception e) => e switch
    {
        PostgresUnavailableException or UnsupportedDatabaseException or KeyRingException or Audit.SealKeyException or Audit.TrailRewoundException or WrongUseException => e.Message,
        ValidationException or OptionsValidationException => $"A setting cannot be used: {e.Message}",
        UnauthorizedAccessException => $"{e.Message} The data directory is {DataDirectory.Path}: check its rights, or choose another with GATEWAY_DATA.",
        NpgsqlException => $"The database cannot be used: {e.Message} Check ConnectionStrings:Gateway, or the log of the embedded server in {DataDirectory.Path}.",
        HttpRequestException => $"The gateway does not answer: {e.Message}",
        IOException => e.Message,
        _ => null,
    };
}

/// <summary>The command was understood and cannot be done as asked; the message is a sentence with the remedy.</summary>
public sealed class WrongUseException(string message) : Exception(message);
