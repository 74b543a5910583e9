using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Units;

namespace Gateway.Tests.Units;

/// <summary>
/// docs/units.md is made from the tables of the rules and the words beside the states and facts. To write it anew:
/// <c>WRITE_DOCS=1 dotnet test tests/Gateway.Tests --filter UnitPageTests</c>.
/// </summary>
public sealed partial class UnitPageTests
{
    [Fact]
    public void The_page_of_the_units_says_what_the_rules_say()
    {
        var (path, page) = (Repository.File("docs", "units.md"), Page());
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }
        Assert.True(File.Exists(path) && File.ReadAllText(path) == page, "docs/units.md is out of date. Write it anew: WRITE_DOCS=1 dotnet test tests/Gateway.Tests --filter UnitPageTests");
    }

    [Fact]
    public void Every_code_that_the_rules_use_is_explained() =>
        Assert.Equal(
            typeof(UnitCodes).GetFields().Select(f => (string)f.GetRawConstantValue()!).Order(),
            UnitCodes.All.Select(c => c.Code).Order());

    private static string Page()
    {
        var page = new StringBuilder($"""
            # Units

            Version {Gateway.Database.Installation.Version}

            What the events make of each serialised unit: its states, the facts that events state, which fact may follow which state, and what the gateway says when one may not. This page is made from the rules themselves; to write it anew:

                WRITE_DOCS=1 dotnet test tests/Gateway.Tests --filter UnitPageTests

            A fact is never refused: its event is kept. Where it does not fit, the unit's state stays as it was, a finding tells a person, and the unit is held until an inspection releases it (unless the finding says otherwise). A hold blocks shipping and nothing else. What is packed is where its outermost container is, is shipped and received with it, and takes that over when it leaves.


            """);
        var (states, facts) = (Meanings("UnitState.cs", "public enum UnitState"), Meanings("UnitFact.cs", "public enum FactKind"));
        Table(page, "States", "The numbers are those that are stored: OPEN-SCS's where it has the state, above 100 where it has none.", ["state", "number", "meaning"],
            Lifecycle.States.Select(s => new[] { Lifecycle.Word(s), ((short)s).ToString(CultureInfo.InvariantCulture), states[s.ToString()] }));
        Table(page, "Facts", "In the order in which those of one instant are taken; within a kind, in the order of their documents.", ["fact", "meaning"],
            Enum.GetValues<FactKind>().Select(f => new[] { Lifecycle.Word(f), facts[f.ToString()] }));
        Table(page, "Which fact may follow which state", "Not ended is every state but VOIDED, SCRAPPED, DECOMMISSIONED and DESTROYED. What is not here is illegal.", ["fact", "from", "to", "provided that"],
            Lifecycle.Table);
        Table(page, "What an event states", "The first row that fits decides; a fact with a question mark is meant only where it fits. Any other event is an OBSERVE: it moves no state, and may tell a place.",
            ["event", "action", "bizStep", "disposition", "fact"], EventFacts.Table);
        Table(page, "Codes", "What the findings mean.", ["code", "meaning"], UnitCodes.All.Select(c => new[] { c.Code, c.Meaning }));
        return page.ToString().TrimEnd() + "\n";
    }

    private static void Table(StringBuilder page, string title, string about, string[] heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        page.Append(CultureInfo.InvariantCulture, $"## {title}\n\n{about}\n\n| {string.Join(" | ", heads)} |\n|{string.Concat(heads.Select(_ => "---|"))}\n");
        foreach (var row in rows)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
        }
        page.Append('\n');
    }

    // The words beside a member of an enumeration in its source.
    private static Dictionary<string, string> Meanings(string file, string type)
    {
        var source = File.ReadAllText(Repository.File("src", "Gateway", "Units", file));
        source = source[source.IndexOf(type, StringComparison.Ordinal)..];
        return Member().Matches(source[..source.IndexOf("\n}", StringComparison.Ordinal)]).ToDictionary(m => m.Groups[2].Value, m => m.Groups[1].Value);
    }

    [GeneratedRegex(@"/// <summary>(.+?)</summary>\s+(\w+)\b")]
    private static partial Regex Member();
}
