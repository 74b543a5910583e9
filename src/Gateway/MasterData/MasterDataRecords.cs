using Gateway.Access;
using Gateway.Database;

namespace Gateway.MasterData;

/// <summary>Products and locations for reading.</summary>
public sealed class MasterDataRecords(GatewayDatabase database)
{
    internal static MasterDataTable<Product> Products { get; } = new("product", "gtin");

    internal static MasterDataTable<Location> Locations { get; } = new("location", "gln, extension");

    /// <summary>What makes the difference between two versions; of a first one, all that it tells.</summary>
    public static IReadOnlyList<MemberChange> Differences(Product? before, Product after) => MasterDataTable<Product>.Differences(before, after);

    /// <inheritdoc cref="Differences(Product?, Product)"/>
    public static IReadOnlyList<MemberChange> Differences(Location? before, Location after) => MasterDataTable<Location>.Differences(before, after);

    /// <summary>By GTIN, those withdrawn among them.</summary>
    /// <param name="after">The GTIN that ended the page before.</param>
    public async Task<IReadOnlyList<Versioned<Product>>> ProductsAsync(Actor reader, string? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Products.ReadAsync(work, Products.Present, "where @after::text is null or gtin > @after order by gtin limit @limit", new { after, limit }, ct);
    }

    /// <summary>Every version of a product, newest first; none: there is no such product.</summary>
    public async Task<IReadOnlyList<Versioned<Product>>> ProductVersionsAsync(Actor reader, string gtin, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Products.VersionsAsync(work, new Product(gtin), ct);
    }

    public async Task<Versioned<Product>?> ProductAsync(Actor reader, string gtin, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await Products.PresentOfAsync(work, [new Product(gtin)], ct)).SingleOrDefault();
    }

    /// <summary>The products of one pack, lowest level first: what it holds, what that holds, and all that hold it or them.</summary>
    public async Task<IReadOnlyList<Versioned<Product>>> PackAsync(Actor reader, string gtin, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Products.ReadAsync(work, Products.Present, """
            where not r.withdrawn and r.gtin in (
                with recursive p as materialized (select distinct on (gtin) gtin, holds, withdrawn from product order by gtin, version desc),
                pack (gtin) as (
                    select @gtin
                    union
                    select case when p.gtin = pack.gtin then p.holds else p.gtin end from pack join p on (p.gtin = pack.gtin and p.holds is not null) or p.holds = pack.gtin)
                select gtin from pack)
            order by array_position(@levels, level), gtin limit 100
            """, new { gtin, levels = PackLevels.All.ToArray() }, ct);
    }

    /// <summary>By GLN and extension.</summary>
    /// <param name="after">GLN and extension that ended the page before.</param>
    public async Task<IReadOnlyList<Versioned<Location>>> LocationsAsync(Actor reader, (string Gln, string Extension)? after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Locations.ReadAsync(work, Locations.Present, "where @gln::text is null or (gln, extension) > (@gln, @extension) order by gln, extension limit @limit",
            new { gln = after?.Gln, extension = after?.Extension, limit }, ct);
    }

    /// <summary>Every version of a location, newest first; none: there is no such location.</summary>
    public async Task<IReadOnlyList<Versioned<Location>>> LocationVersionsAsync(Actor reader, string gln, string extension, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Locations.VersionsAsync(work, new Location(gln, extension), ct);
    }

    public async Task<Versioned<Location>?> LocationAsync(Actor reader, string gln, string extension, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await Locations.PresentOfAsync(work, [new Location(gln, extension)], ct)).SingleOrDefault();
    }

    /// <summary>How many products and locations there are that count.</summary>
    public async Task<(long Products, long Locations)> CountAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await Dapper.SqlMapper.QuerySingleAsync<(long, long)>(work.Connection,
            $"select (select count(*) from {Products.Present} p where not withdrawn), (select count(*) from {Locations.Present} l where not withdrawn)", transaction: work.Transaction);
    }

    internal async Task<MasterDataSnapshot> AllAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var last = await LastVersionAsync(work, ct); // before the rows: of more than it says, none is missing
        var versions = await Products.ReadAsync(work, "product", "", null, ct);
        var present = versions.GroupBy(v => v.Record.Gtin).Select(g => g.MaxBy(v => v.Version)!.Record).Where(p => !p.Withdrawn);
        var recalled = await Dapper.SqlMapper.QueryAsync<(string, string)>(work.Connection, "select distinct gtin, lot from hub_order where kind = 'recall' and status not in ('asked', 'ended')", transaction: work.Transaction);
        return new MasterDataSnapshot([.. present], [.. (await Locations.ReadAsync(work, Locations.Present, "where not withdrawn", null, ct)).Select(l => l.Record)], versions, last) { RecalledLots = recalled.ToHashSet() };
    }

    /// <summary>The number of the last version of a product.</summary>
    public static Task<long> LastVersionAsync(Work work, CancellationToken ct) =>
        Dapper.SqlMapper.ExecuteScalarAsync<long>(work.Connection, new Dapper.CommandDefinition("select coalesce(max(ord), 0) from product", transaction: work.Transaction, cancellationToken: ct));
}
