using System.Reflection;
using System.Text.RegularExpressions;
using Gateway.TestSupport;

namespace Gateway.Journeys.Architecture;

/// <summary>Host > Gateway > Epcis > base class library; inside Gateway along the flow; one XML reader factory.</summary>
public sealed partial class DependencyTests
{
    // The slices a slice may use, besides those everybody may: Exceptions, Alarms, Access, Audit, Database, Http, Scheduling, Telemetry.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Access"] = [],
        ["Alarms"] = [],
        ["Audit"] = [],
        ["Database"] = [],
        ["Exceptions"] = [],
        ["Http"] = [],
        ["Scheduling"] = [],
        ["Telemetry"] = [],
        ["Partners"] = [],
        ["Units"] = ["MasterData"],
        ["MasterData"] = [],
        ["Delivery"] = ["Partners"],
        ["Composing"] = ["Delivery", "MasterData", "Units"],
        ["Shipments"] = ["Delivery", "Units"],
        ["Hub"] = ["Capture", "Delivery", "MasterData", "Partners", "Units"],
        ["Operations"] = ["Delivery"],
        ["Capture"] = ["Delivery", "Partners", "MasterData", "Units"],
        ["Validation"] = ["Devices"],
        ["Query"] = ["Capture", "MasterData", "Units"],
        ["Serials"] = ["MasterData", "Units"],
        ["Intake"] = ["Capture", "MasterData", "Units"],
        ["Devices"] = ["Serials"],
        ["Lines"] = ["Capture", "Devices", "Intake", "MasterData", "Serials", "Units"],
    };

    private static readonly string[] Everybodys = ["Access", "Alarms", "Audit", "Database", "Exceptions", "Http", "Scheduling", "Telemetry"];

    private static string Root => Repository.Root;

    [Fact]
    public void Epcis_needs_nothing_but_the_base_class_library()
    {
        var foreign = Assembly.Load("Epcis").GetReferencedAssemblies().Select(a => a.Name!).Where(n => !n.StartsWith("System", StringComparison.Ordinal));
        Assert.Equal("", string.Join("\n", foreign));
    }

    [Fact]
    public void Epcis_has_no_clock_no_randomness_no_files_and_no_logging()
    {
        Assert.Equal("", string.Join("\n", Offenders("src/Epcis", Impure())));
    }

    [Fact]
    public void Only_the_factory_makes_XML_readers_and_nothing_parses_outside_data_with_a_DOM()
    {
        Assert.Equal("", string.Join("\n", Offenders("src", XmlParsers()).Where(o => !o.StartsWith("src/Epcis/Formats/Xml/XmlReading.cs", StringComparison.Ordinal) && !o.StartsWith("src/Epcis/Formats/Xml/EpcisSchemas.cs", StringComparison.Ordinal))));
    }

    [Fact]
    public void Only_scheduling_knows_Quartz() =>
        Assert.Equal("", string.Join("\n", Offenders("src", new Regex(@"\busing (static )?Quartz|\bQuartz\.|qrtz_")).Where(o => !o.StartsWith("src/Gateway/Scheduling/", StringComparison.Ordinal))));

    [Fact]
    public void Problems_are_made_in_one_place() =>
        Assert.Equal("", string.Join("\n", Offenders("src", new Regex(@"TypedResults\.Problem\(|Results\.Problem\(")).Where(o => !o.StartsWith("src/Gateway/Http/Problems.cs", StringComparison.Ordinal) && !o.Contains("/Simulate/", StringComparison.Ordinal))));

    [Fact]
    public void Slices_use_only_the_slices_downstream_of_them()
    {
        var wrong = new List<string>();
        foreach (var folder in Directory.GetDirectories(Path.Combine(Root, "src/Gateway")).Select(Path.GetFileName).Where(f => f is not ("bin" or "obj")))
        {
            if (!Allowed.TryGetValue(folder!, out var allowed))
            {
                wrong.Add($"{folder} has no line in the dependency table");
                continue;
            }
            foreach (var used in Sources($"src/Gateway/{folder}").SelectMany(f => SliceUse().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct())
            {
                if (used != folder && !Everybodys.Contains(used) && !allowed.Contains(used))
                {
                    wrong.Add($"{folder} uses {used}");
                }
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    private static IEnumerable<string> Offenders(string folder, Regex pattern) =>
        from file in Sources(folder)
        from line in File.ReadLines(file).Select((text, index) => (text, index))
        where pattern.IsMatch(line.text) && !line.text.TrimStart().StartsWith("//", StringComparison.Ordinal)
        select $"{Path.GetRelativePath(Root, file)}:{line.index + 1}: {line.text.Trim()}";

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/bin/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal));

    [GeneratedRegex(@"DateTime(Offset)?\.(Utc)?Now|Random\b|Guid\.NewGuid|\bFile\.|\bDirectory\.|\bConsole\.|ILogger|RandomNumberGenerator|TimeProvider")]
    private static partial Regex Impure();

    [GeneratedRegex(@"XmlReader\.Create|XDocument\.(Load|Parse)|XElement\.(Load|Parse)|new XmlDocument\b|XmlTextReader|XPathDocument|ReadXml\(|XslCompiledTransform")]
    private static partial Regex XmlParsers();

    [GeneratedRegex(@"\busing Gateway\.(\w+)")]
    private static partial Regex SliceUse();
}
