using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Host.Commands;

/// <summary><c>gateway lot</c>: where the units of a lot are and whether it is complete, read from the database. Exit 1 when it is not.</summary>
public static class LotCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create()
    {
        var gtin = new Argument<string>("GTIN") { Description = "Of the product, 8 to 14 digits." };
        var number = new Argument<string>("LOT") { Description = "The lot number." };
        var json = new Option<bool>("--json") { Description = "The lot as a JSON object." };
        var command = new Command("lot", "Where the units of a lot are, and what of it is left to explain.") { gtin, number, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var lot = await new LotQueries(database.Gateway, masterData).FindAsync(CommandLine, LotEndpoints.KeyOf(parsed.GetValue(gtin)!), parsed.GetValue(number)!, ct)
                ?? throw new WrongUseException($"No unit is known of lot {parsed.GetValue(number)} of GTIN {parsed.GetValue(gtin)}.");
            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(LotEndpoints.View(lot), JsonSerializerOptions.Web) : Text(lot));
            return lot.IsComplete ? 0 : 1;
        });
        return command;
    }

    private static string Text(Lot lot)
    {
        var b = lot.Balance;
        var lines = new List<string>
        {
            $"lot {lot.Number} of {lot.Gtin} {lot.Product}, expiry {(lot.Expiries.Count == 0 ? "not known" : string.Join(" and ", lot.Expiries.Select(e => $"{e:yyyy-MM-dd}")))}: {(lot.IsComplete ? "complete" : $"not complete, {lot.Percent} %")}",
            $"{lot.Commissioned} commissioned = {b.Packed} packed + {b.Loose} loose + {b.Sampled} sampled + {b.Rejected} rejected + {b.Ended} ended + {b.Shipped} shipped + {b.Returned} returned + {b.Unexplained} unexplained",
        };
        lines.AddRange(lot.Levels.Select(l =>
            $"{l.Level} {l.Gtin ?? "SSCC"}: {string.Join(", ", l.States.Select(s => $"{s.Value} {s.Key}"))}{(l.Declared + l.Seen == 0 ? "" : $"; {l.Full} full, {l.Partial} partial, {l.Short} short; {l.Seen} inside{(l.Capacity is { } capacity ? $" of {capacity}" : "")}")}"));
        lines.Add($"left to explain: {lot.Orphans} orphans, {lot.Short} short containers, {lot.Waiting} waiting, {lot.Held} held, {lot.Unexplained} unexplained");
        // What a document says may hold what a terminal would obey.
        return string.Join(Environment.NewLine, lines.Select(l => string.Concat(l.Select(c => char.IsControl(c) ? ' ' : c))));
    }
}
