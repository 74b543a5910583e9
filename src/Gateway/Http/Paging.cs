using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Gateway.Http;

/// <summary>One page of an EPCIS list: at most so many, beyond a key the client has from the page before.</summary>
public readonly record struct Page(int Size, long? Beyond);

/// <summary>Paging as EPCIS 2.0 has it: perPage (limit is understood too), nextPageToken, and a Link header until the end.</summary>
public static class Paging
{
    public const string Rule = "perPage is 1 to 1000; nextPageToken is the one of the Link header.";

    public static bool TryRead(IQueryCollection query, out Page page)
    {
        page = new Page(30, null);
        if ((query["perPage"].FirstOrDefault() ?? query["limit"].FirstOrDefault()) is { } size)
        {
            if (!int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 1000)
            {
                return false;
            }
            page = page with { Size = number };
        }
        if (query["nextPageToken"].FirstOrDefault() is { } token)
        {
            if (!long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var beyond))
            {
                return false;
            }
            page = page with { Beyond = beyond };
        }
        return true;
    }

    public static void WriteNext(HttpContext context, long? next)
    {
        if (next is not { } token)
        {
            return;
        }
        var query = new QueryBuilder(context.Request.Query.Where(q => q.Key != "nextPageToken").SelectMany(q => q.Value, (q, v) => KeyValuePair.Create(q.Key, v ?? "")))
        {
            { "nextPageToken", token.ToString(CultureInfo.InvariantCulture) },
        };
        context.Response.Headers.Link = $"<{context.Request.Path.ToUriComponent()}{query.ToQueryString().ToUriComponent()}>; rel=\"next\"";
    }
}

/// <summary>The headers by which every EPCIS answer tells its versions.</summary>
public static class EpcisHeaders
{
    public static void Write(HttpResponse response)
    {
        response.Headers["GS1-EPCIS-Version"] = "2.0.0";
        response.Headers["GS1-CBV-Version"] = "2.0.0";
    }
}
