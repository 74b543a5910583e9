using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Delivery;

namespace Gateway.Host.Commands;

/// <summary><c>gateway deliveries</c>: the newest deliveries and where they stand, read from the database.</summary>
public static class DeliveriesCommand
{
    public static Command Create()
    {
        var narrowing = new Dictionary<string, Option<string?>>
        {
            ["state"] = new("--state") { Description = $"Only this state: as stored (due, delivered, dead, closed), or {string.Join(", ", DeliveryFilter.States)}." },
            ["partner"] = new("--partner") { Description = "Only the partner with this GLN." },
            ["code"] = new("--code") { Description = "Only with this code of the last failure." },
            ["reason"] = new("--reason") { Description = $"Only dead for this reason: {string.Join(", ", DeliveryFilter.DeadReasons)}." },
            ["day"] = new("--day") { Description = "Only documents received on this day of UTC, such as 2026-11-21." },
            ["text"] = new("--text") { Description = "Only this number or message, or an ordering key that begins so." },
        };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "One JSON object per delivery." };
        var command = new Command("deliveries", "List the newest deliveries.") { limit, json };
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
            var deliveries = await new DeliveryOverview(database.Gateway).ListAsync(
                Actor.System("command line"), filter, parsed.GetValue(limit), ct);
            foreach (var d in deliveries.Select(DeliveryItem.Of))
            {
                await Console.Out.WriteLineAsync(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(d, JsonSerializerOptions.Web)
                    : $"{d.Id,8}  {d.Shown,-14}  {d.Partner}  {d.PartnerName,-34}  {d.Attempts} attempts  {d.Code}");
            }
            return 0;
        });
        return command;
    }
}
