using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary><c>gateway ledger verify</c>: makes the unit ledger anew from the stored events and compares it with the live one.</summary>
public static class LedgerCommand
{
    public static Command Create() => new("ledger", "The unit ledger: is it what the stored events make of it?")
    {
        Verify(),
    };

    private static Command Verify()
    {
        var json = new Option<bool>("--json") { Description = "The outcome as a JSON object." };
        var command = new Command("verify", "Make the ledger anew from the stored events and compare it with the live one, unit by unit. Captures go on meanwhile. Exit 0: equal; 1: the first unit that differs is named.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var verification = new LedgerVerification(database.Gateway, new UnitLedgers(new KnownMasterData(new MasterDataRecords(database.Gateway))));
            var started = Stopwatch.GetTimestamp();
            var progress = Console.IsErrorRedirected ? null : new Progress<long>(units => Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{units:N0} units ")));
            var verified = await verification.RunAsync(Actor.System("command line"), progress, ct);
            if (progress is not null)
            {
                await Console.Error.WriteAsync("\r");
            }
            await WriteAsync(verified, Stopwatch.GetElapsedTime(started), parsed.GetValue(json));
            return verified.Difference is null ? 0 : 1;
        });
        return command;
    }

    private static async Task WriteAsync(LedgerVerified verified, TimeSpan took, bool json)
    {
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(new { equal = verified.Difference is null, verified.Units, verified.Events, verified.Archived, verified.Difference }, JsonSerializerOptions.Web));
            return;
        }
        if (verified.Difference is not { } difference)
        {
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"equal: {verified.Units:N0} units rebuilt from {verified.Events:N0} events in {took.TotalSeconds:0.0} s"));
            if (verified.Archived > 0)
            {
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{verified.Archived:N0} units rest on events that are in the archive, and were not compared"));
            }
            return;
        }
        await Console.Out.WriteLineAsync($"different: {difference.Epc}");
        await Console.Out.WriteLineAsync($"  stored:  {difference.Stored ?? "no such unit"}");
        await Console.Out.WriteLineAsync($"  rebuilt: {difference.Rebuilt ?? "no such unit"}");
    }
}
