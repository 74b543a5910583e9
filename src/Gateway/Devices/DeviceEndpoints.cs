using System.Diagnostics;
using System.Globalization;
using Gateway.Access;
using Gateway.Http;
using Gateway.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Devices;

public sealed record DeviceDecisionRequest(string? Reason);

/// <summary>What devices say, and what is known of them (docs/devices.md).</summary>
public static class DeviceEndpoints
{
    /// <summary>Seconds after which a device tries again: when there is no room in memory, and when too much is not applied yet.</summary>
    private const int MomentAgain = 1, BacklogAgain = 5;

    public static IServiceCollection AddDevices(this IServiceCollection services)
    {
        services.AddOptions<DeviceOptions>().BindConfiguration(DeviceOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<RegisterDevice>();
        services.TryAddSingleton<DeviceMessages>();
        services.TryAddSingleton<DeviceHeartbeats>();
        services.TryAddSingleton<DeviceCommandAnswers>();
        services.TryAddSingleton<DeviceQualifications>();
        services.TryAddSingleton<DeviceList>();
        services.TryAddSingleton<DeviceService>();
        services.TryAddSingleton<DeviceQuarantine>();
        services.AddChore<WatchDevices>("watch-devices", TimeSpan.FromSeconds(DeviceLimits.HeartbeatSeconds));
        return services.AddNodeChore<DeviceBacklog>("device-backlog", TimeSpan.FromSeconds(DeviceLimits.HeartbeatSeconds));
    }

    public static void MapDevices(this IEndpointRouteBuilder app)
    {
        var devices = app.MapGroup("/api/devices");
        devices.MapPost("/register", RegisterAsync).RequireAuthorization(Permissions.RegisterDevices);
        devices.MapPost("/{deviceId}/messages", MessagesAsync).RequireAuthorization(Permissions.SpeakAsDevice);
        devices.MapPost("/{deviceId}/heartbeat", HeartbeatAsync).RequireAuthorization(Permissions.SpeakAsDevice);
        devices.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadDevices);
        devices.MapGet("/{deviceId}", FindAsync).RequireAuthorization(Permissions.ReadDevices);
        devices.MapGet("/{deviceId}/gaps", GapsAsync).RequireAuthorization(Permissions.ReadDevices);
        devices.MapGet("/{deviceId}/messages", ReadMessagesAsync).RequireAuthorization(Permissions.ReadDevices);
        devices.MapPost("/{deviceId}/settle", SettleAsync).RequireAuthorization(Permissions.DecideLines);
        Decide("revoke", Permissions.QualifyDevices, (services, actor, id, reason, ct) => services.GetRequiredService<DeviceQualifications>().RevokeAsync(actor, id, reason, ct));
        Decide("withdraw", Permissions.ManageDevices, (services, actor, id, reason, ct) => services.GetRequiredService<DeviceService>().WithdrawAsync(actor, id, reason, ct));
        Decide("restore", Permissions.ManageDevices, (services, actor, id, reason, ct) => services.GetRequiredService<DeviceService>().RestoreAsync(actor, id, reason, ct));

        void Decide(string verb, string permission, Func<IServiceProvider, Actor, int, string, CancellationToken, Task<string?>> decision) =>
            devices.MapPost($"/{{deviceId}}/{verb}", async (HttpContext context, string deviceId, string? party, DeviceDecisionRequest? request, DeviceList list, CancellationToken ct) =>
                string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
                : await list.FindAsync(context.Actor(), deviceId, party, ct) is not { } device ? Problems.NotFound("such device")
                : await decision(context.RequestServices, context.Actor(), device.DeviceId, request.Reason, ct) is { } refusal ? Problems.DeviceNotChanged(refusal)
                : (IResult)TypedResults.Ok(DeviceItem.Of((await list.FindAsync(context.Actor(), deviceId, party, ct))!))).RequireAuthorization(permission);
    }

    private static async Task<IResult> RegisterAsync(HttpContext context, RegistrationRequest request, RegisterDevice register, CancellationToken ct)
    {
        var (registration, refusal, isConflict) = await register.RegisterAsync(context.Actor(), request, ct);
        return refusal is null ? TypedResults.Ok(registration) : isConflict ? Problems.DeviceNotChanged(refusal) : Problems.Invalid(refusal);
    }

    private static async Task<IResult> MessagesAsync(HttpContext context, string deviceId, DeviceMessages store, DeviceBacklog backlog, CancellationToken ct)
    {
        if (backlog.IsFull)
        {
            return Wait(context, BacklogAgain);
        }
        if (context.Request.ContentLength > DeviceLimits.MaxBytes)
        {
            return Problems.TooManyMessages();
        }
        // Room for as much as a post may have is taken before it is read, and what it does not need is given back.
        var (reserved, bytes) = (DeviceLimits.MaxMessages, context.Request.ContentLength ?? DeviceLimits.MaxBytes);
        if (!store.TryReserve(reserved, bytes))
        {
            return Wait(context, MomentAgain);
        }
        try
        {
            var body = await BodyAsync(context.Request, ct);
            if (body is null)
            {
                return Problems.TooManyMessages();
            }
            var (messages, refusal, tooMany) = ReadMessages.Read(body, deviceId);
            if (messages is null)
            {
                return tooMany ? Problems.TooManyMessages() : Problems.MessagesMalformed(refusal!);
            }
            store.Release(reserved - messages.Count, bytes - body.Length);
            (reserved, bytes) = (messages.Count, body.Length);
            var actor = context.Actor();
            var (refused, answer) = await store.StoreAsync(new MessagePost(deviceId, DeviceAccess.KeyOf(actor), actor.Sees, messages));
            return Refusal(refused) ?? (messages.Count == 1 && answer!.Rejected.Count == 1 ? Problems.SequenceConflict(messages[0].Seq, answer.AckedThrough) : TypedResults.Ok(answer));
        }
        finally
        {
            store.Release(reserved, bytes);
        }
    }

    private static async Task<IResult> HeartbeatAsync(HttpContext context, string deviceId, HeartbeatRequest beat, DeviceHeartbeats heartbeats, CancellationToken ct)
    {
        var received = Stopwatch.GetTimestamp();
        var actor = context.Actor();
        var (answer, refused, sentence) = await heartbeats.BeatAsync(actor, DeviceAccess.KeyOf(actor), deviceId, beat, received, ct);
        return sentence is not null ? Problems.Invalid(sentence) : Refusal(refused) ?? TypedResults.Ok(answer);
    }

    private static async Task<IResult> ListAsync(HttpContext context, DeviceList list, int? cursor, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        var take = limit ?? 50;
        var rows = await list.ListAsync(context.Actor(), cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(DeviceItem.Of), next = rows.Count > take ? rows[take - 1].DeviceId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> FindAsync(HttpContext context, string deviceId, string? party, DeviceList list, DeviceQualifications qualifications, CancellationToken ct) =>
        await list.FindAsync(context.Actor(), deviceId, party, ct) is { } device
            ? TypedResults.Ok(new DeviceDetails(DeviceItem.Of(device), await list.RegistrationsAsync(context.Actor(), device.DeviceId, 20, ct), await qualifications.OfAsync(context.Actor(), device.DeviceId, ct)))
            : Problems.NotFound("such device");

    private static async Task<IResult> GapsAsync(HttpContext context, string deviceId, string? party, DeviceList list, long? cursor, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await list.FindAsync(context.Actor(), deviceId, party, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        var take = limit ?? 50;
        var rows = await list.GapsAsync(context.Actor(), device.DeviceId, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].GapId.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> SettleAsync(HttpContext context, string deviceId, string? party, SettleRequest? request, DeviceList list, DeviceQuarantine quarantine, CancellationToken ct) =>
        string.IsNullOrWhiteSpace(request?.Reason) ? Problems.ReasonMissing()
        : request.Decision is null || !DeviceQuarantine.Decisions.Contains(request.Decision) ? Problems.Invalid($"decision is one of {string.Join(", ", DeviceQuarantine.Decisions)}.")
        : await list.FindAsync(context.Actor(), deviceId, party, ct) is not { } device ? Problems.NotFound("such device")
        : await quarantine.SettleAsync(context.Actor(), device.DeviceId, request, ct) is { } refusal ? Problems.DeviceNotChanged(refusal)
        : TypedResults.Ok(DeviceItem.Of((await list.FindAsync(context.Actor(), deviceId, party, ct))!));

    private static async Task<IResult> ReadMessagesAsync(HttpContext context, string deviceId, string? party, DeviceList list, string? cursor, int? limit, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        (int Epoch, long Seq)? before = cursor?.Split('.') is [var e, var s] && int.TryParse(e, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && long.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? (epoch, seq) : null;
        if (cursor is not null && before is null)
        {
            return Problems.BadParameter("cursor is not one of ours.");
        }
        if (await list.FindAsync(context.Actor(), deviceId, party, ct) is not { } device)
        {
            return Problems.NotFound("such device");
        }
        var take = limit ?? 50;
        var rows = await list.MessagesAsync(context.Actor(), device.DeviceId, before, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? FormattableString.Invariant($"{rows[take - 1].Epoch}.{rows[take - 1].Seq}") : null });
    }

    private static IResult? Refusal(PostRefusal refusal) => refusal switch
    {
        PostRefusal.Foreign => Problems.NotThisDevice(),
        PostRefusal.EpochStale => Problems.WrongEpoch(DeviceCodes.EpochStale, "The device has begun a later epoch since: what is of an earlier one is not taken any more."),
        PostRefusal.EpochUnknown => Problems.WrongEpoch(DeviceCodes.EpochUnknown, "The device has not begun this epoch: it registers with epochLost when it has lost its store, and is told the next."),
        PostRefusal.Scattered => Problems.DeviceNotChanged($"More than {DeviceLimits.MaxMissingRanges} ranges would be missing, or a number is more than {DeviceLimits.MaxAhead} ahead of the last: send what is missing first."),
        _ => null,
    };

    private static IResult Wait(HttpContext context, int seconds)
    {
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Problems.DevicesWait(seconds);
    }

    /// <returns>Null when it is larger than a post may be.</returns>
    private static async Task<byte[]?> BodyAsync(HttpRequest request, CancellationToken ct)
    {
        using var body = new MemoryStream((int)(request.ContentLength ?? 4_096));
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(65_536);
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(buffer, ct)) > 0)
            {
                if (body.Length + read > DeviceLimits.MaxBytes)
                {
                    return null;
                }
                body.Write(buffer, 0, read);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
        return body.ToArray();
    }
}

/// <summary>A device as the API and the command line tell it.</summary>
/// <param name="Unqualified">Why it is not qualified as it is now; null when it is.</param>
/// <param name="Blocks">Why no batch starts with it; null when it blocks none.</param>
/// <param name="SetAside">Messages whose time cannot be, and about which somebody decides.</param>
/// <param name="Clock">ok, warning or alarm; empty when it was never measured.</param>
public sealed record DeviceItem(
    string DeviceId, string Party, string Line, string Station, string Kind, string Vendor, string Model, string Serial, bool Withdrawn, DateTime RegisteredAt, int? Epoch, long? LastSeq, double? OffsetMs, string Clock,
    DateTime? HeardAt, DateTime? OfflineSince, string? Firmware, string? ConfigHash, string? State, long? Buffered, long OpenGaps, long SetAside, int? Qualification, DateTime? ValidUntil, string? Unqualified, string? Blocks)
{
    public static DeviceItem Of(DeviceRow d) => new(
        d.Name, d.Party, d.Line, d.Station, d.Kind, d.Vendor, d.Model, d.Serial, d.Withdrawn, d.RegisteredAt, d.Epoch, d.LastSeq, d.OffsetMs, d.Clock, d.HeardAt, d.OfflineSince, d.Firmware, d.ConfigHash,
        d.MachineState, d.Buffered, d.OpenGaps, d.SetAside, d.Qualification, d.ValidUntil, d.Unqualified, d.Blocks);
}

public sealed record DeviceDetails(DeviceItem Device, IReadOnlyList<RegistrationItem> Registrations, IReadOnlyList<QualificationItem> Qualifications);
