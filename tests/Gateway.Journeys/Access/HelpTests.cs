using System.Text.RegularExpressions;
using Gateway.Http.Help;
using Gateway.TestSupport;

namespace Gateway.Journeys.Access;

public sealed partial class HelpTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public void Every_code_in_the_source_is_explained_and_every_explained_code_is_in_the_source()
    {
        var used = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/Http/Help/", StringComparison.Ordinal)
                && !f.EndsWith("/DeliveryReason.cs", StringComparison.Ordinal)) // its words are no codes of answers: each has its own sentence
            .SelectMany(f => Code().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(used, HelpCatalog.All.Select(t => t.Code).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_explanation_says_what_happened_and_what_to_do_in_sentences() => Assert.All(HelpCatalog.All, t =>
    {
        Assert.EndsWith(".", t.What, StringComparison.Ordinal);
        Assert.EndsWith(".", t.Do.TrimEnd('}', '"'), StringComparison.Ordinal);
        Assert.NotEqual("", t.Title);
    });

    [Fact]
    public async Task Anybody_can_read_each_page_and_the_list_of_all()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = new HttpClient { BaseAddress = gateway.Url };
        var list = await http.GetStringAsync("help", Ct);
        foreach (var topic in HelpCatalog.All)
        {
            Assert.Contains($"href=\"/help/{topic.Code}\"", list, StringComparison.Ordinal);
            using var answer = await http.GetAsync(HelpCatalog.PathOf(topic.Code), Ct);
            var page = await answer.Content.ReadAsStringAsync(Ct);
            Assert.Equal((topic.Code, 200), (topic.Code, (int)answer.StatusCode));
            Assert.Contains("<h1>", page, StringComparison.Ordinal);
            Assert.Contains("What to do", page, StringComparison.Ordinal);
            Assert.Contains("lang=\"en\"", page, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
            Assert.DoesNotContain("style=", page, StringComparison.Ordinal);
        }
        using var unknown = await http.GetAsync("help/%3Cscript%3E", Ct);
        Assert.Equal(404, (int)unknown.StatusCode);
    }

    [GeneratedRegex("\"((?:EPCIS|CBV|GW|DSCSA)-[A-Z]+-[0-9]{2}|ROUTE-[A-Z-]+|masterdata\\.[a-z]+_[a-z]+|(?:unit|agg|lot|pool|seq|epoch|time|clock|device|cmd|pause|recon|file|record|scan|date|gs1|id|partner|compose|alarm|receipt|reconcile)\\.[a-z_]+|hub\\.(?!read|manage|release|answer)[a-z_]+)\"")]
    private static partial Regex Code();
}
