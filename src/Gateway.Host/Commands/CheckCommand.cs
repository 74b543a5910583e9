using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Epcis.Formats;
using Epcis.Rules;
using Gateway.Capture;
using Gateway.Http;

namespace Gateway.Host.Commands;

/// <summary><c>gateway check</c>: capture's checks on files, without a gateway and without a database.</summary>
public static class CheckCommand
{
    private const string StandardInput = "-";

    private sealed record Verdict(string File, string Form, bool Valid, int Events, IReadOnlyList<FindingView> Findings)
    {
        /// <summary>Findings that were counted but not kept.</summary>
        public int Dropped { get; init; }
    }

    public static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "EPCIS documents, XML or JSON: names, patterns such as 'in/*.xml' or 'in/**/*.xml', or - for standard input.", Arity = ArgumentArity.OneOrMore };
        var rules = new Option<string>("--rules") { Description = "schema: only what GS1's schemas say.", DefaultValueFactory = _ => "all" };
        rules.AcceptOnlyFromAmong("schema", "all");
        var profile = new Option<string>("--profile") { Description = "What the documents are held to beyond EPCIS; none is what captures are held to where Rules:Profile names no other.", DefaultValueFactory = _ => RuleProfiles.NameOf(RuleProfile.None) };
        profile.AcceptOnlyFromAmong([.. RuleProfiles.All.Select(RuleProfiles.NameOf)]);
        var json = new Option<bool>("--json") { Description = "One JSON object per file." };
        var command = new Command("check", "Check EPCIS documents; nothing is stored.") { files, rules, profile, json };
        command.SetAction(async (parsed, ct) =>
        {
            var ruleSet = RulesOf(parsed.GetValue(rules)!, parsed.GetValue(profile)!);
            var allValid = true;
            foreach (var file in FilesOf(parsed.GetValue(files)!))
            {
                ct.ThrowIfCancellationRequested();
                var verdict = Check(file, ruleSet, ct);
                allValid &= verdict.Valid;
                await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(verdict, JsonSerializerOptions.Web) : Describe(verdict));
            }
            return allValid ? 0 : 1;
        });
        return command;
    }

    private static RuleSet? RulesOf(string rules, string profile)
    {
        var chosen = RuleProfiles.All.First(p => RuleProfiles.NameOf(p) == profile);
        return (rules, chosen) switch
        {
            ("schema", RuleProfile.None) => null,
            ("schema", _) => throw new WrongUseException($"The profile {profile} consists of rules, so it needs --rules all."),
            _ => new RuleSet(RuleSeverities.Of(chosen)),
        };
    }

    /// <summary>Every name is looked up before the first document is read. A shell that expands patterns has done so already.</summary>
    private static List<string> FilesOf(string[] arguments)
    {
        var files = new List<string>();
        foreach (var argument in arguments)
        {
            if (argument == StandardInput || File.Exists(argument))
            {
                files.Add(argument);
            }
            else if (argument.AsSpan().ContainsAny('*', '?'))
            {
                files.AddRange(Matches(argument));
            }
            else
            {
                throw new WrongUseException($"There is no file {argument}.");
            }
        }
        return files.Count(f => f == StandardInput) <= 1 ? files : throw new WrongUseException("Standard input can be read only once.");
    }

    private static IEnumerable<string> Matches(string pattern)
    {
        var (folder, name) = (Path.GetDirectoryName(pattern) ?? "", Path.GetFileName(pattern));
        var isDeep = Path.GetFileName(folder) == "**";
        folder = isDeep ? Path.GetDirectoryName(folder) ?? "" : folder;
        var root = folder.Length == 0 ? "." : folder;
        var found = Directory.Exists(root)
            ? Directory.EnumerateFiles(root, name, isDeep ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly)
                .Select(f => folder.Length == 0 ? f[2..] : f).Order(StringComparer.Ordinal).ToList()
            : [];
        return found.Count > 0 ? found : throw new WrongUseException($"No file fits the pattern {pattern}.");
    }

    private static Verdict Check(string file, RuleSet? rules, CancellationToken ct)
    {
        using var stream = file == StandardInput ? Console.OpenStandardInput() : File.OpenRead(file);
        using var progress = CheckProgress.OnTerminal(file, stream.CanSeek ? stream.Length : null);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default);
        var run = rules?.Begin(reader.Findings);
        var events = 0;
        while (reader.Read())
        {
            ct.ThrowIfCancellationRequested();
            events++;
            run?.See(reader.Current);
            progress.Show(stream.CanSeek ? stream.Position : 0, events);
        }
        if (!reader.IsBroken)
        {
            run?.End(reader.Header);
        }
        return new Verdict(file, DocumentReading.NameOf(reader.Form), !reader.Findings.HasErrors, events, [.. reader.Findings.All.Select(FindingView.Of)]) { Dropped = reader.Findings.Dropped };
    }

    private static string Describe(Verdict verdict)
    {
        var lines = verdict.Findings.Select(f => $"\n  {f.Severity} {f.Code} at {(f.Where!.Pointer is { Length: > 0 } p ? p + ", " : "")}line {f.Where.Line}, column {f.Where.Column}: {f.Message}{(f.Suggestion is { } s ? " " + s : "")}");
        var dropped = verdict.Dropped == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"\n  and {verdict.Dropped} more");
        return $"{verdict.File}: {verdict.Form}, {verdict.Events} events, {(verdict.Valid ? "valid" : "not valid")}{string.Concat(lines)}{dropped}";
    }
}
