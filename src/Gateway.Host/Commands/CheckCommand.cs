using System.CommandLine;
using System.Text.Json;
using Epcis.Formats;
using Epcis.Rules;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary><c>gateway check</c>: capture's checks on files, without a gateway and without a database.</summary>
public static class CheckCommand
{
    private sealed record Verdict(string File, string Form, bool Valid, int Events, IReadOnlyList<FindingView> Findings);

    public static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "EPCIS documents, XML or JSON.", Arity = ArgumentArity.OneOrMore };
        var rules = new Option<string>("--rules") { Description = "schema: only what GS1's schemas say.", DefaultValueFactory = _ => "all" };
        rules.AcceptOnlyFromAmong("schema", "all");
        var json = new Option<bool>("--json") { Description = "One JSON object per file." };
        var command = new Command("check", "Check EPCIS documents; nothing is stored.") { files, rules, json };
        command.SetAction(async (parsed, ct) =>
        {
            var allValid = true;
            foreach (var file in parsed.GetValue(files)!)
            {
                if (!File.Exists(file))
                {
                    throw new WrongUseException($"There is no file {file}.");
                }
                var verdict = Check(file, parsed.GetValue(rules) == "all");
                allValid &= verdict.Valid;
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(verdict, JsonSerializerOptions.Web) : Describe(verdict));
            }
            return allValid ? 0 : 1;
        });
        return command;
    }

    private static Verdict Check(string file, bool withRules)
    {
        using var stream = File.OpenRead(file);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default);
        var events = 0;
        while (reader.Read())
        {
            events++;
            if (withRules)
            {
                RuleCatalog.Check(reader.Current, reader.Findings);
            }
        }
        return new Verdict(file, FormName(reader.Form), !reader.Findings.HasErrors, events, [.. reader.Findings.All.Select(FindingView.Of)]);
    }

    private static string FormName(DocumentForm form) => form switch
    {
        DocumentForm.Xml12 => "1.2-xml",
        DocumentForm.Xml20 => "2.0-xml",
        DocumentForm.JsonLd20 => "2.0-json",
        _ => "unknown",
    };

    private static string Describe(Verdict verdict)
    {
        var lines = verdict.Findings.Select(f => $"\n  {f.Severity} {f.Code} at {(f.Where!.Pointer is { } p ? p + ", " : "")}line {f.Where.Line}, column {f.Where.Column}: {f.Message}{(f.Suggestion is { } s ? " " + s : "")}");
        return $"{verdict.File}: {verdict.Form}, {verdict.Events} events, {(verdict.Valid ? "valid" : "not valid")}{string.Concat(lines)}";
    }
}
