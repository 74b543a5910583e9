using System.Diagnostics;
using System.Globalization;
using Gateway.Devices;
using Gateway.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Gateway.Host.Simulate;

/// <summary>How a device is checked.</summary>
public sealed record GatewayCheckOptions
{
    /// <summary>What the device registers with; null: whatever it bears.</summary>
    public string? Key { get; init; }

    /// <summary>The device to be heard; null: the first that registers.</summary>
    public string? Device { get; init; }

    public int HeartbeatSeconds { get; init; } = DeviceLimits.HeartbeatSeconds;

    /// <summary>What a device is told to wait when it is told to.</summary>
    public int RetryAfterSeconds { get; init; } = 5;

    /// <summary>A device that does not do what it is asked within so long does not do it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>So long a paused machine is watched before it is told to go on.</summary>
    public TimeSpan Standing { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a device has for commands.</summary>
    public CommandOptions Commands { get; init; } = new();
}

/// <summary>
/// Plays a gateway for one device that is pointed at it, brings it into each case of the contract (docs/devices.md) by how it answers, and
/// says of each what the device did. It has no database: what a device says is forgotten when the check ends.
/// </summary>
public sealed partial class GatewayCheck : IAsyncDisposable
{
    // Ahead, so that a device that corrects its times by the offset says what has not happened yet by its own clock.
    private static readonly TimeSpan s_clockAhead = TimeSpan.FromSeconds(20), s_clockTolerance = TimeSpan.FromSeconds(2);

    private const int BeatsWanted = 4, MaxBytesRead = 8 << 20;

    private readonly WebApplication _app;
    private readonly GatewayCheckOptions _options;
    private readonly GatewayCaseBook _book = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _beating = new();
    private readonly List<TimeSpan> _beats = [];
    private readonly List<ClockExchange> _exchanges = [];
    private (DateTimeOffset T0, TimeSpan At)? _lastBeat;
    private int _beatsWithoutExchange, _exchangesSeen, _unregistered;
    private string? _device, _registrationKey, _token;
    private volatile bool _isTokenOpen = true;
    private RegistrationRequest? _registration;

    private GatewayCheck(WebApplication app, GatewayCheckOptions options)
    {
        (_app, _options, _device) = (app, options, options.Device);
        app.UseWebSockets();
        app.MapPost("/api/devices/register", (HttpContext context, RegistrationRequest request) => RegisterAsync(context, request));
        app.MapPost("/api/devices/{name}/messages", MessagesAsync);
        app.MapPost("/api/devices/{name}/heartbeat", Heartbeat);
        MapCommands(app);
    }

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a))];

    private static DateTimeOffset Now => DateTimeOffset.UtcNow + s_clockAhead;

    /// <param name="urls">As ASP.NET Core reads them, such as http://127.0.0.1:8080; port 0 is any that is free.</param>
    public static async Task<GatewayCheck> StartAsync(string urls, GatewayCheckOptions options, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        // The gateway's own settings and environment must not move the check to another address.
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBytesRead);
        var check = new GatewayCheck(builder.Build(), options);
        Array.ForEach(urls.Split(';'), check._app.Urls.Add);
        await check._app.StartAsync(ct);
        return check;
    }

    /// <summary>Walks the device through the cases; ends when all are decided, and at the latest after so long.</summary>
    public async IAsyncEnumerable<GatewayCaseOutcome> RunAsync(TimeSpan within, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        over.CancelAfter(within);
        var walk = WalkAsync(over.Token);
        await foreach (var outcome in _book.Outcomes)
        {
            yield return outcome;
        }
        await walk;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)); // a device that listens is not waited for
        await _app.DisposeAsync();
    }

    private async Task WalkAsync(CancellationToken ct)
    {
        try
        {
            await WalkMessagesAsync(ct);
            using var commanded = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var listening = TakeAllAsync(commanded.Token);
            await WalkCommandsAsync(ct);
            await UntilAsync(() => _beats.Count >= BeatsWanted, TimeSpan.FromSeconds(_options.HeartbeatSeconds * (BeatsWanted + 1)), ct);
            await commanded.CancelAsync();
            await listening;
        }
        catch (OperationCanceledException)
        {
            // The time is over: what was not seen by now is not seen.
        }
        finally
        {
            Leave();
            DecideAtEnd();
            _book.Close();
        }
    }

    private void DecideAtEnd()
    {
        if (_registration is null && _unregistered > 0)
        {
            _book.Fail(GatewayCase.Register, $"The device sent {_unregistered} requests and did not register.");
        }
        _book.PassIf(_heardPosts > 0, GatewayCase.Token, "The device spoke with its token.");
        DecideMessagesAtEnd();
        DecideCommandsAtEnd();
        lock (_beating)
        {
            var gaps = _beats.Zip(_beats.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
            if (_beats.Count < BeatsWanted)
            {
                if (_heardPosts > 0 && _clock.Elapsed - _registeredAt > TimeSpan.FromSeconds(_options.HeartbeatSeconds * (BeatsWanted + 1)))
                {
                    _book.Fail(GatewayCase.Heartbeat, string.Create(CultureInfo.InvariantCulture, $"{_beats.Count} heartbeats came in {(_clock.Elapsed - _registeredAt).TotalSeconds:0} s; heartbeatSeconds is {_options.HeartbeatSeconds}."));
                }
                return;
            }
            var told = string.Create(CultureInfo.InvariantCulture, $"{_beats.Count} heartbeats came, one each {gaps.Average():0.0} s and the longest silence {gaps.Max():0.0} s; heartbeatSeconds is {_options.HeartbeatSeconds}.");
            // Three missed make a device offline.
            if (gaps.Max() >= 3 * _options.HeartbeatSeconds || gaps.Average() > 1.5 * _options.HeartbeatSeconds || gaps.Average() < 0.5 * _options.HeartbeatSeconds)
            {
                _book.Fail(GatewayCase.Heartbeat, told);
            }
            _book.Pass(GatewayCase.Heartbeat, told);
            _book.PassIf(_exchangesSeen > 0, GatewayCase.Exchange, $"{_exchangesSeen} heartbeats told of the exchange before.");
            _book.Pass(GatewayCase.Firmware, "Heartbeats told the firmware and configuration that the device registered with.");
        }
    }

    private static string? Bearer(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is var given && given.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? given[7..].Trim() : null;

    /// <returns>Null: who speaks is the device that is checked; otherwise what it is answered with.</returns>
    private IResult? Refusal(HttpContext context, string name)
    {
        var bearer = Bearer(context);
        if (_token is null)
        {
            Interlocked.Increment(ref _unregistered);
            return Problems.Unauthorized();
        }
        if (!_isTokenOpen)
        {
            return Problems.Unauthorized();
        }
        if (name != _device)
        {
            return Problems.NotThisDevice();
        }
        if (bearer == _token)
        {
            return null;
        }
        // A gateway refuses this; here it is let in, so that the other cases are seen.
        if (bearer is not null && bearer == _registrationKey)
        {
            _book.Fail(GatewayCase.Token, $"{context.Request.Path} came with the key that the device registered with.");
            return null;
        }
        return Problems.Unauthorized();
    }

    private IResult Heartbeat(HttpContext context, string name, HeartbeatRequest beat)
    {
        var t1 = Now;
        lock (_beating)
        {
            if (_token is not null)
            {
                _beats.Add(_clock.Elapsed); // also one that is refused is a sign of life
            }
        }
        if (Refusal(context, name) is { } refused)
        {
            return refused;
        }
        if (DeviceHeartbeats.Refuse(beat) is { } unfit)
        {
            _book.Fail(GatewayCase.Heartbeat, $"A heartbeat was not whole: {unfit}");
            return Problems.Invalid(unfit);
        }
        if (beat.Ep != _epoch)
        {
            return WrongEpoch(beat.Ep);
        }
        if (beat.Firmware != _registration!.Firmware || beat.ConfigHash != _registration.ConfigHash)
        {
            _book.Fail(GatewayCase.Firmware, $"A heartbeat told {beat.Firmware} and {beat.ConfigHash}; the device registered with {_registration.Firmware} and {_registration.ConfigHash}.");
        }
        lock (_beating)
        {
            SeeExchange(beat);
            _lastBeat = (beat.T0!.Value, _clock.Elapsed);
            var t2 = Now;
            _exchanges.Add(new ClockExchange(beat.T0.Value, t1, t2, default));
            if (beat.State is { } state)
            {
                Reported(state, "heartbeat", beat.T0);
            }
            var told = _told;
            return TypedResults.Ok(new HeartbeatAnswer(t1.UtcDateTime, t2.UtcDateTime, Math.Round(DeviceHeartbeats.Offset(beat, t1.UtcDateTime), 3), told.AckedThrough, told.Missing, CommandsWaiting));
        }
    }

    // An answer may have been lost, so any of the last few may be the one before. What is told to the tick may come back to the millisecond.
    private void SeeExchange(HeartbeatRequest beat)
    {
        if (beat.Previous is not { } p)
        {
            if (_exchanges.Count > 0 && ++_beatsWithoutExchange >= BeatsWanted)
            {
                _book.Fail(GatewayCase.Exchange, $"{_beatsWithoutExchange} heartbeats came without the exchange before.");
            }
            return;
        }
        var isTrue = _exchanges.TakeLast(5).Any(e => IsSame(e.T0, p.T0) && IsSame(e.T1, p.T1) && IsSame(e.T2, p.T2)) && p.T3 >= p.T0;
        _exchangesSeen++;
        if (!isTrue)
        {
            _book.Fail(GatewayCase.Exchange, string.Create(CultureInfo.InvariantCulture, $"The exchange before had t0 {p.T0:O}, t1 {p.T1:O}, t2 {p.T2:O}, t3 {p.T3:O}, which were not those of any of the last heartbeats."));
        }

        static bool IsSame(DateTimeOffset a, DateTimeOffset b) => (a - b).Duration() <= TimeSpan.FromMilliseconds(1);
    }

    private static async Task<bool> UntilAsync(Func<bool> holds, TimeSpan within, CancellationToken ct)
    {
        for (var since = Stopwatch.GetTimestamp(); !holds(); await Task.Delay(20, ct))
        {
            if (Stopwatch.GetElapsedTime(since) > within)
            {
                return false;
            }
        }
        return true;
    }
}
