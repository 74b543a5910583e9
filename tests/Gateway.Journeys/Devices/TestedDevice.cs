using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Gateway.Journeys.Devices;

/// <summary>A small device on real sockets that speaks as docs/devices.md says, but for its flaws.</summary>
/// <param name="gateway">Where the gateway listens.</param>
/// <param name="key">May register devices.</param>
/// <param name="way">How it hears of commands: stream, socket or poll.</param>
internal sealed partial class TestedDevice(Uri gateway, string key, string line, DeviceFlaw flaws = DeviceFlaw.None, string way = "stream") : IDisposable
{
    private const int MaxMessages = 500, EachTurn = 3, MadeWhileWaiting = 600;
    private const string Firmware = "1.0", ConfigHash = "sha256:00";
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(40);

    private readonly HttpClient _http = new() { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(90) };
    private readonly Stopwatch _mono = Stopwatch.StartNew();
    private readonly SemaphoreSlim _registering = new(1, 1);
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, byte[]> _store = [];
    private readonly SortedSet<long> _toSend = [];
    private readonly HashSet<long> _sent = [], _rejected = [];
    private long? _repeats;
    private string? _token;
    private int _epoch, _most = MaxMessages, _renderings;
    private long _seq;
    private double _offset, _heartbeatSeconds = 1;
    private bool _hasLostStore;

    public string Name { get; } = "tested-1";

    private bool Has(DeviceFlaw flaw) => flaws.HasFlag(flaw);

    public async Task RunAsync(CancellationToken ct)
    {
        if (Has(DeviceFlaw.NoLimit))
        {
            _most = int.MaxValue;
        }
        try
        {
            if (Has(DeviceFlaw.NeverRegisters))
            {
                (_token, _epoch) = (key, 1);
            }
            else
            {
                await RegisterAsync(null, false, ct);
            }
            await Task.WhenAll(PostAllAsync(ct), BeatAllAsync(ct), ListenAsync(ct));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // It is switched off.
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _registering.Dispose();
    }

    // Whoever finds first that the token opens nothing registers; the others go on with what he got.
    private async Task RegisterAsync(string? refusedToken, bool hasLostStore, CancellationToken ct)
    {
        await _registering.WaitAsync(ct);
        try
        {
            if (_token != refusedToken || Has(DeviceFlaw.NeverRegisters))
            {
                return;
            }
            var says = hasLostStore || (Has(DeviceFlaw.CriesLoss) && refusedToken is not null);
            using var request = new HttpRequestMessage(HttpMethod.Post, "api/devices/register") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
            request.Content = JsonContent.Create(new { deviceId = Name, kind = "plc", vendor = "test", model = "T1", serial = "1", firmware = Firmware, configHash = ConfigHash, line, station = "packing", capabilities = Array.Empty<string>(), epochLost = says });
            using var answer = await _http.SendAsync(request, ct);
            answer.EnsureSuccessStatusCode();
            var registered = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
            lock (_lock)
            {
                var epoch = registered.GetProperty("epoch").GetInt32();
                if (epoch != _epoch && (!Has(DeviceFlaw.StaysInEpoch) || _epoch == 0 || says))
                {
                    (_epoch, _seq) = (epoch, 0);
                    _store.Clear();
                    _toSend.Clear();
                    _sent.Clear();
                }
                _hasLostStore = false;
                _heartbeatSeconds = registered.GetProperty("limits").GetProperty("heartbeatSeconds").GetDouble();
                _token = Has(DeviceFlaw.WrongToken) ? key : registered.GetProperty("token").GetString();
            }
        }
        finally
        {
            _registering.Release();
        }
    }

    private async Task<(HttpStatusCode Status, JsonElement Body, TimeSpan? RetryAfter)?> PostAsync(string path, HttpContent content, CancellationToken ct)
    {
        try
        {
            var token = _token;
            using var request = new HttpRequestMessage(HttpMethod.Post, $"api/devices/{Name}/{path}") { Content = content, Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
            using var answer = await _http.SendAsync(request, ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                await RegisterAsync(token, false, ct);
            }
            return (answer.StatusCode, text.Length > 0 ? JsonDocument.Parse(text).RootElement : default, answer.Headers.RetryAfter?.Delta);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
        {
            return null;
        }
    }

    private async Task PostAllAsync(CancellationToken ct)
    {
        for (var isWaiting = false; ; await Task.Delay(s_turn, ct))
        {
            Make(isWaiting ? MadeWhileWaiting : EachTurn);
            isWaiting = false;
            if (_hasLostStore)
            {
                await RegisterAsync(_token, hasLostStore: true, ct);
            }
            List<long> numbers;
            byte[] post;
            int epoch;
            lock (_lock)
            {
                (numbers, epoch) = ([.. _toSend.Take(_most)], _epoch);
                post = Post(numbers);
            }
            if (numbers.Count == 0)
            {
                continue;
            }
            var answer = await PostAsync("messages", new ByteArrayContent(post) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }, ct);
            lock (_lock)
            {
                if (epoch != _epoch)
                {
                    continue;
                }
                switch (answer?.Status)
                {
                    case HttpStatusCode.OK or HttpStatusCode.Conflict when answer.Value.Body.TryGetProperty("ackedThrough", out _) && !(Has(DeviceFlaw.ReadsStrictly) && answer.Value.Body.TryGetProperty("newMember", out _)):
                        Taken(numbers, answer.Value.Body);
                        break;
                    case HttpStatusCode.RequestEntityTooLarge when !Has(DeviceFlaw.SameAfterTooLarge):
                        _most = Math.Max(1, numbers.Count / 2);
                        break;
                    case null when Has(DeviceFlaw.ForgetsWithoutAnswer):
                    case HttpStatusCode.ServiceUnavailable when Has(DeviceFlaw.ForgetsAtUnavailable):
                        _toSend.ExceptWith(numbers);
                        break;
                }
            }
            if (answer?.RetryAfter is { } wait && !Has(DeviceFlaw.DoesNotWait))
            {
                await Task.Delay(wait, ct);
                isWaiting = true; // what was made meanwhile
            }
        }
    }

    private void Make(int count)
    {
        lock (_lock)
        {
            for (var n = 0; n < count; n++)
            {
                _seq += Has(DeviceFlaw.SkipsNumber) && _epoch == 1 && _seq == 4 ? 2 : 1;
                var at = DateTimeOffset.UtcNow.AddMilliseconds(Has(DeviceFlaw.CorrectsTime) ? -_offset : 0).ToString(Has(DeviceFlaw.TimeWithoutZone) ? "yyyy-MM-dd'T'HH:mm:ss.fff" : "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
                var mono = Has(DeviceFlaw.MonoGoesBack) ? int.MaxValue - _mono.ElapsedMilliseconds : _mono.ElapsedMilliseconds;
                _store[_seq] = JsonSerializer.SerializeToUtf8Bytes(new { dev = Name, ep = _epoch, seq = _seq, ts = at, mono, typ = "COUNT", good = _seq });
                _toSend.Add(_seq);
            }
        }
    }

    private byte[] Post(List<long> numbers)
    {
        var messages = numbers.Select(n => _sent.Add(n) || !Has(DeviceFlaw.RendersAnew) ? Encoding.UTF8.GetString(_store[n]) : $"{Encoding.UTF8.GetString(_store[n]).TrimEnd('}')},\"again\":{++_renderings}}}");
        return Encoding.UTF8.GetBytes($"{{\"messages\":[{string.Join(",", messages)}]}}");
    }

    private void Taken(List<long> numbers, JsonElement answer)
    {
        _toSend.ExceptWith(numbers);
        var asked = Ranges(answer);
        var acked = answer.GetProperty("ackedThrough").GetInt64();
        var isRejected = answer.TryGetProperty("code", out _) || answer.GetProperty("rejected").GetArrayLength() > 0;
        if (_repeats is { } repeated && numbers.Contains(repeated))
        {
            _repeats = null;
        }
        if (isRejected && Has(DeviceFlaw.RepeatsRejected) && _rejected.Add(numbers[0]))
        {
            _repeats = numbers[0];
            _toSend.Add(numbers[0]);
        }
        if (Has(DeviceFlaw.DeletesWhenAnswered))
        {
            numbers.Where(n => !asked.Exists(r => r.From <= n && n <= r.To)).ToList().ForEach(n => _store.Remove(n));
        }
        Acknowledged(acked, asked);
    }

    private void Acknowledged(long through, List<(long From, long To)> asked)
    {
        // Neither the answer nor a heartbeat's makes it delete what it means to repeat.
        through = Math.Min(through, _repeats - 1 ?? through);
        foreach (var seq in _store.Keys.TakeWhile(s => s <= through).ToList())
        {
            _store.Remove(seq);
            _toSend.Remove(seq);
        }
        foreach (var (from, to) in asked)
        {
            for (var seq = from; seq <= Math.Min(to, _seq); seq++)
            {
                if (!_store.ContainsKey(seq))
                {
                    _hasLostStore |= !Has(DeviceFlaw.IgnoresLoss);
                }
                else if (!Has(DeviceFlaw.IgnoresMissing))
                {
                    _toSend.Add(seq);
                }
            }
        }
    }

    private static List<(long From, long To)> Ranges(JsonElement answer) =>
        answer.TryGetProperty("missing", out var missing) ? [.. missing.EnumerateArray().Select(r => (r[0].GetInt64(), r[1].GetInt64()))] : [];

    private async Task BeatAllAsync(CancellationToken ct)
    {
        object? previous = null;
        for (; ; await Task.Delay(TimeSpan.FromSeconds(_heartbeatSeconds * (Has(DeviceFlaw.BeatsSlowly) ? 2 : 1)), ct))
        {
            int epoch;
            object beat;
            var t0 = DateTimeOffset.UtcNow;
            lock (_lock)
            {
                epoch = _epoch;
                beat = new { ep = _epoch, t0, previous, firmware = Has(DeviceFlaw.OtherFirmware) ? "1.1" : Firmware, configHash = ConfigHash, state = _state, lastSeq = _seq, buffered = _store.Count };
            }
            if (await PostAsync("heartbeat", JsonContent.Create(beat), ct) is not { Status: HttpStatusCode.OK } answer)
            {
                continue;
            }
            DateTimeOffset t1 = answer.Body.GetProperty("t1").GetDateTimeOffset(), t2 = answer.Body.GetProperty("t2").GetDateTimeOffset();
            previous = new { t0, t1 = Has(DeviceFlaw.WrongExchange) ? t0 : t1, t2, t3 = DateTimeOffset.UtcNow };
            lock (_lock)
            {
                _offset = answer.Body.GetProperty("offsetMs").GetDouble();
                if (epoch == _epoch)
                {
                    Acknowledged(answer.Body.GetProperty("ackedThrough").GetInt64(), Ranges(answer.Body));
                }
            }
        }
    }
}
