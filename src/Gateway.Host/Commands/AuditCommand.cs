using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Gateway.Access;
using Gateway.Audit;

namespace Gateway.Host.Commands;

/// <summary>
/// <c>gateway audit list</c> finds entries; <c>gateway audit reviews</c> says who has reviewed them; <c>gateway audit export</c> writes what an inspector takes along; <c>gateway audit epoch</c> is the
/// way on after a restore; <c>gateway audit key</c> replaces the key that signs.
/// </summary>
public static class AuditCommand
{
    private static readonly Actor CommandLine = Actor.System("command line");

    public static Command Create() => new("audit", "The sealed audit trail.") { List(), Reviews(), Export(), Epoch(), Key() };

    private static Command List()
    {
        var narrowing = AuditFilter.Names.ToDictionary(name => name, name => new Option<string?>("--" + name) { Description = $"Only {Described(name)}." });
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 200).", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "One JSON object per entry." };
        var command = new Command("list", "The newest entries: who did what, to which record, and why.") { limit, json };
        foreach (var option in narrowing.Values)
        {
            command.Add(option);
        }
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 200)
            {
                throw new WrongUseException("--limit is a number from 1 to 200.");
            }
            var filter = AuditFilter.Read(name => parsed.GetValue(narrowing[name]), out var wrong);
            if (wrong is not null)
            {
                throw new WrongUseException($"--{wrong}");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            foreach (var entry in await new AuditSearch(database.Gateway).FindAsync(CommandLine, filter, null, parsed.GetValue(limit), ct))
            {
                await Console.Out.WriteLineAsync(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(AuditItem.Of(entry), JsonSerializerOptions.Web)
                    : string.Create(CultureInfo.InvariantCulture, $"{entry.RecordedAt:yyyy-MM-dd HH:mm:ss} UTC  {entry.ActorName} ({entry.ActorRole})  {entry.Action} {entry.Entity} {entry.EntityKey} v{entry.Version}{(entry.Reason is null ? "" : $"  {entry.Reason}")}"));
            }
            return 0;
        });
        return command;
    }

    private static Command Reviews()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per review." };
        var command = new Command("reviews", "Who has reviewed which part of the trail, and which days of the last 14 nobody has. The newest 200.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            var reviews = new AuditReviews(database.Gateway);
            foreach (var review in await reviews.ListAsync(CommandLine, null, 200, ct))
            {
                await Console.Out.WriteLineAsync(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(AuditReviewItem.Of(review), JsonSerializerOptions.Web)
                    : string.Create(CultureInfo.InvariantCulture, $"{review.ReviewId}  {review.From:yyyy-MM-dd HH:mm} to {review.To:yyyy-MM-dd HH:mm} UTC  {review.ReviewerName}  {review.Entries:N0} entries, {review.OwnEntries:N0} left to another reviewer  {(review.SignedAt is { } at ? $"{review.Conclusion}, signed {at:yyyy-MM-dd HH:mm} UTC" : "open")}"));
            }
            if (await reviews.OpenDaysAsync(CommandLine, ct) is { Count: > 0 } days)
            {
                await Console.Error.WriteLineAsync($"nobody has reviewed {string.Join(", ", days.Select(d => d.ToString("O", CultureInfo.InvariantCulture)))}");
            }
            return 0;
        });
        return command;
    }

    private static string Described(string name) => name switch
    {
        "actor" => "by this identity, such as person:qa1",
        "role" => "by somebody who had these roles then",
        "method" => "by somebody who was authenticated in this way",
        "origin" => "from this address or machine",
        "action" => "this action, such as update",
        "entity" => "about this kind of record, such as partner",
        "key" => "about the record with this key",
        "version" => "this version of a record",
        "correlation" => "what belongs together under this mark",
        "text" => "with these words in names, keys, reasons or values",
        "from" => "recorded from then on, such as 2026-01-31T08:00:00Z",
        _ => "recorded before then",
    };

    private static Command Key()
    {
        var reason = new Option<string>("--reason") { Description = "Why: it stands in the trail.", Required = true };
        var command = new Command("key", "Replace the key that signs the audit trail. The old key signs the leaf that announces the new one, then it is gone. Run it again when it was interrupted.") { reason };
        command.SetAction(async (parsed, ct) =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason is empty: say why the key is replaced.");
            }
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path, make: false);
            var (key, old) = await new ReplaceKey(database.AdministratorConnectionString, new SealerDatabase(database.Sealer), sealing.Key, sealing.Anchor).RunAsync(CommandLine with { Name = Environment.UserName }, parsed.GetValue(reason)!, ct);
            await Console.Out.WriteLineAsync($"the trail is signed with the key {key} from now on, and no longer with {old}");
            return 0;
        });
        return command;
    }

    private static Command Export()
    {
        var directory = new Argument<DirectoryInfo>("DIR") { Description = "An empty folder, or one that is made." };
        var from = new Option<DateTimeOffset?>("--from") { Description = "Entries recorded from then on, such as 2026-01-01T00:00:00Z." };
        var to = new Option<DateTimeOffset?>("--to") { Description = "Entries recorded before then." };
        var without = new Option<bool>("--without-documents") { Description = "Do not read the original documents: whether one was changed is then not proved." };
        var originals = new Option<bool>("--originals") { Description = "Write every original document of the period too, as it came." };
        var electronic = new Option<bool>("--electronic-only") { Description = "Write no pages for persons." };
        var command = new Command("export", "Write the sealed trail, or a period of it, so that \"gateway verify\" can prove it without this database, and pages to read in readable/index.html. Sealing goes on meanwhile.") { directory, from, to, without, originals, electronic };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            try
            {
                using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path, make: false);
                await using (var work = await database.Gateway.BeginAsync(CommandLine with { Name = Environment.UserName }, ct))
                {
                    await work.AuditAsync("export", "audit_entry", $"{parsed.GetValue(from):O} – {parsed.GetValue(to):O}");
                    await work.CommitAsync();
                }
                var count = await new TrailExport(new SealerDatabase(database.Sealer), database.Gateway, sealing.Key, sealing.Anchor).WriteAsync(parsed.GetValue(from)?.UtcDateTime, parsed.GetValue(to)?.UtcDateTime, parsed.GetValue(directory)!, ct, withDocuments: !parsed.GetValue(without), withOriginals: parsed.GetValue(originals), readable: !parsed.GetValue(electronic));
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{count:N0} entries, key {sealing.Key.Id}"));
                return 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or SealKeyException)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 2;
            }
        });
        return command;
    }

    private static Command Epoch()
    {
        var reason = new Option<string>("--reason") { Description = "Why: it stands in the record of the epoch.", Required = true };
        var command = new Command("epoch", "After a restore: begin a new tree, whose record says what was lost. Until then nothing is sealed.") { reason };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path, make: false);
            if (string.IsNullOrWhiteSpace(parsed.GetValue(reason)))
            {
                throw new WrongUseException("--reason is empty: say why a new epoch begins.");
            }
            var begun = await new BeginEpoch(database.AdministratorConnectionString, sealing.Key, sealing.Anchor).RunAsync(CommandLine with { Name = Environment.UserName }, parsed.GetValue(reason)!, ct);
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"epoch {begun.Epoch} has begun: the one before ends at {begun.PreviousSize:N0} leaves here{(begun.OutsideSize is { } known ? $", {known:N0} are known outside" : "")}; {begun.Sealed:N0} entries that were in no leaf are its first"));
            return 0;
        });
        return command;
    }
}
