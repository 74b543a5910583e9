using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host.Simulate;
using Gateway.Lines;
using Gateway.Serials;

namespace Gateway.Host;

/// <summary>The demonstration's officer, signed in: what he signs, he signs with the account's own password. Disposing signs out.</summary>
internal sealed class DemonstrationOfficer : IAsyncDisposable
{
    private readonly Sessions _sessions;
    private readonly Signing _signing;
    private readonly RunRecords _records;
    private readonly LineRegister _lines;
    private readonly GrantNumbers _grants;
    private readonly DemonstrationLogin _login;
    private readonly string _cookie;
    private readonly long _sessionId;

    private DemonstrationOfficer(IServiceProvider services, DemonstrationLogin login, string cookie, Holder holder)
    {
        (_login, _cookie, _sessionId) = (login, cookie, holder.SessionId!.Value);
        Actor = holder.ToPrincipal(SessionAuthentication.SchemeName).ToActor("demonstration");
        (_sessions, _signing, _records, _lines, _grants) = (services.GetRequiredService<Sessions>(), services.GetRequiredService<Signing>(), services.GetRequiredService<RunRecords>(), services.GetRequiredService<LineRegister>(), services.GetRequiredService<GrantNumbers>());
        (Steps, Counts) = (services.GetRequiredService<RunSteps>(), services.GetRequiredService<RunCounts>());
    }

    public Actor Actor { get; }
    public RunSteps Steps { get; }
    public RunCounts Counts { get; }

    public static async Task<DemonstrationOfficer> SignInAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, CancellationToken ct)
    {
        var login = logins.Single(l => l.User == "officer");
        var cookie = (await services.GetRequiredService<SignInPerson>().TryAsync(login.User, login.Password, null, "demonstration", ct)).Secret ?? throw new InvalidOperationException("The demonstration's officer cannot sign in: his password was changed, or his account is locked.");
        return new DemonstrationOfficer(services, login, cookie, (await services.GetRequiredService<Sessions>().FindAsync(cookie, ct))!);
    }

    /// <exception cref="InvalidOperationException">There is a refusal.</exception>
    public static void Done(string? refusal)
    {
        if (refusal is not null)
        {
            throw new InvalidOperationException(refusal);
        }
    }

    /// <summary>Signs a record with the account's own password.</summary>
    /// <exception cref="InvalidOperationException">There is a refusal.</exception>
    public async Task SignAsync(SignableRecord? record, string meaning, Func<Work, Signature, Task<string?>> effect, CancellationToken ct)
    {
        var begun = await _signing.BeginAsync(Actor, _sessionId, record!, meaning, ct);
        Done(begun.Nonce is { } nonce ? (await _signing.SignAsync(Actor, _sessionId, nonce, new SigningSecret(_login.User, _login.Password, AcceptedStatement: 1), effect, ct)).Refusal : begun.Refusal);
    }

    /// <summary>Plans a run and signs that its line is clear.</summary>
    public async Task<RunItem> PlanAsync(string code, SimulatedProduct product, string lot, int quantity, CancellationToken ct)
    {
        var line = (await _lines.FindAsync(Actor, code, null, ct))!;
        var gtin = Epc.Parse($"urn:epc:idpat:sgtin:{product.UnitClass}.*", CompanyPrefixes.None).Value!.Key;
        var (run, refusal) = await Steps.PlanAsync(Actor, line, new PlanRequest(gtin, lot, new DateOnly(2029, 1, 31), quantity, $"4711-{lot}", null), ct);
        Done(refusal);
        ClearanceItem[] items = [.. RunSteps.Checklist.Select(c => new ClearanceItem(c, true))];
        await SignAsync(await Steps.ClearanceAsync(Actor, run!.Id, items, ct), RunSteps.Clearance, RunSteps.Cleared(items), ct);
        return run;
    }

    public async Task<IReadOnlyList<string>> GrantAsync(SerialRequest request, CancellationToken ct)
    {
        var outcome = await _grants.RunAsync(Actor, request, ct);
        Done(outcome.Sentence);
        await _grants.AcknowledgeAsync(Actor, outcome.Granted!.Grant.Id, ct);
        return outcome.Granted.Numbers;
    }

    /// <summary>Starts a run when all is in place: the devices' clocks are known with their first heartbeats, a moment after they registered.</summary>
    public async Task StartAsync(RunItem run, CancellationToken ct)
    {
        string? refusal = null;
        for (var tries = 0; tries < 60 && (tries == 0 || refusal is not null); tries++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(tries == 0 ? 0 : 500), ct);
            refusal = (await _records.DetailsAsync(Actor, run.Id, ct))!.Readiness.FirstOrDefault(c => !c.IsMet)?.Says;
        }
        Done(refusal);
        Done(await Steps.ReadyAsync(Actor, run.Id, null, "all is in place", ct));
        Done(await Steps.StartAsync(Actor, run.Id, null, "all is in place", ct));
    }

    /// <summary>Reconciles and closes an ended run.</summary>
    /// <returns>Null, or why it is not closed.</returns>
    public async Task<string?> CloseAsync(RunItem run, CancellationToken ct)
    {
        var now = (await _records.DetailsAsync(Actor, run.Id, ct))!;
        return now.Blockers.Count > 0 ? string.Join(' ', now.Blockers)
            : (now.Run.State == "ended" ? await Steps.ReconcileAsync(Actor, run.Id, null, "the lot is complete", ct) : null) ?? await Steps.CloseAsync(Actor, run.Id, null, "every pack is accounted for", ct);
    }

    /// <summary>What runs on a line, or is paused there.</summary>
    public async Task<RunItem?> RunningAsync(string code, CancellationToken ct) => (await _records.CurrentAsync(Actor, ct)).FirstOrDefault(r => r.Line == code && r.State is "running" or "paused");

    public async ValueTask DisposeAsync() => await _sessions.EndAsync(_cookie, "the demonstration has signed", Actor, CancellationToken.None);
}
