using System.Globalization;
using Gateway.Access;
using Gateway.Delivery.Channels;
using Gateway.Http;
using Gateway.Hub.Emvs;
using Gateway.Hub.EpcisReport;
using Gateway.Scheduling;
using Gateway.Units;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Hub;

/// <param name="Hub">The hub's GLN; may be left out where there is only one.</param>
public sealed record ProductDataRequest(ProductData? Product, string? Reason, string? Hub = null);

/// <param name="Hub">The hub's GLN; may be left out where there is only one.</param>
public sealed record ReleaseRequest(string? Reason, string? Hub = null);

/// <param name="Hub">The hub's GLN; may be left out where there is only one.</param>
public sealed record ReconcileRequest(string? Hub = null);

public static class HubEndpoints
{
    private const int MaxAnswer = 16 << 20; // a message's serial numbers, each named once

    public static IServiceCollection AddHub(this IServiceCollection services) => services
        .AddSingleton<IHub, EmvsHub>().AddSingleton<IHub, EpcisReportHub>().AddSingleton<Hubs>().AddSingleton<TakeAnswer>().AddSingleton<IChannel, HubChannel>()
        .AddSingleton<ProductVersions>().AddSingleton<ReleaseLot>().AddSingleton<HubLots>().AddSingleton<UnreportedPacks>().AddSingleton<ComposePackData>()
        .AddSingleton<PlaceOrders>().AddSingleton<ComposeOrder>().AddSingleton<HearStates>().AddSingleton<HoldRecalled>().AddSingleton<TellHolders>().AddSingleton<HubOrders>().AddHostedService<HubWorker>()
        .AddHubAlerts().AddReconciliation();

    private static IServiceCollection AddHubAlerts(this IServiceCollection services)
    {
        services.AddOptions<AlertOptions>().BindConfiguration(AlertOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<TakeAlerts>().AddSingleton<FetchAlerts>().AddSingleton<MatchAlerts>().AddSingleton<AlertCases>().AddHostedService<AlertWorker>();
    }

    private static IServiceCollection AddReconciliation(this IServiceCollection services)
    {
        services.AddOptions<ReconciliationOptions>().BindConfiguration(ReconciliationOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<HubReconciliations>().AddSingleton<ReconcileLot>().AddHostedService<ReconciliationWorker>().AddChore<PlanReconciliations>("plan-hub-reconciliations", TimeSpan.FromMinutes(5));
    }

    public static void MapHub(this IEndpointRouteBuilder app)
    {
        var hub = app.MapGroup("/api/hub");
        hub.MapGet("/products", ProductsAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapPost("/products", AddProductAsync).RequireAuthorization(Permissions.ManageHub);
        hub.MapGet("/lots", LotsAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/lots/{gtin}/{lot}", LotAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/lots/{gtin}/{lot}/unreported", UnreportedAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/lots/{gtin}/{lot}/release", LookAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapPost("/lots/{gtin}/{lot}/release", (HttpContext c, string gtin, string lot, ReleaseRequest? r, Hubs h, ReleaseLot l, CancellationToken ct) => DecideAsync(c, gtin, lot, r, h, l.RunAsync, ct)).RequireAuthorization(Permissions.ReleaseLots);
        hub.MapPost("/lots/{gtin}/{lot}/resend", (HttpContext c, string gtin, string lot, ReleaseRequest? r, Hubs h, ReleaseLot l, CancellationToken ct) => DecideAsync(c, gtin, lot, r, h, l.ResendAsync, ct)).RequireAuthorization(Permissions.ReleaseLots);
        hub.MapPost("/lots/{gtin}/{lot}/reconcile", ReconcileAsync).RequireAuthorization(Permissions.ReleaseLots);
        hub.MapGet("/lots/{gtin}/{lot}/reconciliation", ReconciliationAsync).RequireAuthorization(Permissions.ReadHub);
        hub.MapGet("/lots/{gtin}/{lot}/differences", DifferencesAsync).RequireAuthorization(Permissions.ReadHub);
        app.MapHubOrders();
        hub.MapPost("/{gln}/answers", AnswerAsync).RequireAuthorization(Permissions.AnswerAsHub);
        AlertEndpoints.Map(hub);
    }

    /// <summary>The wire's view of a version of product data; the command line prints the same.</summary>
    public static object View(ProductVersion p) => new { p.Gtin, p.Version, product = p.Content, p.State, p.Code, p.Text, p.Distributed, p.Markets, p.Delivery, p.Reason, p.MadeAt };

    /// <summary>The wire's view of a released lot; the command line prints the same.</summary>
    public static object View(HubLot l) => new { l.Gtin, l.Lot, l.Expiry, l.Version, l.State, l.Units, l.Failed, l.Markets, l.ReleasedAt };

    /// <summary>The wire's view of a look at what markets hold; the command line prints the same.</summary>
    public static object View(LotReconciliation r) => new { r.State, r.Cause, r.MadeBy, r.MadeAt, r.BegunAt, r.EndedAt, r.Code, r.Text, differences = r.Markets.Sum(m => m.Differences), r.Stored, r.Markets };

    private static async Task<IResult> ProductsAsync(HttpContext context, Hubs hubs, ProductVersions versions, string? hub, string? gtin, int? limit, int? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        var take = limit ?? 50;
        var rows = await versions.ListAsync(context.Actor(), at.PartnerId, gtin is null ? null : LotEndpoints.KeyOf(gtin), cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(View), next = rows.Count > take ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> AddProductAsync(HttpContext context, ProductDataRequest? request, Hubs hubs, ProductVersions versions, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (request.Product is null)
        {
            return Problems.Invalid("product is missing.");
        }
        if (await hubs.OneAsync(context.Actor(), request.Hub, ct) is not { } hub)
        {
            return NoHub(request.Hub);
        }
        var (version, wrong) = await versions.AddAsync(context.Actor(), hub, request.Product, request.Reason, ct);
        return wrong.Count > 0 ? Problems.Invalid(string.Join(" ", wrong)) : TypedResults.Created($"/api/hub/products?gtin={request.Product.Gtin}", new { request.Product.Gtin, version });
    }

    private static async Task<IResult> LotsAsync(HttpContext context, Hubs hubs, HubLots lots, string? hub, string? gtin, string? lot, int? limit, int? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        var take = limit ?? 50;
        var rows = await lots.ListAsync(context.Actor(), at.PartnerId, gtin is null ? null : LotEndpoints.KeyOf(gtin), lot, cursor, take + 1, ct);
        return TypedResults.Ok(new { items = rows.Take(take).Select(View), next = rows.Count > take ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null });
    }

    private static async Task<IResult> LotAsync(HttpContext context, string gtin, string lot, Hubs hubs, HubLots lots, string? hub, CancellationToken ct)
    {
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        if (await lots.FindAsync(context.Actor(), at.PartnerId, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), ct) is not { } found)
        {
            return Problems.NotFound("such released lot");
        }
        var (rounds, messages) = await lots.StoryAsync(context.Actor(), found.Id, ct);
        return TypedResults.Ok(new { found.Gtin, found.Lot, found.Expiry, found.Version, found.State, found.Units, found.Failed, found.Markets, found.ReleasedAt, rounds, messages });
    }

    private static async Task<IResult> UnreportedAsync(HttpContext context, string gtin, string lot, string? country, Hubs hubs, UnreportedPacks packs, string? hub, int? limit, string? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (country is not { Length: 2 } || !country.All(char.IsAsciiLetterUpper))
        {
            return Problems.BadParameter("country is two capital letters: the market that is meant.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        var take = limit ?? 50;
        if (await packs.ListAsync(context.Actor(), at.PartnerId, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), country, cursor, take + 1, ct) is not { } rows)
        {
            return Problems.BadParameter($"{country} is no market of the lot.");
        }
        return TypedResults.Ok(new { items = rows.Take(take), next = rows.Count > take ? rows[take - 1].Serial : null });
    }

    private static async Task<IResult> LookAsync(HttpContext context, string gtin, string lot, Hubs hubs, ReleaseLot release, string? hub, CancellationToken ct) =>
        await hubs.OneAsync(context.Actor(), hub, ct) is { } at
            ? TypedResults.Ok(await release.LookAsync(context.Actor(), at, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), ct))
            : NoHub(hub);

    private static async Task<IResult> DecideAsync(HttpContext context, string gtin, string lot, ReleaseRequest? request, Hubs hubs, Func<Actor, HubPartner, string, string, string, CancellationToken, Task<Released>> decide, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request?.Reason))
        {
            return Problems.ReasonMissing();
        }
        if (await hubs.OneAsync(context.Actor(), request.Hub, ct) is not { } hub)
        {
            return NoHub(request.Hub);
        }
        var (key, number) = (LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot));
        return await decide(context.Actor(), hub, key, number, request.Reason, ct) is { Refusal: { } refusal }
            ? Problems.HubRefused(refusal)
            : TypedResults.Accepted($"/api/hub/lots/{key}/{Uri.EscapeDataString(number)}", (await decideViewAsync(context, hub, key, number, ct)));

        static async Task<object?> decideViewAsync(HttpContext context, HubPartner hub, string gtin, string lot, CancellationToken ct) =>
            await context.RequestServices.GetRequiredService<HubLots>().FindAsync(context.Actor(), hub.PartnerId, gtin, lot, ct) is { } found ? View(found) : null;
    }

    private static async Task<IResult> ReconcileAsync(HttpContext context, string gtin, string lot, ReconcileRequest? request, Hubs hubs, HubReconciliations reconciliations, CancellationToken ct)
    {
        if (await hubs.OneAsync(context.Actor(), request?.Hub, ct) is not { } at)
        {
            return NoHub(request?.Hub);
        }
        var (key, number) = (LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot));
        return await reconciliations.AskAsync(context.Actor(), at, hubs.Of(at.Protocol).Traits, key, number, ct) is { } refusal
            ? Problems.HubRefused(refusal)
            : TypedResults.Accepted($"/api/hub/lots/{key}/{Uri.EscapeDataString(number)}/reconciliation?hub={at.Gln}");
    }

    private static async Task<IResult> ReconciliationAsync(HttpContext context, string gtin, string lot, Hubs hubs, HubLots lots, HubReconciliations reconciliations, string? hub, CancellationToken ct)
    {
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        if (await lots.FindAsync(context.Actor(), at.PartnerId, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), ct) is not { } found)
        {
            return Problems.NotFound("such released lot");
        }
        var (newest, done) = await reconciliations.OfLotAsync(context.Actor(), found.Id, ct);
        return TypedResults.Ok(new { newest = newest is null ? null : View(newest), done = done is null ? null : View(done) });
    }

    private static async Task<IResult> DifferencesAsync(HttpContext context, string gtin, string lot, string? country, Hubs hubs, HubLots lots, HubReconciliations reconciliations, string? hub, int? limit, long? cursor, CancellationToken ct)
    {
        if (limit is < 1 or > 200)
        {
            return Problems.BadParameter("limit is 1 to 200.");
        }
        if (await hubs.OneAsync(context.Actor(), hub, ct) is not { } at)
        {
            return NoHub(hub);
        }
        if (await lots.FindAsync(context.Actor(), at.PartnerId, LotEndpoints.KeyOf(gtin), LotEndpoints.NumberOf(lot), ct) is not { } found)
        {
            return Problems.NotFound("such released lot");
        }
        if (country is not null && found.Markets.All(m => m.Country != country))
        {
            return Problems.BadParameter($"{country} is no market of the lot.");
        }
        var take = limit ?? 50;
        var rows = await reconciliations.DifferencesAsync(context.Actor(), found.Id, country, cursor, take + 1, ct);
        return TypedResults.Ok(new
        {
            items = rows.Take(take).Select(d => new { d.Country, d.Serial, d.Kind, d.Believed, d.Held, d.HeldAt, d.FoundAt, d.SeenAt }),
            next = rows.Count > take ? rows[take - 1].Id.ToString(CultureInfo.InvariantCulture) : null,
        });
    }

    // Only a key of the hub's own party speaks for it, whatever others may see.
    private static async Task<IResult> AnswerAsync(HttpContext context, string gln, Hubs hubs, TakeAnswer answers, CancellationToken ct)
    {
        if (await hubs.OneAsync(context.Actor(), gln, ct) is not { } hub || context.Actor().Sees != hub.PartyId.ToString(CultureInfo.InvariantCulture))
        {
            return Problems.NotFound("such hub");
        }
        if (await BodyAsync(context, MaxAnswer, ct) is not { } body)
        {
            return Problems.TooLarge();
        }
        try
        {
            var result = hubs.Of(hub.Protocol).Read(body);
            return await answers.TakeAsync(context.Actor(), hub.PartnerId, result, ct) is null ? Problems.NotFound("message of this correlation id") : TypedResults.NoContent();
        }
        catch (HubAnswerException e)
        {
            return Problems.Malformed(e.Message);
        }
    }

    /// <returns>Null: it is longer than it may be.</returns>
    internal static async Task<byte[]?> BodyAsync(HttpContext context, int most, CancellationToken ct)
    {
        using var body = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer, ct)) > 0;)
        {
            if (body.Length + read > most)
            {
                return null;
            }
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    internal static IResult NoHub(string? gln) => gln is null ? Problems.BadParameter("hub is missing: the GLN of the hub that is meant, where there is more than one, or none is set up yet.") : Problems.NotFound("such hub");
}
