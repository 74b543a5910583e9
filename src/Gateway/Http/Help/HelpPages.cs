using System.Text;
using System.Text.Encodings.Web;
using Gateway.Database;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Http.Help;

/// <summary>
/// <c>/help</c> and <c>/help/{code}</c>: plain pages in the dashboard's frame, open to all, because who has a problem may not be
/// able to sign in. They tell nothing of this installation but the version that they belong to.
/// </summary>
public static class HelpPages
{
    public static void MapHelp(this IEndpointRouteBuilder app)
    {
        app.MapGet("/help", () => Page(200, "Help", Index())).AllowAnonymous();
        app.MapGet("/help/{code}", (string code) => HelpCatalog.Find(code) is { } topic
            ? Page(200, $"{topic.Code}: {topic.Title}", Body(topic))
            : Page(404, "No such code", "<h1>There is no such code.</h1>\n<p><a href=\"/help\">All codes</a></p>")).AllowAnonymous();
    }

    /// <summary>The page a browser is shown instead of a problem in JSON.</summary>
    public static IResult Problem(int status, string code, string detail)
    {
        var topic = HelpCatalog.Find(code)!;
        return Page(status, topic.Title, $"""
            <h1>{Text(topic.Title)}</h1>
            <p>{Text(detail)}</p>
            <p><a href="{HelpCatalog.PathOf(code)}">What to do</a> · <a href="/">First page</a></p>
            """);
    }

    private static string Index()
    {
        var page = new StringBuilder("<h1>Codes and what to do about them</h1>\n");
        foreach (var group in HelpCatalog.All.GroupBy(t => Heading(t.Code)))
        {
            page.Append("<h2>").Append(Text(group.Key)).Append("</h2>\n<dl class=\"facts\">\n");
            foreach (var topic in group.OrderBy(t => t.Code, StringComparer.Ordinal))
            {
                page.Append("<dt><a class=\"mono\" href=\"").Append(HelpCatalog.PathOf(topic.Code)).Append("\">").Append(Text(topic.Code)).Append("</a></dt><dd>").Append(Text(topic.Title)).Append("</dd>\n");
            }
            page.Append("</dl>\n");
        }
        return page.ToString();
    }

    private static string Heading(string code) => code.Split('-')[0] switch
    {
        "GW" => "The gateway's answers",
        "ROUTE" => "Why a document goes to a partner, or does not",
        "EPCIS" when code.StartsWith("EPCIS-DOC", StringComparison.Ordinal) || code.StartsWith("EPCIS-XML", StringComparison.Ordinal)
            || code.StartsWith("EPCIS-XSD", StringComparison.Ordinal) || code.StartsWith("EPCIS-JSON", StringComparison.Ordinal) => "Reading documents",
        "EPCIS" => "Rules of EPCIS",
        _ => "Rules of the Core Business Vocabulary",
    };

    private static string Body(HelpTopic topic) => $"""
        <p class="eyebrow mono">{Text(topic.Code)}</p>
        <h1>{Text(topic.Title)}</h1>
        <h2>What happened</h2>
        <p>{Text(topic.What)}</p>
        <h2>What to do</h2>
        <p>{Text(topic.Do)}</p>
        {(topic.Clause is { } clause ? $"<h2>Behind it</h2>\n<p>{Text(clause)}</p>" : "")}
        <p><a href="/help">All codes</a></p>
        """;

    private static IResult Page(int status, string title, string body) => Results.Content($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>{Text(title)}</title>
          <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
          <link rel="stylesheet" href="/app.css" />
        </head>
        <body>
          <a class="skip" href="#content">Skip to the content</a>
          <header class="bar"><a class="brand" href="/"><img src="/favicon.svg" alt="" /> Serialization gateway</a></header>
          <main id="content">
        {body}
          </main>
          <footer class="foot"><span>Version {Text(Installation.Version)}</span></footer>
        </body>
        </html>
        """, "text/html; charset=utf-8", Encoding.UTF8, status);

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
