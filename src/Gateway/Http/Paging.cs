using System.Globalization;
using Epcis.Conversion;
using Epcis.Formats.Xml;
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
        page = default;
        if (!TryReadSize(query, out var size))
        {
            return false;
        }
        page = new Page(size, null);
        if (query["nextPageToken"].FirstOrDefault() is { } token)
        {
            if (!long.TryParse(PageToken.Open(token), NumberStyles.None, CultureInfo.InvariantCulture, out var beyond))
            {
                return false;
            }
            page = page with { Beyond = beyond };
        }
        return true;
    }

    public static bool TryReadSize(IQueryCollection query, out int size)
    {
        size = 30;
        return (query["perPage"].FirstOrDefault() ?? query["limit"].FirstOrDefault()) is not { } given
            || (int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size is >= 1 and <= 1000);
    }

    public static void WriteNext(HttpContext context, long? next)
    {
        if (next is { } last)
        {
            WriteNext(context, PageToken.Seal(last.ToString(CultureInfo.InvariantCulture)), null);
        }
    }

    /// <param name="expires">When the server no longer takes the token; null when it always does.</param>
    public static void WriteNext(HttpContext context, string token, DateTimeOffset? expires)
    {
        var query = new QueryBuilder(context.Request.Query.Where(q => q.Key != "nextPageToken").SelectMany(q => q.Value, (q, v) => KeyValuePair.Create(q.Key, v ?? "")))
        {
            { "nextPageToken", token },
        };
        context.Response.Headers.Link = $"<{context.Request.Path.ToUriComponent()}{query.ToQueryString().ToUriComponent()}>; rel=\"next\"";
        if (expires is { } time)
        {
            context.Response.Headers["GS1-Next-Page-Token-Expires"] = time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
    }
}

/// <summary>The headers by which every EPCIS answer tells its versions.</summary>
public static class EpcisHeaders
{
    public const string EpcFormatName = "GS1-EPC-Format";
    public const string CbvFormatName = "GS1-CBV-XML-Format";

    /// <summary>How identifiers may be asked for (EPCIS 2.0, <c>GS1-EPC-Format</c>).</summary>
    public static IReadOnlyDictionary<string, EpcFormat> EpcFormats { get; } = new Dictionary<string, EpcFormat>
    {
        ["No_Preference"] = EpcFormat.NoPreference,
        ["Always_GS1_Digital_Link"] = EpcFormat.AlwaysDigitalLink,
        ["Always_EPC_URN"] = EpcFormat.AlwaysEpcUrn,
        ["Never_Translates"] = EpcFormat.NeverTranslates,
    };

    /// <summary>How CBV values may be asked for in XML (EPCIS 2.0, <c>GS1-CBV-XML-Format</c>).</summary>
    public static IReadOnlyDictionary<string, CbvSpelling> CbvFormats { get; } = new Dictionary<string, CbvSpelling>
    {
        ["No_Preference"] = CbvSpelling.Kept,
        ["Always_Web_URI"] = CbvSpelling.WebUri,
        ["Always_URN"] = CbvSpelling.Urn,
        ["Never_Translates"] = CbvSpelling.Kept,
    };

    public static void Write(HttpResponse response)
    {
        response.Headers["GS1-EPCIS-Version"] = "2.0.0";
        response.Headers["GS1-CBV-Version"] = "2.0.0";
    }

    /// <summary>The answer to OPTIONS (EPCIS 2.0, discovery): what the resource takes and which versions the server speaks.</summary>
    public static IResult Discovery(HttpResponse response, string allow)
    {
        Write(response);
        response.Headers.Allow = allow;
        response.Headers["GS1-EPCIS-Min"] = "1.2.0"; // 1.0 and 1.1 share the namespace of 1.2
        response.Headers["GS1-EPCIS-Max"] = "2.0.0";
        response.Headers["GS1-CBV-Min"] = "1.2.0";
        response.Headers["GS1-CBV-Max"] = "2.0.0";
        // Each of the formats is answered to whoever asks for it.
        response.Headers[EpcFormatName] = "No_Preference";
        response.Headers[CbvFormatName] = "No_Preference";
        response.Headers["GS1-Vendor-Version"] = typeof(EpcisHeaders).Assembly.GetName().Version?.ToString(3);
        return TypedResults.NoContent();
    }
}
