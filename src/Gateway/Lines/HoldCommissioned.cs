using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Devices;
using Gateway.Units;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Lines;

/// <summary>
/// Puts the holds of unproved pauses into effect: the units that the line has commissioned since the trigger are named in an EPCIS document of
/// the gateway's own (OBSERVE, holding), which is captured like any other. So each hold is in the unit's history, and leads to its pause.
/// The document is stored with the note of its units in one transaction, so a crash holds none twice and forgets none.
/// </summary>
/// <param name="slice">So many units are looked at in one transaction.</param>
public sealed partial class HoldCommissioned(GatewayDatabase database, LineHolds holds, ILogger<HoldCommissioned> log, int slice = 20_000)
{
    private const int MaxUnitsAnEvent = 1_000;

    private static readonly Actor Gateway = Actor.System("commands");

    /// <returns>How many units are being held now that were not before.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        IReadOnlyList<LineHold> due;
        string now;
        await using (var look = await database.BeginAsync(Gateway, ct))
        {
            now = (await look.Connection.ExecuteScalarAsync<string>("select pg_current_snapshot()::text", transaction: look.Transaction))!;
            due = await holds.DueAsync(look, ct);
        }
        var units = 0;
        foreach (var hold in due)
        {
            try
            {
                units += await HoldAsync(hold, now, ct);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                NotHeld(e, hold.Line, hold.CmdId); // the others are put into effect
            }
        }
        return units;
    }

    /// <param name="now">A snapshot from before: what it does not show is of the next look.</param>
    private async Task<int> HoldAsync(LineHold hold, string now, CancellationToken ct)
    {
        var units = 0;
        CommissionedUnit? last = null;
        while (true)
        {
            await using var work = await database.BeginAsync(Gateway, ct);
            if (!await holds.TakeAsync(work, hold))
            {
                return units;
            }
            var commissioned = await CommissionedUnits.FindAsync(work, hold.PartyId, hold.ReadPoint, hold.Since, hold.Until, hold.Seen, last, slice, ct);
            units += await HoldAsync(work, hold, commissioned, ct);
            var isAll = commissioned.Count < slice;
            if (isAll)
            {
                await holds.SeenAsync(work, hold, now);
            }
            await work.CommitAsync();
            if (isAll)
            {
                return units;
            }
            last = commissioned[^1];
        }
    }

    private async Task<int> HoldAsync(Work work, LineHold hold, IReadOnlyList<CommissionedUnit> commissioned, CancellationToken ct)
    {
        var times = commissioned.GroupBy(c => c.Epc, c => c.At).ToDictionary(c => c.Key, c => c.Max(), StringComparer.Ordinal);
        var epcs = await CommissionedUnits.HoldableAsync(work, await holds.NewAsync(work, hold, times.Keys), ct);
        if (epcs.Count > 0)
        {
            var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
            // Whoever is held was commissioned before, also where a device's clock is ahead.
            var newest = epcs.Max(epc => times[epc]).AddMilliseconds(1);
            var document = Document(hold, epcs, newest > now ? newest : now, now);
            var publicId = Guid.NewGuid();
            using var bytes = new MemoryStream(document);
            await CaptureRecords.InsertAsync(work, new NewCapture(
                publicId, hold.PartyId, Gateway.Id, SHA256.HashData(document), document.Length, "application/ld+json", null, null, "rollback", now, 202, CaptureJob.FirstAnswer(publicId, now, "rollback")), bytes, ct);
            await holds.NoteAsync(work, hold, epcs, publicId);
        }
        return epcs.Count;
    }

    [LoggerMessage(4161, LogLevel.Error, "What line {Line} has commissioned since the pause {CmdId} could not be held; it is tried again.")]
    private partial void NotHeld(Exception exception, string line, Guid cmdId);

    private static byte[] Document(LineHold hold, IReadOnlyList<string> epcs, DateTime at, DateTime now)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("@context");
            json.WriteStringValue("https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld");
            json.WriteStartObject();
            json.WriteString("line", EventFacts.LineNamespace);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("type", "EPCISDocument");
            json.WriteString("schemaVersion", "2.0");
            json.WriteString("creationDate", Instant(now));
            json.WriteStartObject("epcisBody");
            json.WriteStartArray("eventList");
            foreach (var some in epcs.Chunk(MaxUnitsAnEvent))
            {
                json.WriteStartObject();
                json.WriteString("type", "ObjectEvent");
                json.WriteString("eventID", $"urn:uuid:{Guid.NewGuid()}");
                json.WriteString("eventTime", Instant(at));
                json.WriteString("eventTimeZoneOffset", "+00:00");
                json.WriteStartArray("epcList");
                foreach (var epc in some)
                {
                    json.WriteStringValue(epc);
                }
                json.WriteEndArray();
                json.WriteString("action", "OBSERVE");
                json.WriteString("bizStep", "holding");
                json.WriteString("disposition", "non_sellable_other");
                // Without a place: it is a decision, and says nothing of where the units are by now.
                json.WriteString("line:reason", "pause.unproved");
                json.WriteString("line:command", hold.CmdId.ToString());
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static string Instant(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>Looks for units to hold, again and again.</summary>
public sealed partial class HoldWorker(HoldCommissioned hold, IOptions<CommandOptions> options, TimeProvider time, ILogger<HoldWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await hold.RunAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or CommitUnknownException or IOException or TimeoutException)
            {
                Interrupted(e);
            }
            await Task.Delay(options.Value.CheckEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4160, LogLevel.Error, "Holding what lines have commissioned was interrupted and will go on by itself.")]
    private partial void Interrupted(Exception e);
}

public static class HoldSetup
{
    public static IServiceCollection AddLineHolds(this IServiceCollection services) => services.AddSingleton<HoldCommissioned>().AddHostedService<HoldWorker>();
}
