using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Gateway.Tests;

/// <summary>P11-5: the matrix of requirements, tests and results, which each run of all tests makes.</summary>
[Requirement("P11-5")]
public sealed partial class RequirementTests
{
    private static readonly string[] Lines = File.ReadAllLines(Repository.File("docs", "requirements.csv"));

    [Fact]
    public async Task The_matrix_has_each_test_of_each_requirement_with_the_worst_of_its_results()
    {
        var due = Lines.Skip(1).Where(l => l.Split(',')[3] == "now").Select(l => l.Split(',')[0]).ToList();
        var (exit, matrix, said) = await RunAsync([.. due.Select(id => $"{id}\tA.Test\tpassed"), $"{due[0]}\tA.Other\tpassed", $"{due[0]}\tA.Other\tfailed", $"{due[0]}\tA.Other\tskipped"]);
        Assert.Equal((0, ""), (exit, said));
        Assert.Equal("id,risk,requirement,test,result", matrix[0]);
        Assert.EndsWith(",A.Other,failed", matrix.Single(l => l.StartsWith(due[0] + ",", StringComparison.Ordinal) && l.Contains("A.Other", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(Lines.Skip(1).Select(Id), matrix.Skip(1).Select(Id).Distinct());
        Assert.All(matrix.Where(l => l.EndsWith(",,not due", StringComparison.Ordinal)).Select(Id), id => Assert.DoesNotContain(id, due));
    }

    [Fact]
    public async Task What_is_due_and_has_no_test_that_passed_and_a_test_of_no_requirement_fail_the_run()
    {
        var due = Lines.Skip(1).Where(l => l.Split(',')[3] == "now").Select(l => l.Split(',')[0]).ToList();
        var (exit, _, said) = await RunAsync([.. due.Skip(2).Select(id => $"{id}\tA.Test\tpassed"), $"{due[1]}\tA.Test\tfailed", "P11-99\tA.Test\tpassed"]);
        Assert.Equal(1, exit);
        Assert.Contains($"proves {due[0]}:", said, StringComparison.Ordinal);
        Assert.Contains($"proves {due[1]}:", said, StringComparison.Ordinal);
        Assert.Contains("A test names P11-99", said, StringComparison.Ordinal);
        Assert.DoesNotContain($"proves {due[2]}:", said, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P11-52")]
    public void Each_requirement_has_a_class_of_risk_and_they_are_those_that_were_agreed()
    {
        Assert.All(Lines.Skip(1), l => Assert.Matches("^P11-[0-9]+,(high|medium|low),[A-Za-z ]+,(now|later),\".*\"$", l));
        var paper = Repository.File("..", "shared", "COMPLIANCE.md");
        if (!File.Exists(paper))
        {
            TestContext.Current.SendDiagnosticMessage("The paper with the agreed requirements is not here: ids and classes of risk are not compared with it.");
            return;
        }
        var agreed = AgreedLine().Matches(File.ReadAllText(paper)).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.Equal(agreed.OrderBy(a => a.Key, StringComparer.Ordinal), Lines.Skip(1).ToDictionary(Id, l => l.Split(',')[1][..1].ToUpperInvariant()).OrderBy(a => a.Key, StringComparer.Ordinal));
    }

    private static string Id(string line) => line.Split(',')[0];

    [GeneratedRegex("^- (P11-[0-9]+) ([HML]) ", RegexOptions.Multiline)]
    private static partial Regex AgreedLine();

    private static async Task<(int Exit, string[] Matrix, string Said)> RunAsync(string[] results)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-matrix-");
        try
        {
            await File.WriteAllLinesAsync(Path.Combine(folder.FullName, "Tests.tsv"), results);
            var matrix = Path.Combine(folder.FullName, "matrix.csv");
            using var script = Process.Start(new ProcessStartInfo("bash", [Repository.File("build", "traceability.sh"), folder.FullName, matrix]) { RedirectStandardError = true })!;
            var said = await script.StandardError.ReadToEndAsync();
            await script.WaitForExitAsync();
            return (script.ExitCode, await File.ReadAllLinesAsync(matrix), said);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
