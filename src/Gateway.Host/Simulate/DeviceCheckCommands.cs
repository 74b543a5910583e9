using System.Globalization;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;

namespace Gateway.Host.Simulate;

// Commands: LINES.md section 8 and docs/devices.md.
public sealed partial class DeviceCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private long _heard;

    private IEnumerable<Case> CommandCases() =>
    [
        new("long poll without a command", "200, none", async ct => await PollAsync(0, ct) is { Count: 0 } ? "200, none" : "a command"),
        new("long poll is woken", "told within 5 s", async ct =>
        {
            var waiting = PollAsync(20, ct);
            var cmd = await IssueAsync("identify", ct);
            var told = await waiting.WaitAsync(Patience, ct);
            await AnswerAsync(told.Single(), "ack", new { fence = Fence(told.Single()) }, ct);
            return IdOf(told.Single()) == cmd ? "told within 5 s" : "another command";
        }),
        new("stale fence", "409 cmd.stale_fence", async ct => await WithAsync("identify", async c => (await AnswerAsync(c, "ack", new { fence = Fence(c) - 1 }, ct)).ToString(), ct)),
        new("ack twice", "200 acked, 200 acked", async ct => await WithAsync("identify", async c => $"{await SaidAsync(c, "ack", ct)}, {await SaidAsync(c, "ack", ct)}", ct)),
        new("complete twice", "200 done, 200 done", async ct => await WithAsync("identify", async c => $"{await SaidAsync(c, "complete", ct)}, {await SaidAsync(c, "complete", ct)}", ct)),
        new("complete of what failed", "409 cmd.ended", async ct => await WithAsync("identify", async c =>
        {
            await AnswerAsync(c, "complete", new { fence = Fence(c), outcome = "failed" }, ct);
            return (await AnswerAsync(c, "complete", new { fence = Fence(c), outcome = "done" }, ct)).ToString();
        }, ct)),
        new("answer without a fence", "422", async ct => await WithAsync("identify", async c => (await AnswerAsync(c, "ack", new { }, ct)).Status.ToString(CultureInfo.InvariantCulture), ct)),
        new("answer to a command of nobody", "404", async ct => (await PostAsync($"api/devices/{_device}/commands/{Guid.NewGuid()}/ack", new { fence = 1 }, ct)).Status.ToString(CultureInfo.InvariantCulture)),
        new("command superseded", "409 cmd.stale_fence", async ct => await WithAsync("end", async c =>
        {
            await IssueAsync("end", ct);
            return (await AnswerAsync(c, "ack", new { fence = Fence(c) }, ct)).ToString();
        }, ct)),
        new("told again by the same id", "the same id, a higher number", async ct => await WithAsync("identify", async c =>
        {
            for (var until = _clock.Elapsed + Patience; _clock.Elapsed < until;)
            {
                foreach (var again in (await PollAsync(5, ct)).Where(o => IdOf(o) == IdOf(c)))
                {
                    return NumberOf(again) > NumberOf(c) ? "the same id, a higher number" : "the same number";
                }
            }
            return "not told again";
        }, ct)),
        new("ack late", "409 cmd.ended", async ct => await WithAsync("identify", async c =>
        {
            await Task.Delay(TimeSpan.FromSeconds(8), ct); // three tries of two seconds, and some
            return (await AnswerAsync(c, "ack", new { fence = Fence(c) }, ct)).ToString();
        }, ct)),
        new("pause proved by the machine's state", "acked, then done", async ct => await WithAsync("pause", async c =>
        {
            var claimed = await AnswerAsync(c, "complete", new { fence = Fence(c), outcome = "done" }, ct);
            await PostAsync($"api/devices/{_device}/state", new { state = "Held", at = DateTimeOffset.UtcNow }, ct);
            return $"{State(claimed)}, then {(await http.GetFromJsonAsync<JsonElement>($"api/commands/{IdOf(c)}", ct)).GetProperty("state").GetString()}";
        }, ct)),
        new("state that PackML has not", "422", async ct => (await PostAsync($"api/devices/{_device}/state", new { state = "Asleep", at = DateTimeOffset.UtcNow }, ct)).Status.ToString(CultureInfo.InvariantCulture)),
        new("server-sent events", "told with its number", async ct => await EventAsync(_heard, await IssueAsync("identify", ct), ct)),
        new("events resumed by Last-Event-ID", "the second and not the first", async ct =>
        {
            var first = await IssueAsync("identify", ct);
            await EventAsync(_heard, first, ct);
            var second = await IssueAsync("identify", ct);
            var told = new List<Guid>();
            await EventAsync(_heard, second, ct, told);
            return told.Contains(second) && !told.Contains(first) ? "the second and not the first" : "the first again";
        }),
        new("WebSocket with an ack over it", "told, 200", SocketAsync),
    ];

    private async Task<Guid> IssueAsync(string type, CancellationToken ct)
    {
        var a = await PostAsync($"api/lines/{line}/commands", new { device = _device, type, reason = "conformance check", reasonClass = "operator" }, ct);
        return a.Status == 201 ? a.Body.GetProperty("cmdId").GetGuid()
            : a.Status == 422 ? throw new LackingException("the device is not registered, so it cannot be commanded")
            : throw new NotKeptException(a.ToString());
    }

    // Commands that earlier cases left behind are told too; each case looks for its own.
    private async Task<string> WithAsync(string type, Func<JsonElement, Task<string>> then, CancellationToken ct)
    {
        var cmd = await IssueAsync(type, ct);
        var until = _clock.Elapsed + Patience;
        while (_clock.Elapsed < until)
        {
            foreach (var told in await PollAsync(5, ct))
            {
                if (IdOf(told) == cmd)
                {
                    return await then(told);
                }
            }
        }
        return "not told";
    }

    private async Task<List<JsonElement>> PollAsync(int wait, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Get, $"api/devices/{_device}/commands?after={_heard}&wait={wait}");
        using var answer = await http.SendAsync(request, ct);
        if ((int)answer.StatusCode != 200)
        {
            throw (int)answer.StatusCode == 404 ? new LackingException("the device is not registered") : new NotKeptException($"{(int)answer.StatusCode}");
        }
        var commands = (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("commands").EnumerateArray().ToList();
        _heard = commands.Count > 0 ? NumberOf(commands[^1]) : _heard;
        return commands;
    }

    private Task<Answered> AnswerAsync(JsonElement command, string verb, object body, CancellationToken ct) => PostAsync($"api/devices/{_device}/commands/{IdOf(command)}/{verb}", body, ct);

    private async Task<string> SaidAsync(JsonElement command, string verb, CancellationToken ct)
    {
        var a = await AnswerAsync(command, verb, verb == "ack" ? new { fence = Fence(command) } : new { fence = Fence(command), outcome = "done" }, ct);
        return $"{a} {State(a)}";
    }

    private async Task<string> EventAsync(long after, Guid cmd, CancellationToken ct, List<Guid>? told = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        using var request = Request(HttpMethod.Get, $"api/devices/{_device}/commands/stream");
        request.Headers.Add("Last-Event-ID", after.ToString(CultureInfo.InvariantCulture));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if ((int)answer.StatusCode != 200)
        {
            throw new NotKeptException($"{(int)answer.StatusCode}");
        }
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(patience.Token));
        var id = 0L;
        while (await reader.ReadLineAsync(patience.Token) is { } text)
        {
            if (text.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = long.Parse(text[4..], CultureInfo.InvariantCulture);
            }
            else if (text.StartsWith("data: ", StringComparison.Ordinal))
            {
                var command = JsonDocument.Parse(text[6..]).RootElement;
                _heard = id;
                told?.Add(IdOf(command));
                if (IdOf(command) == cmd)
                {
                    return id == NumberOf(command) ? "told with its number" : "told with another number";
                }
            }
        }
        return "not told";
    }

    private async Task<string> SocketAsync(CancellationToken ct)
    {
        var cmd = await IssueAsync("identify", ct);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        using var socket = new ClientWebSocket();
        var path = $"api/devices/{_device}/commands/socket?after={_heard}";
        socket.Options.SetRequestHeader("Authorization", $"Bearer {Bearer(path)}");
        var address = new UriBuilder(new Uri(http.BaseAddress!, path)) { Scheme = http.BaseAddress!.Scheme == "https" ? "wss" : "ws" };
        await socket.ConnectAsync(address.Uri, patience.Token);
        JsonElement command;
        while (IdOf(command = await HearAsync()) != cmd)
        {
        }
        _heard = NumberOf(command);
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { answer = "ack", cmdId = cmd, fence = Fence(command) }), WebSocketMessageType.Text, true, patience.Token);
        JsonElement said;
        while (!(said = await HearAsync()).TryGetProperty("answer", out _))
        {
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", patience.Token);
        return $"told, {said.GetProperty("status").GetInt32()}";

        async Task<JsonElement> HearAsync()
        {
            var buffer = new byte[64 << 10];
            var received = await socket.ReceiveAsync(buffer, patience.Token);
            return JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement;
        }
    }

    private static Guid IdOf(JsonElement command) => command.GetProperty("cmdId").GetGuid();

    private static long NumberOf(JsonElement command) => command.GetProperty("number").GetInt64();

    private static long Fence(JsonElement command) => command.GetProperty("fence").GetInt64();

    private static string State(Answered a) => a.Body.ValueKind == JsonValueKind.Object && a.Body.TryGetProperty("state", out var state) ? state.GetString()! : a.ToString();
}
