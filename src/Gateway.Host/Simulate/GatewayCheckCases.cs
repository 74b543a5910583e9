using System.Threading.Channels;

namespace Gateway.Host.Simulate;

/// <summary>What came of one case.</summary>
/// <param name="Verdict">passed, failed, or not seen: the device never came into the case.</param>
/// <param name="Did">What the device did, as a sentence.</param>
/// <param name="Asked">What the contract asks (docs/devices.md).</param>
public sealed record GatewayCaseOutcome(string Case, string Verdict, string Did, string Asked);

/// <summary>What the contract of devices asks, as one case.</summary>
/// <param name="Section">Of LINES.md and docs/devices.md.</param>
internal sealed record GatewayCase(string Name, string Section, string Asked)
{
    public static readonly GatewayCase
        Register = new("registers first", "Registration", "a device registers before all else, with deviceId, kind, line, firmware and configHash."),
        Token = new("own token", "Registration", "a device speaks with the token of its last registration."),
        RegisterAgain = new("registers again", "Messages", "at 401 a device registers again; the epoch rises only when its store is lost."),
        Form = new("form of messages", "Messages", "a message has dev, ep, seq, ts with its zone, mono in whole milliseconds, and typ."),
        Sequence = new("numbers", "Messages", "seq begins at 1 in each epoch and rises by 1."),
        SameBytes = new("same bytes", "Messages", "what is sent again under a number has the same bytes."),
        Limits = new("size of posts", "Messages", "a post has at most 500 messages and 1,048,576 bytes."),
        NewMembers = new("new members", "Devices", "a device passes over members of an answer that it does not know."),
        LostAnswer = new("answer lost", "Messages", "without an answer a device sends the same again."),
        Unavailable = new("unavailable", "Messages", "at 503 a device sends the same again."),
        Wait = new("told to wait", "Messages", "at 429 a device waits Retry-After seconds and sends the same again."),
        TooLarge = new("too large", "Messages", "at 413 a device makes smaller posts."),
        Missing = new("missing", "Messages", "what is missing a device sends next."),
        Keeps = new("keeps until acknowledged", "Messages", "a device deletes up to ackedThrough and nothing else."),
        Rejected = new("rejected", "Messages", "what was rejected with seq.conflict is dealt with: a device deletes up to ackedThrough and goes on."),
        Epoch = new("epoch", "Messages", "a device goes on in the epoch of its last registration, from 1, and in no earlier one."),
        LostForGood = new("lost for good", "Messages", "a device whose missing messages are lost for good registers with epochLost."),
        Heartbeat = new("heartbeat", "Heartbeat", "a heartbeat comes every heartbeatSeconds."),
        Exchange = new("exchange of clocks", "Heartbeat", "a heartbeat has the exchange before: its t0, t1 and t2 as the gateway told them, and t3."),
        Firmware = new("firmware", "Registration", "a device registers after a change of its firmware or configuration, so its heartbeats tell what it registered with."),
        Mono = new("monotonic clock", "Messages", "mono is the device's monotonic clock: it never goes back."),
        OwnClock = new("own clock", "Heartbeat", "ts is by the device's clock as it is: the device does not correct it."),
        Ack = new("acknowledges", "Commands", "a device acknowledges a command within 2 s, with the command's fence."),
        Complete = new("completes", "Commands", "a device says once before the deadline what became of a command: done, failed or rejected."),
        Channel = new("goes on hearing", "Commands", "after a break a device names the last number that it heard."),
        Pause = new("pause", "Commands", "a pause for quality is done when the machine's reported state is Held, before the deadline."),
        Once = new("does it once", "Commands", "a command that is told again has its cmdId, and a device does it once."),
        Fence = new("older fence", "Commands", "a device refuses start, pause, resume and end with a fence lower than the highest it has seen."),
        Resume = new("resume", "Commands", "a machine that was paused goes on when it is told to resume, and not by itself."),
        State = new("reports its state", "Commands", "a device tells the machine's state in PackML's words whenever it changes.");

    /// <summary>In the order in which they are told.</summary>
    public static IReadOnlyList<GatewayCase> All { get; } =
    [
        Register, Token, RegisterAgain, Form, Sequence, SameBytes, Limits, NewMembers, LostAnswer, Unavailable, Wait, TooLarge, Missing, Keeps, Rejected, Epoch, LostForGood,
        Heartbeat, Exchange, Firmware, Mono, OwnClock, Ack, Complete, Channel, Pause, Once, Fence, Resume, State,
    ];
}

/// <summary>What was found out about the cases so far; each is decided once.</summary>
internal sealed class GatewayCaseBook
{
    private readonly HashSet<GatewayCase> _decided = [];
    private readonly Channel<GatewayCaseOutcome> _outcomes = Channel.CreateUnbounded<GatewayCaseOutcome>(); // one for each case at most

    /// <summary>In the order in which they were decided; ends when the book is closed.</summary>
    public IAsyncEnumerable<GatewayCaseOutcome> Outcomes => _outcomes.Reader.ReadAllAsync();

    public void Pass(GatewayCase c, string did) => Decide(c, "passed", did);

    public void Fail(GatewayCase c, string did) => Decide(c, "failed", did);

    /// <summary>Something that the contract asks always, of which enough was seen; a failure before stands.</summary>
    /// <param name="enough">False: the case is not seen.</param>
    public void PassIf(bool enough, GatewayCase c, string did)
    {
        if (enough)
        {
            Pass(c, did);
        }
    }

    public bool IsDecided(GatewayCase c)
    {
        lock (_decided)
        {
            return _decided.Contains(c);
        }
    }

    /// <summary>Whatever is not decided was not seen.</summary>
    public void Close()
    {
        foreach (var c in GatewayCase.All)
        {
            Decide(c, "not seen", "The device did not come into this case.");
        }
        _outcomes.Writer.Complete();
    }

    private void Decide(GatewayCase c, string verdict, string did)
    {
        lock (_decided)
        {
            if (_decided.Add(c))
            {
                _outcomes.Writer.TryWrite(new GatewayCaseOutcome(c.Name, verdict, did, $"{c.Section}: {c.Asked}"));
            }
        }
    }
}
