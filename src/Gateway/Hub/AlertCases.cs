using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Hub;

/// <summary>Which cases are wanted; null: of any.</summary>
/// <param name="State"><c>open</c>, <c>investigating</c>, <c>closed</c>, or <c>unsettled</c> for what is not closed.</param>
/// <param name="Gtin">The product as it was told.</param>
/// <param name="Lot">The lot as it was told.</param>
public sealed record AlertFilter(string? Code = null, string? Country = null, string? State = null, string? Gtin = null, string? Lot = null);

/// <summary>Alerts of one pack by one code, and what became of them.</summary>
/// <param name="Lot">As it was told, as product and serial number are; empty: not told.</param>
/// <param name="Alerts">How many there were.</param>
/// <param name="FirstAt">By the national systems' clocks.</param>
/// <param name="Cause">Proposed; null: not looked for yet.</param>
/// <param name="Finding">Why, in a sentence.</param>
/// <param name="Delivery">The message that it speaks of.</param>
/// <param name="UnitKey">The unit of ours that it is about.</param>
/// <param name="UnitLot">That unit's lot.</param>
/// <param name="RootCause">As a person confirmed or chose it.</param>
/// <param name="Earlier">The case that was closed before the same came again.</param>
public sealed record AlertCase(
    int Id, string Code, string Product, string Lot, string Serial, int Alerts, IReadOnlyList<string> Markets, DateTime FirstAt, DateTime LastAt, DateTime OpenedAt, DateTime? LookedAt,
    string? Cause, string? Finding, long? Delivery, string? UnitKey, string? UnitLot, string State, string? RootCause, string? Closing, string? Reason, string? DecidedBy, DateTime? DecidedAt, int? Earlier, int Version);

/// <summary>An alert of a case, as it was told.</summary>
public sealed record AlertItem(long Id, string HubAlertId, string Country, DateTime At, string? Expiry, string? User, string? Text, DateTime TakenAt);

/// <summary>What was proposed or decided of a case.</summary>
/// <param name="Kind"><c>proposed</c> or <c>decided</c>.</param>
/// <param name="Told">The finding, or the reason.</param>
public sealed record AlertStep(string Kind, string Told, string? Cause, string? State, string? Closing, long? Delivery, string By, DateTime At);

/// <summary>What a person decides about a case.</summary>
/// <param name="Closing">One of <see cref="RootCause.Closings"/> where it is closed.</param>
/// <param name="RootCause">One of <see cref="RootCause.All"/>; null: what is proposed, or was decided before.</param>
public sealed record AlertDecision(string? State, string? Reason, string? Closing = null, string? RootCause = null)
{
    /// <returns>What is wrong with it; null: nothing.</returns>
    public string? Refuse() =>
        State is not ("open" or "investigating" or "closed") ? "state is open, investigating or closed."
        : State == "closed" && !Hub.RootCause.Closings.Contains(Closing) ? $"closing is one of: {string.Join(", ", Hub.RootCause.Closings)}."
        : State != "closed" && Closing is not null ? "closing is said where a case is closed."
        : RootCause is not null && !Hub.RootCause.All.Contains(RootCause) ? $"rootCause is one of: {string.Join(", ", Hub.RootCause.All)}."
        : string.IsNullOrWhiteSpace(Reason) ? "reason is missing."
        : Reason.Length > AlertCases.MaxReason ? string.Create(CultureInfo.InvariantCulture, $"A reason has at most {AlertCases.MaxReason} characters.") : null;
}

/// <summary>The cases that alerts make, and what people decide about them.</summary>
public sealed class AlertCases(GatewayDatabase database)
{
    public const int MaxReason = 2_000, MostShown = 200;

    private const string Columns = """
        c.case_id as "Id", c.code as "Code", c.product as "Product", c.lot as "Lot", c.serial as "Serial", c.alerts as "Alerts", c.markets as "Markets", c.first_at as "FirstAt", c.last_at as "LastAt", c.opened_at as "OpenedAt",
        c.looked_at as "LookedAt", c.cause as "Cause", c.finding as "Finding", c.delivery_id as "Delivery", c.unit_key as "UnitKey", (select nullif(l.lot, '') from unit u join lot l using (lot_id) where u.key = c.unit_key limit 1) as "UnitLot",
        c.state as "State", c.root_cause as "RootCause", c.closing as "Closing", c.reason as "Reason", c.decided_by as "DecidedBy", c.decided_at as "DecidedAt", c.earlier_id as "Earlier", c.version as "Version"
        """;

    /// <summary>Newest first.</summary>
    /// <param name="before">The cursor of the page before.</param>
    public async Task<IReadOnlyList<AlertCase>> ListAsync(Actor reader, int partnerId, AlertFilter filter, int? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return [.. (await work.Connection.QueryAsync<Row>(new CommandDefinition($"""
            select {Columns} from hub_alert_case c
            where c.partner_id = @partnerId and (@before::int is null or c.case_id < @before) and (@Code::text is null or c.code = @Code) and (@Country::text is null or @Country = any(c.markets))
                and (@State::text is null or c.state = @State or @State = 'unsettled' and c.state <> 'closed') and (@Gtin::text is null or c.product = @Gtin) and (@Lot::text is null or c.lot = @Lot)
            order by c.case_id desc limit @limit
            """, new { partnerId, before, limit, filter.Code, filter.Country, filter.State, filter.Gtin, filter.Lot }, work.Transaction, cancellationToken: ct))).Select(r => r.ToCase())];
    }

    /// <returns>How many cases are not closed, and of how many of those nothing of ours is like what was told.</returns>
    public async Task<(long Unsettled, long Suspect)> CountAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<(long, long)>(new CommandDefinition("select count(*), count(*) filter (where cause = @NotOurs) from hub_alert_case where partner_id = @partnerId and state <> 'closed'", new { partnerId, RootCause.NotOurs }, work.Transaction, cancellationToken: ct));
    }

    public async Task<AlertCase?> FindAsync(Actor reader, int id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition($"select {Columns} from hub_alert_case c where c.case_id = @id", new { id }, work.Transaction, cancellationToken: ct)))?.ToCase();
    }

    /// <summary>The alerts of a case and its steps, the newest first and at most <see cref="MostShown"/> of each.</summary>
    public async Task<(IReadOnlyList<AlertItem> Alerts, IReadOnlyList<AlertStep> Steps)> StoryAsync(Actor reader, int id, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var alerts = await work.Connection.QueryAsync<AlertItem>(new CommandDefinition("""
            select alert_id as Id, hub_alert_id as HubAlertId, country as Country, raised_at as At, expiry as Expiry, end_user as "User", text as Text, taken_at as TakenAt from hub_alert where case_id = @id order by alert_id desc limit @MostShown
            """, new { id, MostShown }, work.Transaction, cancellationToken: ct));
        var steps = await work.Connection.QueryAsync<AlertStep>(new CommandDefinition("""
            select kind as Kind, told as Told, cause as Cause, state as State, closing as Closing, delivery_id as Delivery, made_by as By, made_at as At from hub_alert_step where case_id = @id order by step_id desc limit @MostShown
            """, new { id, MostShown }, work.Transaction, cancellationToken: ct));
        return (alerts.AsList(), steps.AsList());
    }

    /// <summary>What a person decides. What is closed stays closed: the same alert raised again is another case.</summary>
    /// <param name="version">As it was seen; null: whatever it is.</param>
    /// <returns>Null, or the refusal as a sentence; then nothing was changed.</returns>
    public async Task<string?> DecideAsync(Actor actor, int id, int? version, AlertDecision decision, CancellationToken ct)
    {
        if (decision.Refuse() is { } wrong)
        {
            return wrong;
        }
        await using var work = await database.BeginAsync(actor with { Sees = "*", Reason = decision.Reason }, ct);
        if (await work.Connection.ExecuteScalarAsync<int?>(new CommandDefinition("select partner_id from hub_alert_case where case_id = @id", new { id }, work.Transaction, cancellationToken: ct)) is not { } partnerId)
        {
            return "There is no such case.";
        }
        await TakeAlerts.LockAsync(work, partnerId);
        var partyId = await work.Connection.ExecuteScalarAsync<int?>(new CommandDefinition("""
            with decided as (
                update hub_alert_case set state = @State, closing = @Closing, root_cause = coalesce(@RootCause, root_cause, cause, @Unexplained), reason = @Reason, decided_by = current_setting('app.actor_name'), decided_at = gateway_now(), version = version + 1
                where case_id = @id and state <> 'closed' and version = coalesce(@version, version) returning case_id, party_id, root_cause),
            noted as (insert into hub_alert_step (party_id, case_id, kind, told, cause, state, closing) select party_id, case_id, 'decided', @Reason, root_cause, @State, @Closing from decided)
            select party_id from decided
            """, new { id, version, decision.State, decision.Closing, decision.RootCause, decision.Reason, Hub.RootCause.Unexplained }, work.Transaction, cancellationToken: ct));
        if (partyId is not { } party)
        {
            return await work.RefuseAsync(new RefusedStep("hub_alert_case", SourceId(id), "decide", "A case that is closed stays closed: the same alert raised again is another case. Or this one has changed since you looked.",
                "select state, version from hub_alert_case where case_id = @key::int", version));
        }
        if (decision.Closing == Hub.RootCause.SuspectedFalsification)
        {
            await ExceptionRecords.GoOnAsync(work, HubCodes.Alert, MatchAlerts.SourceOf(id, party), "The case was closed as a suspected falsification: " + decision.Reason);
        }
        else if (decision.State == "closed")
        {
            await ExceptionRecords.ResolveAsync(work, HubCodes.Alert, MatchAlerts.SourceOf(id, party), $"The case was closed as {decision.Closing}: {decision.Reason}");
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>As exceptions and the trail name a case.</summary>
    internal static string SourceId(int caseId) => caseId.ToString(CultureInfo.InvariantCulture);

    private sealed class Row
    {
        public int Id { get; init; }
        public string Code { get; init; } = "";
        public string Product { get; init; } = "";
        public string Lot { get; init; } = "";
        public string Serial { get; init; } = "";
        public int Alerts { get; init; }
        public string[] Markets { get; init; } = [];
        public DateTime FirstAt { get; init; }
        public DateTime LastAt { get; init; }
        public DateTime OpenedAt { get; init; }
        public DateTime? LookedAt { get; init; }
        public string? Cause { get; init; }
        public string? Finding { get; init; }
        public long? Delivery { get; init; }
        public string? UnitKey { get; init; }
        public string? UnitLot { get; init; }
        public string State { get; init; } = "";
        public string? RootCause { get; init; }
        public string? Closing { get; init; }
        public string? Reason { get; init; }
        public string? DecidedBy { get; init; }
        public DateTime? DecidedAt { get; init; }
        public int? Earlier { get; init; }
        public int Version { get; init; }

        public AlertCase ToCase() => new(Id, Code, Product, Lot, Serial, Alerts, Markets, FirstAt, LastAt, OpenedAt, LookedAt, Cause, Finding, Delivery, UnitKey, UnitLot, State, RootCause, Closing, Reason, DecidedBy, DecidedAt, Earlier, Version);
    }
}
