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
        var state = new Option<string?>("--state") { Description = "Only this stored state." };
        state.AcceptOnlyFromAmong("due", "delivered", "dead", "closed");
        var partner = new Option<string?>("--partner") { Description = "Only the partner with this GLN." };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "One JSON object per delivery." };
        var command = new Command("deliveries", "List the newest deliveries.") { state, partner, limit, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var deliveries = await new DeliveryOverview(database.Gateway).ListAsync(
                Actor.System("command line"), new DeliveryFilter(DeliveryEndpoints.StateOf(parsed.GetValue(state)), PartnerGln: parsed.GetValue(partner)), parsed.GetValue(limit), ct);
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
