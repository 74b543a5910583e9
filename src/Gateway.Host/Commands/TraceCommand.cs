using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.Exceptions;
using Gateway.MasterData;
using Gateway.Shipments;
using Gateway.Units;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Host.Commands;

/// <summary><c>gateway trace</c>: where a unit is, what it is in, what was told of it, and with <c>--contents</c> all that is in it; with <c>--as-of</c> at a past moment.</summary>
public static class TraceCommand
{
    private const int PageSize = 1_000, MaxExceptions = 50;

    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create()
    {
        var epc = new Argument<string>("EPC") { Description = "The unit in any form: EPC URI, GS1 Digital Link, element string, SSCC, or GTIN and serial number with a blank between them." };
        var contents = new Option<bool>("--contents") { Description = "All that is in it too, container by container." };
        var asOf = new Option<string>("--as-of") { Description = "At a past moment such as 2026-01-31T12:00:00Z, as is known today: what was corrected since counts as corrected." };
        var custody = new Option<bool>("--custody") { Description = "Its custody instead: every hop with the documents that told it, their hashes, attempts and acknowledgements, as a JSON object." };
        var json = new Option<bool>("--json") { Description = "One JSON object for the unit with its history and exceptions, then one for each unit in it." };
        var command = new Command("trace", "Where a unit is, what it is in, and what was told of it.") { epc, contents, asOf, custody, json };
        command.SetAction(async (parsed, ct) =>
        {
            var key = UnitIdentifier.Read(parsed.GetValue(epc)!, out var wrong) ?? throw new WrongUseException(wrong!);
            DateTimeOffset? at = parsed.GetValue(asOf) is { } text ? UnitPast.ReadMoment(text, out wrong) ?? throw new WrongUseException(wrong!) : null;
            var configuration = GatewayHost.Configuration();
            await using var database = await RunningDatabase.OpenAsync(configuration, ct);
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var units = new UnitQueries(database.Gateway, masterData);
            var timeline = new UnitTimeline(database.Gateway, Options.Create(configuration.GetSection(LatenessOptions.Section).Get<LatenessOptions>() ?? new LatenessOptions()));
            if (parsed.GetValue(custody))
            {
                if (await new CustodyReport(database.Gateway, units, timeline).OfAsync(CommandLine, key, withDeliveries: true, ct) is not { } report)
                {
                    await Console.Error.WriteLineAsync($"Nobody has told of the unit {UnitKey.ToEpc(key, 0)} here.");
                    return 1;
                }
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
                return 0;
            }
            using var past = new UnitPast(database.Gateway, new UnitLedgers(masterData), units, masterData);
            var then = at is { } moment ? await past.FindAsync(CommandLine, key, moment, ct) : null;
            if (then?.Refusal is { } refusal)
            {
                await Console.Error.WriteLineAsync(refusal.Sentence);
                return 1;
            }
            if ((at is null ? await units.FindAsync(CommandLine, key, ct) : then?.Facts) is not { } unit)
            {
                await Console.Error.WriteLineAsync($"Nobody has told of the unit {UnitKey.ToEpc(key, 0)} here.");
                return 1;
            }
            var told = await timeline.ListAsync(CommandLine, unit, null, UnitTimeline.MaxEvents, ct, at);
            var exceptions = await new ExceptionList(database.Gateway).OfUnitAsync(CommandLine, UnitKey.Spellings(key), MaxExceptions, ct);
            var (item, history, opened) = (UnitItem.Of(unit), told.Select(UnitEventItem.Of).ToList(), exceptions.Select(ExceptionItem.Of).ToList());
            if (parsed.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(new TracedUnit(item, history, opened), JsonSerializerOptions.Web));
            }
            else
            {
                await DescribeAsync(unit, item, history, opened);
            }
            for (string? after = null; parsed.GetValue(contents);)
            {
                var page = then?.Contents(after, PageSize) ?? (await units.ContentsAsync(CommandLine, key, after, PageSize, ct))!;
                foreach (var c in page.Items.Select(ContainedUnitItem.Of))
                {
                    await WriteAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(c, JsonSerializerOptions.Web) : $"{new string(' ', 2 * c.Depth)}{c.Epc}  {c.Level}  {c.State}{(c.Lot is null ? "" : $"  lot {c.Lot}")}{Held(c.Holds)}");
                }
                if ((after = page.Next) is null)
                {
                    break;
                }
            }
            return 0;
        });
        return command;
    }

    private sealed record TracedUnit(UnitItem Unit, IReadOnlyList<UnitEventItem> History, IReadOnlyList<ExceptionItem> Exceptions);

    private static async Task DescribeAsync(UnitFacts unit, UnitItem item, IReadOnlyList<UnitEventItem> history, IReadOnlyList<ExceptionItem> exceptions)
    {
        await WriteAsync($"{item.Epc}  {item.Level}  {item.State}{(item.Reason is null ? "" : $" ({item.Reason})")}{Held(item.Holds)}");
        await WriteAsync($"lot {item.Lot ?? "-"}, expires {(item.Expiry is { } day ? $"{day:yyyy-MM-dd}" : "-")}, held by {item.Holder ?? "nobody said"}, at {item.Location ?? "nobody said"}");
        foreach (var c in unit.Containers)
        {
            await WriteAsync($"in {c.Epc}  {c.Level}{Held(c.Holds)}");
        }
        if (item.Children > 0)
        {
            await WriteAsync($"holds {item.Children} units directly{(item.HeldBelow > 0 ? $"; {item.HeldBelow} of those in it are held" : "")}");
        }
        foreach (var e in history)
        {
            await WriteAsync($"{e.EventTime:yyyy-MM-dd HH:mm:ss} UTC  {e.BizStep ?? e.Type}  {e.Action}  {e.Disposition}{(UnitKey.Of(e.Unit) == unit.Key ? "" : $"  of {e.Unit}")}  capture {e.Capture}{(e.Late ? "  late" : "")}{(e.Retracted ? "  declared in error" : "")}");
            await WriteAsync($"  {(e.EventTimeSent is { } sent ? $"sent as {sent}{(e.EventTimeZoneOffset is { } offset ? $" ({offset})" : "")}, " : "")}received {e.ReceivedTime:yyyy-MM-dd HH:mm:ss} UTC, recorded {e.RecordTime:yyyy-MM-dd HH:mm:ss} UTC");
            foreach (var f in e.Findings)
            {
                await WriteAsync($"  {f.Severity} {f.Code}: {f.Message}");
            }
        }
        foreach (var e in exceptions)
        {
            await WriteAsync($"exception {e.Id}  {e.State}  {e.Code}: {e.Message}");
        }
    }

    private static string Held(IReadOnlyList<string> holds) => holds.Count == 0 ? "" : $"  held for {string.Join(", ", holds)}";

    // What a document says may hold what a terminal would obey.
    private static Task WriteAsync(string line) => Console.Out.WriteLineAsync(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
}
