using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Gateway.Devices;
using Gateway.Http;

namespace Gateway.Host.Simulate;

// The ways a device hears of commands and answers them, in the shapes of the gateway itself.
public sealed partial class GatewayCheck
{
    private const int MaxWaitSeconds = 60, MaxSaid = 64 << 10;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20), s_signOfLife = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<(string Way, long? After)> _listens = [];
    private CancellationTokenSource _channels = new();
    private long _number;

    private sealed record SocketAnswer(string? Answer, Guid? CmdId, long? Fence, string? Outcome, string? State);

    private void MapCommands(WebApplication app)
    {
        var device = app.MapGroup("/api/devices/{name}");
        device.MapGet("/commands/stream", StreamAsync);
        device.MapGet("/commands/socket", SocketAsync);
        device.MapGet("/commands", PollAsync);
        device.MapPost("/commands/{cmdId:guid}/ack", (HttpContext context, string name, Guid cmdId, AckRequest said) => Refusal(context, name) ?? Shown(cmdId, Answered(cmdId, false, said.Fence, null, null)));
        device.MapPost("/commands/{cmdId:guid}/complete", (HttpContext context, string name, Guid cmdId, CompleteRequest said) => Refusal(context, name) ?? Shown(cmdId, Answered(cmdId, true, said.Fence, said.Outcome, said.State)));
        device.MapPost("/state", (HttpContext context, string name, StateRequest said) =>
        {
            if (Refusal(context, name) is { } refused)
            {
                return refused;
            }
            if (said.State is null || !CommandWords.MachineStates.Contains(said.State) || said.At is null)
            {
                _book.Fail(GatewayCase.State, $"A state was told as {said.State ?? "nothing"} at {said.At?.ToString("O", CultureInfo.InvariantCulture) ?? "no time"}.");
                return Problems.Invalid("state is a word of PackML, and at is when the machine came into it.");
            }
            Reported(said.State, "state", said.At);
            return TypedResults.Ok(new { state = said.State });
        });
    }

    private async Task<IResult> StreamAsync(HttpContext context, string name)
    {
        if (Refusal(context, name) is { } refused)
        {
            return refused;
        }
        var given = context.Request.Headers["Last-Event-ID"].ToString();
        if (given.Length > 0 && !long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return Problems.BadParameter("Last-Event-ID is the id of the last event that the device has heard.");
        }
        long? after = given.Length > 0 ? long.Parse(given, CultureInfo.InvariantCulture) : null;
        context.Response.ContentType = "text/event-stream";
        await SayAsync("retry: 1000\n\n");
        await foreach (var command in FollowAsync("server-sent events", after, Timeout.InfiniteTimeSpan, context.RequestAborted))
        {
            await SayAsync(command is null ? ": still here\n\n" : string.Create(CultureInfo.InvariantCulture, $"id: {command.Number}\nevent: command\ndata: {JsonSerializer.Serialize(command, JsonSerializerOptions.Web)}\n\n"));
        }
        return TypedResults.Empty;

        async Task SayAsync(string text)
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    private async Task<IResult> PollAsync(HttpContext context, string name, long? after, int? wait)
    {
        if (Refusal(context, name) is { } refused)
        {
            return refused;
        }
        if (wait is < 0 or > MaxWaitSeconds)
        {
            return Problems.BadParameter($"wait is 0 to {MaxWaitSeconds} seconds.");
        }
        var commands = new List<CommandMessage>();
        await foreach (var command in FollowAsync("long poll", after, TimeSpan.FromSeconds(wait ?? 0), context.RequestAborted))
        {
            if (command is not null)
            {
                commands.Add(command);
                break;
            }
        }
        return TypedResults.Ok(new { commands, after = commands.Count > 0 ? commands[^1].Number : after ?? 0 });
    }

    private async Task<IResult> SocketAsync(HttpContext context, string name, long? after)
    {
        if (Refusal(context, name) is { } refused)
        {
            return refused;
        }
        if (!context.WebSockets.IsWebSocketRequest)
        {
            return Problems.BadParameter("This address takes a WebSocket.");
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var sending = new SemaphoreSlim(1, 1); // a socket sends one message at a time
        var hearing = HearAsync(socket, sending, end);
        try
        {
            await foreach (var command in FollowAsync("WebSocket", after, Timeout.InfiniteTimeSpan, end.Token))
            {
                if (command is not null)
                {
                    await SendAsync(socket, command, sending, end.Token);
                }
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "come again", end.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The device has gone, and comes again by itself.
        }
        await end.CancelAsync();
        await hearing;
        return TypedResults.Empty;
    }

    private async Task HearAsync(WebSocket socket, SemaphoreSlim sending, CancellationTokenSource end)
    {
        var buffer = new byte[MaxSaid];
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(), end.Token) is { MessageType: WebSocketMessageType.Text, EndOfMessage: true } received)
            {
                var said = JsonSerializer.Deserialize<SocketAnswer>(buffer.AsSpan(0, received.Count), JsonSerializerOptions.Web)!;
                var (status, state, fence, code) = Answered(said.CmdId ?? default, said.Answer == "complete", said.Fence, said.Outcome, said.State);
                await SendAsync(socket, new { said.Answer, said.CmdId, status, state, fence, code, detail = (string?)null }, sending, end.Token);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or JsonException)
        {
            // It has gone, or does not speak as it should: then the socket ends.
        }
        await end.CancelAsync();
    }

    private static async Task SendAsync(WebSocket socket, object message, SemaphoreSlim sending, CancellationToken ct)
    {
        await sending.WaitAsync(ct);
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, JsonSerializerOptions.Web), WebSocketMessageType.Text, endOfMessage: true, ct);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>What the device has not heard as it comes, and now and then null; ends when the channels are broken.</summary>
    private async IAsyncEnumerable<CommandMessage?> FollowAsync(string way, long? after, TimeSpan within, [EnumeratorCancellation] CancellationToken ct)
    {
        var broken = _channels.Token;
        _listens.Enqueue((way, after));
        var (since, quietSince, heard) = (_clock.Elapsed, _clock.Elapsed, after ?? 0);
        while (true)
        {
            foreach (var command in Next(heard))
            {
                (heard, quietSince) = (command.Number, _clock.Elapsed);
                yield return command;
            }
            if (broken.IsCancellationRequested || (within != Timeout.InfiniteTimeSpan && _clock.Elapsed - since >= within))
            {
                yield break;
            }
            if (_clock.Elapsed - quietSince > s_signOfLife)
            {
                quietSince = _clock.Elapsed;
                yield return null;
            }
            await Task.Delay(s_look, ct);
        }
    }

    private List<CommandMessage> Next(long after)
    {
        lock (_commanding)
        {
            // Who has heard nothing is told of all that has not ended.
            var next = _tellings.FindAll(t => t.Number > after && (after > 0 || !_commands[t.CmdId].HasEnded));
            foreach (var telling in next)
            {
                _commands[telling.CmdId].ToldAt ??= _clock.Elapsed;
            }
            return next;
        }
    }

    private void BreakChannels()
    {
        var before = _channels;
        _channels = new CancellationTokenSource();
        before.Cancel();
    }

    private IResult Shown(Guid cmdId, (int Status, string State, long Fence, string? Code) answer) => answer switch
    {
        (404, _, _, _) => Problems.NotFound("such command"),
        (422, _, _, _) => Problems.Invalid("fence is that of the command, and outcome done, failed or rejected."),
        (409, _, var fence, var code) => Problems.CommandRefused(code!, $"The line's fence is {fence}.", fence),
        var (_, state, fence, _) => TypedResults.Ok(new { cmdId, state, fence }),
    };

    private (int Status, string State, long Fence, string? Code) Answered(Guid cmdId, bool isComplete, long? fence, string? outcome, string? state)
    {
        lock (_commanding)
        {
            if (!_commands.TryGetValue(cmdId, out var command))
            {
                return (404, "", _fence, null);
            }
            if (fence is null || (isComplete && (outcome is null || !CommandWords.Outcomes.Contains(outcome))))
            {
                _book.Fail(isComplete ? GatewayCase.Complete : GatewayCase.Ack, $"{command.Command.Type} was answered with fence {fence?.ToString(CultureInfo.InvariantCulture) ?? "missing"}{(isComplete ? $" and outcome {outcome ?? "missing"}" : "")}.");
                return (422, "", _fence, null);
            }
            command.AckedAfter ??= _clock.Elapsed - (command.ToldAt ?? _clock.Elapsed);
            if (fence != command.Command.Fence)
            {
                command.OtherFence = fence;
            }
            var before = command.Outcomes.FirstOrDefault();
            if (isComplete)
            {
                command.Outcomes.Add(outcome!);
                if (state is not null)
                {
                    Reported(state, "complete", null);
                }
            }
            return command.IsStale || fence != command.Command.Fence ? (409, "superseded", _fence, "cmd.stale_fence")
                : before is not null && isComplete && before != outcome ? (409, before, _fence, "cmd.ended")
                : (200, outcome ?? before ?? "acked", _fence, null);
        }
    }
}
