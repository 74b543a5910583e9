using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Delivery;
using Gateway.Operations;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway replay</c>: begins an operation that sends delivered documents of one partner once more; a running gateway carries it out.</summary>
public static class ReplayCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create()
    {
        var partner = new Option<string>("--partner") { Description = "The partner's GLN.", Required = true };
        var narrowing = new Dictionary<string, Option<string?>>
        {
            ["day"] = new("--day") { Description = "Only documents received on this day of UTC, such as 2026-11-21." },
            ["from"] = new("--from") { Description = "Only delivered at this moment (UTC) or later." },
            ["to"] = new("--to") { Description = "Only delivered before this moment (UTC)." },
            ["text"] = new("--text") { Description = "Only this number or message, or an ordering key that begins so." },
        };
        var reason = new Option<string?>("--reason") { Description = "Why; kept in the audit trail." };
        var confirm = new Option<string?>("--confirm") { Description = $"The partner's name, when it is more than {BeginOperation.ManyItems} deliveries." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell how many would be taken, and why others would not." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("replay", "Send delivered documents of one partner once more.") { partner, reason, confirm, dryRun, json };
        foreach (var option in narrowing.Values)
        {
            command.Add(option);
        }
        command.SetAction(async (parsed, ct) =>
        {
            var filter = DeliveryFilter.Read(name => name == "partner" ? parsed.GetValue(partner) : narrowing.TryGetValue(name, out var option) ? parsed.GetValue(option) : null, out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            if (!parsed.GetValue(dryRun) && string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason says why; with --dry-run nothing is sent.");
            }
            var configuration = GatewayHost.Configuration();
            await using var database = await RunningDatabase.OpenAsync(configuration, ct);
            if (parsed.GetValue(dryRun))
            {
                await PreviewAsync(await new DeliveryOverview(database.Gateway).PreviewAsync(CommandLine, filter, "replay", ct), parsed.GetValue(json));
                return 0;
            }
            var options = Options.Create(configuration.GetSection(OperationOptions.Section).Get<OperationOptions>() ?? new OperationOptions());
            var begun = await new BeginOperation(database.Gateway, options).RunAsync(
                CommandLine, new OperationRequest(Guid.NewGuid().ToString(), "replay", filter, parsed.GetValue(reason)!, Confirm: parsed.GetValue(confirm)), ct);
            if (begun.Refused != Refused.None)
            {
                await Console.Error.WriteLineAsync(begun.Detail);
                return 1;
            }
            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(new { operation = begun.OperationId }, JsonSerializerOptions.Web) : $"Operation {begun.OperationId} is begun.");
            return 0;
        });
        return command;
    }

    private static async Task PreviewAsync(IReadOnlyList<PreviewRow> rows, bool json)
    {
        var taken = rows.Where(r => r.Taken).Sum(r => r.Count);
        var left = rows.Where(r => !r.Taken).Select(r => new { State = r.Shown == "dead" ? "needs decision" : r.Shown, r.Count, Why = Why(r.Shown) }).ToList();
        if (json)
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(new { taken, left }, JsonSerializerOptions.Web));
            return;
        }
        await Console.Out.WriteLineAsync($"{taken} of {rows.Sum(r => r.Count)} would be replayed.");
        foreach (var l in left)
        {
            await Console.Out.WriteLineAsync($"{l.Count,8}  {l.State,-14}  {l.Why}");
        }
    }

    private static string Why(string shown) => shown switch
    {
        "dead" => "It was never delivered: retry or close it.",
        "closed" => "It is not to be sent: reopen it first.",
        "held" => "It is yet to be sent, when its hold ends.",
        _ => "It is yet to be sent.",
    };
}
