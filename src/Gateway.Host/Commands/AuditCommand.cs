using System.CommandLine;
using System.Globalization;
using Gateway.Audit;

namespace Gateway.Host.Commands;

/// <summary><c>gateway audit export</c>: what an inspector takes along.</summary>
public static class AuditCommand
{
    public static Command Create() => new("audit", "The audit trail.") { Export() };

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
                using var sealing = SealingFiles.Open(GatewayHost.Configuration(), DataDirectory.Path);
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
}
