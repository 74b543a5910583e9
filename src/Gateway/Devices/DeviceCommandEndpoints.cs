using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Devices;

/// <param name="Fence">Of the command that is answered.</param>
public sealed record AckRequest(long? Fence);

/// <param name="Fence">Of the command that is answered.</param>
/// <param name="Outcome">done, failed or rejected.</param>
/// <param name="State">Of the machine, in the words of PackML.</param>
public sealed record CompleteRequest(long? Fence, string? Outcome, string? State, string? Detail);

/// <param name="State">Of the machine, in the words of PackML.</param>
/// <param name="At">By the device's clock.</param>
public sealed record StateRequest(string? State, DateTimeOffset? At);

public static class DeviceCommandEndpoints
{
    public static IServiceCollection AddDeviceCommands(this IServiceCollection services)
    {
        services.AddOptions<CommandOptions>().BindConfiguration(CommandOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<DeviceAccess>();
        return services.AddSingleton<DeviceCommandIssuing>().AddSingleton<DeviceCommandList>().AddSingleton<DeviceCommandAnswers>().AddSingleton<DeviceCommandChannels>().AddSingleton<DeviceCommandExpiry>()
            .AddSingleton<LineHolds>().AddHostedService<DeviceCommandWorker>();
    }

    public static void MapDeviceCommands(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/lines/{code}/commands", IssueAsync).RequireAuthorization(Permissions.RunLines);
        app.MapGet("/api/lines/{code}/commands", ListAsync).RequireAuthorization(Permissions.ReadLines);
        app.MapGet("/api/commands/{cmdId:guid}", FindAsync).RequireAuthorization(Permissions.ReadLines);
        var device = app.MapGroup("/api/devices/{name}").RequireAuthorization(Permissions.SpeakAsDevice);
        device.MapGet("/commands/stream", StreamAsync);
        device.MapGet("/commands/socket", SocketAsync);
        device.MapGet("/commands", PollAsync);
        device.MapPost("/commands/{cmdId:guid}/ack", (HttpContext context, string name, Guid cmdId, AckRequest? request, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct) =>
            AnswerAsync(context, name, cmdId, false, new CompleteRequest(request?.Fence, null, null, null), access, channels, ct));
        device.MapPost("/commands/{cmdId:guid}/complete", (HttpContext context, string name, Guid cmdId, CompleteRequest? request, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct) =>
            AnswerAsync(context, name, cmdId, true, request ?? new CompleteRequest(null, null, null, null), access, channels, ct));
        device.MapPost("/state", StateAsync);
    }

    private static async Task<IResult> IssueAsync(HttpContext context, string code, CommandRequest? request, DeviceCommandIssuing commands, DeviceCommandList list, CancellationToken ct)
    {
        if (DeviceCommandIssuing.RefusalOf(request) is { } unfit)
        {
            return Problems.Invalid(unfit);
        }
        if (!await list.HasLineAsync(context.Actor(), code, ct))
        {
            return Problems.NotFound("such line");
        }
        var issued = await commands.IssueAsync(context.Actor(), code, request!, ct);
        return issued.NeedsSignature ? Problems.CommandNotSigned(issued.Refusal!)
            : issued.Refusal is { } refusal ? Problems.Invalid(refusal)
            : TypedResults.Created($"/api/commands/{issued.CmdId}", CommandItem.Of((await list.FindAsync(context.Actor(), issued.CmdId!.Value, ct))!));
    }

    private static async Task<IResult> ListAsync(HttpContext context, string code, string? device, long? cursor, int? limit, DeviceCommandList list, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (!await list.HasLineAsync(context.Actor(), code, ct))
        {
            return Problems.NotFound("such line");
        }
        var take = limit ?? 50;
        var rows = await list.ListAsync(context.Actor(), code, device, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(CommandItem.Of), next = rows.Count > take ? rows[take - 1].CommandId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, Guid cmdId, DeviceCommandList list, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), cmdId, ct) is { } row ? TypedResults.Ok(CommandItem.Of(row)) : Problems.NotFound("such command");

    private static async Task<IResult> StreamAsync(HttpContext context, string name, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct)
    {
        var given = context.Request.Headers["Last-Event-ID"].ToString();
        var after = 0L;
        if (given.Length > 0 && !long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            return Problems.BadParameter("Last-Event-ID is the id of the last event that the device has heard.");
        }
        if (await access.SpeakerAsync(context.Actor(), name, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        await channels.StreamAsync(context, context.Actor(), device, after);
        return TypedResults.Empty;
    }

    private static async Task<IResult> SocketAsync(HttpContext context, string name, long? after, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct)
    {
        if (await access.SpeakerAsync(context.Actor(), name, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        if (!context.WebSockets.IsWebSocketRequest)
        {
            return Problems.BadParameter("This address takes a WebSocket.");
        }
        // A browser sends its cookies to a socket whatever page asked for it; devices say no origin.
        if (context.Request.Headers.Origin.Count > 0)
        {
            return Problems.Forbidden();
        }
        await channels.SocketAsync(context, context.Actor(), device, after ?? 0);
        return TypedResults.Empty;
    }

    private static async Task<IResult> PollAsync(HttpContext context, string name, long? after, int? wait, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct)
    {
        if (wait is < 0 or > DeviceCommandChannels.MaxWaitSeconds)
        {
            return Problems.BadParameter($"wait is 0 to {DeviceCommandChannels.MaxWaitSeconds} seconds.");
        }
        if (await access.SpeakerAsync(context.Actor(), name, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        var commands = await channels.PollAsync(context.Actor(), device, after ?? 0, TimeSpan.FromSeconds(wait ?? 0), ct);
        return TypedResults.Ok(new { commands, after = commands.Count > 0 ? commands[^1].Number : after ?? 0 });
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, string name, Guid cmdId, bool isComplete, CompleteRequest request, DeviceAccess access, DeviceCommandChannels channels, CancellationToken ct)
    {
        var device = await access.SpeakerAsync(context.Actor(), name, ct);
        var (answered, unfit) = await channels.AnswerAsync(context.Actor(), device, cmdId, isComplete, request.Fence, request.Outcome, request.State, request.Detail, ct);
        return unfit is not null ? Problems.Invalid(unfit)
            : answered is null ? Problems.NotFound("such device")
            : answered.Refusal is null ? TypedResults.Ok(new { cmdId, state = answered.State, fence = answered.Fence })
            : answered.Code is null ? Problems.NotFound("such command")
            : Problems.CommandRefused(answered.Code, answered.Refusal, answered.Fence);
    }

    private static async Task<IResult> StateAsync(HttpContext context, string name, StateRequest? request, DeviceAccess access, DeviceCommandAnswers answers, CancellationToken ct)
    {
        if (request?.State is null || !CommandWords.MachineStates.Contains(request.State))
        {
            return Problems.Invalid($"state is one of {string.Join(", ", CommandWords.MachineStates)}.");
        }
        if (request.At is not { } at)
        {
            return Problems.Invalid("at is missing: when the machine came into the state or was seen in it, by the device's clock.");
        }
        if (await access.SpeakerAsync(context.Actor(), name, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        return await answers.ReportAsync(context.Actor(), device, request.State, at, ct) is { } refusal ? Problems.Invalid(refusal) : TypedResults.Ok(new { state = request.State });
    }
}
