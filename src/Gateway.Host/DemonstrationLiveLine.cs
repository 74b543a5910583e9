using System.Globalization;
using System.Net.Http.Headers;
using Gateway.Host.Simulate;
using Gateway.Host.Simulate.Plant;
using Gateway.Lines;
using Gateway.Serials;

namespace Gateway.Host;

/// <summary>
/// A line that works as long as the demonstration runs, lot after lot, by devices that speak the protocol. In each lot the aggregator is cut off for two
/// minutes and brings what it kept, and one pack falls off before it is packed: the balance does not close until it is found.
/// </summary>
public sealed partial class DemonstrationLiveLine(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, DemonstrationDevices devices, Uri url, string key, ILogger<DemonstrationLiveLine> log)
{
    private const char Prefix = 'L';
    private const string Line = "PL01";
    private const int Packs = 60, Rate = 12, Fallen = 40;
    private static readonly LinkCut s_cut = new($"{Line}-AGG", 60, 180);
    private static readonly TimeSpan s_lot = TimeSpan.FromMinutes((double)Packs / Rate) + TimeSpan.FromSeconds(15), s_again = TimeSpan.FromSeconds(2), s_patience = TimeSpan.FromMinutes(2);

    public async Task RunAsync(CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        while (true)
        {
            try
            {
                await using var officer = await DemonstrationOfficer.SignInAsync(services, logins, ct);
                await PlayAsync(officer, new PlantGateway(http), ct);
            }
            catch (Exception e) when (e is InvalidOperationException or PlantStoppedException)
            {
                // Whoever tries the demonstration may take a device away, or run a lot of his own here.
                Waits(Line, e.Message);
                await Task.Delay(s_patience, ct);
            }
        }
    }

    private async Task PlayAsync(DemonstrationOfficer officer, PlantGateway gateway, CancellationToken ct)
    {
        if (await officer.RunningAsync(Line, ct) is { } other)
        {
            // What its devices had not sent when the demonstration was stopped is gone with them; a lot that somebody else began is his.
            DemonstrationOfficer.Done(other.Lot.StartsWith(Prefix) ? await officer.Steps.EndAsync(officer.Actor, other.Id, null, "the demonstration was stopped in the middle of the lot", ct) : $"Lot {other.Lot} is on the line.");
        }
        var now = DateTime.UtcNow;
        var run = await officer.PlanAsync(Line, DemonstrationCast.Products[0], Prefix + now.ToString("yyMMddHHmmss", CultureInfo.InvariantCulture), Packs, ct);
        var options = new PlantOptions((int)(now.Ticks / TimeSpan.TicksPerSecond & int.MaxValue), Packs, Rate, new Dictionary<string, double>())
        {
            UnitGtin = run.Gtin, CaseGtin = DemonstrationLines.CaseOf(run.Gtin), UnitsPerCase = 4, CasesPerPallet = 3, SsccPrefix = "2" + DemonstrationCast.Products[0].CompanyPrefix, Cuts = [s_cut], Fallen = Fallen,
        };
        var serials = await officer.GrantAsync(new SerialRequest(run.Lot, run.Gtin, Quantity: Packs + options.Spare, Run: run.Id, Device: $"{Line}-PRN"), ct);
        try
        {
            await officer.StartAsync(run, ct);
        }
        catch (InvalidOperationException)
        {
            await officer.Steps.CancelAsync(officer.Actor, run.Id, null, "it could not be started", ct);
            throw;
        }
        var played = new PlantRun(gateway, options, 1, _ => { }).PlayAsync([new PreparedLine(new PlantLot(0, Line, run.Lot, serials), run.Id, null)], ct);
        await Task.WhenAny(played, Task.Delay(s_lot, ct));
        await officer.Steps.EndAsync(officer.Actor, run.Id, null, "the last carton has left the line", ct); // unless somebody has ended it
        await played;
        await devices.TakeOverAsync(Line, ct);
        // What was said last is applied in a few seconds. A lot that does not balance even so waits for a person.
        for (var begun = DateTime.UtcNow; await officer.CloseAsync(run, ct) is not null && DateTime.UtcNow - begun < s_patience;)
        {
            await Task.Delay(s_again, ct);
        }
    }

    [LoggerMessage(1874, LogLevel.Warning, "{Line} of the demonstration stands: {Why}")]
    private partial void Waits(string line, string why);
}
