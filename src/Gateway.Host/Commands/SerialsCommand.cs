using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Serials;

namespace Gateway.Host.Commands;

/// <summary><c>gateway serials</c>: pools of serial numbers, and numbers out of them as files.</summary>
public static class SerialsCommand
{
    private const int PageSize = 200;

    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("serials", "Serial numbers: pools, requests, grants, returns, voids and lists.")
    {
        Pools(),
        Request(),
        Grant(),
        GiveBack("return", "Take numbers back that were never printed: the same product may have them again.", (n, request, ct) => n.ReturnAsync(CommandLine, request, ct)),
        GiveBack("void", "Give numbers to nobody any more.", (n, request, ct) => n.VoidAsync(CommandLine, request, ct)),
        Import(),
    };

    private static Command Pools()
    {
        var gtin = new Option<string?>("--gtin") { Description = "Only of this product." };
        var json = Json("One JSON object per pool.");
        var command = new Command("pools", "How far the pools go, and how likely a guess is.") { gtin, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var pools = new SerialPools(database.Gateway, masterData);
            List<SerialPool> page = [];
            do
            {
                page = await pools.ListAsync(CommandLine, parsed.GetValue(gtin)?.PadLeft(14, '0'), page.Count == 0 ? null : page[^1].PoolId, PageSize, ct);
                foreach (var p in page)
                {
                    await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(p, JsonSerializerOptions.Web)
                        : FormattableString.Invariant($"{p.Id}  {p.Name,-22}  {p.State,-6}  {p.Source,-9}  {p.Left:N0} left{(p.LastsMinutes is { } m ? $", {m:N0} min" : "")}{(p.IsLow ? " (low)" : "")}, {p.OpenGrants:N0} grants open{(p.Guess is null ? "" : $", a guess is right {p.Guess}")}  {p.Party}"));
                }
            }
            while (page.Count == PageSize);
            return 0;
        });
        return command;
    }

    private static Command Request()
    {
        var id = new Option<string>("--id") { Description = "The request's id: the same again is answered with the same numbers.", Required = true };
        var gtin = new Option<string?>("--gtin") { Description = "Of this product." };
        var sscc = new Option<string?>("--sscc-prefix") { Description = "Of logistic units: extension digit and company prefix." };
        var quantity = new Option<int>("--quantity") { Description = "How many.", Required = true };
        var (lot, line, device) = (new Option<string?>("--lot") { Description = "For this lot." }, new Option<string?>("--line") { Description = "For this line." }, new Option<string?>("--device") { Description = "For this device." });
        var pool = new Option<Guid?>("--pool") { Description = "Out of this pool, which may be a CMO's." };
        var format = Format();
        var command = new Command("request", "Get numbers, one a line.") { id, gtin, sscc, quantity, lot, line, device, pool, format };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var outcome = await new GrantNumbers(database.Gateway).RunAsync(CommandLine, new SerialRequest(
                parsed.GetValue(id), parsed.GetValue(gtin), parsed.GetValue(sscc), parsed.GetValue(quantity), parsed.GetValue(lot), null, parsed.GetValue(line), parsed.GetValue(device), parsed.GetValue(pool)), ct);
            if (outcome.Granted is not { } granted)
            {
                return await RefusedAsync(outcome.Refusal, outcome.Sentence!);
            }
            await WriteAsync(granted, parsed.GetValue(format)!);
            return 0;
        });
        return command;
    }

    private static Command Grant()
    {
        var id = new Argument<Guid>("grant") { Description = "The grant's id." };
        var acknowledge = new Option<bool>("--acknowledge") { Description = "The numbers came: the grant counts." };
        var format = Format();
        var command = new Command("grant", "The numbers of one grant again, but for those that went back.") { id, acknowledge, format };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var grants = new GrantNumbers(database.Gateway);
            if (parsed.GetValue(acknowledge))
            {
                await grants.AcknowledgeAsync(CommandLine, parsed.GetValue(id), ct);
            }
            await WriteAsync(await grants.FindAsync(CommandLine, parsed.GetValue(id), ct) ?? throw new WrongUseException("There is no such grant."), parsed.GetValue(format)!);
            return 0;
        });
        return command;
    }

    private static Command GiveBack(string verb, string description, Func<GiveBackNumbers, GiveBackRequest, CancellationToken, Task<GiveBackOutcome>> giveBack)
    {
        var grant = new Option<Guid?>("--grant") { Description = "Of this grant; without numbers, all of it that is neither printed nor gone." };
        var gtin = new Option<string?>("--gtin") { Description = "Of this product; without it and a grant, they are SSCCs." };
        var serials = new Argument<string[]>("numbers") { Description = "Serial numbers, or whole SSCCs.", Arity = ArgumentArity.ZeroOrMore };
        var reason = new Option<string>("--reason") { Description = "Kept with the numbers and in the audit trail.", Required = true };
        var command = new Command(verb, description) { serials, grant, gtin, reason };
        command.SetAction(async (parsed, ct) =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason is empty.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var outcome = await giveBack(new GiveBackNumbers(database.Gateway), new GiveBackRequest(parsed.GetValue(grant), parsed.GetValue(gtin), parsed.GetValue(serials) is { Length: > 0 } some ? some : null, parsed.GetValue(reason)), ct);
            if (outcome.Sentence is { } sentence)
            {
                return await RefusedAsync(outcome.Refusal, sentence);
            }
            await Console.Out.WriteLineAsync(FormattableString.Invariant($"{outcome.Quantity} {(outcome.Quantity == 1 ? "number" : "numbers")} {(verb == "void" ? "voided" : "returned")}."));
            return 0;
        });
        return command;
    }

    private static Command Import()
    {
        var pool = new Argument<Guid>("pool") { Description = "The external pool's id." };
        var file = new Argument<string>("file") { Description = "One number a line, or CSV with a column serial or sscc." };
        var reason = new Option<string?>("--reason") { Description = "Why, for the audit trail; by default the file's name." };
        var command = new Command("import", "Take a list from an authority: all of it, or with a fault nothing.") { pool, file, reason };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path))
            {
                throw new WrongUseException($"There is no file {path}.");
            }
            if (new FileInfo(path).Length > ImportNumbers.MaxBytes)
            {
                throw new WrongUseException($"{path} has more than {ImportNumbers.MaxBytes} bytes: divide it.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var why = parsed.GetValue(reason) is { Length: > 0 } given ? given : $"imported from {Path.GetFileName(path)}";
            var outcome = await new ImportNumbers(database.Gateway, masterData).RunAsync(CommandLine, parsed.GetValue(pool), await File.ReadAllBytesAsync(path, ct), why, ct) ?? throw new WrongUseException("There is no such pool.");
            if (outcome.Refusal is { } refusal)
            {
                return await RefusedAsync(SerialRefusal.State, refusal);
            }
            foreach (var f in outcome.Findings.All)
            {
                await Console.Error.WriteLineAsync(FormattableString.Invariant($"line {f.Where.Line}: {f.Code} {f.Message}"));
            }
            await Console.Out.WriteLineAsync(outcome.Findings.HasErrors ? $"{path}: not taken, nothing is changed" : FormattableString.Invariant($"{path}: {outcome.Taken} numbers {(outcome.IsReplayed ? "were taken before; nothing is changed" : "taken")}"));
            return outcome.Findings.HasErrors ? 1 : 0;
        });
        return command;
    }

    private static async Task WriteAsync(GrantedNumbers granted, string format) => await Console.Out.WriteLineAsync(format switch
    {
        "json" => JsonSerializer.Serialize(SerialEndpoints.View(granted), JsonSerializerOptions.Web),
        "csv" => SerialForms.WriteCsv(granted).TrimEnd(),
        "xml" => System.Text.Encoding.UTF8.GetString(SerialForms.WriteXml(granted, null)),
        _ => string.Join('\n', granted.Numbers),
    });

    private static async Task<int> RefusedAsync(SerialRefusal refusal, string sentence)
    {
        await Console.Error.WriteLineAsync(refusal == SerialRefusal.NotFound ? $"There is no {sentence}." : sentence);
        return refusal is SerialRefusal.Invalid or SerialRefusal.NotFound ? 2 : 1;
    }

    private static Option<bool> Json(string description) => new("--json") { Description = description };

    private static Option<string> Format()
    {
        var format = new Option<string>("--format") { Description = "lines, csv, xml or json.", DefaultValueFactory = _ => "lines" };
        format.AcceptOnlyFromAmong("lines", "csv", "xml", "json");
        return format;
    }
}
