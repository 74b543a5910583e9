using System.CommandLine;
using System.Text.Json;
using Gateway.Access;
using Gateway.MasterData;

namespace Gateway.Host.Commands;

/// <summary><c>gateway masterdata</c>: imports products and locations, or shows what such a file would change; and lists them.</summary>
public static class MasterDataCommand
{
    private const int PageSize = 200;

    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("masterdata", "Products, parties and places.") { Import(), List() };

    private static Command Import()
    {
        var file = new Argument<string>("file") { Description = "CSV with a column gtin or gln, or EPCIS (XML or JSON) with master data in its header." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would change." };
        var reason = new Option<string?>("--reason") { Description = "Why, for the versions and the audit trail; by default the file's name." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("import", "Make master data what a file says: all of it, or with a fault nothing.") { file, dryRun, reason, json };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path))
            {
                throw new WrongUseException($"There is no file {path}.");
            }
            if (new FileInfo(path).Length > MasterDataFile.MaxBytes)
            {
                throw new WrongUseException($"{path} has more than {MasterDataFile.MaxBytes} bytes: divide it.");
            }
            using var bytes = new MemoryStream(await File.ReadAllBytesAsync(path, ct));
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var actor = CommandLine with { Reason = parsed.GetValue(reason) is { Length: > 0 } why ? why : $"imported from {Path.GetFileName(path)}" };
            var outcome = await new ChangeMasterData(database.Gateway).ImportAsync(actor, bytes, parsed.GetValue(dryRun), ct);
            await Console.Out.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(MasterDataEndpoints.View(outcome), JsonSerializerOptions.Web) : Describe(path, outcome));
            return outcome.IsRefused ? 1 : 0;
        });
        return command;
    }

    private static Command List()
    {
        var locations = new Option<bool>("--locations") { Description = "Parties and places instead of products." };
        var json = new Option<bool>("--json") { Description = "One JSON object per record." };
        var command = new Command("list", "List products, or parties and places.") { locations, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var records = new MasterDataRecords(database.Gateway);
            await (parsed.GetValue(locations) ? LocationsAsync(records, parsed.GetValue(json), ct) : ProductsAsync(records, parsed.GetValue(json), ct));
            return 0;
        });
        return command;
    }

    private static async Task ProductsAsync(MasterDataRecords records, bool json, CancellationToken ct)
    {
        IReadOnlyList<Versioned<Product>> page = [];
        do
        {
            page = await records.ProductsAsync(CommandLine, page.Count == 0 ? null : page[^1].Record.Gtin, PageSize, ct);
            foreach (var v in page)
            {
                var p = v.Record;
                await Console.Out.WriteLineAsync(json ? JsonSerializer.Serialize(MasterDataEndpoints.View(v), JsonSerializerOptions.Web)
                    : $"{p.Gtin}  {p.Level ?? "–",-6}  {(p.Holds is null ? "" : $"{p.Quantity} x {p.Holds}"),-22}  {p.Name}{(p.Withdrawn ? " (withdrawn)" : "")}");
            }
        }
        while (page.Count == PageSize);
    }

    private static async Task LocationsAsync(MasterDataRecords records, bool json, CancellationToken ct)
    {
        IReadOnlyList<Versioned<Location>> page = [];
        do
        {
            page = await records.LocationsAsync(CommandLine, page.Count == 0 ? null : (page[^1].Record.Gln, page[^1].Record.Extension), PageSize, ct);
            foreach (var v in page)
            {
                var l = v.Record;
                await Console.Out.WriteLineAsync(json ? JsonSerializer.Serialize(MasterDataEndpoints.View(v), JsonSerializerOptions.Web)
                    : $"{l.Gln}  {l.Extension,-8}  {l.Kind,-5}  {l.Name}{(l.Withdrawn ? " (withdrawn)" : "")}");
            }
        }
        while (page.Count == PageSize);
    }

    private static string Describe(string path, MasterDataOutcome o)
    {
        var lines = new List<string>
        {
            o.IsRefused ? $"{path}: not taken, nothing is changed"
                : $"{path}: {o.Added} {(o.DryRun ? "would be added" : "added")}, {o.Changed} {(o.DryRun ? "would be changed" : "changed")}, {o.Unchanged} as they are",
        };
        lines.AddRange(o.Findings.All.Select(f => $"  {f.Severity.ToString().ToLowerInvariant()} {f.Code}{(f.Where.Line > 0 ? $" at line {f.Where.Line}, column {f.Where.Column}" : "")}: {f.Message}"));
        if (!o.IsRefused)
        {
            lines.AddRange(o.Items.Select(i => $"  {i.What} {i.Kind} {i.Key}: {string.Join(", ", i.Changes.Select(c => c.From is null ? $"{c.Member} {c.To}" : $"{c.Member} {c.From} -> {c.To ?? "nothing"}"))}"));
        }
        return string.Join('\n', lines);
    }
}
