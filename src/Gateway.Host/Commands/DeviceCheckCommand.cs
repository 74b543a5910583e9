using System.CommandLine;
using System.Text.Json;
using Gateway.Host.Simulate;

namespace Gateway.Host.Commands;

/// <summary><c>gateway device-check</c>: plays a gateway against a device.</summary>
public static class DeviceCheckCommand
{
    private const int NotSeen = 2;

    public static Command Create()
    {
        var urls = new Option<string>("--urls") { Description = "Where it listens, as http://ADDRESS:PORT: point the device there.", Required = true };
        var key = new Option<string?>("--key") { Description = "The bearer key that the device registers with; by default whatever it bears." };
        var device = new Option<string?>("--device") { Description = "The device's name; by default the first that registers." };
        var seconds = new Option<int>("--seconds") { Description = "How long it may take (1 to 86400).", DefaultValueFactory = _ => 300 };
        var json = new Option<bool>("--json") { Description = "One JSON object per case." };
        var command = new Command("device-check", "Play a gateway for a device that is pointed at it, case by case, and say whether the device keeps to the contract. Its machine is started and paused. "
            + "Exit 0 when all cases passed, 1 when any failed, 2 when none failed and some were not seen.") { urls, key, device, seconds, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (!parsed.GetValue(urls)!.Split(';').All(u => Uri.TryCreate(u, UriKind.Absolute, out var address) && address.Scheme == "http" && address.AbsolutePath == "/"))
            {
                throw new WrongUseException("--urls is an address such as http://127.0.0.1:8080; what ends TLS stands before it.");
            }
            if (parsed.GetValue(seconds) is < 1 or > 86_400)
            {
                throw new WrongUseException("--seconds is a number from 1 to 86400.");
            }
            await using var check = await GatewayCheck.StartAsync(parsed.GetValue(urls)!, new GatewayCheckOptions { Key = parsed.GetValue(key), Device = parsed.GetValue(device) }, ct);
            await Console.Error.WriteLineAsync($"Listening at {string.Join(", ", check.Addresses)}. Point the device there, with an empty store, and have it send a message each second or more.");
            var (passed, failed, unseen) = (0, 0, 0);
            await foreach (var o in check.RunAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), ct))
            {
                (passed, failed, unseen) = (passed + (o.Verdict == "passed" ? 1 : 0), failed + (o.Verdict == "failed" ? 1 : 0), unseen + (o.Verdict == "not seen" ? 1 : 0));
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(o, JsonSerializerOptions.Web) : $"{o.Verdict,-10}{o.Case,-26}{o.Did}{(o.Verdict == "passed" ? "" : $" {o.Asked}")}");
            }
            if (!parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync($"{passed} passed, {failed} failed, {unseen} not seen.");
            }
            return failed > 0 ? 1 : unseen > 0 ? NotSeen : 0;
        });
        return command;
    }
}
