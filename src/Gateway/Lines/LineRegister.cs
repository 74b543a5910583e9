using Dapper;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Lines;

/// <summary>A packaging line.</summary>
/// <param name="Party">Who runs it: the organisation, or a CMO.</param>
/// <param name="Site">GLN.</param>
/// <param name="ReadPoint">As events name the line.</param>
/// <param name="TimeZone">IANA; local times of the line's files are of it.</param>
/// <param name="Speed">Units a minute, as designed; null: not known.</param>
public sealed record LineItem(int LineId, string Party, string Code, string Name, string Site, string ReadPoint, string TimeZone, int? Speed, bool Withdrawn, int Version);

/// <param name="Party">GLN or name of the CMO that runs the line; null: the organisation's own.</param>
/// <param name="Version">Of the line as it was seen; when it has changed since, nothing is done.</param>
public sealed record LineRequest(string? Name, string? Site, string? ReadPoint, string? TimeZone, int? Speed, bool? Withdrawn, string? Party, string? Reason, int? Version);

/// <summary>The lines, and who may change them. A code names one line of a party.</summary>
public sealed class LineRegister(GatewayDatabase database)
{
    private const string Rows = """
        select l.line_id as LineId, p.name as Party, l.code as Code, l.name as Name, l.site as Site, l.read_point as ReadPoint, l.time_zone as TimeZone, l.speed as Speed, l.withdrawn as Withdrawn, l.version as Version
        from line l join party p using (party_id)
        """;

    /// <summary>By their codes, the withdrawn last.</summary>
    public Task<List<LineItem>> ListAsync(Actor reader, CancellationToken ct) => database.ReadAsync<LineItem>(reader, $"{Rows} order by l.withdrawn, l.code collate \"C\", l.line_id", null, ct);

    /// <param name="party">GLN or name of who runs it; null: the organisation's own first, then whoever's it is.</param>
    /// <returns>Null when there is none of that code, or it is another party's.</returns>
    public async Task<LineItem?> FindAsync(Actor reader, string code, string? party, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await FindAsync(work, code, party);
    }

    /// <summary>Adds a line, or changes one.</summary>
    /// <returns>The line, or the refusal as a sentence and whether it is one of a version.</returns>
    public async Task<(LineItem? Line, string? Refusal, bool IsStale)> PutAsync(Actor actor, string code, LineRequest request, CancellationToken ct)
    {
        if (Wrong(code, request) is { } wrong)
        {
            return (null, wrong, false);
        }
        await using var work = await database.BeginAsync(actor with { Reason = request.Reason }, ct);
        var party = await work.Connection.ExecuteScalarAsync<int?>(
            "select party_id from party where case when @party::text is null then kind = 'organisation' else kind in ('organisation', 'cmo') and (gln = @party or name = @party) end order by party_id limit 1", new { party = request.Party }, work.Transaction);
        if (party is null)
        {
            return (null, request.Party is null ? "There is no organisation yet: add the first person." : $"There is no organisation or CMO with the GLN or name {request.Party}.", false);
        }
        if (await work.Connection.ExecuteScalarAsync<bool>("select not exists (select from pg_timezone_names where name = @TimeZone)", request, work.Transaction))
        {
            return (null, $"{request.TimeZone} is no time zone: write it as IANA does, such as Europe/Berlin.", false);
        }
        var values = new { party, code, name = request.Name!.Trim(), request.Site, readPoint = request.ReadPoint!.Trim(), request.TimeZone, request.Speed, withdrawn = request.Withdrawn ?? false, request.Version };
        var changed = await work.Connection.ExecuteAsync("""
            update line set name = @name, site = @Site, read_point = @readPoint, time_zone = @TimeZone, speed = @Speed, withdrawn = @withdrawn, version = version + 1
            where party_id = @party and code = @code and version = coalesce(@Version, version)
            """, values, work.Transaction);
        if (changed == 0 && (request.Version is not null || await work.Connection.ExecuteAsync("""
            insert into line (party_id, code, name, site, read_point, time_zone, speed, withdrawn) values (@party, @code, @name, @Site, @readPoint, @TimeZone, @Speed, @withdrawn) on conflict do nothing
            """, values, work.Transaction) == 0))
        {
            return (null, await work.RefuseAsync(new RefusedStep("line", code, "change", "The line has changed meanwhile: look at it again.",
                "select case when withdrawn then 'withdrawn' else 'present' end, version from line where code = @key order by line_id limit 1", request.Version)), true);
        }
        var line = await FindAsync(work, code, request.Party);
        await work.CommitAsync();
        return (line, null, false);
    }

    internal static Task<LineItem?> FindAsync(Work work, string code, string? party) => work.Connection.QueryFirstOrDefaultAsync<LineItem?>(
        $"{Rows} where l.code = @code and (@party::text is null or p.gln = @party or p.name = @party) order by p.kind = 'organisation' desc, l.line_id", new { code, party }, work.Transaction);

    private static string? Wrong(string code, LineRequest request) =>
        code.Length is 0 or > 40 || !code.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-') ? "A line's code has at most 40 letters, digits, dots, hyphens and underscores."
        : string.IsNullOrWhiteSpace(request.Name) || request.Name.Length > 200 ? "name is missing, or longer than 200 characters."
        : request.Site is null || request.Site.Length != 13 || Gln.Parse(request.Site).Value is null ? "site is a GLN of 13 digits with its check digit."
        : string.IsNullOrWhiteSpace(request.ReadPoint) || request.ReadPoint.Length > 400 ? "readPoint is missing: the URI by which events name the line."
        : string.IsNullOrWhiteSpace(request.TimeZone) ? "timeZone is missing: such as Europe/Berlin."
        : request.Speed is < 1 or > 100_000 ? "speed is 1 to 100,000 units a minute."
        : string.IsNullOrWhiteSpace(request.Reason) ? "reason is missing."
        : Texts.Refusal("reason", request.Reason, Texts.MaxReason) ?? Texts.Refusal("name", request.Name, 200) ?? Texts.Refusal("readPoint", request.ReadPoint, 400);
}
