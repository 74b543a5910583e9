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
public sealed class HoldCommissioned(GatewayDatabase database, LineHolds holds)
{
    private const int MaxUnits = 20_000, MaxUnitsAnEvent = 1_000;

    private static readonly Actor Gateway = Actor.System("commands");

    /// <returns>How many units are being held now that were not before.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        IReadOnlyList<LineHold> due;
        await using (var look = await database.BeginAsync(Gateway, ct))
        {
            due = await holds.DueAsync(look, ct);
        }
        var units = 0;
        foreach (var hold in due)
        {
            for (int held; (held = await HoldAsync(hold, ct)) > 0; units += held)
            {
            }
        }
        return units;
    }

    private async Task<int> HoldAsync(LineHold hold, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        if (!await holds.TakeAsync(work, hold))
        {
            return 0;
        }
        var commissioned = await CommissionedUnits.FindAsync(work, hold.PartyId, hold.ReadPoint, hold.Since, hold.Until, ct);
        var epcs = await CommissionedUnits.HoldableAsync(work, (await holds.NewAsync(work, hold, [.. commissioned.Keys])).Take(MaxUnits), ct);
        if (epcs.Count > 0)
        {
            var now = await work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
            // Whoever is held was commissioned before, also where a device's clock is ahead.
            var newest = epcs.Max(epc => commissioned[epc]).AddMilliseconds(1);
            var document = Document(hold, epcs, newest > now ? newest : now, now);
            var publicId = Guid.NewGuid();
            using var bytes = new MemoryStream(document);
            await CaptureRecords.InsertAsync(work, new NewCapture(
                publicId, hold.PartyId, Gateway.Id, SHA256.HashData(document), document.Length, "application/ld+json", null, null, "rollback", now, 202, CaptureJob.FirstAnswer(publicId, now, "rollback")), bytes, ct);
            await holds.NoteAsync(work, hold, epcs, publicId);
        }
        await work.CommitAsync();
        return epcs.Count;
    }

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
