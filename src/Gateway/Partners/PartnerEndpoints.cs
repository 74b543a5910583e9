using System.Globalization;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Http;
using Gateway.Scheduling;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Partners;

/// <param name="Practice">It begins in practice: nothing but marked test documents goes to it.</param>
public sealed record PartnerRequest(string? Gln, string? Name, string? Format, ChannelRequest? Channel, bool? Practice = null);

public sealed record PracticeRequest(bool? Practice, string? Reason);

/// <param name="Version">The version of the partner's setup that was looked at.</param>
public sealed record ChannelChange(ChannelRequest? Channel, int? Version, string? Reason);

public sealed record ReasonRequest(string? Reason);

/// <param name="Profile">What is left out is as it is where nothing was ever said.</param>
/// <param name="Version">The version of the profile that was looked at, 0 where there was none; null: whichever it has.</param>
public sealed record ProfileRequest(PartnerProfile? Profile, string? Reason, int? Version = null);

/// <param name="Within">How long after capture the partner must have a document, such as 02:00:00; null: as the settings say.</param>
public sealed record NeedRequest(string? Within, string? Reason);

public sealed record RouteRequest(string? SourceGln, string? DestinationGln, string? Reason);

public static class PartnerEndpoints
{
    public static IServiceCollection AddPartners(this IServiceCollection services)
    {
        services.AddOptions<PartnerOptions>().BindConfiguration(PartnerOptions.Section);
        services.AddOptions<GoLiveOptions>().BindConfiguration(GoLiveOptions.Section);
        services.AddSingleton<GoLive>().AddNodeChore<HoldUnsigned>("hold-unsigned-partners", TimeSpan.FromMinutes(1));
        services.AddSingleton<Certificates>().AddChore<WatchCertificates>("watch-certificates", TimeSpan.FromMinutes(10)).AddAlarm(Certificates.EndingAlarm);
        services.AddSingleton<Licences>().AddChore<WatchLicences>("watch-licences", TimeSpan.FromMinutes(1)).AddAlarm(Licences.Ending);
        return services.AddSingleton<PartnerSecrets>().AddSingleton<PartnerDirectory>().AddSingleton<PartnerProfiles>().AddSingleton<PartnerTests>().AddSingleton<Onboarding>();
    }

    public static void MapPartners(this IEndpointRouteBuilder app)
    {
        var partners = app.MapGroup("/api/partners");
        partners.MapPost("", AddAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapGet("", ListAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapGet("/{gln}", FindAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapPut("/{gln}/channel", ChangeChannelAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapPost("/{gln}/pause", (HttpContext c, string gln, ReasonRequest? r, PartnerDirectory d, CancellationToken ct) => PauseAsync(c, gln, true, r, d, ct)).RequireAuthorization(Permissions.ManagePartners);
        partners.MapPost("/{gln}/resume", (HttpContext c, string gln, ReasonRequest? r, PartnerDirectory d, CancellationToken ct) => PauseAsync(c, gln, false, r, d, ct)).RequireAuthorization(Permissions.ManagePartners);
        partners.MapPost("/{gln}/practice", PracticeAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapGet("/{gln}/onboarding", OnboardingAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapPost("/{gln}/routes", AddRouteAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapGet("/{gln}/routes", RoutesAsync).RequireAuthorization(Permissions.ReadPartners);
        LicenceEndpoints.Map(partners);
        partners.MapPut("/{gln}/need", SetNeedAsync).RequireAuthorization(Permissions.ManagePartners);
        partners.MapGet("/{gln}/profile", ProfileAsync).RequireAuthorization(Permissions.ReadPartners);
        partners.MapPut("/{gln}/profile", SetProfileAsync).RequireAuthorization(Permissions.ManagePartners);
    }

    private static async Task<IResult> AddAsync(HttpContext context, PartnerRequest request, PartnerDirectory directory, IOptions<PartnerOptions> options, CancellationToken ct)
    {
        var wrongChannel = ChannelSetup.Refuse(request.Channel, options.Value, hasKey: false, out var channel);
        if ((Refuse(request) ?? wrongChannel ?? RefuseForm(request.Format, channel.Kind)) is { } refusal)
        {
            return Problems.Invalid(refusal);
        }
        var gln = request.Gln!;
        return await directory.AddAsync(context.Actor(), gln, request.Name!.Trim(), request.Format!, channel.Kind, channel.Url, channel.Secret, channel.PrivateRanges, ct, channel.Settings, request.Practice ?? false)
            ? TypedResults.Created($"/api/partners/{gln}", View((await directory.FindAsync(context.Actor(), gln, ct))!))
            : Problems.PartnerExists(gln);
    }

    private static string? Refuse(PartnerRequest request) => request switch
    {
        { Gln: null } => "gln is missing.",
        _ when !Gln.Parse(request.Gln!).Try(out _, out var error) => error,
        _ when string.IsNullOrWhiteSpace(request.Name) => "name is missing.",
        { Format: not ("1.2-xml" or "2.0-xml" or "2.0-json" or "hub") } => "format is 1.2-xml, 2.0-xml or 2.0-json; of a hub it is hub.",
        _ => null,
    };

    private static string? RefuseForm(string? format, string channel) => (format == "hub") == (channel == "hub") ? null : "The format hub and the channel hub belong together.";

    private static async Task<IResult> ChangeChannelAsync(HttpContext context, string gln, ChannelChange change, PartnerDirectory directory, IOptions<PartnerOptions> options, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(change.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        if (change.Version is not { } version)
        {
            return Problems.Invalid("version is missing: the one that the partner had when it was looked at.");
        }
        if (ChannelSetup.Refuse(change.Channel, options.Value, partner is { Channel: "sftp" or "hub", HasSecret: true } && partner.Channel == change.Channel?.Kind && partner.Settings.Protocol == change.Channel?.Protocol, out var channel) is { } refusal)
        {
            return Problems.Invalid(refusal);
        }
        if (RefuseForm(partner.Format, channel.Kind) is { } mixed)
        {
            return Problems.Invalid(mixed);
        }
        return await directory.SetChannelAsync(context.Actor(), partner.Id, channel, version, change.Reason, ct) is { } late
            ? Problems.NotDecidable(late)
            : TypedResults.Ok(View((await directory.FindAsync(context.Actor(), gln, ct))!));
    }

    /// <summary>A partner as the API shows it: never the secret, only whether there is one.</summary>
    public static object View(PartnerItem p) => new
    {
        p.Gln, p.Name, p.Format, channel = new { kind = p.Channel, p.Url, privateRanges = p.PrivateRanges.Split(' ', StringSplitOptions.RemoveEmptyEntries), settings = p.Channel is "sftp" or "folder" or "hub" ? p.Settings : null, p.HasSecret },
        p.State, p.PauseReason, p.NeedWithin, p.CreatedAt, p.Version,
    };

    private static async Task<IResult> ListAsync(HttpContext context, PartnerDirectory directory, int? limit, string? cursor, CancellationToken ct) =>
        Refuse(limit, cursor, out var after) is { } refusal
            ? Problems.BadParameter(refusal)
            : Page(await directory.ListAsync(context.Actor(), after, (limit ?? 50) + 1, ct), limit ?? 50, p => p.Id, View);

    private static async Task<IResult> FindAsync(HttpContext context, string gln, PartnerDirectory directory, CancellationToken ct) =>
        await directory.FindAsync(context.Actor(), gln, ct) is { } partner ? TypedResults.Ok(View(partner)) : Problems.NotFound("such partner");

    private static async Task<IResult> PauseAsync(HttpContext context, string gln, bool paused, ReasonRequest? request, PartnerDirectory directory, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        return await directory.SetPausedAsync(context.Actor(), partner.Id, paused, request.Reason, ct)
            ? TypedResults.Ok(View((await directory.FindAsync(context.Actor(), gln, ct))!))
            : Problems.NotDecidable(!paused && partner.Waits ? partner.PauseReason! : $"The partner is {partner.State}.");
    }

    private static async Task<IResult> SetNeedAsync(HttpContext context, string gln, NeedRequest? request, PartnerDirectory directory, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        TimeSpan? within = null;
        if (request.Within is { } given)
        {
            if (!TimeSpan.TryParseExact(given, "c", CultureInfo.InvariantCulture, out var time) || time <= TimeSpan.Zero || time > PartnerDirectory.MostNeed)
            {
                return Problems.Invalid("within is a time such as 02:00:00, at most 60 days; null for what the settings say.");
            }
            within = time;
        }
        await directory.SetNeedAsync(context.Actor(), partner.Id, within, request.Reason, ct);
        return TypedResults.Ok(View((await directory.FindAsync(context.Actor(), gln, ct))!));
    }

    private static async Task<IResult> PracticeAsync(HttpContext context, string gln, PracticeRequest? request, PartnerDirectory directory, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (request.Practice is not { } practice)
        {
            return Problems.Invalid("practice is true or false.");
        }
        return await directory.FindAsync(context.Actor(), gln, ct) is not { } partner ? Problems.NotFound("such partner")
            : await directory.SetPracticeAsync(context.Actor(), partner.Id, practice, request.Reason, ct) is { } refusal ? Problems.NotDecidable(refusal)
            : TypedResults.Ok(View((await directory.FindAsync(context.Actor(), gln, ct))!));
    }

    private static async Task<IResult> OnboardingAsync(HttpContext context, string gln, Onboarding onboarding, PartnerDirectory directory, CancellationToken ct) =>
        await directory.FindAsync(context.Actor(), gln, ct) is { } partner
            ? TypedResults.Ok(new { partner.State, partner.Version, steps = await onboarding.StepsAsync(context.Actor(), partner.Id, ct) })
            : Problems.NotFound("such partner");

    private static async Task<IResult> AddRouteAsync(HttpContext context, string gln, RouteRequest request, PartnerDirectory directory, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
        {
            return Problems.ReasonMissing();
        }
        foreach (var end in (string?[])[request.SourceGln, request.DestinationGln])
        {
            if (end is not null && !Gln.Parse(end).Try(out _, out var error))
            {
                return Problems.Invalid(error);
            }
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        var id = await directory.AddRouteAsync(context.Actor(), partner.Id, request.SourceGln, request.DestinationGln, request.Reason, ct);
        return TypedResults.Created($"/api/partners/{gln}/routes", new RouteItem(id, request.SourceGln, request.DestinationGln, request.Reason, true));
    }

    private static async Task<IResult> RoutesAsync(HttpContext context, string gln, PartnerDirectory directory, int? limit, string? cursor, CancellationToken ct)
    {
        if (Refuse(limit, cursor, out var after) is { } refusal)
        {
            return Problems.BadParameter(refusal);
        }
        return await directory.FindAsync(context.Actor(), gln, ct) is { } partner
            ? Page(await directory.RoutesAsync(context.Actor(), partner.Id, after, (limit ?? 50) + 1, ct), limit ?? 50, r => r.Id, r => r)
            : Problems.NotFound("such partner");
    }

    private static async Task<IResult> ProfileAsync(HttpContext context, string gln, PartnerDirectory directory, PartnerProfiles profiles, CancellationToken ct)
    {
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        var (profile, version) = await profiles.FindAsync(context.Actor(), partner.Id, ct);
        return TypedResults.Ok(new { profile, version });
    }

    private static async Task<IResult> SetProfileAsync(HttpContext context, string gln, ProfileRequest? request, PartnerDirectory directory, PartnerProfiles profiles, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await directory.FindAsync(context.Actor(), gln, ct) is not { } partner)
        {
            return Problems.NotFound("such partner");
        }
        if ((request.Profile is null ? "profile is missing." : request.Profile.Refuse(partner.Format)) is { } refusal)
        {
            return Problems.Invalid(refusal);
        }
        return await profiles.SetAsync(context.Actor(), partner.Id, request.Profile!, request.Reason, ct, request.Version) is { } late
            ? Problems.NotDecidable(late)
            : await ProfileAsync(context, gln, directory, profiles, ct);
    }

    private static string? Refuse(int? limit, string? cursor, out int after)
    {
        after = 0;
        return limit is < 1 or > 200 ? "limit is 1 to 200."
            : cursor is not null && !int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after) ? "cursor is not one of ours." : null;
    }

    private static IResult Page<T>(IReadOnlyList<T> rows, int limit, Func<T, int> id, Func<T, object> view) where T : notnull =>
        TypedResults.Ok(new { items = rows.Take(limit).Select(view), next = rows.Count > limit ? id(rows[limit - 1]).ToString(CultureInfo.InvariantCulture) : null });
}
