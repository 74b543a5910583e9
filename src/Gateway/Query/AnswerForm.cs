using Epcis.Conversion;
using Epcis.Formats.Xml;
using Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Gateway.Query;

/// <summary>The form of an answer, from the caller's Accept (RFC 9110, 12.5.1; JSON when the caller does not mind) and the headers of EPCIS 2.0.</summary>
internal sealed record AnswerForm(string MediaType)
{
    private static readonly string[] s_offered = ["application/json", "application/ld+json", "application/xml", "text/xml"];

    public bool IsXml => MediaType.EndsWith("/xml", StringComparison.Ordinal);

    /// <summary>A value of GS1-EPC-Format. Who asks for nothing gets what was captured (decision 0006), not the standard's Digital Links.</summary>
    public string Epc { get; private init; } = "Never_Translates";

    /// <summary>A value of GS1-CBV-XML-Format, which has no meaning for JSON.</summary>
    public string Cbv { get; private init; } = "No_Preference";

    public EpcFormat EpcFormat => EpcisHeaders.EpcFormats[Epc];
    public CbvSpelling CbvSpelling => EpcisHeaders.CbvFormats[Cbv];

    /// <summary>Reads what the caller asks for, and says what the answer depends on.</summary>
    /// <returns>A refusal, or null when <paramref name="form"/> is what to answer.</returns>
    public static ProblemHttpResult? Read(HttpContext context, out AnswerForm form)
    {
        EpcisHeaders.Write(context.Response);
        context.Response.Headers.Vary = $"Accept, {EpcisHeaders.EpcFormatName}, {EpcisHeaders.CbvFormatName}";
        form = new AnswerForm(s_offered[0]);
        if (Of(context.Request) is not { } accepted)
        {
            return Problems.NotAcceptable($"Events are answered as {string.Join(", ", s_offered)}.");
        }
        form = accepted with { Epc = Header(EpcisHeaders.EpcFormatName) ?? accepted.Epc, Cbv = Header(EpcisHeaders.CbvFormatName) ?? accepted.Cbv };
        if (!EpcisHeaders.EpcFormats.ContainsKey(form.Epc))
        {
            return Problems.BadParameter($"{EpcisHeaders.EpcFormatName} is one of {string.Join(", ", EpcisHeaders.EpcFormats.Keys)}.");
        }
        if (!EpcisHeaders.CbvFormats.ContainsKey(form.Cbv))
        {
            return Problems.BadParameter($"{EpcisHeaders.CbvFormatName} is one of {string.Join(", ", EpcisHeaders.CbvFormats.Keys)}.");
        }
        // Events are kept as JSON, which has only bare words: how an XML document spelled a value is in its own bytes.
        return form is { IsXml: true, Cbv: "Never_Translates" }
            ? Problems.NotAcceptable($"Events are kept as JSON writes them, so XML needs a spelling: {EpcisHeaders.CbvFormatName} is No_Preference, Always_Web_URI or Always_URN.")
            : null;

        string? Header(string name) => context.Request.Headers[name].ToString() is { Length: > 0 } value ? value : null;
    }

    /// <returns>Null when the caller accepts none of the offered.</returns>
    private static AnswerForm? Of(HttpRequest request)
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

    // The most specific range that fits decides, so that "*/*, application/xml;q=0" refuses XML.
    private static double QualityOf(string offered, IList<MediaTypeHeaderValue> accepted)
    {
        var type = new MediaTypeHeaderValue(offered);
        var fitting = accepted.Where(a => type.IsSubsetOf(new MediaTypeHeaderValue(a.MediaType))).ToList();
        return fitting.Count == 0 ? 0 : fitting.OrderBy(a => a.MatchesAllTypes ? 2 : a.MatchesAllSubTypes ? 1 : 0).First().Quality ?? 1;
    }
}
