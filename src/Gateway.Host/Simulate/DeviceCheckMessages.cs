using System.Globalization;
using System.Text.Json;

namespace Gateway.Host.Simulate;

// Registration, messages and clocks: LINES.md sections 6 and 7.
public sealed partial class DeviceCheck
{
    private long _epoch = 1;

    private IEnumerable<Case> MessageCases() =>
    [
        new("register", "200, token, epoch 1, nothing acknowledged", async ct =>
        {
            var a = await RegisterAsync(false, ct);
            _epoch = a.Body.GetProperty("epoch").GetInt64();
            return $"{Ok(a)}, {(a.Body.GetProperty("token").ValueKind == JsonValueKind.String ? "token" : "no token")}, epoch {_epoch}, {(a.Body.GetProperty("ackedThrough").GetInt64() == 0 ? "nothing acknowledged" : "something acknowledged")}";
        }),
        new("first message", "acked through 1", ct => SendAsync(ct, Message(1))),
        new("replay of a message", "acked through 1, 1 duplicates", ct => SendAsync(ct, Message(1))),
        new("batch in order", "acked through 3", ct => SendAsync(ct, Message(2), Message(3))),
        new("duplicate within a batch", "acked through 4, 1 duplicates", ct => SendAsync(ct, Message(4), Message(4))),
        new("other content, alone", "409 seq.conflict", async ct => (await PostMessagesAsync(ct, Message(4, "other"))).ToString()),
        new("other content in a batch", "acked through 5, rejected 3 seq.conflict", ct => SendAsync(ct, Message(3, "other"), Message(5))),
        new("gap", "acked through 5, missing 6-7", ct => SendAsync(ct, Message(8))),
        new("part of the gap", "acked through 6, missing 7-7", ct => SendAsync(ct, Message(6))),
        new("missing range answered", "acked through 8", ct => SendAsync(ct, Message(7))),
        new("out of order in a batch", "acked through 10", ct => SendAsync(ct, Message(10), Message(9))),
        new("empty batch", "422", async ct => (await PostMessagesAsync(ct)).Status.ToString(CultureInfo.InvariantCulture)),
        new("501 messages", "413", async ct => (await PostMessagesAsync(ct, [.. Enumerable.Range(11, 501).Select(n => Message(n))])).Status.ToString(CultureInfo.InvariantCulture)),
        new("more than 1 MB", "413", async ct => (await PostMessagesAsync(ct, Message(11, new string('x', 1_100_000)))).Status.ToString(CultureInfo.InvariantCulture)),
        new("nothing of what was refused is kept", "acked through 11", ct => SendAsync(ct, Message(11))),
        new("message of another device", "422", async ct => (await PostMessagesAsync(ct, Message(12, dev: "somebody"))).Status.ToString(CultureInfo.InvariantCulture)),
        new("heartbeat", "200, t1 and t2", ct => HeartbeatAsync(TimeSpan.Zero, ct)),
        new("heartbeat of a clock that is 3 s ahead", "200, t1 and t2", ct => HeartbeatAsync(TimeSpan.FromSeconds(3), ct)),
        new("heartbeat of the clock set right again", "200, t1 and t2", ct => HeartbeatAsync(TimeSpan.Zero, ct)),
        new("time in the future, kept and not applied", "acked through 12", ct => SendAsync(ct, Message(12, ahead: TimeSpan.FromMinutes(10)))),
        new("epoch after a lost store", "200, a higher epoch, nothing acknowledged", async ct =>
        {
            var (before, a) = (_epoch, await RegisterAsync(true, ct));
            _epoch = a.Body.GetProperty("epoch").GetInt64();
            return $"{Ok(a)}, {(_epoch > before ? "a higher epoch" : "the same epoch")}, {(a.Body.GetProperty("ackedThrough").GetInt64() == 0 ? "nothing acknowledged" : "something acknowledged")}";
        }),
        new("first message of the new epoch", "acked through 1", ct => SendAsync(ct, Message(1, "new"))),
    ];

    private async Task<Answered> RegisterAsync(bool epochLost, CancellationToken ct)
    {
        var a = await PostAsync("api/devices/register", new
        {
            deviceId = _device, kind = "plc", vendor = "gateway", model = "check", serial = _device, firmware = "1", configHash = new string('0', 64), line, station = "check", capabilities = Array.Empty<string>(), epochLost,
        }, ct);
        if (a.Status is not (200 or 201))
        {
            throw a.Status is 404 or 405 ? new LackingException("the gateway registers no devices") : new NotKeptException(a.ToString());
        }
        _token = a.Body.GetProperty("token").GetString();
        return a;
    }

    private static string Ok(Answered a) => a.Status is 200 or 201 ? "200" : a.ToString();

    private object Message(int seq, string what = "check", string? dev = null, TimeSpan ahead = default) => new
    {
        dev = dev ?? _device, ep = _epoch, seq,
        // The same message says the same time.
        ts = (DateTimeOffset.UnixEpoch.AddDays(20_000) + TimeSpan.FromSeconds(seq) is var fixedTime && ahead == default ? fixedTime : DateTimeOffset.UtcNow + ahead).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        mono = 1000L * seq, typ = "check", what,
    };

    private async Task<Answered> PostMessagesAsync(CancellationToken ct, params object[] messages)
    {
        var a = await PostAsync($"api/devices/{_device}/messages", new { messages }, ct);
        return a.Status is 404 or 405 ? throw new LackingException("the gateway takes no messages of devices") : a;
    }

    private async Task<string> SendAsync(CancellationToken ct, params object[] messages)
    {
        var a = await PostMessagesAsync(ct, messages);
        if (a.Status != 200)
        {
            return a.ToString();
        }
        var parts = new List<string> { $"acked through {a.Body.GetProperty("ackedThrough").GetInt64()}" };
        parts.AddRange(a.Body.GetProperty("missing").EnumerateArray().Select(m => $"missing {m[0].GetInt64()}-{m[1].GetInt64()}"));
        parts.AddRange(a.Body.GetProperty("rejected").EnumerateArray().Select(r => $"rejected {r.GetProperty("seq").GetInt64()} {r.GetProperty("code").GetString()}"));
        if (a.Body.TryGetProperty("duplicates", out var duplicates) && duplicates.GetInt64() is > 0 and var count)
        {
            parts.Add($"{count} duplicates");
        }
        return string.Join(", ", parts);
    }

    private async Task<string> HeartbeatAsync(TimeSpan ahead, CancellationToken ct)
    {
        var a = await PostAsync($"api/devices/{_device}/heartbeat", new
        {
            ep = _epoch, t0 = DateTimeOffset.UtcNow + ahead, firmware = "1", configHash = new string('0', 64), state = "Idle", lastSeq = 11, buffered = 0,
        }, ct);
        return a.Status is 404 or 405 ? throw new LackingException("the gateway takes no heartbeats")
            : a.Status == 200 && a.Body.TryGetProperty("t1", out _) && a.Body.TryGetProperty("t2", out _) ? "200, t1 and t2" : a.ToString();
    }
}
