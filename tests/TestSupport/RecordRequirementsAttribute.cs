using System.Reflection;
using Xunit.v3;

[assembly: Gateway.TestSupport.RecordRequirements]

namespace Gateway.TestSupport;

/// <summary>
/// Writes what came of each test that names a requirement into a file of the folder that <c>GATEWAY_REQUIREMENTS</c> names: the id, the test and
/// its result, one line each. <c>build/traceability.sh</c> makes the matrix of them.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class RecordRequirementsAttribute : BeforeAfterTestAttribute
{
    private static readonly Lock s_writing = new();
    private static readonly string? s_folder = Environment.GetEnvironmentVariable("GATEWAY_REQUIREMENTS");

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (string.IsNullOrEmpty(s_folder) || !test.Traits.TryGetValue("Requirement", out var ids))
        {
            return;
        }
        var type = test.TestCase.TestMethod.TestClass.Class;
        var result = TestContext.Current.TestState?.Result switch
        {
            TestResult.Passed => "passed",
            TestResult.Skipped or TestResult.NotRun => "skipped",
            _ => "failed",
        };
        lock (s_writing)
        {
            File.AppendAllLines(Path.Combine(s_folder, type.Assembly.GetName().Name + ".tsv"), ids.Distinct().Select(id => $"{id}\t{type.FullName}.{methodUnderTest.Name}\t{result}"));
        }
    }
}
