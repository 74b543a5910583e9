using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

[assembly: AssemblyFixture(typeof(Epcis.Tests.Schemas.ReferenceVerdicts))]

namespace Epcis.Tests.Schemas;

/// <summary>
/// What a JSON Schema says of a document, by ajv in one process of node for all tests. Without ajv the tests that need it
/// fail and say what to do: a verdict that nobody gave is no agreement.
/// </summary>
public sealed class ReferenceVerdicts : IDisposable
{
    private static readonly string s_folder = Path.Combine(SharedFiles.Repository, "tests", "Epcis.Tests", "Schemas", "ajv");
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    private readonly Lock _turn = new();
    private Process? _node;

    /// <summary>One verdict for each document, in their order.</summary>
    internal IReadOnlyList<ReferenceVerdict> Of(IReadOnlyCollection<string> documents)
    {
        lock (_turn)
        {
            var node = _node ??= Start();
            // Both pipes are bounded: what node answers has to be read while it is asked.
            var asking = Task.Run(() =>
            {
                foreach (var document in documents)
                {
                    node.StandardInput.WriteLine(JsonSerializer.Serialize(document));
                }
                node.StandardInput.Flush();
            });
            var verdicts = new List<ReferenceVerdict>(documents.Count);
            while (verdicts.Count < documents.Count)
            {
                var line = node.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"node ended after {verdicts.Count} verdicts.");
                verdicts.Add(JsonSerializer.Deserialize<ReferenceVerdict>(line, s_json)!);
            }
            asking.GetAwaiter().GetResult();
            return verdicts;
        }
    }

    public void Dispose()
    {
        if (_node is { } node)
        {
            node.StandardInput.Close();
            node.WaitForExit();
            node.Dispose();
        }
    }

    private static Process Start()
    {
        var own = Path.Combine(SharedFiles.Repository, "schemas", "epcis-2.0", "epcis.json");
        var arguments = new List<string> { Path.Combine(s_folder, "verdicts.cjs"), $"own={own}" };
        if (SharedFiles.Root is { } shared)
        {
            arguments.Add($"gs1={Path.Combine(shared, "standards", "epcis-2.0", "json-schema", "epcis-json-schema-2.0.1.json")}");
        }
        if (!Directory.Exists(Path.Combine(s_folder, "node_modules", "ajv-formats")))
        {
            throw new InvalidOperationException("The validator ajv, which gives the reference verdicts, is not installed. ./test.sh installs it; or run 'npm ci' in tests/Epcis.Tests/Schemas/ajv.");
        }
        try
        {
            return Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException("Node.js, which runs ajv for the reference verdicts, is not installed. ./test.sh installs it.");
        }
    }
}

/// <param name="Own">The verdict of our schema; <see langword="null"/> when the document is no JSON.</param>
/// <param name="Gs1">The verdict of GS1's schema; <see langword="null"/> also when the standards are not beside the repository.</param>
internal sealed record ReferenceVerdict(SchemaVerdict? Own, SchemaVerdict? Gs1);

/// <param name="Valid">With formats as their RFCs define them.</param>
/// <param name="ByLibrary">With formats as ajv-formats checks them.</param>
internal sealed record SchemaVerdict(bool Valid, bool ByLibrary, string? Error);
