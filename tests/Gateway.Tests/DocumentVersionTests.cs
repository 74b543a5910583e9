using System.Xml.Linq;
using Gateway.Database;
using Gateway.Http.Help;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Tests;

/// <summary>Who holds a document or a printed page knows the version of the program that it belongs to.</summary>
[Requirement("P11-29")]
public sealed class DocumentVersionTests
{
    private static readonly string Version = XDocument.Load(Repository.File("Directory.Build.props")).Descendants("Version").Single().Value;

    public static TheoryData<string> Documents => [.. Directory.GetFiles(Repository.File("docs"), "*.md").Append(Repository.File("README.md")).Select(f => Path.GetRelativePath(Repository.Root, f))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_says_under_its_title_which_version_it_belongs_to(string document) =>
        Assert.Equal(["", $"Version {Version}", ""], File.ReadLines(Repository.File(document)).Skip(1).Take(3));

    [Fact]
    public void So_does_the_program_on_its_help_pages_and_in_print()
    {
        Assert.Equal(Version, Installation.Version);
        Assert.Contains($"Version {Version}<", Assert.IsType<ContentHttpResult>(HelpPages.Problem(404, "GW-HTTP-01", "There is no such page.")).ResponseContent, StringComparison.Ordinal);
        // The footer begins with the build, and all but that is left out of a print.
        Assert.Matches(@"<footer class=""foot"">\s*<span>Build @Installation\.Build</span>", File.ReadAllText(Repository.File("src", "Gateway.Host", "Dashboard", "Layout", "PageFooter.razor")));
        Assert.Contains("footer.foot span:not(:first-child), ", File.ReadAllText(Repository.File("src", "Gateway.Host", "wwwroot", "app.css")), StringComparison.Ordinal);
    }
}
