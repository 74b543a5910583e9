using System.CommandLine;
using System.Globalization;
using Gateway.Access;
using Gateway.Audit;

namespace Gateway.Host.Commands;

/// <summary><c>gateway audit export</c>, what an inspector takes along; <c>gateway audit epoch</c>, the way on after a restore.</summary>
public static class AuditCommand
{
    public static Command Create() => new("audit", "The sealed audit trail.") { Export(), Epoch() };

    private static Command Export()
    {
        var directory = new Argument<DirectoryInfo>("DIR") { Description = "An empty folder, or one that is made." };
        var from = new Option<DateTimeOffset?>("--from") { Description = "Entries recorded from then on, such as 2026-01-01T00:00:00Z." };
        var to = new Option<DateTimeOffset?>("--to") { Description = "Entries recorded before then." };
        var command = new Command("export", "Write the sealed trail, or a period of it, so that \"gateway verify\" can prove it without this database. Sealing goes on meanwhile.") { directory, from, to };
        command.SetAction(async (parsed, ct) =>
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), ct);
            try
            {
                using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path, make: false);
                await using (var work = await database.Gateway.BeginAsync(Actor.System("command line") with { Name = Environment.UserName }, ct))
                {
                    await work.AuditAsync("export", "audit_entry", $"{parsed.GetValue(from):O} – {parsed.GetValue(to):O}");
                    await work.CommitAsync();
                }
                var count = await new TrailExport(new SealerDatabase(database.Sealer), sealing.Key, sealing.Anchor).WriteAsync(parsed.GetValue(from)?.UtcDateTime, parsed.GetValue(to)?.UtcDateTime, parsed.GetValue(directory)!, ct);
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
            var begun = await new BeginEpoch(database.AdministratorConnectionString, sealing.Key, sealing.Anchor).RunAsync(Actor.System("command line") with { Name = Environment.UserName }, parsed.GetValue(reason)!, ct);
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"epoch {begun.Epoch} has begun: the one before ends at {begun.PreviousSize:N0} leaves here{(begun.OutsideSize is { } known ? $", {known:N0} are known outside" : "")}; {begun.Sealed:N0} entries that were in no leaf are its first"));
            return 0;
        });
        return command;
    }
}
