using System.Text.Json;

namespace Gateway.Host.Simulate.Plant;

/// <summary>What a device's posts came to.</summary>
/// <param name="Sent">Messages, each as often as it was sent.</param>
public sealed record PlantTraffic(long Sent, long Duplicates, long Rejected, long Asked)
{
    public static PlantTraffic operator +(PlantTraffic a, PlantTraffic b) => new(a.Sent + b.Sent, a.Duplicates + b.Duplicates, a.Rejected + b.Rejected, a.Asked + b.Asked);
}

/// <summary>
/// One device of a line, which speaks as docs/devices.md says: it keeps what it says until it is acknowledged, sends it again when no answer
/// came or it is asked for, and tells its clock. What its story has befall it befalls it here. It takes no commands.
/// </summary>
internal sealed class PlantDevice(PlantGateway gateway, LineStory story, PlantStation station, DateTimeOffset start)
{
    private const int MaxMessages = 500, MaxBytes = 1_000_000, HeartbeatSeconds = 5;
    private const string Firmware = "4.2.1", ConfigHash = "sha256:7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a";

    private readonly Queue<StoryMessage> _toCome = new(story.Messages.Where(m => m.Device == station.DeviceOn(story.Lot.Line)));
    private readonly List<LinkCut> _cuts = [.. story.Cuts.Where(c => c.Device == station.DeviceOn(story.Lot.Line))];
    private readonly SortedDictionary<long, StoryMessage> _store = [];
    private readonly List<StoryMessage> _toSend = [], _contradictions = [];
    private readonly HashSet<StoryMessage> _contradicted = [];
    private string _token = "";
    private TimeSpan _beatEvery = TimeSpan.FromSeconds(HeartbeatSeconds);
    private int _epoch, _most = MaxMessages;

    // What the gateway began anew, besides the story: epochs, and the numbers that were told in the one before.
    private int _begun;
    private long _before, _said, _acked;
    private bool _isNew, _hasLostStore, _wasCut;
    private object? _exchange;

    public string Name { get; } = station.DeviceOn(story.Lot.Line);

    /// <summary>What the gateway calls the first epoch of the story.</summary>
    public int FirstEpoch { get; private set; }

    public PlantTraffic Traffic { get; private set; } = new(0, 0, 0, 0);

    /// <summary>A simulated device begins with an empty store; where the gateway has heard one of its name, that is a store that was lost.</summary>
    public async Task RegisterAsync(CancellationToken ct)
    {
        var registered = await RegisterAsync(hasLostStore: false, ct);
        if (registered.GetProperty("ackedThrough").GetInt64() > 0)
        {
            registered = await RegisterAsync(hasLostStore: true, ct);
        }
        FirstEpoch = registered.GetProperty("epoch").GetInt32();
    }

    /// <summary>One second of the story has gone by.</summary>
    public async Task TickAsync(long second, CancellationToken ct)
    {
        Say(second);
        if (_cuts.Exists(c => c.FromSecond < second && second < c.ToSecond))
        {
            _wasCut = true;
            return;
        }
        if (_hasLostStore)
        {
            await RegisterAsync(hasLostStore: true, ct);
        }
        if (_wasCut)
        {
            _wasCut = false;
            _toSend.Clear();
            _toSend.AddRange(_store.Values.Where(m => m.Travel != Travel.Late));
        }
        if (second % HeartbeatSeconds == 0 || _exchange is null)
        {
            await BeatAsync(second, ct);
        }
        await PostAllAsync([.. _toSend.Where(m => m.Travel != Travel.Behind || m.At / 1_000 < second)], _cuts.Exists(c => c.FromSecond == second), second, ct);
    }

    /// <summary>The story is told: what is still in the store is sent.</summary>
    public async Task EndAsync(long second, CancellationToken ct)
    {
        Say(long.MaxValue);
        if (_hasLostStore)
        {
            await RegisterAsync(hasLostStore: true, ct);
        }
        await BeatAsync(second, ct);
        await PostAllAsync([.. _store.Values], isCut: false, second, ct);
        await BeatAsync(second, ct);
    }

    private void Say(long second)
    {
        while (_toCome.TryPeek(out var m) && m.At / 1_000 <= second)
        {
            _toCome.Dequeue();
            if (m.Travel == Travel.Forgotten)
            {
                continue;
            }
            if (m.Epoch > _epoch)
            {
                (_epoch, _hasLostStore, _before, _acked) = (m.Epoch, true, 0, 0);
                _store.Clear();
                _toSend.Clear();
                _contradictions.Clear();
            }
            _said = m.Seq;
            if (m.Travel != Travel.Lost)
            {
                _store.Add(m.Seq, m);
                if (m.Travel != Travel.Late)
                {
                    _toSend.Add(m);
                }
            }
        }
    }

    private async Task PostAllAsync(List<StoryMessage> messages, bool isCut, long second, CancellationToken ct)
    {
        var chosen = messages.ToHashSet();
        _toSend.RemoveAll(chosen.Contains);
        var posts = new List<ReadOnlyMemory<byte>>();
        foreach (var m in messages)
        {
            posts.Add(m.Render(start, FirstEpoch + _begun, before: _before));
            if (m.Travel == Travel.Twice)
            {
                posts.Add(posts[^1]);
            }
        }
        // What contradicts a message comes after it.
        posts.AddRange(_contradictions.Select(m => m.Render(start, FirstEpoch + _begun, contradicted: true, _before)));
        _contradictions.Clear();
        _contradictions.AddRange(messages.Where(m => m.Travel == Travel.Contradicted && _contradicted.Add(m)));
        while (posts.Count > 0)
        {
            var (count, bytes) = (0, 0);
            while (count < posts.Count && count < _most && (count == 0 || bytes + posts[count].Length < MaxBytes))
            {
                bytes += posts[count++].Length + 1;
            }
            var epoch = (_epoch, _begun);
            var isTaken = await PostAsync(posts.GetRange(0, count), bytes, isCut, second, ct);
            if (epoch != (_epoch, _begun))
            {
                return; // the rest was rendered for an epoch that has ended
            }
            posts.RemoveRange(0, isTaken ? count : 0);
        }
    }

    /// <returns>False when it is to be posted again, in smaller posts or with another token.</returns>
    private async Task<bool> PostAsync(List<ReadOnlyMemory<byte>> messages, int bytes, bool isCut, long second, CancellationToken ct)
    {
        var body = new MemoryStream(bytes + 20);
        body.Write("{\"messages\":["u8);
        for (var n = 0; n < messages.Count; n++)
        {
            body.Write(n == 0 ? ""u8 : ","u8);
            body.Write(messages[n].Span);
        }
        body.Write("]}"u8);
        var token = _token;
        var sending = gateway.SendAsync(HttpMethod.Post, $"api/devices/{Name}/messages", body.ToArray(), token, ct);
        while (await Task.WhenAny(sending, Task.Delay(_beatEvery, ct)) != sending)
        {
            await BeatAsync(second, ct); // whoever waits is not offline
        }
        var answer = await sending;
        if (answer.Status == 413 && messages.Count > 1)
        {
            _most = messages.Count / 2;
            return false;
        }
        if (answer.Status is 401 or 403 && token != _token)
        {
            return false;
        }
        if (answer.Status is 401 or 403 && !_isNew)
        {
            await RegisterAsync(hasLostStore: false, ct);
            return false;
        }
        if (!answer.IsWell && answer.Code != "seq.conflict")
        {
            throw new PlantStoppedException($"{Name} was answered with {answer}");
        }
        _isNew = false;
        Traffic += new PlantTraffic(messages.Count, answer.Body.TryGetProperty("duplicates", out var d) ? d.GetInt64() : 0,
            answer.Body.TryGetProperty("rejected", out var r) ? r.GetArrayLength() : 1, 0);
        if (isCut)
        {
            return true; // this answer never came
        }
        var acked = answer.Body.GetProperty("ackedThrough").GetInt64();
        _acked = Math.Max(_acked, acked);
        foreach (var seq in _store.Keys.TakeWhile(s => s <= acked + _before).ToList())
        {
            _store.Remove(seq);
        }
        if (answer.Body.TryGetProperty("missing", out var missing))
        {
            Ask(missing);
        }
        return true;
    }

    private void Ask(JsonElement missing)
    {
        foreach (var range in missing.EnumerateArray())
        {
            var (from, to) = (range[0].GetInt64() + _before, range[1].GetInt64() + _before);
            // What was acknowledged was deleted: a gateway that asks for it has lost it.
            _hasLostStore |= from - _before <= _acked;
            var asked = _store.Values.SkipWhile(m => m.Seq < from).TakeWhile(m => m.Seq <= to).Where(m => m.Travel != Travel.Late && !_toSend.Contains(m)).ToList();
            _toSend.AddRange(asked);
            Traffic += new PlantTraffic(0, 0, 0, asked.Count);
        }
    }

    private async Task<JsonElement> RegisterAsync(bool hasLostStore, CancellationToken ct)
    {
        var registered = PlantGateway.Wanted(await gateway.PostAsync("api/devices/register", new
        {
            deviceId = Name, kind = station.Kind, vendor = "Simulation", model = station.Code, serial = $"SN-{Name}", firmware = Firmware, configHash = ConfigHash,
            line = story.Lot.Line, station = station.Station, capabilities = Array.Empty<string>(), epochLost = hasLostStore,
        }, null, ct), $"The registration of {Name}");
        (_token, _isNew, _hasLostStore, _exchange) = (registered.GetProperty("token").GetString()!, true, false, null);
        _beatEvery = TimeSpan.FromSeconds(registered.GetProperty("limits").GetProperty("heartbeatSeconds").GetDouble());
        var begun = registered.GetProperty("epoch").GetInt32() - FirstEpoch - _epoch;
        if (FirstEpoch > 0 && begun != _begun)
        {
            // What is still kept is told in the new epoch, from 1.
            (_begun, _acked, _before) = (begun, 0, (_store.Count > 0 ? _store.Keys.First() : _said + 1) - 1);
            _toSend.Clear();
            _toSend.AddRange(_store.Values.Where(m => m.Travel != Travel.Late));
        }
        return registered;
    }

    private async Task BeatAsync(long second, CancellationToken ct)
    {
        var ahead = TimeSpan.FromMilliseconds(story.Clocks[Name].Ahead(second * 1_000));
        var t0 = DateTimeOffset.UtcNow + ahead;
        var said = await gateway.PostAsync($"api/devices/{Name}/heartbeat", new
        {
            ep = FirstEpoch + _begun + _epoch, t0, previous = _exchange, firmware = Firmware, configHash = ConfigHash, state = "Execute",
            lastSeq = _store.Count > 0 ? _store.Keys.Last() - _before : 0, buffered = _store.Count,
        }, _token, ct);
        if (said.Status is 401 or 403 && !_isNew)
        {
            await RegisterAsync(hasLostStore: false, ct);
            return;
        }
        var answer = PlantGateway.Wanted(said, $"The heartbeat of {Name}");
        _exchange = new { t0, t1 = answer.GetProperty("t1").GetDateTimeOffset(), t2 = answer.GetProperty("t2").GetDateTimeOffset(), t3 = DateTimeOffset.UtcNow + ahead };
        Ask(answer.GetProperty("missing"));
    }
}
