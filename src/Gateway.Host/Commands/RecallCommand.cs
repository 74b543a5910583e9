using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary><c>gateway recall</c>: where everything is that would be recalled, and how long it took to say so. It recalls nothing. Exit 1 when nobody can place some of it.</summary>
public static class RecallCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create()
    {
        var gtin = new Option<string?>("--gtin") { Description = "Of a lot or of serial numbers: 8 to 14 digits." };
        var lot = new Option<string?>("--lot") { Description = "The lot number." };
        var serials = new Option<string[]>("--serials") { Description = "The first and the last serial number.", Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true };
        var container = new Option<string?>("--container") { Description = "Whatever was ever in it: an SSCC or another unit, in any spelling." };
        var partner = new Option<string?>("--partner") { Description = "Whatever was ever sent to this GLN." };
        var file = new Option<FileInfo?>("--units") { Description = "Writes every unit to this file: JSON when its name ends in .json, else CSV." };
        var json = new Option<bool>("--json") { Description = "The sums as a JSON object." };
        var command = new Command("recall", "Where every unit is that a recall would be about: a mock recall, timed. Nothing is recalled.") { gtin, lot, serials, container, partner, file, json };
        command.SetAction(async (parsed, ct) =>
        {
            var range = parsed.GetValue(serials);
            var ask = RecallAsk.Read(parsed.GetValue(gtin), parsed.GetValue(lot), range?.ElementAtOrDefault(0), range?.ElementAtOrDefault(1), parsed.GetValue(container), parsed.GetValue(partner), out var wrong)
                ?? throw new WrongUseException(wrong!);
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var scope = new RecallScope(database.Gateway, masterData);
            var answer = await scope.RunAsync(CommandLine, ask, ct);
            if (parsed.GetValue(file) is { } target)
            {
                await using var stream = target.Create();
                await RecallEndpoints.WriteAsync(stream, scope.UnitsAsync(CommandLine, answer, ct), target.Extension.Equals(".json", StringComparison.OrdinalIgnoreCase), ct);
            }
            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(RecallEndpoints.View(answer), JsonSerializerOptions.Web) : Text(answer));
            return answer.Unplaced > 0 ? 1 : 0;
        });
        return command;
    }

    private static string Text(RecallAnswer answer)
    {
        var lines = new List<string> { $"{answer.Ask}: {answer.Units} units, {answer.Unplaced} that nobody can place" };
        lines.AddRange(answer.Holders.Select(h =>
            $"{Word(h.Standing),-10}  {h.Units,8} units  {h.Gln ?? h.Holder ?? "not known"}{(h.Name is null ? "" : $"  {h.Name}")}  ({string.Join(", ", h.Outermost.Select(o => $"{o.Value} {o.Key}"))})"));
        lines.AddRange(answer.Documents.Select(d => $"told by capture {d.CaptureId} of {d.ReceivedAt:yyyy-MM-dd HH:mm:ss} UTC: {d.Units} units"));
        lines.Add($"took {answer.Phases.Sum(p => p.Milliseconds):0} ms: {string.Join(", ", answer.Phases.Select(p => $"{p.Name} {p.Milliseconds:0} ms"))}");
        // What a document says may hold what a terminal would obey.
        return string.Join(Environment.NewLine, lines.Select(l => string.Concat(l.Select(c => char.IsControl(c) ? ' ' : c))));
    }

    private static string Word(string standing) => standing switch
    {
        RecallStandings.InHand => "in hand",
        RecallStandings.OnItsWay => "on its way",
        RecallStandings.Ended => "ended",
        _ => "not placed",
    };
}
