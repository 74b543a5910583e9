using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Delivery;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway deliveries</c>: the newest deliveries and where they stand, read from the database; and what a person decides about one.</summary>
public static class DeliveriesCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    private delegate Task<Decided> Decision(DeliveryDecisions decisions, long id, string reason, DateTime? until, CancellationToken ct);

    public static Command Create()
    {
        var narrowing = new Dictionary<string, Option<string?>>
        {
            ["state"] = new("--state") { Description = $"Only this state: as stored (due, delivered, dead, closed), or {string.Join(", ", DeliveryFilter.States)}." },
            ["partner"] = new("--partner") { Description = "Only the partner with this GLN." },
            ["code"] = new("--code") { Description = "Only with this code of the last failure." },
            ["why"] = new("--why") { Description = $"Only failed or held for this: {string.Join(", ", DeliveryReason.All.Select(r => r.Code))}." },
            ["reason"] = new("--reason") { Description = $"Only dead for this reason: {string.Join(", ", DeliveryFilter.DeadReasons)}." },
            ["day"] = new("--day") { Description = "Only documents received on this day of UTC, such as 2026-11-21." },
            ["text"] = new("--text") { Description = "Only this number or message, or an ordering key that begins so." },
        };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "One JSON object per delivery." };
        var command = new Command("deliveries", "List the newest deliveries, or decide about one.")
        {
            limit, json,
            Decide("retry", "Send it at once: one that needs a decision, or waits.", (d, id, reason, _, ct) => d.RetryAsync(CommandLine, id, null, reason, ct)),
            Decide("hold", "Keep one that waits from being sent.", (d, id, reason, until, ct) => d.HoldAsync(CommandLine, id, null, reason, until, ct),
                new("--until") { Description = "A moment (UTC) at which it goes on by itself; by default somebody resumes it." }),
            Decide("resume", "Let one go on that a person holds.", (d, id, reason, _, ct) => d.ResumeAsync(CommandLine, id, null, reason, ct)),
            Decide("replay", "Send the same bytes of a delivered one once more, as a delivery of its own.", (d, id, reason, _, ct) => d.ReplayAsync(CommandLine, id, null, reason, ct)),
            Decide("close", "End one that needs a decision, or that a person holds.", (d, id, reason, _, ct) => d.CloseAsync(CommandLine, id, null, reason, ct)),
            Decide("reopen", "Put a closed one back to where it was.", (d, id, reason, _, ct) => d.ReopenAsync(CommandLine, id, null, reason, ct)),
        };
        foreach (var option in narrowing.Values)
        {
            command.Add(option);
        }
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            var filter = DeliveryFilter.Read(name => narrowing.TryGetValue(name, out var option) ? name == "state" ? DeliveryEndpoints.StateOf(parsed.GetValue(option)) : parsed.GetValue(option) : null, out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            foreach (var row in await new DeliveryOverview(database.Gateway).ListAsync(CommandLine, filter, parsed.GetValue(limit), ct))
            {
                await WriteAsync(row, parsed.GetValue(json));
            }
            return 0;
        });
        return command;
    }

    private static Command Decide(string verb, string description, Decision decision, Option<string?>? until = null)
    {
        var id = new Argument<long>("ID") { Description = "The delivery's number, as the list shows it." };
        var reason = new Option<string>("--reason") { Description = "Why; kept in the audit trail.", Required = true };
        var json = new Option<bool>("--json") { Description = "The delivery as a JSON object." };
        var command = new Command(verb, description) { id, reason, json };
        if (until is not null)
        {
            command.Add(until);
        }
        command.SetAction(async (parsed, ct) =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason says why.");
            }
            if (!DeliveryHold.TryReadUntil(until is null ? null : parsed.GetValue(until), out var moment))
            {
                throw new WrongUseException($"--{DeliveryHold.UntilUnknown}");
            }
            var configuration = GatewayHost.Configuration();
            await using var database = await RunningDatabase.OpenAsync(configuration, ct);
            var overview = new DeliveryOverview(database.Gateway);
            var number = parsed.GetValue(id);
            if (await overview.FindAsync(CommandLine, number, ct) is null)
            {
                throw new WrongUseException($"There is no delivery {number}.");
            }
            var options = Options.Create(configuration.GetSection(DeliveryOptions.Section).Get<DeliveryOptions>() ?? new DeliveryOptions());
            var decided = await decision(new DeliveryDecisions(database.Gateway, options), number, parsed.GetValue(reason)!, moment, ct);
            if (decided.Refusal is { } refusal)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            await WriteAsync((await overview.FindAsync(CommandLine, decided.Created ?? number, ct))!, parsed.GetValue(json));
            return 0;
        });
        return command;
    }

    private static Task WriteAsync(DeliveryRow row, bool json)
    {
        var d = DeliveryItem.Of(row);
        return Console.Out.WriteLineAsync(json ? JsonSerializer.Serialize(d, JsonSerializerOptions.Web) : LineOf(d));
    }

    /// <summary>A delivery on a line, for people.</summary>
    internal static string LineOf(DeliveryItem d)
    {
        var held = d.HeldWhy is null ? "" : $"  {(d.HeldBy is null ? "" : $"by {d.HeldBy} ")}{(d.HeldUntil is { } until ? $"until {until:yyyy-MM-dd HH:mm:ss} UTC " : "")}({d.HeldWhy})";
        return $"{d.Id,8}  {d.Shown,-14}  {d.Partner}  {d.PartnerName,-34}  {d.Attempts} attempts  {(d.Why is null ? d.Code : $"{d.Why.Code} ({d.Code})")}{(d.Late ? $"  late: needed by {d.NeedBy:yyyy-MM-dd HH:mm} UTC" : "")}{held}";
    }
}
