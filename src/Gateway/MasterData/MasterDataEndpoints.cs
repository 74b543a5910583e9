using Epcis;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.MasterData;

/// <summary>A product as somebody wants it; what is left out is empty. See <see cref="Product"/>.</summary>
/// <param name="Version">The version that it was made from; 0 or nothing for a new product.</param>
public sealed record ProductRequest(
    string? Name, string? Ndc, string[]? Markets, string? Manufacturer, string? DosageForm, string? Strength, string? NetContent, string? Level, string? Holds, int? Quantity, bool? MixedLots,
    int? PerLogisticUnit, string? SsccPrefix, int? CompanyPrefixLength, string? SerialPattern, bool? Withdrawn, int? Version, string? Reason);

/// <summary>A party or place as somebody wants it; what is left out is empty. See <see cref="Location"/>.</summary>
/// <param name="Version">The version that it was made from; 0 or nothing for a new one.</param>
public sealed record LocationRequest(
    string? Name, string? Kind, string? Street, string? Street2, string? City, string? State, string? PostalCode, string? Country, int? CompanyPrefixLength, bool? Withdrawn, int? Version, string? Reason);

public static class MasterDataEndpoints
{
    public static IServiceCollection AddMasterData(this IServiceCollection services)
    {
        services.TryAddSingleton<MasterDataRecords>();
        services.TryAddSingleton<KnownMasterData>();
        services.TryAddSingleton<ChangeMasterData>();
        return services;
    }

    public static void MapMasterData(this IEndpointRouteBuilder app)
    {
        var products = app.MapGroup("/api/products");
        products.MapGet("", ProductsAsync).RequireAuthorization(Permissions.ReadMasterData);
        products.MapGet("/{gtin}", ProductAsync).RequireAuthorization(Permissions.ReadMasterData);
        products.MapGet("/{gtin}/versions", ProductVersionsAsync).RequireAuthorization(Permissions.ReadMasterData);
        products.MapPut("/{gtin}", PutProductAsync).RequireAuthorization(Permissions.ManageMasterData);
        var locations = app.MapGroup("/api/locations");
        locations.MapGet("", LocationsAsync).RequireAuthorization(Permissions.ReadMasterData);
        locations.MapGet("/{gln}", LocationAsync).RequireAuthorization(Permissions.ReadMasterData);
        locations.MapGet("/{gln}/versions", LocationVersionsAsync).RequireAuthorization(Permissions.ReadMasterData);
        locations.MapPut("/{gln}", PutLocationAsync).RequireAuthorization(Permissions.ManageMasterData);
        app.MapPost("/api/masterdata/import", ImportAsync).RequireAuthorization(Permissions.ManageMasterData);
    }

    /// <summary>The wire's view of a product; the command line prints the same.</summary>
    public static object View(Versioned<Product> v)
    {
        var p = v.Record;
        return new
        {
            p.Gtin, p.Name, p.Ndc, markets = p.Markets.Split(' ', StringSplitOptions.RemoveEmptyEntries), p.Manufacturer, p.DosageForm, p.Strength, p.NetContent, p.Level, p.Holds, p.Quantity, p.MixedLots,
            p.PerLogisticUnit, p.SsccPrefix, p.CompanyPrefixLength, p.SerialPattern, p.Withdrawn, v.Version, v.ValidFrom, v.ChangedBy, v.ChangedByName, v.Reason,
        };
    }

    /// <summary>The wire's view of a location; the command line prints the same.</summary>
    public static object View(Versioned<Location> v)
    {
        var l = v.Record;
        return new
        {
            l.Gln, l.Extension, l.Name, l.Kind, l.Street, l.Street2, l.City, l.State, l.PostalCode, l.Country, l.CompanyPrefixLength, sgln = l.Sgln(), pgln = l.Pgln(), l.Withdrawn,
            v.Version, v.ValidFrom, v.ChangedBy, v.ChangedByName, v.Reason,
        };
    }

    /// <summary>The wire's view of an import; the command line prints the same.</summary>
    public static object View(MasterDataOutcome o) => new { o.DryRun, o.Added, o.Changed, o.Unchanged, o.Items, findings = o.Findings.All.Select(FindingView.Of) };

    private static async Task<IResult> ProductsAsync(HttpContext context, MasterDataRecords records, int? limit, string? cursor, CancellationToken ct) =>
        Refuse(limit) ?? Page(await records.ProductsAsync(context.Actor(), cursor, (limit ?? 50) + 1, ct), limit ?? 50, View, p => p.Gtin);

    private static async Task<IResult> ProductAsync(HttpContext context, string gtin, MasterDataRecords records, CancellationToken ct) =>
        await records.ProductAsync(context.Actor(), KeyOf(gtin), ct) is { } found ? TypedResults.Ok(View(found)) : Problems.NotFound("such product");

    private static async Task<IResult> ProductVersionsAsync(HttpContext context, string gtin, MasterDataRecords records, CancellationToken ct) =>
        await records.ProductVersionsAsync(context.Actor(), KeyOf(gtin), ct) is { Count: > 0 } versions
            ? TypedResults.Ok(new { items = versions.Select(View), next = (string?)null })
            : Problems.NotFound("such product");

    private static Task<IResult> PutProductAsync(HttpContext context, string gtin, ProductRequest? r, ChangeMasterData change, MasterDataRecords records, CancellationToken ct)
    {
        var wanted = new WantedMasterData();
        var key = KeyOf(gtin);
        wanted.Products.Add(new Wanted<Product>(new Product(key), _ => new Product(key)
        {
            Name = r?.Name?.Trim() ?? "", Ndc = r?.Ndc ?? "", Markets = string.Join(' ', r?.Markets ?? []), Manufacturer = r?.Manufacturer ?? "", DosageForm = r?.DosageForm ?? "", Strength = r?.Strength ?? "",
            NetContent = r?.NetContent ?? "", Level = r?.Level, Holds = r?.Holds, Quantity = r?.Quantity, MixedLots = r?.MixedLots ?? false, PerLogisticUnit = r?.PerLogisticUnit, SsccPrefix = r?.SsccPrefix,
            CompanyPrefixLength = r?.CompanyPrefixLength, SerialPattern = r?.SerialPattern, Withdrawn = r?.Withdrawn ?? false,
        }, _ => new Place(1, 1)));
        return PutAsync(context, wanted, r?.Version, r?.Reason, change, async actor => View((await records.ProductAsync(actor, key, ct))!), ct);
    }

    private static async Task<IResult> LocationsAsync(HttpContext context, MasterDataRecords records, int? limit, string? cursor, CancellationToken ct) =>
        Refuse(limit) ?? Page(await records.LocationsAsync(context.Actor(), cursor is null ? null : Parted(cursor), (limit ?? 50) + 1, ct), limit ?? 50, View, ChangeMasterData.KeyOf);

    private static async Task<IResult> LocationAsync(HttpContext context, string gln, string? extension, MasterDataRecords records, CancellationToken ct) =>
        await records.LocationAsync(context.Actor(), gln, extension ?? "", ct) is { } found ? TypedResults.Ok(View(found)) : Problems.NotFound("such location");

    private static async Task<IResult> LocationVersionsAsync(HttpContext context, string gln, string? extension, MasterDataRecords records, CancellationToken ct) =>
        await records.LocationVersionsAsync(context.Actor(), gln, extension ?? "", ct) is { Count: > 0 } versions
            ? TypedResults.Ok(new { items = versions.Select(View), next = (string?)null })
            : Problems.NotFound("such location");

    private static Task<IResult> PutLocationAsync(HttpContext context, string gln, string? extension, LocationRequest? r, ChangeMasterData change, MasterDataRecords records, CancellationToken ct)
    {
        var wanted = new WantedMasterData();
        wanted.Locations.Add(new Wanted<Location>(new Location(gln, extension ?? ""), l => new Location(l.Gln, l.Extension)
        {
            Name = r?.Name?.Trim() ?? "", Kind = r?.Kind ?? "", Street = r?.Street ?? "", Street2 = r?.Street2 ?? "", City = r?.City ?? "", State = r?.State ?? "", PostalCode = r?.PostalCode ?? "",
            Country = r?.Country ?? "", CompanyPrefixLength = r?.CompanyPrefixLength, Withdrawn = r?.Withdrawn ?? false,
        }, _ => new Place(1, 1)));
        return PutAsync(context, wanted, r?.Version, r?.Reason, change, async actor => View((await records.LocationAsync(actor, gln, extension ?? "", ct))!), ct);
    }

    private static async Task<IResult> PutAsync(HttpContext context, WantedMasterData wanted, int? version, string? reason, ChangeMasterData change, Func<Actor, Task<object>> view, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return Problems.ReasonMissing();
        }
        var actor = context.Actor() with { Reason = reason };
        var outcome = await change.RunAsync(actor, wanted, dryRun: false, version ?? 0, ct);
        return outcome.PresentVersion is { } present ? Problems.RecordChanged(present)
            : outcome.IsRefused ? Problems.Invalid(outcome.Findings.All[0].Message)
            : TypedResults.Json(await view(actor), statusCode: outcome.Added > 0 ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static async Task<IResult> ImportAsync(HttpContext context, bool? dryRun, string? reason, ChangeMasterData change, CancellationToken ct)
    {
        if (dryRun != true && string.IsNullOrWhiteSpace(reason))
        {
            return Problems.ReasonMissing();
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // counted below
        }
        using var file = new MemoryStream();
        if (!await TryCopyAsync(context.Request.Body, file, ct))
        {
            return Problems.TooLarge();
        }
        file.Position = 0;
        var outcome = await change.ImportAsync(context.Actor() with { Reason = reason ?? "dry run" }, file, dryRun == true, ct);
        return outcome.IsRefused ? Problems.ImportRefused(outcome.Findings.All) : TypedResults.Ok(View(outcome));
    }

    /// <returns>False when it is larger than a file of master data may be.</returns>
    public static async Task<bool> TryCopyAsync(Stream body, MemoryStream file, CancellationToken ct)
    {
        var buffer = new byte[81_920];
        int read;
        while ((read = await body.ReadAsync(buffer, ct)) > 0)
        {
            if (file.Length + read > MasterDataFile.MaxBytes)
            {
                return false;
            }
            file.Write(buffer, 0, read);
        }
        return true;
    }

    /// <summary>A GTIN of any length by its 14 digits; what is none finds nothing.</summary>
    private static string KeyOf(string gtin) => Gtin.Parse(gtin).Value?.Value ?? gtin;

    private static (string Gln, string Extension) Parted(string key) => key.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? (key[..dot], key[(dot + 1)..]) : (key, "");

    private static IResult? Refuse(int? limit) => limit is < 1 or > 200 ? Problems.BadParameter("limit is 1 to 200.") : null;

    private static IResult Page<T>(IReadOnlyList<Versioned<T>> rows, int limit, Func<Versioned<T>, object> view, Func<T, string> key) =>
        TypedResults.Ok(new { items = rows.Take(limit).Select(view), next = rows.Count > limit ? key(rows[limit - 1].Record) : null });
}
