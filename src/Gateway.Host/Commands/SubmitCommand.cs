using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Gateway.Host.Commands;

/// <summary><c>gateway submit</c>: sends files to a running gateway's <c>/capture</c>, as a CMO would.</summary>
public static class SubmitCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "EPCIS documents, XML or JSON.", Arity = ArgumentArity.OneOrMore };
        var url = new Option<string?>("--url") { Description = "The gateway; by default the running demonstration of GATEWAY_DATA." };
        var key = new Option<string?>("--key") { Description = "The bearer key; by default GATEWAY_KEY, else the demonstration's CMO key." };
        var wait = new Option<bool>("--wait") { Description = "Wait until the capture is finished." };
        var json = new Option<bool>("--json") { Description = "One JSON object per file." };
        var command = new Command("submit", "Send EPCIS documents to a running gateway.") { files, url, key, wait, json };
        command.SetAction(async (parsed, ct) =>
        {
            var (address, token) = Demo.Target(parsed.GetValue(url), parsed.GetValue(key), "cmo");
            using var http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(10) };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var good = true;
            foreach (var file in parsed.GetValue(files)!)
            {
                if (!File.Exists(file))
                {
                    throw new WrongUseException($"There is no file {file}.");
                }
                good &= await SubmitAsync(http, file, parsed.GetValue(wait), parsed.GetValue(json), ct);
            }
            return good ? 0 : 1;
        });
        return command;
    }

    private static async Task<bool> SubmitAsync(HttpClient http, string file, bool wait, bool json, CancellationToken ct)
    {
        await using var body = File.OpenRead(file);
        // The file's own hash is the key: whoever repeats the command gets the first answer.
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(body, ct));
        body.Position = 0;
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new StreamContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(await MediaTypeAsync(file, ct));
        request.Headers.Add("Idempotency-Key", hash);
        using var answer = await http.SendAsync(request, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        if (answer.StatusCode != HttpStatusCode.Accepted)
        {
            await Console.Error.WriteLineAsync($"{file}: refused with {(int)answer.StatusCode}");
            await Console.Out.WriteLineAsync(text);
            return false;
        }
        if (wait)
        {
            text = await WaitAsync(http, answer.Headers.Location!, ct);
        }
        using var job = JsonDocument.Parse(text);
        var root = job.RootElement;
        var success = root.GetProperty("success").GetBoolean();
        var state = root.GetProperty("running").GetBoolean() ? "received" : success ? "accepted" : "refused";
        await Console.Out.WriteLineAsync(json ? text : $"{file}: {state}, capture {root.GetProperty("captureID").GetString()}");
        if (!success && !json && root.TryGetProperty("errors", out var errors))
        {
            foreach (var error in errors.EnumerateArray())
            {
                await Console.Out.WriteLineAsync("  " + error.GetRawText());
            }
        }
        return success;
    }

    private static async Task<string> WaitAsync(HttpClient http, Uri job, CancellationToken ct)
    {
        while (true)
        {
            var text = await http.GetStringAsync(job, ct);
            using var document = JsonDocument.Parse(text);
            if (!document.RootElement.GetProperty("running").GetBoolean())
            {
                return text;
            }
            await Task.Delay(100, ct);
        }
    }

    private static async Task<string> MediaTypeAsync(string file, CancellationToken ct)
    {
        await using var stream = File.OpenRead(file);
        var start = new byte[64];
        var read = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, ct);
        return start.AsSpan(0, read).TrimStart(" \t\r\n\uFEFF"u8) is [(byte)'{', ..] ? "application/json" : "application/xml";
    }
}
