using Dapper;
using Gateway.Database;

namespace Gateway.Access;

/// <summary>Organisation, CMOs and partners: whoever a credential belongs to and rows are isolated by.</summary>
public static class Parties
{
    /// <summary>The party's number, creating it when nobody has that GLN (or, without one, that kind and name).</summary>
    public static async Task<int> EnsureAsync(Work work, string kind, string name, string? gln)
    {
        var found = await work.Connection.ExecuteScalarAsync<int?>("""
            select party_id from party where case when @gln::text is null then kind = @kind and name = @name else gln = @gln end
            """, new { kind, name, gln }, work.Transaction);
        return found ?? await work.Connection.ExecuteScalarAsync<int>("""
            insert into party (kind, name, gln) values (@kind, @name, @gln) returning party_id
            """, new { kind, name, gln }, work.Transaction);
    }
}
