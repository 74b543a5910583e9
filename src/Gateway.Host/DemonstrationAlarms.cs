using Dapper;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Gateway.Host.Simulate;

namespace Gateway.Host;

/// <summary>Who is told of the demonstration's alarms, and what people have said of some: one is over, one is silenced, one is acknowledged. The rest is as it comes.</summary>
public sealed class DemonstrationAlarms(GatewayDatabase database, IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins)
{
    private const string TargetName = "Quality on call";
    private static readonly TimeSpan Silenced = TimeSpan.FromDays(5);
    private static readonly Actor Setup = Actor.System("demonstration") with { Reason = "the setup of the demonstration" };

    /// <summary>Once: the alarm of the last night, and the silence of a licence that is being renewed.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        var silences = services.GetRequiredService<AlarmSilences>();
        if ((await silences.ListAsync(Setup, null, 1, ct)).Count > 0)
        {
            return; // of an earlier start
        }
        var (wasOut, licensed) = (Of(PastManner.OutLastNight), DemonstrationCast.Partners.Single(p => p is { Past: PastManner.Well, LicensedDays: not null }));
        var (from, until) = HistoryPlan.OutageBefore(DateTime.UtcNow);
        await using (var work = await database.BeginAsync(Setup, ct))
        {
            var partnerId = await work.Connection.ExecuteScalarAsync<int>("select partner_id from partner_gln where gln = @Gln", new { wasOut.Party.Owner.Gln }, work.Transaction);
            await AlarmHistory.OverAsync(work, "alarm.circuit", AlarmSeverity.Warning,
                new AlarmFinding(wasOut.Party.Owner.Gln, $"{wasOut.Party.Owner.Name} keeps failing (http-503) and is left alone; one document is tried now and then.", $"partners/{partnerId}", from.AddMinutes(8)), from.AddMinutes(23), until.AddMinutes(12));
            await work.CommitAsync();
        }
        DemonstrationOfficer.Done((await silences.AddAsync(Setup, new SilenceRequest("alarm.licence", licensed.Party.Owner.Gln, (DateTime.UtcNow + Silenced).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture), "The renewal is with the authority."), ct)).Refusal);
    }

    /// <summary>Tells this run's simulator of what stands, and lets the officer see to the partner that owes its results.</summary>
    public async Task TellAsync(PartnerSimulator simulator, CancellationToken ct)
    {
        var targets = services.GetRequiredService<AlarmTargets>();
        // An earlier run's listens on another port, and its secret was shown once.
        foreach (var old in (await targets.ListAsync(Setup, ct)).Where(t => t.Name == TargetName))
        {
            await targets.RemoveAsync(Setup, old.TargetId, null, "the simulator listens on another port", ct);
        }
        var (_, secret, refusal) = await targets.AddAsync(Setup, new AlarmTargetRequest(TargetName, "webhook", simulator.AlarmAddress.AbsoluteUri, AlarmSeverity.Warning, "the demonstration's simulator hears alarms"), ct);
        DemonstrationOfficer.Done(refusal);
        simulator.AlarmSecret = secret;
        await AcknowledgeAsync(ct);
    }

    // It stands a moment after the history does.
    private async Task AcknowledgeAsync(CancellationToken ct)
    {
        var (list, gln) = (services.GetRequiredService<AlarmList>(), Of(PastManner.FallenSilent).Party.Owner.Gln);
        while (true)
        {
            if ((await list.ListAsync(Setup, new AlarmFilter(Kind: "alarm.receipt"), 50, ct)).FirstOrDefault(a => a.Subject.StartsWith(gln, StringComparison.Ordinal)) is { } alarm)
            {
                if (alarm is { AcknowledgedAt: null, ClearedAt: null })
                {
                    await using var officer = await DemonstrationOfficer.SignInAsync(services, logins, ct);
                    await services.GetRequiredService<AlarmDecisions>().AcknowledgeAsync(officer.Actor, alarm.AlarmId, null, "Called them: their import stands still, and their IT works on it.", ct);
                }
                return;
            }
            await Task.Delay(TimeSpan.FromSeconds(2), ct);
        }
    }

    private static DemonstrationPartner Of(PastManner past) => DemonstrationCast.Partners.Single(p => p.Past == past);
}
