using System.Net.Http.Headers;

namespace Gateway.Host.Simulate.Hub;

/// <summary>
/// Tells a gateway what it could fetch as well: each document once, without trying again, and as badly as the faults say.
/// </summary>
internal sealed class HubPusher : IAsyncDisposable
{
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(50);

    private readonly HubFaults _faults;
    private readonly HubRepository _repository;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly Uri _answers, _alerts;
    private readonly Lock _lock = new();
    private readonly List<(string Kind, string? CorrelationId, byte[] Document)> _waiting = [];
    private readonly List<HubPushed> _pushed = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _turns;
    private long _lastAlert;

    public HubPusher(HubPush push, HubFaults faults, HubRepository repository)
    {
        (_faults, _repository) = (faults, repository);
        _answers = new Uri(new Uri(push.Gateway.AbsoluteUri.TrimEnd('/') + "/"), $"api/hub/{push.Gln}/answers");
        _alerts = new Uri(_answers, "alerts");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", push.Key);
        // As it was then: pushed out of order, an older result comes behind a newer one.
        repository.Changed = (message, at) => Wait("Result", message.CorrelationId, HubAnswers.Result(message, at, faults.ShufflesResults));
        _turns = RunAsync();
    }

    public IReadOnlyList<HubPushed> Pushed
    {
        get
        {
            lock (_lock)
            {
                return [.. _pushed];
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _turns;
        _http.Dispose();
        _end.Dispose();
    }

    private void Wait(string kind, string? correlationId, byte[] document)
    {
        lock (_lock)
        {
            _waiting.Add((kind, correlationId, document));
        }
    }

    private async Task RunAsync()
    {
        using var turns = new PeriodicTimer(s_turn);
        try
        {
            while (await turns.WaitForNextTickAsync(_end.Token))
            {
                await TurnAsync(_end.Token);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The hub ends.
        }
    }

    private async Task TurnAsync(CancellationToken ct)
    {
        var isIdle = _repository.IsIdle; // and what was due has happened
        while (_repository.AlertsAfter(_lastAlert) is { Count: > 0 } alerts)
        {
            Wait("Alerts", null, HubAnswers.Alerts(alerts, _lastAlert));
            _lastAlert = alerts[^1].Number;
        }
        if (_faults.ShufflesPushes && !isIdle)
        {
            return;
        }
        (string Kind, string? CorrelationId, byte[] Document)[] now;
        lock (_lock)
        {
            now = [.. _waiting];
            _waiting.Clear();
        }
        if (_faults.DuplicatesPushes)
        {
            now = [.. now.SelectMany(d => new[] { d, d })];
        }
        if (_faults.ShufflesPushes)
        {
            Random.Shared.Shuffle(now);
        }
        foreach (var (kind, correlationId, document) in now)
        {
            var status = _faults.LosesPush() ? null : await PushAsync(kind == "Alerts" ? _alerts : _answers, document, ct);
            lock (_lock)
            {
                _pushed.Add(new HubPushed(kind, correlationId, status));
            }
        }
    }

    private async Task<int?> PushAsync(Uri to, byte[] document, CancellationToken ct)
    {
        try
        {
            using var content = new ByteArrayContent(document) { Headers = { ContentType = new MediaTypeHeaderValue("application/xml") } };
            using var answer = await _http.PostAsync(to, content, ct);
            return (int)answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !ct.IsCancellationRequested))
        {
            return null; // whoever was not told fetches it
        }
    }
}
