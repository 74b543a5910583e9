using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Intake;

namespace Gateway.Host.Commands;

/// <summary><c>gateway intake</c>: what a line's file says by itself, read by a mapping, without a gateway and without a database.</summary>
public static class IntakeCommand
{
    private const int MaxShown = 20;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "The file of a line or contract manufacturer." };
        var mapping = new Option<string>("--mapping") { Description = "The name of a mapping, or a mapping's file.", Required = true };
        var masterData = new Option<FileInfo?>("--masterdata") { Description = "Products, lines and settings as JSON (docs/mappings.md); without it no product is known." };
        var receivedAt = new Option<string?>("--received-at") { Description = "The gateway's clock to assume, such as 2026-09-15T06:00:00Z; without it, now." };
        var json = new Option<bool>("--json") { Description = "The whole result as one JSON object." };
        var command = new Command("intake", "Read a line's file by a mapping and tell what it says; nothing is stored.") { file, mapping, masterData, receivedAt, json };
        command.SetAction(parsed => Run(parsed.GetValue(file)!, parsed.GetValue(mapping)!, parsed.GetValue(masterData), parsed.GetValue(receivedAt), parsed.GetValue(json)));
        return command;
    }

    private static int Run(FileInfo file, string mapping, FileInfo? masterData, string? receivedAt, bool json)
    {
        var at = receivedAt is null ? TimeProvider.System.GetUtcNow()
            : DateTimeOffset.TryParse(receivedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var given) ? given
            : throw new WrongUseException($"--received-at is a time such as 2026-09-15T06:00:00Z, not '{receivedAt}'.");
        var path = MappingFiles.Find(mapping) ?? throw new WrongUseException($"There is no mapping {mapping}: neither a file, nor one of {string.Join(", ", MappingFiles.Names())}.");
        LineMasterData known;
        try
        {
            known = masterData is null ? LineMasterData.Nothing : LineMasterData.Read(File.ReadAllText(masterData.FullName));
        }
        catch (FormatException e)
        {
            throw new WrongUseException(e.Message);
        }
        using var bytes = file.OpenRead();
        var (result, errors) = IntakeDryRun.Run(File.ReadAllText(path), bytes, file.Name, known, at);
        if (result is null)
        {
            foreach (var error in errors)
            {
                Console.Error.WriteLine($"{path}: {error}");
            }
            return 1;
        }
        Console.Out.WriteLine(json ? JsonSerializer.Serialize(result, IntakeResult.Json) : Describe(result));
        return result.Outcome == "accepted" ? 0 : 1;
    }

    private static string Describe(IntakeResult result)
    {
        var lines = new List<string> { $"{result.File}: {result.Outcome.Replace('_', ' ')}, {result.Facts.Count} facts" };
        lines.AddRange(result.Facts.GroupBy(f => (string)f["type"]!).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"  {g.Count(),8}  {g.Key}"));
        Add("refused", result.FileErrors);
        Add("exception", result.Exceptions);
        Add("warning", result.Warnings);
        if (result.Reconciliation.Count > 0)
        {
            lines.Add("  balance: " + string.Join(", ", result.Reconciliation.Where(r => r.Value is int).Select(r => $"{r.Key} {r.Value}")));
        }
        return string.Join(Environment.NewLine, lines);

        void Add(string what, IReadOnlyList<Dictionary<string, object?>> told)
        {
            lines.AddRange(told.Take(MaxShown).Select(t => $"  {what}: {string.Join(", ", t.Where(m => m.Value is not null).Select(m => m.Key == "code" ? $"{m.Value}" : $"{m.Key} {m.Value}"))}"));
            if (told.Count > MaxShown)
            {
                lines.Add($"  and {told.Count - MaxShown} more");
            }
        }
    }
}
