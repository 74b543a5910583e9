using System.Reflection;
using System.Text.RegularExpressions;

namespace Gateway.Host.Dashboard.Validation;

/// <summary>A requirement with the tests that prove it, as the last run of all tests before this build has left it.</summary>
/// <param name="Risk">high, medium or low.</param>
/// <param name="Tests">By name, with passed, failed or skipped; none when it is not due yet.</param>
public sealed record Requirement(string Id, string Risk, string Text, IReadOnlyList<(string Name, string Result)> Tests)
{
    public string Result => Tests.Count == 0 ? "not due" : Tests.All(t => t.Result == "passed") ? "passed" : "failed";
}

/// <summary>The matrix that each run of all tests writes (<c>docs/traceability.csv</c>), as it was when this program was built.</summary>
public static partial class RequirementMatrix
{
    public static IReadOnlyList<Requirement> All { get; } = Read();

    private static List<Requirement> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("traceability.csv")!;
        using var reader = new StreamReader(stream);
        return [.. Line().Matches(reader.ReadToEnd()).GroupBy(m => m.Groups["id"].Value).Select(g => new Requirement(g.Key, g.First().Groups["risk"].Value, g.First().Groups["text"].Value.Replace("\"\"", "\"", StringComparison.Ordinal),
            [.. g.Where(m => m.Groups["test"].Length > 0).Select(m => (m.Groups["test"].Value, m.Groups["result"].Value))]))];
    }

    [GeneratedRegex("^(?<id>P[0-9]+-[0-9]+),(?<risk>[a-z]+),\"(?<text>(?:[^\"]|\"\")*)\",(?<test>[^,\\n]*),(?<result>[a-z ]+)\\r?$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
