using Epcis.Formats.Xml;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Gateway.Query;

/// <summary>The form of an answer, from the caller's Accept (RFC 9110, 12.5.1); JSON when the caller does not mind.</summary>
internal sealed record AnswerForm(string MediaType)
{
    private static readonly string[] s_offered = ["application/json", "application/ld+json", "application/xml", "text/xml"];

    public const string Offered = "Events are answered as application/json, application/ld+json, application/xml or text/xml.";

    public bool IsXml => MediaType.EndsWith("/xml", StringComparison.Ordinal);
    public CbvSpelling Cbv { get; init; }

    /// <returns>Null when the caller accepts none of the offered.</returns>
    public static AnswerForm? Of(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0)
        {
            return new AnswerForm(s_offered[0]);
        }
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
        {
            return null;
        }
        var best = s_offered.Select(o => (Offered: o, Quality: QualityOf(o, accepted))).MaxBy(o => o.Quality);
        return best.Quality > 0 ? new AnswerForm(best.Offered) : null;
    }

    /// <summary>EPCIS 2.0, GS1-CBV-XML-Format; of no meaning for JSON.</summary>
    /// <returns>Null when the header is none of its values.</returns>
    public AnswerForm? WithCbv(string header) => header switch
    {
        "" or "No_Preference" or "Never_Translates" => this,
        "Always_Web_URI" => this with { Cbv = CbvSpelling.WebUri },
        "Always_URN" => this with { Cbv = CbvSpelling.Urn },
        _ => null,
    };

    // The most specific range that fits decides, so that "*/*, application/xml;q=0" refuses XML.
    private static double QualityOf(string offered, IList<MediaTypeHeaderValue> accepted)
    {
        var type = new MediaTypeHeaderValue(offered);
        var fitting = accepted.Where(a => type.IsSubsetOf(new MediaTypeHeaderValue(a.MediaType))).ToList();
        return fitting.Count == 0 ? 0 : fitting.OrderBy(a => a.MatchesAllTypes ? 2 : a.MatchesAllSubTypes ? 1 : 0).First().Quality ?? 1;
    }
}
