using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Host.Simulate;

namespace Gateway.Host.Commands;

/// <summary><c>gateway simulate</c>: plays what stands beside a gateway.</summary>
public static partial class SimulateCommand
{
    public static Command Create() => new("simulate", "Play what stands beside a gateway.") { Device(), Hub(), Plant() };

    private static Command Device()
    {
        var check = new Option<string>("--check") { Description = "The gateway to check, as https://host:port.", Required = true };
        var key = new Option<string?>("--key") { Description = "The bearer key, of a role that may register devices, speak as them, and run lines; by default GATEWAY_KEY." };
        var line = new Option<string>("--line") { Description = "The code of a line that nobody works on: it is commanded.", Required = true };
        var device = new Option<string?>("--device") { Description = "A device of that line that is registered already; by default a new one is registered." };
        var json = new Option<bool>("--json") { Description = "One JSON object per case." };
        var command = new Command("device", "Play a device against a gateway, case by case, and say whether the gateway keeps to the contract. Exit 1 when any case fails.") { check, key, line, device, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(check), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw new WrongUseException("--check is the address of a gateway, such as https://gateway.example:8080.");
            }
            var token = parsed.GetValue(key) ?? Environment.GetEnvironmentVariable("GATEWAY_KEY") ?? throw new WrongUseException("Give --key, or set GATEWAY_KEY.");
            using var http = new HttpClient { BaseAddress = address };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var (passed, failed, skipped) = (0, 0, 0);
            await foreach (var o in new DeviceCheck(http, parsed.GetValue(line)!, parsed.GetValue(device)).RunAsync(ct))
            {
                (passed, failed, skipped) = (passed + (o.Verdict == "pass" ? 1 : 0), failed + (o.Verdict == "fail" ? 1 : 0), skipped + (o.Verdict == "skipped" ? 1 : 0));
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(o, JsonSerializerOptions.Web) : $"{o.Verdict,-8}{o.Case,-42}expected {o.Expected}{(o.Verdict == "pass" ? "" : $"; got {o.Got}")}");
            }
            if (!parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync($"{passed} passed, {failed} failed, {skipped} skipped.");
            }
            return failed == 0 ? 0 : 1;
        });
        return command;
    }
}
