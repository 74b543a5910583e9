using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Gateway.Access;
using Gateway.Database;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Gateway.Devices;

/// <summary>
/// The ways a device hears of its commands: server-sent events, a WebSocket, a long poll. All tell the same rows in the same order, and each goes on
/// after the number that the device heard last, so which way it takes, and how often it comes anew, makes no difference.
/// </summary>
internal sealed class DeviceCommandChannels(DeviceCommandList list, DeviceCommandAnswers answers, ChangeFeed feed, IOptions<CommandOptions> options, IHostApplicationLifetime host, TimeProvider time)
{
    /// <summary>The longest that a long poll waits.</summary>
    public const int MaxWaitSeconds = 60;

    private const int MaxMessage = 64 << 10;

    private static readonly byte[] Sign = ": still here\n\n"u8.ToArray(), Hello = "retry: 1000\n\n"u8.ToArray();

    /// <summary>An answer as it comes over a WebSocket.</summary>
    /// <param name="Answer">ack or complete.</param>
    private sealed record SocketAnswer(string? Answer, Guid? CmdId, long? Fence, string? Outcome, string? State, string? Detail);

    public async Task StreamAsync(HttpContext context, Actor actor, SpeakingDevice device, long after)
    {
        var response = context.Response;
        (response.ContentType, response.Headers.CacheControl, response.Headers["X-Accel-Buffering"]) = ("text/event-stream", "no-store", "no");
        await response.Body.WriteAsync(Hello, context.RequestAborted);
        await response.Body.FlushAsync(context.RequestAborted);
        await foreach (var command in FollowAsync(actor, device, after, options.Value.StreamFor, context.RequestAborted))
        {
            await response.Body.WriteAsync(command is null ? Sign : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"id: {command.Number}\nevent: command\ndata: {JsonSerializer.Serialize(command, JsonSerializerOptions.Web)}\n\n")), context.RequestAborted);
            await response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <returns>The commands after the last one that the device heard; none when there was none in the time it is willing to wait.</returns>
    public async Task<IReadOnlyList<CommandMessage>> PollAsync(Actor actor, SpeakingDevice device, long after, TimeSpan wait, CancellationToken ct)
    {
        var told = new List<CommandMessage>();
        await foreach (var command in FollowAsync(actor, device, after, wait, ct))
        {
            if (command is not null)
            {
                told.Add(command);
                told.AddRange(await list.TakeAsync(actor, device, command.Number, ct));
                break;
            }
        }
        return told;
    }

    public async Task SocketAsync(HttpContext context, Actor actor, SpeakingDevice device, long after)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { KeepAliveInterval = options.Value.KeepAlive, KeepAliveTimeout = options.Value.KeepAlive });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var sending = new SemaphoreSlim(1, 1); // a socket sends one message at a time
        var hearing = HearAsync(socket, actor, device, sending, end);
        try
        {
            await foreach (var command in FollowAsync(actor, device, after, options.Value.StreamFor, end.Token))
            {
                if (command is not null)
                {
                    await SendAsync(socket, command, sending, end.Token);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The device has gone, and comes again by itself.
        }
        await CloseAsync(socket); // before the hearing is cut off, which breaks the connection
        await end.CancelAsync();
        await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task CloseAsync(WebSocket socket)
    {
        using var within = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "come again", within.Token);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // It has gone already.
        }
    }

    private async Task HearAsync(WebSocket socket, Actor actor, SpeakingDevice device, SemaphoreSlim sending, CancellationTokenSource end)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxMessage);
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult received;
                do
                {
                    received = await socket.ReceiveAsync(buffer.AsMemory(length, MaxMessage - length), end.Token);
                    length += received.Count;
                }
                while (!received.EndOfMessage && length < MaxMessage);
                if (received.MessageType == WebSocketMessageType.Close || !received.EndOfMessage)
                {
                    return;
                }
                await SendAsync(socket, await AnswerAsync(actor, device, buffer.AsSpan(0, length).ToArray(), end.Token), sending, end.Token);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // As above.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await end.CancelAsync();
        }
    }

    private async Task<object> AnswerAsync(Actor actor, SpeakingDevice device, byte[] message, CancellationToken ct)
    {
        SocketAnswer? said;
        try
        {
            said = JsonSerializer.Deserialize<SocketAnswer>(message, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            said = null;
        }
        var (answered, unfit) = said is { CmdId: { } cmdId, Answer: "ack" or "complete" }
            ? await AnswerAsync(actor, device, cmdId, said.Answer == "complete", said.Fence, said.Outcome, said.State, said.Detail, ct)
            : (null, "Send {\"answer\":\"ack\" or \"complete\",\"cmdId\":\"…\",\"fence\":…}.");
        return new
        {
            said?.Answer, said?.CmdId, status = unfit is not null ? 422 : answered!.Refusal is null ? 200 : answered.Code is null ? 404 : 409, answered?.State, answered?.Fence, answered?.Code, detail = unfit ?? answered?.Refusal,
        };
    }

    /// <summary>The answer of a device, whichever way it came.</summary>
    /// <returns>What it is told; or why it cannot be read, as a sentence.</returns>
    public async Task<(CommandAnswered? Answered, string? Unfit)> AnswerAsync(Actor actor, SpeakingDevice? device, Guid cmdId, bool isComplete, long? fence, string? outcome, string? state, string? detail, CancellationToken ct) =>
        fence is null ? (null, "fence is missing: that of the command.")
        : isComplete && (outcome is null || !CommandWords.Outcomes.Contains(outcome)) ? (null, $"outcome is one of {string.Join(", ", CommandWords.Outcomes)}.")
        : state is not null && !CommandWords.MachineStates.Contains(state) ? (null, $"state is one of {string.Join(", ", CommandWords.MachineStates)}.")
        : Texts.Refusal("detail", detail, Texts.MaxReason) is { } unfit ? (null, unfit)
        : device is null ? (null, null)
        : (isComplete ? await answers.CompleteAsync(actor, device, cmdId, fence.Value, outcome!, state, detail, ct) : await answers.AckAsync(actor, device, cmdId, fence.Value, ct), null);

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

    /// <summary>The commands as they come, and now and then, when there is none, null.</summary>
    private async IAsyncEnumerable<CommandMessage?> FollowAsync(Actor actor, SpeakingDevice device, long after, TimeSpan within, [EnumeratorCancellation] CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct, host.ApplicationStopping);
        over.CancelAfter(within);
        var mine = device.DeviceId.ToString(CultureInfo.InvariantCulture);
        var woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var subscription = feed.Subscribe(change =>
        {
            if (change.Kind == "all" || change.Kind == "device_command" && change.Key == mine)
            {
                woken.Writer.TryWrite(true);
            }
        });
        while (true)
        {
            // What was taken is told before anything else is looked at: its row says that it was.
            foreach (var command in await list.TakeAsync(actor, device, after, ct))
            {
                after = command.Number;
                yield return command;
            }
            if (over.IsCancellationRequested)
            {
                yield break;
            }
            var isWoken = false;
            using (var quiet = CancellationTokenSource.CreateLinkedTokenSource(over.Token))
            {
                quiet.CancelAfter(options.Value.KeepAlive);
                try
                {
                    isWoken = await woken.Reader.ReadAsync(quiet.Token);
                }
                catch (OperationCanceledException) when (!ct.IsCancellationRequested)
                {
                    // Nothing came for a while, or the time is over.
                }
            }
            if (!isWoken && !over.IsCancellationRequested)
            {
                yield return null;
            }
        }
    }
}
