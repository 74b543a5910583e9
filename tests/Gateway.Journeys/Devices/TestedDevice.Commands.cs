using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;

namespace Gateway.Journeys.Devices;

// What the device is told, and its machine.
internal sealed partial class TestedDevice
{
    private static readonly TimeSpan s_moves = TimeSpan.FromMilliseconds(50), s_late = TimeSpan.FromMilliseconds(900), s_itself = TimeSpan.FromMilliseconds(1_000);

    private readonly Dictionary<Guid, string?> _done = [];
    private volatile string _state = "Idle";
    private long _heard, _highestFence;

    private async Task ListenAsync(CancellationToken ct)
    {
        while (true)
        {
            var token = _token;
            var after = Has(DeviceFlaw.ForgetsWhatItHeard) || _heard == 0 ? "" : _heard.ToString(CultureInfo.InvariantCulture);
            try
            {
                await (way == "socket" ? HearSocketAsync(after, ct) : way == "poll" ? PollAsync(after, ct) : HearStreamAsync(after, ct));
            }
            catch (HttpRequestException e) when (e.StatusCode is System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Forbidden)
            {
                await RegisterAsync(token, false, ct);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or WebSocketException)
            {
                // It comes again.
            }
            await Task.Delay(s_turn, ct);
        }
    }

    private async Task HearStreamAsync(string after, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/devices/{Name}/commands/stream") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", _token) } };
        if (after.Length > 0)
        {
            request.Headers.Add("Last-Event-ID", after);
        }
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(ct));
        while (await reader.ReadLineAsync(ct) is { } text)
        {
            if (text.StartsWith("data: ", StringComparison.Ordinal))
            {
                Hear(JsonDocument.Parse(text[6..]).RootElement, ct);
            }
        }
    }

    private async Task PollAsync(string after, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/devices/{Name}/commands?wait=20{(after.Length > 0 ? $"&after={after}" : "")}") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", _token) } };
        using var answer = await _http.SendAsync(request, ct);
        answer.EnsureSuccessStatusCode();
        foreach (var command in (await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("commands").EnumerateArray())
        {
            Hear(command, ct);
        }
    }

    private async Task HearSocketAsync(string after, CancellationToken ct)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {_token}");
        await socket.ConnectAsync(new Uri($"ws://{gateway.Authority}/api/devices/{Name}/commands/socket{(after.Length > 0 ? $"?after={after}" : "")}"), ct);
        var buffer = new byte[64 << 10];
        while (await socket.ReceiveAsync(buffer.AsMemory(), ct) is { MessageType: WebSocketMessageType.Text } received)
        {
            Hear(JsonDocument.Parse(buffer.AsMemory(0, received.Count).ToArray()).RootElement, ct);
        }
    }

    private void Hear(JsonElement command, CancellationToken ct)
    {
        _heard = command.GetProperty("number").GetInt64();
        _ = DoAsync(command, ct);
    }

    private async Task DoAsync(JsonElement command, CancellationToken ct)
    {
        try
        {
            var (id, type, fence) = (command.GetProperty("cmdId").GetGuid(), command.GetProperty("type").GetString()!, command.GetProperty("fence").GetInt64());
            bool isNew, isStale;
            string? outcome;
            lock (_done)
            {
                isStale = type is "start" or "pause" or "resume" or "end" && fence < _highestFence && !Has(DeviceFlaw.IgnoresFence);
                _highestFence = Math.Max(_highestFence, fence);
                isNew = !_done.TryGetValue(id, out outcome) || Has(DeviceFlaw.DoesItTwice);
                _done[id] = outcome;
            }
            if (isNew && isStale)
            {
                await CompleteAsync(id, fence, "rejected", ct);
                return;
            }
            if (type == "identify" && Has(DeviceFlaw.AcknowledgesLate))
            {
                await Task.Delay(s_late, ct);
            }
            await PostAsync($"commands/{id}/ack", JsonContent.Create(new { fence }), ct);
            if (isNew)
            {
                await MoveAsync(type, ct);
                outcome = "done";
            }
            if (outcome is not null && !(type == "identify" && Has(DeviceFlaw.NeverCompletes)))
            {
                await CompleteAsync(id, fence, outcome, ct);
            }
            if (isNew && type == "pause" && Has(DeviceFlaw.ResumesByItself))
            {
                await Task.Delay(s_itself, ct);
                await MoveAsync("resume", ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // It is switched off.
        }
    }

    private async Task CompleteAsync(Guid id, long fence, string outcome, CancellationToken ct)
    {
        await PostAsync($"commands/{id}/complete", JsonContent.Create(new { fence, outcome, state = _state }), ct);
        lock (_done)
        {
            _done[id] = outcome;
        }
    }

    private async Task MoveAsync(string type, CancellationToken ct)
    {
        foreach (var state in (string[])(type switch
        {
            "start" => ["Starting", "Execute"],
            "pause" when !Has(DeviceFlaw.ClaimsToStand) => ["Holding", "Held"],
            "resume" => ["Unholding", "Execute"],
            _ => [],
        }))
        {
            _state = state;
            if (!Has(DeviceFlaw.HidesItsState))
            {
                await PostAsync("state", JsonContent.Create(new { state, at = DateTimeOffset.UtcNow }), ct);
            }
            await Task.Delay(s_moves, ct);
        }
    }
}
