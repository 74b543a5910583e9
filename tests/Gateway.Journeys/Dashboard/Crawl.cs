using System.Text.RegularExpressions;

namespace Gateway.Journeys.Dashboard;

/// <summary>Opens every page that links lead to, a few of each kind: addresses that differ in numbers and filters only are of one kind.</summary>
public static partial class Crawl
{
    private const string Links = "() => [...document.querySelectorAll('a[href]:not([download])')].map(a => a.href.split('#')[0])";

    /// <param name="perKind">How many of a kind are opened.</param>
    /// <param name="from">Where to begin.</param>
    /// <returns>The address of each page, which is then open.</returns>
    public static async IAsyncEnumerable<string> CrawlAsync(this SignedInBrowser browser, int perKind, params string[] from)
    {
        var kinds = new Dictionary<string, int>();
        var seen = new HashSet<string>(from);
        var next = new Queue<string>(from);
        while (next.TryDequeue(out var address))
        {
            await browser.GoAsync(address);
            yield return address;
            foreach (var link in await browser.Page.EvaluateAsync<string[]>(Links))
            {
                var path = browser.PathOf(link);
                // Help is for everybody and has no connection: HelpTests reads it.
                if (path is { Length: > 0 } && !path.StartsWith("help", StringComparison.Ordinal) && seen.Add(path))
                {
                    var kind = Kind(path);
                    kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
                    if (kinds[kind] <= perKind)
                    {
                        next.Enqueue(path);
                    }
                }
            }
        }
    }

    /// <summary>What addresses that differ in numbers and filters only have in common.</summary>
    public static string Kind(string path) => Id().Replace(path.Split('?')[0], "/*");

    [GeneratedRegex("/([0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+)")]
    private static partial Regex Id();
}
