using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Validation;

namespace Gateway.Host.Commands;

/// <summary><c>gateway validation</c>: what runs against what was validated. Whoever signs does so in the dashboard, as himself.</summary>
public static class ValidationCommand
{
    private static readonly Actor CommandLine = Actor.System("command line") with { Name = Environment.UserName };

    public static Command Create() => new("validation", "Whether what runs is what was validated.")
    {
        State(),
        ReadFingerprint(),
        new Command("baseline", "Validated states: list them, show, draft, put into effect or withdraw one.")
        {
            Baselines(), Show(), Draft(),
            Step("effect", "Compare with an approved one from now on; the one before ends.", (baselines, id, reason, ct) => baselines.TakeEffectAsync(CommandLine, id, reason, ct)),
            Step("withdraw", "Give up one that has not taken effect.", (baselines, id, reason, ct) => baselines.WithdrawAsync(CommandLine, id, reason, ct)),
        },
        new Command("change", "Change records: list them, or draft one.") { Changes(), DraftChange() },
    };

    private static Option<bool> Json() => new("--json") { Description = "JSON." };

    private static Command State()
    {
        var json = Json();
        var command = new Command("state", "The nodes that run, against the effective baseline. Exit 0 when validated, else 1.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var overview = await new ReadValidation(database.Gateway).ReadAsync(CommandLine, ct);
            if (parsed.GetValue(json))
            {
                await WriteJsonAsync(overview);
            }
            else
            {
                await WriteAsync($"{overview.State}{(overview.Baseline is { } baseline ? $", baseline {baseline.ToString(CultureInfo.InvariantCulture)}" : "")}{(overview.Nodes.Count == 0 ? ", no node runs" : "")}");
                foreach (var node in overview.Nodes)
                {
                    await WriteAsync($"{node.Node}  {node.State}  {node.Fingerprint}  seen {node.SeenAt:yyyy-MM-dd HH:mm:ss} UTC{(node.ChangeReference.Length > 0 ? $"  {node.ChangeReference} ({node.ChangeState ?? "no such change record"})" : "")}");
                    foreach (var d in node.Differences)
                    {
                        await WriteAsync($"  {d}{(d.Name.StartsWith("setting ", StringComparison.Ordinal) ? $": {d.Validated ?? "-"} → {d.Found ?? "-"}" : "")}");
                    }
                }
                foreach (var device in overview.UnqualifiedDevices)
                {
                    await WriteAsync(device);
                }
            }
            return overview.State == ValidationStates.Validated ? 0 : 1;
        });
        return command;
    }

    private static Command ReadFingerprint()
    {
        var json = Json();
        var command = new Command("fingerprint", "What this program, its database and its settings are, component by component; its last line is the hash of the whole.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var read = ValidationSetup.FingerprintOf(database.Gateway, GatewayHost.Configuration(), typeof(GatewayHost).Assembly, DataDirectory.Path);
            var components = await read.ReadAsync(TimeSpan.Zero, ct);
            var hash = await read.OfAsync(components, ct);
            if (parsed.GetValue(json))
            {
                await WriteJsonAsync(new { fingerprint = hash, components });
                return 0;
            }
            foreach (var (name, value) in components)
            {
                await WriteAsync($"{name} {value}");
            }
            await WriteAsync(hash);
            return 0;
        });
        return command;
    }

    private static Command Baselines()
    {
        var json = Json();
        var command = new Command("list", "The newest baselines.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            foreach (var b in await new Baselines(database.Gateway).ListAsync(CommandLine, null, 50, ct))
            {
                await (parsed.GetValue(json) ? WriteJsonAsync(b) : WriteAsync(Line(b)));
            }
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var (id, json) = (Id(), Json());
        var command = new Command("show", "One baseline, and how it differs from the effective one.") { id, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var details = await new Baselines(database.Gateway).FindAsync(CommandLine, parsed.GetValue(id), ct) ?? throw new WrongUseException($"There is no baseline {parsed.GetValue(id)}.");
            if (parsed.GetValue(json))
            {
                await WriteJsonAsync(details);
                return 0;
            }
            await WriteAsync(Line(details.Baseline));
            await WriteAsync($"reviewed by {details.Baseline.ReviewedByName ?? "-"}, approved by {details.Baseline.ApprovedByName ?? "-"}, explained by {(details.Baseline.Changes.Length > 0 ? string.Join(", ", details.Baseline.Changes) : "-")}");
            foreach (var d in details.Differences)
            {
                await WriteAsync($"  {d}{(details.Unexplained.Contains(d.Name) ? "  (no approved change record explains it)" : "")}");
            }
            return 0;
        });
        return command;
    }

    private static Command Draft()
    {
        var title = new Option<string>("--title") { Description = "Such as the release.", Required = true };
        var reason = new Option<string>("--reason") { Description = "What was validated, and where that is written.", Required = true };
        var fingerprint = new Option<string?>("--fingerprint") { Description = "Of a node that runs; needed when nodes differ." };
        var changes = new Option<string[]>("--change") { Description = "The number of an approved change record that explains differences; more than once." };
        var json = Json();
        var command = new Command("draft", "Draft a baseline from what runs. People review and approve it on the page Validation.") { title, reason, fingerprint, changes, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var (id, refusal) = await new Baselines(database.Gateway).DraftAsync(CommandLine, new BaselineRequest(parsed.GetValue(title), parsed.GetValue(reason), parsed.GetValue(fingerprint), parsed.GetValue(changes)), ct);
            return await OutcomeAsync(refusal, parsed.GetValue(json), new { baseline = id }, $"baseline {id?.ToString(CultureInfo.InvariantCulture)}");
        });
        return command;
    }

    private static Command Step(string verb, string description, Func<Baselines, int, string, CancellationToken, Task<string?>> step)
    {
        var (id, json) = (Id(), Json());
        var reason = new Option<string>("--reason") { Description = "Kept in the audit trail.", Required = true };
        var command = new Command(verb, description) { id, reason, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason is empty.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var baselines = new Baselines(database.Gateway);
            var refusal = await step(baselines, parsed.GetValue(id), parsed.GetValue(reason)!, ct);
            var found = refusal is null ? (await baselines.FindAsync(CommandLine, parsed.GetValue(id), ct))!.Baseline : null;
            return await OutcomeAsync(refusal, parsed.GetValue(json), found, found is null ? "" : Line(found));
        });
        return command;
    }

    private static Command Changes()
    {
        var json = Json();
        var command = new Command("list", "The newest change records.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            foreach (var c in await new ChangeRecords(database.Gateway).ListAsync(CommandLine, null, 50, ct))
            {
                await (parsed.GetValue(json) ? WriteJsonAsync(c) : WriteAsync($"{c.Number}  {c.State,-9}  {c.Title}  concerns {string.Join(", ", c.Concerns)}"));
            }
            return 0;
        });
        return command;
    }

    private static Command DraftChange()
    {
        var texts = ((string[])["title", "why", "impact", "risk", "tests"]).ToDictionary(t => t, t => new Option<string>($"--{t}") { Description = $"The {t} of the change.", Required = true });
        var concerns = new Option<string[]>("--concerns") { Description = "A component that will differ, such as \"setting Capture:MaxBytes\" or \"program *\"; more than once.", Required = true };
        var json = Json();
        var command = new Command("draft", "Draft a change record. Somebody else approves it on the page Validation.") { concerns, json };
        foreach (var option in texts.Values)
        {
            command.Add(option);
        }
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            string? Text(string name) => parsed.GetValue(texts[name]);
            var (number, refusal) = await new ChangeRecords(database.Gateway).DraftAsync(CommandLine, new ChangeRequest(Text("title"), Text("why"), Text("impact"), Text("risk"), Text("tests"), parsed.GetValue(concerns)), ct);
            return await OutcomeAsync(refusal, parsed.GetValue(json), new { number }, number ?? "");
        });
        return command;
    }

    private static Argument<int> Id() => new("NUMBER") { Description = "The baseline's number, as the list shows it." };

    private static string Line(BaselineItem b) => $"{b.BaselineId.ToString(CultureInfo.InvariantCulture),-4}  {b.State,-10}  {b.Fingerprint[..16]}  {b.Title}  drafted by {b.DraftedByName} {b.DraftedAt:yyyy-MM-dd HH:mm} UTC";

    private static async Task<int> OutcomeAsync(string? refusal, bool json, object? answer, string line)
    {
        if (refusal is not null)
        {
            await Console.Error.WriteLineAsync(refusal);
            return 1;
        }
        await (json ? WriteJsonAsync(answer) : WriteAsync(line));
        return 0;
    }

    private static Task WriteJsonAsync(object? value) => Console.Out.WriteLineAsync(JsonSerializer.Serialize(value, JsonSerializerOptions.Web));

    // What people wrote may hold what a terminal would obey.
    private static Task WriteAsync(string line) => Console.Out.WriteLineAsync(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
}
