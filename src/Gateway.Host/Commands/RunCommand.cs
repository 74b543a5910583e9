using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Lines;
using Gateway.MasterData;

namespace Gateway.Host.Commands;

/// <summary><c>gateway run</c>: runs of lots on lines, and their steps. What is signed is signed by a person in the dashboard.</summary>
public static class RunCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    /// <summary>The slice's classes on one database.</summary>
    private sealed record Slice(LineRegister Lines, RunRecords Records, RunSteps Steps);

    public static Command Create()
    {
        var command = new Command("run", "Lots on lines: list them, show one with its balance, plan one, take its next step.") { List(), Show(), Plan() };
        foreach (var step in RunSteps.Steps)
        {
            command.Add(Step(step));
        }
        return command;
    }

    private static Command List()
    {
        var line = new Option<string?>("--line") { Description = "Only of this line, by its code." };
        var state = new Option<string?>("--state") { Description = "Only in this state." };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = Json();
        var command = new Command("list", "The newest runs.") { line, state, limit, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            return await WithAsync(async slice =>
            {
                var found = parsed.GetValue(line) is { } code ? await LineAsync(slice, code, ct) : null;
                foreach (var run in await slice.Records.ListAsync(CommandLine, found?.LineId, parsed.GetValue(state), null, parsed.GetValue(limit), ct))
                {
                    await WriteAsync(run, parsed.GetValue(json));
                }
                return 0;
            }, ct);
        });
        return command;
    }

    private static Command Show()
    {
        var (id, json) = (Id(), Json());
        var command = new Command("show", "One run with its steps, its balance, and what keeps it from being closed.") { id, json };
        command.SetAction((parsed, ct) => WithAsync(async slice =>
        {
            var d = await slice.Records.DetailsAsync(CommandLine, parsed.GetValue(id), ct) ?? throw new WrongUseException($"There is no run {parsed.GetValue(id)}.");
            if (parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(LineEndpoints.View(d), JsonSerializerOptions.Web));
                return 0;
            }
            await WriteAsync(d.Run, json: false);
            foreach (var s in d.Steps)
            {
                await Console.Out.WriteLineAsync($"{s.At:yyyy-MM-dd HH:mm:ss} UTC  {s.To}{(s.Cause is null ? "" : $" ({s.Cause})")}  {s.ActorName}{(s.Why is null ? "" : $": {s.Why}")}");
            }
            foreach (var level in d.Balance.Levels)
            {
                await Console.Out.WriteLineAsync($"{level.Level} {level.Key}: {string.Join(", ", level.Counts.Where(c => c.Value > 0).Select(c => $"{c.Key} {c.Value}"))}");
            }
            await Console.Out.WriteLineAsync($"unexplained {d.Balance.Unexplained}");
            foreach (var told in d.Readiness.Where(c => !c.IsMet).Select(c => c.Says).Concat(d.Blockers))
            {
                await Console.Out.WriteLineAsync($"- {told}");
            }
            return d.Balance.Unexplained > 0 ? 1 : 0;
        }, ct));
        return command;
    }

    private static Command Plan()
    {
        var line = new Argument<string>("LINE") { Description = "The line's code." };
        var (gtin, lot, expiry) = (new Option<string>("--gtin") { Required = true, Description = "Of the pack." }, new Option<string>("--lot") { Required = true, Description = "The lot." }, new Option<DateOnly>("--expiry") { Required = true, Description = "As yyyy-MM-dd." });
        var (quantity, order, json) = (new Option<int>("--quantity") { Required = true, Description = "Packs that are planned." }, new Option<string?>("--order") { Description = "The order's number." }, Json());
        var command = new Command("plan", "Plan a lot on a line.") { line, gtin, lot, expiry, quantity, order, json };
        command.SetAction((parsed, ct) => WithAsync(async slice =>
        {
            var (run, refusal) = await slice.Steps.PlanAsync(CommandLine, await LineAsync(slice, parsed.GetValue(line)!, ct), new PlanRequest(parsed.GetValue(gtin), parsed.GetValue(lot), parsed.GetValue(expiry), parsed.GetValue(quantity), parsed.GetValue(order), null), ct);
            if (run is null)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            await WriteAsync(run, parsed.GetValue(json));
            return 0;
        }, ct));
        return command;
    }

    private static Command Step(string step)
    {
        var (id, json) = (Id(), Json());
        var reason = new Option<string?>("--reason") { Description = "Kept in the run and in the audit trail.", Required = step is "pause" or "cancel" };
        var cause = new Option<string?>("--cause") { Description = $"One of {string.Join(", ", RunSteps.Causes)}.", Required = step == "pause" };
        var command = new Command(step, $"Take the step {step}.") { id, reason, json };
        if (step == "pause")
        {
            command.Add(cause);
        }
        command.SetAction((parsed, ct) => WithAsync(async slice =>
        {
            var (run, why) = (parsed.GetValue(id), parsed.GetValue(reason));
            var refusal = step switch
            {
                "ready" => await slice.Steps.ReadyAsync(CommandLine, run, null, why, ct),
                "start" => await slice.Steps.StartAsync(CommandLine, run, null, why, ct),
                "pause" => await slice.Steps.PauseAsync(CommandLine, run, null, why, parsed.GetValue(cause), ct),
                "resume" => await slice.Steps.ResumeAsync(CommandLine, run, null, why, ct),
                "end" => await slice.Steps.EndAsync(CommandLine, run, null, why, ct),
                "reconcile" => await slice.Steps.ReconcileAsync(CommandLine, run, null, why, ct),
                "close" => await slice.Steps.CloseAsync(CommandLine, run, null, why, ct),
                _ => await slice.Steps.CancelAsync(CommandLine, run, null, why, ct),
            };
            if (refusal is not null)
            {
                await Console.Error.WriteLineAsync(refusal);
                return 1;
            }
            await WriteAsync((await slice.Records.FindAsync(CommandLine, run, ct))!, parsed.GetValue(json));
            return 0;
        }, ct));
        return command;
    }

    private static async Task<int> WithAsync(Func<Slice, Task<int>> run, CancellationToken ct)
    {
        await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
        using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
        var balances = new RunBalances(database.Gateway, masterData);
        var records = new RunRecords(database.Gateway, balances);
        return await run(new Slice(new LineRegister(database.Gateway), records, new RunSteps(database.Gateway, records, new RunCounts(database.Gateway, balances))));
    }

    private static async Task<LineItem> LineAsync(Slice slice, string code, CancellationToken ct) => await slice.Lines.FindAsync(CommandLine, code, null, ct) ?? throw new WrongUseException($"There is no line {code}.");

    private static Argument<Guid> Id() => new("ID") { Description = "The run's id, as the list shows it." };

    private static Option<bool> Json() => new("--json") { Description = "As a JSON object." };

    // What an order says may hold what a terminal would obey.
    private static Task WriteAsync(RunItem r, bool json) => Console.Out.WriteLineAsync(json
        ? JsonSerializer.Serialize(LineEndpoints.View(r), JsonSerializerOptions.Web)
        : string.Concat($"{r.Id}  {r.State,-10}  {r.Line,-8}  {r.Gtin}  {r.Lot}  {r.Quantity} packs{(r.Why is null ? "" : $"  {r.Cause}: {r.Why}")}".Select(c => char.IsControl(c) ? ' ' : c)));
}
