using System.Globalization;
using System.Threading.Channels;
using Gateway.Devices;
using Gateway.Http;

namespace Gateway.Host.Simulate;

// Registration and messages: LINES.md section 6. The device's posts come to one walk, which answers each as the case asks.
public sealed partial class GatewayCheck
{
    /// <summary>Posts of something else that a device may send before what is asked of it: they may have been on their way.</summary>
    private const int OnTheirWay = 3;

    /// <summary>More than a device says while it is checked.</summary>
    private const int MaxAhead = 1_000_000;

    /// <summary>A device cannot be held to what it needs before it sees the answer.</summary>
    private static readonly TimeSpan s_timers = TimeSpan.FromMilliseconds(100);

    /// <summary>A post or a registration that waits for its answer.</summary>
    private sealed class Arrival(IReadOnlyList<DeviceMessage> messages, int bytes, TimeSpan at, RegistrationRequest? registration = null)
    {
        private readonly TaskCompletionSource<IResult?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<DeviceMessage> Messages { get; } = messages;
        public int Bytes { get; } = bytes;
        public TimeSpan At { get; } = at;
        public RegistrationRequest? Registration { get; } = registration;
        public Task<IResult?> Answered => _answer.Task;
        public List<long> Numbers { get; } = [.. messages.Select(m => m.Seq).Distinct().Order()];
        public int FreshMessages { get; set; }
        public bool IsFresh => FreshMessages == Messages.Count;

        /// <param name="with">Null: the connection is cut.</param>
        public void Answer(IResult? with) => _answer.TrySetResult(with);
    }

    private readonly Channel<Arrival> _arrivals = Channel.CreateBounded<Arrival>(100);
    private HeardStream _stream = new();
    private MessagesAnswer _told = new(0, [], [], 0);
    private int _epoch = 1, _heardPosts, _largestPost, _leftOutFor, _staleSince, _repeated;
    private bool _isHolding;
    private TimeSpan _registeredAt;

    private async Task<IResult> RegisterAsync(HttpContext context, RegistrationRequest request)
    {
        if (Bearer(context) is not { } key || (_options.Key is not null && key != _options.Key))
        {
            return Problems.Unauthorized();
        }
        if (RegisterDevice.Refuse(request) is { } unfit)
        {
            _book.Fail(GatewayCase.Register, $"The registration was not whole: {unfit}");
            return Problems.Invalid(unfit);
        }
        if (_device is not null && request.DeviceId != _device)
        {
            return Problems.Invalid($"The device that is checked is {_device}.");
        }
        (_device, _registrationKey) = (request.DeviceId, key);
        return await ArriveAsync(new Arrival([], 0, _clock.Elapsed, request), context);
    }

    private async Task<IResult> MessagesAsync(HttpContext context, string name)
    {
        if (Refusal(context, name) is { } refused)
        {
            return refused;
        }
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var (messages, refusal, isTooMany) = ReadMessages.Read(body.ToArray(), name);
        if (isTooMany || body.Length > DeviceLimits.MaxBytes)
        {
            _book.Fail(GatewayCase.Limits, isTooMany ? $"A post had more than {DeviceLimits.MaxMessages} messages." : $"A post had {body.Length} bytes.");
            return Problems.TooManyMessages();
        }
        if (messages is null)
        {
            _book.Fail(GatewayCase.Form, refusal!);
            return Problems.MessagesMalformed(refusal!);
        }
        if (messages.Max(m => m.Seq) - _told.AckedThrough > MaxAhead)
        {
            _book.Fail(GatewayCase.Sequence, $"Number {messages.Max(m => m.Seq)} came when {_told.AckedThrough} was acknowledged.");
            return Problems.DeviceNotChanged("Send what is missing first.");
        }
        return await ArriveAsync(new Arrival(messages, (int)body.Length, _clock.Elapsed), context);
    }

    private async Task<IResult> ArriveAsync(Arrival arrival, HttpContext context)
    {
        while (!_arrivals.Writer.TryWrite(arrival))
        {
            if (!await _arrivals.Writer.WaitToWriteAsync(context.RequestAborted))
            {
                return Over();
            }
        }
        if (await arrival.Answered.WaitAsync(context.RequestAborted) is { } answer)
        {
            return answer;
        }
        context.Abort();
        return Results.Empty;
    }

    // The check is over: nobody answers any more.
    private void Leave()
    {
        _arrivals.Writer.Complete();
        while (_arrivals.Reader.TryRead(out var arrival))
        {
            arrival.Answer(Over());
        }
    }

    private static IResult Over() => TypedResults.Problem(statusCode: 503, title: "The check is over");

    private async Task WalkMessagesAsync(CancellationToken ct)
    {
        await RegisteredAsync(ct);
        if (await BeginAsync(ct))
        {
            await NewMembersAsync(ct);
            await RefusedAsync(GatewayCase.LostAnswer, "after the connection was cut", null, ct);
            await RefusedAsync(GatewayCase.Unavailable, "after 503", TypedResults.Problem(statusCode: 503, title: "Not available"), ct);
            await WaitAsync(ct);
            await TooLargeAsync(ct);
            await MissingAsync(ct);
            await RejectedAsync(ct);
            await LostForGoodAsync(ct);
            await RegisterAgainAsync(ct);
            await EpochAsync(ct);
        }
    }

    private async Task RegisteredAsync(CancellationToken ct)
    {
        var first = await _arrivals.Reader.ReadAsync(ct);
        Admit(first, isAnew: false);
        _registeredAt = _clock.Elapsed;
        _book.Pass(GatewayCase.Register, $"{_device} registered with firmware {first.Registration!.Firmware} on line {first.Registration.Line}.");
    }

    // A few posts without any trouble, so that a number that was left out is seen for what it is.
    private async Task<bool> BeginAsync(CancellationToken ct)
    {
        for (var posts = 0; posts < OnTheirWay || (_stream.LeftOut is not null && !_book.IsDecided(GatewayCase.Sequence)); posts++)
        {
            if (await PostAsync(ct) is not { } post)
            {
                return false;
            }
            Take(post);
        }
        return true;
    }

    private async Task NewMembersAsync(CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } post)
        {
            return;
        }
        _stream.Store(post.Numbers);
        _told = Tell();
        post.Answer(TypedResults.Ok(new { newMember = new { added = "later", values = (int[])[1, 2] }, _told.AckedThrough, _told.Missing, _told.Rejected, _told.Duplicates }));
        await GoesOnAsync(GatewayCase.NewMembers, post.Numbers, "after an answer that had a new member", ct);
    }

    // What was not taken: with null the connection is cut before an answer.
    private async Task RefusedAsync(GatewayCase c, string after, IResult? answer, CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } post)
        {
            return;
        }
        _isHolding = true;
        post.Answer(answer);
        var (instead, _) = await ComeAgainAsync(post.Numbers, ct);
        Decide(c, instead, post, after);
    }

    private async Task WaitAsync(CancellationToken ct)
    {
        if (await FreshAsync(1, ct) is not { } post)
        {
            return;
        }
        _isHolding = true;
        var until = _clock.Elapsed + TimeSpan.FromSeconds(_options.RetryAfterSeconds);
        post.Answer(new WithRetryAfter(_options.RetryAfterSeconds));
        var (instead, first) = await ComeAgainAsync(post.Numbers, ct);
        if (first is not null && first.At < until - s_timers)
        {
            instead = string.Create(CultureInfo.InvariantCulture, $"was told to wait {_options.RetryAfterSeconds} s, and posted after {(first.At - post.At).TotalSeconds:0.0} s");
        }
        Decide(GatewayCase.Wait, instead, post, $"after 429, having waited {_options.RetryAfterSeconds} s");
    }

    private sealed class WithRetryAfter(int seconds) : IResult
    {
        public Task ExecuteAsync(HttpContext context)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            return Problems.DevicesWait(seconds).ExecuteAsync(context);
        }
    }

    private async Task TooLargeAsync(CancellationToken ct)
    {
        if (await FreshAsync(2, ct) is not { } post)
        {
            _book.PassIf(_largestPost == 1, GatewayCase.TooLarge, "Each post has one message: none can be smaller.");
            return;
        }
        _isHolding = true;
        post.Answer(Problems.TooManyMessages());
        var (instead, first) = await ComeAgainAsync(post.Numbers, ct);
        if (first is not null && first.Bytes >= post.Bytes)
        {
            instead = $"sent {first.Messages.Count} messages and {first.Bytes} bytes after a post of {post.Messages.Count} messages and {post.Bytes} bytes had been too large";
        }
        Decide(GatewayCase.TooLarge, instead, post, "in smaller posts");
    }

    private async Task RegisterAgainAsync(CancellationToken ct)
    {
        if (await RegistrationAsync(ct) is not { } again)
        {
            _book.Fail(GatewayCase.RegisterAgain, $"The device was answered with 401 and did not register within {Patience}.");
            _isTokenOpen = true;
            return;
        }
        if (again.Registration!.EpochLost == true)
        {
            _book.Fail(GatewayCase.RegisterAgain, "The device was answered with 401 and registered with epochLost, though its store was not lost.");
        }
        Admit(again, again.Registration.EpochLost == true);
        if (await PostAsync(ct) is { } post)
        {
            Take(post);
            _book.Pass(GatewayCase.RegisterAgain, "The device was answered with 401, registered, and went on in its epoch.");
        }
        else
        {
            _book.Fail(GatewayCase.RegisterAgain, $"The device registered and sent nothing within {Patience}.");
        }
    }

    // Somebody has told the gateway that the device's store was lost.
    private async Task EpochAsync(CancellationToken ct)
    {
        if (await RegistrationAsync(ct) is not { } again)
        {
            _isTokenOpen = true;
            return;
        }
        Admit(again, isAnew: true);
        var epoch = _epoch;
        if (await PostAsync(ct) is not { } post)
        {
            _book.Fail(GatewayCase.Epoch, $"The device was told epoch {epoch} and sent nothing of it within {Patience}.");
            return;
        }
        if (_epoch == epoch && post.Numbers[0] != 1)
        {
            _book.Fail(GatewayCase.Epoch, $"The device was told epoch {epoch} and began it with number {post.Numbers[0]}.");
        }
        Take(post);
        for (var posts = 0; posts < OnTheirWay && await PostAsync(ct) is { } next; posts++)
        {
            Take(next);
        }
        _book.Pass(GatewayCase.Epoch, $"The device was told epoch {epoch} and went on in it from number 1.");
    }

    private void Decide(GatewayCase c, string? instead, Arrival post, string after)
    {
        _isHolding = false;
        _stream.Store(post.Numbers);
        if (instead is not null)
        {
            _book.Fail(c, $"The device {instead}.");
        }
        _book.Pass(c, $"The device sent {Ranges(post.Numbers)} again {after}.");
    }
}
