using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Devices;

namespace Gateway.Host.Commands;

/// <summary><c>gateway devices</c>: which devices may be trusted, and one of them with everything that is known of it. They are qualified in the dashboard, because that is signed.</summary>
public static class DevicesCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("devices", "The devices of lines: registration, clock, gaps and qualification.") { List(), ShowOne(), Settle() };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per device." };
        var command = new Command("list", "Every device. Exit 1 when one of them blocks a start.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (list, blocks, after) = (new DeviceList(database.Gateway), false, (int?)null);
            IReadOnlyList<DeviceRow> page;
            do
            {
                page = await list.ListAsync(CommandLine, after, 200, ct);
                foreach (var device in page)
                {
                    blocks |= device.Blocks is not null;
                    await WriteAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(DeviceItem.Of(device), JsonSerializerOptions.Web)
                        : $"{device.Line,-10} {device.Name,-20} {device.Kind,-10} {Clock(device),12} {device.OpenGaps,4} gaps  {(device.Withdrawn ? "withdrawn" : device.Blocks ?? "may be trusted")}");
                }
                after = page.Count == 0 ? null : page[^1].DeviceId;
            }
            while (page.Count == 200);
            return blocks ? 1 : 0;
        });
        return command;
    }

    private static Command ShowOne()
    {
        var name = new Argument<string>("NAME") { Description = "The device's name." };
        var party = new Option<string?>("--party") { Description = "Whose, where two parties call a device so." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("show", "One device with its registrations, qualifications and the ranges that it left out.") { name, party, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var list = new DeviceList(database.Gateway);
            var device = await list.FindAsync(CommandLine, parsed.GetValue(name)!, parsed.GetValue(party), ct) ?? throw new WrongUseException($"There is no device {parsed.GetValue(name)}.");
            var (registrations, qualifications) = (await list.RegistrationsAsync(CommandLine, device.DeviceId, 20, ct), await new DeviceQualifications(database.Gateway).OfAsync(CommandLine, device.DeviceId, ct));
            if (parsed.GetValue(json))
            {
                await WriteAsync(JsonSerializer.Serialize(new DeviceDetails(DeviceItem.Of(device), registrations, qualifications), JsonSerializerOptions.Web));
                return 0;
            }
            await WriteAsync($"{device.Name}, {device.Kind} of {device.Party}, line {device.Line}: {(device.Withdrawn ? "withdrawn" : device.Blocks ?? "may be trusted")}");
            await WriteAsync($"firmware {device.Firmware ?? "-"}, configuration {device.ConfigHash ?? "-"}, clock {Clock(device)}, epoch {device.Epoch}, last number {device.LastSeq}");
            foreach (var q in qualifications)
            {
                await WriteAsync($"qualification {q.Number} {q.State}: firmware {q.Firmware}, {q.Iq}, {q.Oq}, {q.Pq}, until {q.ValidUntil:yyyy-MM-dd}, signed by {q.QualifiedByName} at {q.QualifiedAt:yyyy-MM-dd HH:mm:ss} UTC");
            }
            foreach (var r in registrations)
            {
                await WriteAsync($"registered {r.RegisteredAt:yyyy-MM-dd HH:mm:ss} UTC: epoch {r.Epoch}{(r.EpochLost ? ", store lost" : "")}, firmware {r.Firmware}");
            }
            foreach (var gap in await list.GapsAsync(CommandLine, device.DeviceId, null, 50, ct))
            {
                await WriteAsync($"left out {gap.First} to {gap.Last} of epoch {gap.Epoch}: {(gap.ClosedAt is not null ? "has come" : gap.OpenedAt is not null ? "missing" : "waited for")}");
            }
            return 0;
        });
        return command;
    }

    private static Command Settle()
    {
        var name = new Argument<string>("NAME") { Description = "The device's name." };
        var party = new Option<string?>("--party") { Description = "Whose, where two parties call a device so." };
        var decision = new Option<string>("--decision") { Description = $"{string.Join(", ", DeviceQuarantine.Decisions)}: with the time that the device told, with the time at which they came, or not at all.", Required = true };
        var reason = new Option<string>("--reason") { Description = "Why.", Required = true };
        var count = new Option<long?>("--count") { Description = "How many were looked at; when there are others by now, nothing is decided." };
        var command = new Command("settle", "Decides about messages that are set aside because their time cannot be. Exit 1 when nothing was decided.") { name, party, decision, reason, count };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var device = await new DeviceList(database.Gateway).FindAsync(CommandLine, parsed.GetValue(name)!, parsed.GetValue(party), ct) ?? throw new WrongUseException($"There is no device {parsed.GetValue(name)}.");
            var refusal = await new DeviceQuarantine(database.Gateway).SettleAsync(CommandLine, device.DeviceId, new SettleRequest(parsed.GetValue(decision), parsed.GetValue(reason), null, null, Count: parsed.GetValue(count) ?? device.SetAside), ct);
            await WriteAsync(refusal ?? $"{device.SetAside} decided: {parsed.GetValue(decision)}.");
            return refusal is null ? 0 : 1;
        });
        return command;
    }

    private static string Clock(DeviceRow device) => device.OffsetMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:+0;-0;0} ms") : "-";

    // What a device says of itself may hold what a terminal would obey.
    private static Task WriteAsync(string line) => Console.Out.WriteLineAsync(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
}
