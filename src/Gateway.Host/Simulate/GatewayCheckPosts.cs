using System.Globalization;
using Gateway.Devices;
using Gateway.Http;

namespace Gateway.Host.Simulate;

// What the walk through the cases of messages is made of: the next post, and the answer that a gateway gives it.
public sealed partial class GatewayCheck
{
    private readonly Dictionary<int, HeardStream> _streams = [];
    private int _timed;

    private string Patience => string.Create(CultureInfo.InvariantCulture, $"{_options.Patience.TotalSeconds:0.#} s");

    /// <returns>The next post of the present epoch, not answered yet; null when none came in time. Registrations are answered on the way.</returns>
    private async Task<Arrival?> PostAsync(CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(_options.Patience);
        try
        {
            while (true)
            {
                var arrival = await _arrivals.Reader.ReadAsync(patience.Token);
                if (arrival.Registration is { } registration)
                {
                    if (registration.EpochLost == true && _stream.LeftOut is { } number)
                    {
                        _book.Fail(GatewayCase.Sequence, $"The device left out number {number}, and said that its store was lost when it was asked for it.");
                    }
                    Admit(arrival, registration.EpochLost == true);
                }
                else if (arrival.Messages[0].Epoch is var epoch && epoch != _epoch)
                {
                    arrival.Answer(WrongEpoch(epoch));
                    SeeWrongEpoch(epoch);
                }
                else
                {
                    Hear(arrival);
                    return arrival;
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <returns>The next post that has so many messages, all of them new; null when none came in time.</returns>
    private async Task<Arrival?> FreshAsync(int least, CancellationToken ct)
    {
        for (var until = _clock.Elapsed + _options.Patience; _clock.Elapsed < until && await PostAsync(ct) is { } post;)
        {
            if (post.IsFresh && post.Numbers.Count >= least)
            {
                return post;
            }
            Take(post);
        }
        return null;
    }

    /// <returns>The next registration, not answered yet; null when none came in time. Everything else is answered with 401.</returns>
    private async Task<Arrival?> RegistrationAsync(CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(_options.Patience);
        _isTokenOpen = false;
        try
        {
            while (true)
            {
                var arrival = await _arrivals.Reader.ReadAsync(patience.Token);
                if (arrival.Registration is not null)
                {
                    return arrival;
                }
                arrival.Answer(Problems.Unauthorized());
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Posts are answered until all numbers have come again, and what is not there yet is not asked for: a gateway waits for it at first.</summary>
    /// <returns>What the device did instead, null when they came; and the first post that had any of them.</returns>
    private async Task<(string? Instead, Arrival? First)> ComeAgainAsync(IReadOnlyList<long> numbers, CancellationToken ct)
    {
        var (lacking, epoch, others) = (numbers.ToHashSet(), _epoch, 0);
        Arrival? first = null;
        while (await PostAsync(ct) is { } post)
        {
            var has = post.Numbers.Exists(lacking.Contains);
            (first, others) = (first ?? (has ? post : null), has ? 0 : others + 1);
            lacking.ExceptWith(post.Numbers);
            var instead = _epoch != epoch ? "said that its store was lost" : others > OnTheirWay ? $"sent {others} posts without {Ranges([.. lacking.Order()])}" : null;
            _stream.Store(post.Numbers);
            _isHolding = lacking.Count > 0 && instead is null;
            if (!_isHolding && _epoch == epoch)
            {
                _stream.Store(numbers);
            }
            Answer(post);
            if (!_isHolding)
            {
                return (instead, first);
            }
        }
        _isHolding = false;
        _stream.Store(numbers);
        return ($"sent nothing within {Patience}", first);
    }

    // What is dealt with does not come again.
    private async Task GoesOnAsync(GatewayCase c, List<long> numbers, string after, CancellationToken ct)
    {
        var epoch = _epoch;
        for (var posts = 0; posts < OnTheirWay; posts++)
        {
            if (await PostAsync(ct) is not { } post)
            {
                _book.Fail(c, $"The device sent nothing within {Patience} {after}.");
                return;
            }
            if (_epoch != epoch)
            {
                _book.Fail(c, $"The device said that its store was lost {after}.");
            }
            else if (post.Numbers.Exists(numbers.Contains))
            {
                _book.Fail(c, $"The device sent {Ranges(numbers)} again {after}, though ackedThrough was {_told.AckedThrough}.");
            }
            Take(post);
        }
        _book.Pass(c, $"The device went on {after}.");
    }

    private async Task TakeAllAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await PostAsync(ct) is { } post)
                {
                    Take(post);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Take(Arrival post)
    {
        _stream.Store(post.Numbers);
        Answer(post);
    }

    private void Answer(Arrival? post)
    {
        _told = Tell();
        post?.Answer(TypedResults.Ok(_told with { Duplicates = post.Messages.Count - post.FreshMessages }));
    }

    private MessagesAnswer Tell() => new(_stream.Through, _isHolding ? [] : _asked is not null ? [_asked] : _stream.Missing, [], 0);

    private void Hear(Arrival post)
    {
        (_heardPosts, _largestPost) = (_heardPosts + 1, Math.Max(_largestPost, post.Messages.Count));
        (DateTimeOffset T0, TimeSpan At)? beat;
        lock (_beating)
        {
            beat = _lastBeat;
        }
        foreach (var m in post.Messages)
        {
            var (isFresh, otherBytes, clockWentBack) = _stream.Hear(m);
            if (otherBytes is not null)
            {
                _book.Fail(GatewayCase.SameBytes, otherBytes);
            }
            if (clockWentBack is not null)
            {
                _book.Fail(GatewayCase.Mono, clockWentBack);
            }
            if (!isFresh)
            {
                _repeated++;
                continue;
            }
            post.FreshMessages++;
            if (beat is { } b)
            {
                _timed++;
                // By its own clock, the device cannot say what is later than now.
                var now = (b.T0 + (post.At - b.At)).UtcDateTime;
                if (m.At > now + s_clockTolerance)
                {
                    _book.Fail(GatewayCase.OwnClock, string.Create(CultureInfo.InvariantCulture,
                        $"ts of number {m.Seq} is {(m.At - now).TotalSeconds:0.0} s ahead of the device's clock as its heartbeats tell it; the gateway's was told to be {s_clockAhead.TotalSeconds:0} s ahead."));
                }
            }
        }
        _leftOutFor = _stream.LeftOut is null || _isHolding ? 0 : _leftOutFor + 1;
        if (_leftOutFor > OnTheirWay)
        {
            _book.Fail(GatewayCase.Sequence, $"Number {_stream.LeftOut} of epoch {_epoch} did not come, though {_stream.Highest} did and it was asked for.");
            while (_stream.LeftOut is { } number)
            {
                _stream.GiveUp(number);
            }
        }
    }

    // A few posts may have been on their way when the device was told; then it is let go on where it is, so that the other cases are seen.
    private void SeeWrongEpoch(int epoch)
    {
        if (_stream.Highest > 0 && epoch < _epoch)
        {
            _book.Fail(GatewayCase.Epoch, $"The device went back from epoch {_epoch} to {epoch}.");
        }
        if (++_staleSince > OnTheirWay)
        {
            _book.Fail(GatewayCase.Epoch, $"The device was told epoch {_epoch} when it registered, and went on in {epoch}.");
            (_epoch, _staleSince) = (epoch, 0);
            if (!_streams.TryGetValue(epoch, out var stream))
            {
                _streams[epoch] = stream = new HeardStream();
            }
            _stream = stream;
        }
    }

    private void Admit(Arrival arrival, bool isAnew)
    {
        if (isAnew)
        {
            _epoch++;
            _stream = new HeardStream();
        }
        _streams[_epoch] = _stream;
        (_registration, _token, _staleSince, _leftOutFor) = (arrival.Registration, $"check_{Guid.NewGuid():N}", 0, 0);
        lock (_beating)
        {
            _beatsWithoutExchange = 0;
        }
        _told = Tell();
        _isTokenOpen = true;
        arrival.Answer(TypedResults.Ok(new Registration(_device!, _token, _epoch, _stream.Through, new RegistrationLimits(HeartbeatSeconds: _options.HeartbeatSeconds), Now.UtcDateTime)));
    }

    private IResult WrongEpoch(int epoch) => epoch < _epoch
        ? Problems.WrongEpoch("epoch.stale", $"The device has begun epoch {_epoch}: what is of an earlier one is not taken any more.")
        : Problems.WrongEpoch("epoch.unknown", $"The device has not begun this epoch: it is in {_epoch}.");

    private void DecideMessagesAtEnd()
    {
        _book.PassIf(_heardPosts > 0, GatewayCase.Form, $"{_heardPosts} posts were well formed.");
        _book.PassIf(_heardPosts > OnTheirWay, GatewayCase.Sequence, $"The numbers of {_streams.Count} epochs began at 1 and left none out.");
        _book.PassIf(_repeated > 0, GatewayCase.SameBytes, $"{_repeated} messages came more than once, each time in the same bytes.");
        _book.PassIf(_heardPosts > 0, GatewayCase.Limits, $"The largest post had {_largestPost} messages.");
        _book.PassIf(_heardPosts > OnTheirWay, GatewayCase.Mono, "mono never went back.");
        _book.PassIf(_timed > 0, GatewayCase.OwnClock, string.Create(CultureInfo.InvariantCulture, $"ts agreed with the device's own clock, though the gateway's was told to be {s_clockAhead.TotalSeconds:0} s ahead."));
    }

    private static string Ranges(IReadOnlyList<long> numbers) => numbers.Count == 1 ? $"number {numbers[0]}" : $"numbers {numbers[0]}-{numbers[^1]}";
}
