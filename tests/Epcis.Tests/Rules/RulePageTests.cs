using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using Epcis.Events;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>
/// docs/rules.md is made from the catalogue, the table of severities and the samples. To write it anew:
/// <c>WRITE_DOCS=1 dotnet test tests/Epcis.Tests --filter RulePageTests</c>.
/// </summary>
public sealed class RulePageTests
{
    private static readonly HashSet<string> NotSaid = ["Index", "Place", "Places", "Epcs", "Quantities", "EventTime", "DeclarationTime", "Quantity", "IsLiteral", "Namespace", "EventType", "MaxUnits"];

    // Where a record's name is not the standard's.
    private static readonly Dictionary<string, string> Names = new()
    {
        ["EventTimeText"] = "eventTime", ["RecordTimeText"] = "recordTime", ["DeclarationTimeText"] = "declarationTime", ["QuantityText"] = "quantity",
        ["EventId"] = "eventID", ["ParentId"] = "parentID", ["ChildEpcs"] = "childEPCs", ["InputEpcList"] = "inputEPCList", ["OutputEpcList"] = "outputEPCList",
        ["BizTransactions"] = "bizTransactionList", ["Sources"] = "sourceList", ["Destinations"] = "destinationList", ["SensorElements"] = "sensorElementList",
        ["HeaderExtensions"] = "extension", ["CorrectiveEventIds"] = "correctiveEventIDs", ["Reports"] = "sensorReport", ["Metadata"] = "sensorMetadata",
    };

    private static readonly string Path = System.IO.Path.Combine(Root(), "docs", "rules.md");

    [Fact]
    public void The_page_of_the_rules_says_what_the_rules_say()
    {
        var page = Page();
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            File.WriteAllText(Path, page);
        }
        Assert.True(File.Exists(Path) && File.ReadAllText(Path) == page, "docs/rules.md is out of date. Write it anew: WRITE_DOCS=1 dotnet test tests/Epcis.Tests --filter RulePageTests");
    }

    private static string Page()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Rules

            Version {typeof(RuleCatalog).Assembly.GetName().Version!.ToString(3)}

            What a document is held to beyond the schemas of GS1. This page is made from the rules themselves; to write it anew:

                WRITE_DOCS=1 dotnet test tests/Epcis.Tests --filter RulePageTests

            An error refuses the document, a warning is shown to a person, information is worth knowing, and off is not looked for. Captures are held to the profile none unless the setting `Rules:Profile` names another; `gateway check --profile NAME` tries any. An example shows in what a document that passes and one that fails differ.


            """);
        var severities = RuleProfiles.All.Select(p => (Name: RuleProfiles.NameOf(p), Of: RuleSeverities.Of(p))).ToList();
        text.Append("| rule | ").AppendJoin(" | ", severities.Select(s => s.Name)).Append(" |\n|---|").Append(string.Concat(severities.Select(_ => "---|"))).Append('\n');
        foreach (var rule in RuleCatalog.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| [{rule.Code}](#{rule.Code.ToLowerInvariant()}) | ")
                .AppendJoin(" | ", severities.Select(s => s.Of.Of(rule.Code)?.ToString().ToLowerInvariant() ?? "off")).Append(" |\n");
        }
        foreach (var rule in RuleCatalog.All)
        {
            var sample = RuleSamples.All.Single(s => s.Code == rule.Code);
            var (passes, fails) = (Said(sample.Passes), Said(sample.Fails));
            text.Append(CultureInfo.InvariantCulture, $"\n## {rule.Code}\n\n{rule.Sentence}\n\n{rule.Remedy}\n\n*{rule.Clause}*\n\n")
                .Append("passes:\n\n").Append(Difference(passes, fails)).Append("\nfails:\n\n").Append(Difference(fails, passes));
        }
        return text.ToString();
    }

    private static string Difference(List<(string Path, string Value)> these, List<(string Path, string Value)> others)
    {
        var known = others.ToHashSet();
        var own = these.Where(x => !known.Contains(x)).Select(x => $"    {x.Path} = {x.Value}\n").ToList();
        return own.Count == 0 ? "    without what is shown for the other\n"
            : string.Concat(own.Take(12)) + (own.Count > 12 ? "    …\n" : "");
    }

    private static List<(string Path, string Value)> Said(ADocument document)
    {
        var said = new List<(string, string)>();
        Flatten(document.Header, "header", said);
        foreach (var e in document.Events)
        {
            var path = document.Events.Length == 1 ? e.EventType : FormattableString.Invariant($"event {e.Index + 1}, {e.EventType}");
            Flatten(e, path, said);
        }
        return said;
    }

    private static void Flatten(object? value, string path, List<(string Path, string Value)> said)
    {
        switch (value)
        {
            case null or "" or false:
                break;
            case string or bool or Enum:
                said.Add((path, value is EventAction action ? action.ToString().ToUpperInvariant() : value.ToString()!));
                break;
            case IDictionary or IReadOnlyDictionary<string, Place> or IReadOnlyDictionary<string, string>:
                break;
            case Extension extension:
                Flatten(extension.Text, $"{path} {extension.Prefix}:{extension.Name}", said);
                Flatten(extension.Attributes, $"{path} {extension.Prefix}:{extension.Name}", said);
                Flatten(extension.Children, $"{path} {extension.Prefix}:{extension.Name}", said);
                break;
            case ExtensionAttribute attribute:
                said.Add(($"{path} @{attribute.Name}", attribute.Value));
                break;
            case SensorField field:
                said.Add(($"{path} {field.Name}", field.Value));
                break;
            case VocabularyAttribute attribute:
                said.Add(($"{path} {attribute.Id}", attribute.Value));
                break;
            case IEnumerable list:
                foreach (var item in list)
                {
                    Flatten(item, path, said);
                }
                break;
            default:
                foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is not null && !NotSaid.Contains(p.Name)))
                {
                    var name = Names.GetValueOrDefault(property.Name, char.ToLowerInvariant(property.Name[0]) + property.Name[1..]);
                    Flatten(property.GetValue(value), $"{path} {name}", said);
                }
                break;
        }
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Gateway.sln")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException("No folder above the tests holds Gateway.sln.");
    }
}
