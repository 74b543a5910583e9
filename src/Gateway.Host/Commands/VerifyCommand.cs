using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.Audit;

namespace Gateway.Host.Commands;

/// <summary><c>gateway verify</c>: verifies an exported audit trail by its files alone.</summary>
public static class VerifyCommand
{
    public static Command Create()
    {
        var export = new Argument<DirectoryInfo>("EXPORT") { Description = "The folder that \"gateway audit export\" has written." };
        var keys = new Option<FileInfo[]>("--key") { Description = "A public key that is trusted (PEM). Without it those in the folder are: compare their numbers with what you know." };
        var anchors = new Option<FileInfo?>("--anchors") { Description = "Checkpoints that were kept elsewhere. Without it those in the folder count." };
        var receipts = new Option<FileInfo[]>("--receipt") { Description = "What a sender was given of a document of his. Without it those in the folder's receipts count." };
        var json = new Option<bool>("--json") { Description = "The verdict as a JSON object." };
        var command = new Command("verify", "Verify an exported audit trail, with no database, configuration or network. Exit 0: it is what was sealed; 1: the first entry that is not is named; 2: it is no export.") { export, keys, anchors, receipts, json };
        command.SetAction(async (parsed, ct) =>
        {
            try
            {
                var trusted = parsed.GetValue(keys) is { Length: > 0 } files ? (await Task.WhenAll(files.Select(f => File.ReadAllTextAsync(f.FullName, ct)))).ToList() : null;
                var outside = parsed.GetValue(anchors) is { } file ? await File.ReadAllTextAsync(file.FullName, ct) : null;
                var started = Stopwatch.GetTimestamp();
                var given = parsed.GetValue(receipts) is { Length: > 0 } notes ? (await Task.WhenAll(notes.Select(async f => (f.Name, await File.ReadAllTextAsync(f.FullName, ct))))).ToList() : null;
                var verdict = TrailVerifier.Verify(parsed.GetValue(export)!, trusted, outside, given);
                await (parsed.GetValue(json) ? Console.Out.WriteLineAsync(JsonSerializer.Serialize(new { sound = verdict.IsSound, epochs = verdict.Epochs.Select(e => new { e.Epoch, e.From, e.To, e.Size }), verdict.Entries, verdict.Checkpoints, verdict.Keys, verdict.Problems, verdict.Notices, last = Last(verdict) }, JsonSerializerOptions.Web))
                    : DescribeAsync(verdict, trusted is not null, Stopwatch.GetElapsedTime(started)));
                return verdict.IsSound ? 0 : 1;
            }
            catch (Exception e) when (e is NoExportException or IOException or UnauthorizedAccessException)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 2;
            }
        });
        return command;
    }

    private static object? Last(TrailVerdict verdict) => verdict.Last is { } last ? new { last.Epoch, last.Size, root = Convert.ToBase64String(last.Root), last.Time } : null;

    private static async Task DescribeAsync(TrailVerdict verdict, bool isTrusted, TimeSpan took)
    {
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{(verdict.IsSound ? "sound" : "NOT SOUND")}: {verdict.Entries:N0} entries and {verdict.Checkpoints:N0} checkpoints in {took.TotalSeconds:0.0} s"));
        foreach (var epoch in verdict.Epochs)
        {
            await Console.Out.WriteLineAsync(epoch is { From: 0 } && epoch.To == epoch.Size ? $"  epoch {epoch.Epoch}: all {epoch.Size} leaves" : $"  epoch {epoch.Epoch}: leaves {epoch.From} to {epoch.To - 1} of {epoch.Size}");
        }
        foreach (var problem in verdict.Problems)
        {
            string?[] place = [problem.Epoch > 0 ? $"epoch {problem.Epoch}" : null, problem.Leaf is { } leaf ? $"leaf {leaf}" : null, problem.Ord is { } ord ? $"entry {ord}" : null];
            await Console.Out.WriteLineAsync($"  {string.Join(", ", place.OfType<string>())}{(place.Any(p => p is not null) ? ": " : "")}{problem.Message}");
        }
        foreach (var notice in verdict.Notices)
        {
            await Console.Out.WriteLineAsync($"  {notice}");
        }
        if (verdict.Last is { } last)
        {
            await Console.Out.WriteLineAsync($"last checkpoint: epoch {last.Epoch}, {last.Size} leaves, root {Convert.ToBase64String(last.Root)}, signed at {last.Time:yyyy-MM-ddTHH:mm:ssZ}");
        }
        await Console.Out.WriteLineAsync($"signed with {string.Join(", ", verdict.Keys)}{(isTrusted ? "" : ", which only the folder itself vouches for")}");
    }
}
