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
            var holding = new OwnHolding(newest > now ? newest : now, "non_sellable_other", [("reason", "pause.unproved"), ("command", hold.CmdId.ToString())]);
            var publicId = await OwnHolding.CaptureAsync(work, Gateway, hold.PartyId, holding, epcs, now, ct);
            await holds.NoteAsync(work, hold, epcs, publicId);
        }
        return epcs.Count;
    }

    [LoggerMessage(4161, LogLevel.Error, "What line {Line} has commissioned since the pause {CmdId} could not be held; it is tried again.")]
    private partial void NotHeld(Exception exception, string line, Guid cmdId);
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
