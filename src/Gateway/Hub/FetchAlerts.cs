using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery.Channels;
using Gateway.Partners;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Hub;

/// <summary>How far the alerts of a hub are taken in.</summary>
/// <param name="AskedAt">When it last answered.</param>
/// <param name="FailingSince">Null: it answered when it was last asked.</param>
public sealed record AlertStream(DateTime? AskedAt, DateTime? FailingSince, string? Error);

/// <summary>
/// One turn: asks one hub that is due for its alerts, page after page. The place in its stream moves in the transaction that keeps a page, so a crash anywhere loses nothing and doubles nothing.
/// </summary>
public sealed partial class FetchAlerts(GatewayDatabase database, Hubs hubs, TakeAlerts alerts, IOptions<AlertOptions> options, ILogger<FetchAlerts> log)
{
    // A hub with many alerts leaves the others their turn.
    private const int PagesATurn = 20;

    private static readonly Actor Fetcher = Actor.System("hub");

    // Longer than one page takes; whoever dies meanwhile leaves it to the others then.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <returns>False when no hub is due, or another node asks it.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        if (await ClaimAsync(ct) is not { } due)
        {
            return false;
        }
        var (adapter, place) = (hubs.Of(ChannelSettings.Read(due.Settings).Protocol!), due.Place);
        var hub = new HubAddress(due.PartnerId, due.PartyId, due.Url, due.Secret, due.PrivateRanges, due.Settings);
        for (var page = 1; adapter.Traits.HasAlerts; page++)
        {
            var (answer, told) = await adapter.AskAlertsAsync(hub, place, ct);
            if (told is null)
            {
                await FailAsync(due, answer, ct);
                return true;
            }
            // A hub that tells alerts and no way on has told its last; what it told is kept once all the same.
            var isEnd = told.Alerts.Count == 0 || told.Last <= place;
            if ((isEnd ? await alerts.TakeAsync(Fetcher, due.PartnerId, told.Alerts, ct) : await alerts.TakeAsync(Fetcher, due.PartnerId, place, told, ct)) is not { } taken)
            {
                return true;
            }
            if (taken > 0)
            {
                Taken(taken, due.PartnerId, told.Last);
            }
            if (isEnd || page == PagesATurn)
            {
                // Where more is to come, at once after the others.
                await GoOnAsync(due.PartnerId, isEnd ? options.Value.AskEvery : TimeSpan.Zero, ct);
                return true;
            }
            place = told.Last;
            await GoOnAsync(due.PartnerId, Lease, ct);
        }
        await GoOnAsync(due.PartnerId, options.Value.AskEvery, ct);
        return true;
    }

    /// <returns>Null: it was never asked.</returns>
    public async Task<AlertStream?> StateAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<AlertStream>(new CommandDefinition("select asked_at as AskedAt, failing_since as FailingSince, error as Error from hub_alert_stream where partner_id = @partnerId", new { partnerId }, work.Transaction, cancellationToken: ct));
    }

    // Only of a partner that is live; whoever claims it puts it off for the others.
    private async Task<Due?> ClaimAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Fetcher, ct);
        var due = await work.Connection.QuerySingleOrDefaultAsync<Due>(new CommandDefinition("""
            insert into hub_alert_stream (partner_id, party_id) select p.partner_id, o.party_id from partner p cross join party o
            where p.channel = 'hub' and p.state = 'active' and o.kind = 'organisation' and not exists (select from hub_alert_stream s where s.partner_id = p.partner_id) on conflict do nothing;
            with due as (
                select s.partner_id from hub_alert_stream s join partner p using (partner_id) where s.next_at <= (select gateway_now()) and p.channel = 'hub' and p.state = 'active'
                order by s.next_at, s.partner_id limit 1 for update of s skip locked)
            update hub_alert_stream s set next_at = gateway_now() + @Lease from due d join partner p using (partner_id) where s.partner_id = d.partner_id
            returning s.partner_id as "PartnerId", p.party_id as "PartyId", s.place as "Place", s.failing_since is not null as "IsFailing", p.url as "Url", p.secret as "Secret", p.private_ranges as "PrivateRanges", p.channel_settings::text as "Settings"
            """, new { Lease }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return due;
    }

    private async Task GoOnAsync(int partnerId, TimeSpan after, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Fetcher, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update hub_alert_stream set next_at = gateway_now() + @after, asked_at = gateway_now() where partner_id = @partnerId;
            update hub_alert_stream set failing_since = null, error = null where partner_id = @partnerId and error is not null
            """, new { partnerId, after }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
    }

    // Nothing but the page of the hub and one line of the log: it is asked again, and where it was, it goes on.
    private async Task FailAsync(Due due, ChannelAnswer answer, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Fetcher, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update hub_alert_stream set next_at = gateway_now() + @AskEvery, failing_since = coalesce(failing_since, gateway_now()), error = @Code where partner_id = @PartnerId
            """, new { options.Value.AskEvery, answer.Code, due.PartnerId }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        if (!due.IsFailing)
        {
            NotTold(due.PartnerId, answer.Code);
        }
    }

    [LoggerMessage(2022, LogLevel.Information, "{Count} new alerts of the hub {PartnerId} are kept, up to {Place}.")]
    private partial void Taken(int count, int partnerId, long place);

    [LoggerMessage(2023, LogLevel.Warning, "The hub {PartnerId} does not tell its alerts ({Code}); it is asked again, and this is not said again until it has answered.")]
    private partial void NotTold(int partnerId, string code);

    private sealed class Due
    {
        public int PartnerId { get; init; }
        public int PartyId { get; init; }
        public long Place { get; init; }
        public bool IsFailing { get; init; }
        public string Url { get; init; } = "";
        public byte[]? Secret { get; init; }
        public string PrivateRanges { get; init; } = "";
        public string Settings { get; init; } = "";
    }
}
