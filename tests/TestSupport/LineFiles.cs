using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Intake;

namespace Gateway.TestSupport;

/// <summary>The sample files of lines with their exact results, which stand beside the repository and are not part of it.</summary>
internal static class LineFiles
{
    public static string Folder { get; } = Path.GetFullPath(Repository.File("..", "shared", "line-formats"));

    public static IEnumerable<TheoryDataRow<string, string>> All()
    {
        if (!Directory.Exists(Folder))
        {
            return [new TheoryDataRow<string, string>("line-formats", "") { Skip = "The line formats are not beside this repository." }];
        }
        return Directory.GetFiles(Folder, "*.json", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)) == "expected").Order(StringComparer.Ordinal)
            .Select(f => new TheoryDataRow<string, string>(Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(f)!)!), Path.GetFileNameWithoutExtension(f)));
    }

    public static LineMasterData MasterData => LineMasterData.Read(File.ReadAllText(Path.Combine(Folder, "masterdata.json")));

    public static string FileOf(string shape, string name) => Path.Combine(Folder, shape, name);

    public static string MappingOf(string shape) => File.ReadAllText(Repository.File("mappings", shape + ".yaml"));

    public static JsonObject Expected(string shape, string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, shape, "expected", name + ".json")))!.AsObject();

    /// <summary>The lines in which two results differ; none when they say the same. Facts, holds and states are sets.</summary>
    public static IEnumerable<string> Differences(JsonObject expected, JsonObject got)
    {
        foreach (var (name, value) in expected)
        {
            if (name == "note")
            {
                continue;
            }
            var (want, have) = (Lines(value), Lines(got[name]));
            if (name is "exceptions" or "warnings" or "fileErrors" ? !want.SequenceEqual(have) : !want.Order(StringComparer.Ordinal).SequenceEqual(have.Order(StringComparer.Ordinal)))
            {
                foreach (var line in want.Except(have).Select(l => "missing " + l).Concat(have.Except(want).Select(l => "too much " + l)).DefaultIfEmpty("in another order or number: " + string.Join(" ", have)))
                {
                    yield return $"{name}: {line}";
                }
            }
        }
    }

    private static List<string> Lines(JsonNode? node) => node switch
    {
        null => ["null"],
        JsonArray list => [.. list.Select(Line)],
        JsonObject map => [.. map.Select(m => $"{m.Key} = {Line(m.Value)}")],
        var one => [Line(one)],
    };

    private static string Line(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject map => "{" + string.Join(", ", map.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key}: {Line(m.Value)}")) + "}",
        JsonArray list => "[" + string.Join(", ", list.Select(Line)) + "]",
        var value => value.ToJsonString(),
    };

    public static JsonObject Json(IntakeResult result) => JsonSerializer.SerializeToNode(result, IntakeResult.Json)!.AsObject();
}
