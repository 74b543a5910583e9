using Dapper;
using Gateway.Database;

namespace Gateway.Access;

/// <summary>Organisation, CMOs and partners: whoever a credential belongs to and rows are isolated by.</summary>
public static class Parties
{
    /// <summary>The party's number, creating it when there is none: the one organisation, or whoever has that GLN (or, without one, that kind and name).</summary>
    public static async Task<int> EnsureAsync(Work work, string kind, string name, string? gln)
    {
        var found = await work.Connection.ExecuteScalarAsync<int?>("""
            select party_id from party where case when @kind = 'organisation' then kind = @kind when @gln::text is null then kind = @kind and name = @name else gln = @gln end
            """, new { kind, name, gln }, work.Transaction);
        return found ?? await work.Connection.ExecuteScalarAsync<int>("""
            insert into party (kind, name, gln) values (@kind, @name, @gln) returning party_id
            """, new { kind, name, gln }, work.Transaction);
    }

    /// <summary>What the party with this GLN is; null when there is none.</summary>
    public static Task<string?> KindOfAsync(Work work, string gln) =>
        work.Connection.ExecuteScalarAsync<string?>("select kind from party where gln = @gln", new { gln }, work.Transaction);
}
