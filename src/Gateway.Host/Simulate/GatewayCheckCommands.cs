using System.Globalization;
using System.Text.Json;
using Gateway.Devices;

namespace Gateway.Host.Simulate;

// Commands: LINES.md section 8. The device listens as it likes; the walk tells it of commands and looks at what it answers and how its machine is.
public sealed partial class GatewayCheck
{
    private static readonly string[] s_stands = ["Holding", "Held"];
    private static readonly JsonElement s_none = JsonSerializer.SerializeToElement(new { });

    private readonly Lock _commanding = new();
    private readonly List<CommandMessage> _tellings = [];
    private readonly Dictionary<Guid, Commanded> _commands = [];
    private readonly List<(string State, string Way)> _reports = [];
    private DateTimeOffset _reportedAt;
    private long _fence = 1; // what the first stale command is told with is a fence too

    /// <summary>A command and what the device answered to it.</summary>
    private sealed class Commanded(CommandMessage command, bool isStale)
    {
        public CommandMessage Command { get; } = command;
        public bool IsStale { get; } = isStale;
        public TimeSpan? AckedAfter { get; set; }
        public List<string> Outcomes { get; } = [];
        public long? OtherFence { get; set; }

        /// <summary>When a device that listened was told of it at first.</summary>
        public TimeSpan? ToldAt { get; set; }

        public bool HasEnded => Outcomes.Count > 0;
    }

    private int CommandsWaiting
    {
        get
        {
            lock (_commanding)
            {
                return _commands.Values.Count(c => c.AckedAfter is null && !c.HasEnded);
            }
        }
    }

    private string? MachineState
    {
        get
        {
            lock (_commanding)
            {
                return _reports.Count > 0 ? _reports[^1].State : null;
            }
        }
    }

    private async Task WalkCommandsAsync(CancellationToken ct)
    {
        var first = Tell("identify"); // so that heartbeats say that something waits
        if (!await UntilAsync(() => _listens.Count > 0, _options.Patience, ct))
        {
            return;
        }
        await AnswersAsync(first, ct);
        await GoesOnHearingAsync(ct);
        await PauseAsync(ct);
    }

    private async Task AnswersAsync(Commanded first, CancellationToken ct)
    {
        var within = _options.Commands.AckWithin;
        var deadline = _options.Commands.For("identify");
        for (var tries = 1; !await UntilAsync(() => first.AckedAfter is not null, within, ct) && tries < _options.Commands.Tries; tries++)
        {
            TellAgain(first);
        }
        // The time counts from when a listening device was told.
        if (first.AckedAfter is { } after)
        {
            if (after > within + s_timers)
            {
                _book.Fail(GatewayCase.Ack, string.Create(CultureInfo.InvariantCulture, $"identify was acknowledged after {after.TotalSeconds:0.0} s."));
            }
            else if (first.OtherFence is { } other)
            {
                _book.Fail(GatewayCase.Ack, $"identify with fence {first.Command.Fence} was answered with fence {other}.");
            }
            _book.Pass(GatewayCase.Ack, string.Create(CultureInfo.InvariantCulture, $"identify was acknowledged after {after.TotalSeconds:0.0} s."));
        }
        else
        {
            _book.Fail(GatewayCase.Ack, $"identify was told {_options.Commands.Tries} times and not acknowledged.");
        }
        if (!await UntilAsync(() => first.HasEnded, deadline, ct))
        {
            _book.Fail(GatewayCase.Complete, string.Create(CultureInfo.InvariantCulture, $"identify was not completed within {deadline.TotalSeconds:0.#} s."));
        }
    }

    private async Task GoesOnHearingAsync(CancellationToken ct)
    {
        var (heard, before) = (_number, _listens.Count);
        BreakChannels();
        await Task.Delay(s_timers, ct);
        var missed = Tell("identify");
        if (!await UntilAsync(() => _listens.Count > before, _options.Patience, ct))
        {
            _book.Fail(GatewayCase.Channel, $"The device did not listen again within {Patience} after a break.");
            return;
        }
        var again = _listens.ElementAt(before);
        if (again.After != heard)
        {
            _book.Fail(GatewayCase.Channel, $"The device had heard number {heard}, and came back by {again.Way} with {(again.After is { } after ? after.ToString(CultureInfo.InvariantCulture) : "no number")}.");
        }
        if (!await UntilAsync(() => missed.AckedAfter is not null || missed.HasEnded, _options.Patience, ct))
        {
            _book.Fail(GatewayCase.Channel, "The device did not answer a command that was issued during the break.");
        }
        _book.Pass(GatewayCase.Channel, $"The device came back by {again.Way} with the number {heard}, and answered what was issued meanwhile.");
    }

    private async Task PauseAsync(CancellationToken ct)
    {
        if (MachineState != "Execute")
        {
            Tell("start");
            if (!await UntilAsync(() => MachineState == "Execute", _options.Commands.Start, ct))
            {
                return; // a machine that does not run is not paused
            }
        }
        var pause = Tell("pause", "quality");
        if (!await UntilAsync(() => MachineState == "Held", _options.Commands.Pause, ct))
        {
            _book.Fail(GatewayCase.Pause, string.Create(CultureInfo.InvariantCulture, $"A pause for quality was told, and after {_options.Commands.Pause.TotalSeconds:0.#} s the machine's reported state was {MachineState}{(pause.HasEnded ? $", though the device said {pause.Outcomes[^1]}" : "")}."));
            return;
        }
        _book.Pass(GatewayCase.Pause, "The machine's reported state was Held in time.");
        await UntilAsync(() => pause.HasEnded, _options.Commands.AckWithin, ct);

        var (reports, outcomes) = Seen(pause);
        TellAgain(pause);
        await Task.Delay(_options.Commands.AckWithin, ct);
        var (after, said) = (ReportsSince(reports), pause.Outcomes.Skip(outcomes).ToList());
        if (after.Contains("Holding") || (outcomes > 0 && said.Exists(o => o != pause.Outcomes[0])))
        {
            _book.Fail(GatewayCase.Once, $"The pause was told again with its cmdId, and the device {(after.Contains("Holding") ? "held the machine again" : $"said {said[^1]} after {pause.Outcomes[0]}")}.");
        }
        _book.Pass(GatewayCase.Once, "The pause was told again with its cmdId, and was not done again.");

        await UntilAsync(() => WentOn(reports), _options.Standing, ct);
        if (WentOn(reports))
        {
            _book.Fail(GatewayCase.Resume, $"The machine was paused for quality and went on by itself: {string.Join(", ", ReportsSince(reports))}.");
        }
        else
        {
            await OlderFenceAsync(reports, pause, ct);
        }

        var resume = Tell("resume");
        if (!await UntilAsync(() => MachineState == "Execute", _options.Commands.Resume, ct))
        {
            _book.Fail(GatewayCase.Resume, string.Create(CultureInfo.InvariantCulture, $"resume was told, and after {_options.Commands.Resume.TotalSeconds:0.#} s the machine's reported state was {MachineState}."));
        }
        _book.Pass(GatewayCase.Resume, string.Create(CultureInfo.InvariantCulture, $"The machine stood for {_options.Standing.TotalSeconds:0.#} s, and went on when resume was told."));
        await UntilAsync(() => resume.HasEnded && IsStateTold(), _options.Commands.AckWithin, ct);
        DecideState();
    }

    // As when it was held up on its way: a resume from before the pause.
    private async Task OlderFenceAsync(int reports, Commanded pause, CancellationToken ct)
    {
        var late = Tell("resume", fence: pause.Command.Fence - 1);
        await UntilAsync(() => WentOn(reports) || late.Outcomes.Contains("rejected"), 2 * _options.Commands.AckWithin, ct);
        if (WentOn(reports) || late.Outcomes.Contains("done"))
        {
            _book.Fail(GatewayCase.Fence, $"A resume with fence {late.Command.Fence} was done after a pause with fence {pause.Command.Fence}.");
        }
        else if (late.AckedAfter is not null && !late.HasEnded)
        {
            _book.Fail(GatewayCase.Fence, $"A resume with fence {late.Command.Fence} was acknowledged after a pause with fence {pause.Command.Fence}.");
        }
        _book.Pass(GatewayCase.Fence, $"A resume with fence {late.Command.Fence} after a pause with fence {pause.Command.Fence} {(late.HasEnded ? $"was {late.Outcomes[^1]}" : "had no effect")}.");
        EndTelling(late);
    }

    private void DecideState()
    {
        if (!IsStateTold())
        {
            lock (_commanding)
            {
                var others = _reports.Where(r => r.Way != "state").Select(r => r.Way).Distinct();
                _book.Fail(GatewayCase.State, $"The machine was held and went on, and not both were told by POST /state: the states came by {string.Join(" and ", others)}.");
            }
        }
        _book.Pass(GatewayCase.State, "The device told of Held and Execute when the machine came into them.");
    }

    private void DecideCommandsAtEnd()
    {
        lock (_commanding)
        {
            if (_commands.Values.FirstOrDefault(c => !c.IsStale && c.Outcomes.Distinct().Count() > 1) is { } twice)
            {
                _book.Fail(GatewayCase.Complete, $"{twice.Command.Type} was completed as {string.Join(", then ", twice.Outcomes)}.");
            }
            var completed = _commands.Values.Count(c => c.HasEnded);
            _book.PassIf(completed > 0, GatewayCase.Complete, $"{completed} commands were completed, each with one outcome.");
        }
    }

    private bool IsStateTold()
    {
        lock (_commanding)
        {
            var told = _reports.Where(r => r.Way == "state").Select(r => r.State).ToList();
            return told.Contains("Held") && told.LastIndexOf("Execute") > told.IndexOf("Held");
        }
    }

    private (int Reports, int Outcomes) Seen(Commanded command)
    {
        lock (_commanding)
        {
            return (_reports.Count, command.Outcomes.Count);
        }
    }

    private List<string> ReportsSince(int count)
    {
        lock (_commanding)
        {
            return [.. _reports.Skip(count).Select(r => r.State)];
        }
    }

    private bool WentOn(int since) => ReportsSince(since).Exists(s => !s_stands.Contains(s));

    private Commanded Tell(string type, string reasonClass = "operator", long? fence = null)
    {
        lock (_commanding)
        {
            var now = Now;
            var message = new CommandMessage(++_number, Guid.NewGuid(), _device!, _registration!.Line!, type, s_none, "conformance check", reasonClass, "device-check", now.UtcDateTime, (now + _options.Commands.For(type)).UtcDateTime, fence ?? ++_fence);
            var told = new Commanded(message, fence is not null);
            _commands.Add(message.CmdId, told);
            _tellings.Add(message);
            return told;
        }
    }

    private void TellAgain(Commanded command)
    {
        lock (_commanding)
        {
            EndTelling(command);
            _tellings.Add(command.Command with { Number = ++_number });
        }
    }

    // A telling that was heard is not told to who has heard of nothing yet.
    private void EndTelling(Commanded command)
    {
        lock (_commanding)
        {
            _tellings.RemoveAll(t => t.CmdId == command.Command.CmdId);
        }
    }

    /// <param name="at">By the device's clock; null: now. What is older than what was told last was overtaken on its way.</param>
    private void Reported(string state, string way, DateTimeOffset? at)
    {
        lock (_commanding)
        {
            if (at >= _reportedAt || at is null)
            {
                _reportedAt = at ?? _reportedAt;
                if (way == "state" || _reports.Count == 0 || _reports[^1].State != state)
                {
                    _reports.Add((state, way));
                }
            }
        }
    }
}
