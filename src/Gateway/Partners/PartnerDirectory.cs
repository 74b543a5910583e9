using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Partners;

/// <param name="SettingsJson">What its channel knows beside the address, as stored.</param>
/// <param name="HasSecret">A token or private key is sealed with it.</param>
/// <param name="Version">Of its setup.</param>
/// <param name="NeedWithin">How long after capture it must have a document; null: as the settings say.</param>
public sealed record PartnerItem(
    int Id, string Gln, string Name, string Format, string Channel, string Url, string PrivateRanges, string State, string? PauseReason, DateTime CreatedAt, string SettingsJson, bool HasSecret, int Version, TimeSpan? NeedWithin)
{
    /// <summary>What its channel knows beside the address.</summary>
    public ChannelSettings Settings => ChannelSettings.Read(SettingsJson);

    /// <summary>It waits for the signature of its go-live, or for a licence, which resumes it.</summary>
    public bool Waits => State == "paused" && PauseReason is GoLive.Waiting or Licences.Waiting;
}

/// <summary>A partner from whose SFTP server documents are fetched.</summary>
public sealed record InboundPartner(int Id, int PartyId, string Gln, string Url, string PrivateRanges, string? PrivateKey, ChannelSettings Settings);

public sealed record RouteItem(int Id, string? SourceGln, string? DestinationGln, string Reason, bool Active);

/// <summary>The trading partners: where they are, what they take, and which routes lead to them.</summary>
public sealed class PartnerDirectory(GatewayDatabase database, PartnerSecrets secrets, GoLive goLive)
{
    private const string Select = """
        select p.partner_id as "Id", coalesce(y.gln, '') as "Gln", p.name as "Name", p.format as "Format", p.channel as "Channel", p.url as "Url", p.private_ranges as "PrivateRanges", p.state as "State",
            p.pause_reason as "PauseReason", p.created_at as "CreatedAt", p.channel_settings::text as "SettingsJson", p.secret is not null as "HasSecret", p.version as "Version", p.need_within as "NeedWithin"
        from partner p join party y using (party_id)
        """;

    /// <param name="practice">It begins in practice.</param>
    /// <returns>False when the GLN is somebody's already.</returns>
    public async Task<bool> AddAsync(Actor actor, string gln, string name, string format, string channel, string url, string? token, string[] privateRanges, CancellationToken ct, ChannelSettings? settings = null, bool practice = false)
    {
        await using var work = await database.BeginAsync(actor, ct);
        try
        {
            var partyId = await Parties.EnsureAsync(work, "partner", name, gln);
            if (await work.Connection.ExecuteScalarAsync<string>("select kind from party where party_id = @partyId", new { partyId }, work.Transaction) != "partner")
            {
                return false;
            }
            // Two statements: row security of the GLN looks for its partner, which must be there already.
            var partnerId = await work.Connection.ExecuteScalarAsync<int>("""
                insert into partner (party_id, name, format, channel, url, private_ranges, secret, channel_settings, state, created_at)
                values (@partyId, @name, @format, @channel, @url, @privateRanges, @secret, @settings::jsonb, case when @practice then 'practice' else 'active' end, gateway_now()) returning partner_id
                """, new { partyId, name, format, channel, url, privateRanges = string.Join(' ', privateRanges), secret = secrets.Seal(partyId, token), settings = settings?.ToJson() ?? "{}", practice }, work.Transaction);
            await work.Connection.ExecuteAsync("insert into partner_gln (gln, partner_id) values (@gln, @partnerId)", new { gln, partnerId }, work.Transaction);
            await goLive.HoldAsync(work);
            await work.CommitAsync();
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
    }

    public async Task<IReadOnlyList<PartnerItem>> ListAsync(Actor actor, int after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return (await work.Connection.QueryAsync<PartnerItem>(Select + " where p.partner_id > @after order by p.partner_id limit @limit", new { after, limit }, work.Transaction)).AsList();
    }

    public async Task<PartnerItem?> FindAsync(Actor actor, string gln, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return await work.Connection.QuerySingleOrDefaultAsync<PartnerItem>(Select + " where p.partner_id = (select partner_id from partner_gln where gln = @gln)", new { gln }, work.Transaction);
    }

    /// <summary>Gives the partner another channel, or the same one set up otherwise. A secret that is not given stays, unless it would be shown to another server.</summary>
    /// <param name="version">The version of the setup that was looked at.</param>
    /// <returns>Null, or why not.</returns>
    public async Task<string?> SetChannelAsync(Actor actor, int partnerId, ChannelSetup setup, int version, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var (partyId, kind, url, hasSecret) = await work.Connection.QuerySingleAsync<(int, string, string, bool)>("select party_id, channel, url, secret is not null from partner where partner_id = @partnerId", new { partnerId }, work.Transaction);
        if (hasSecret && setup.Secret is null && kind == setup.Kind && kind is ("https" or "epcis") && !IsSameServer(url, setup.Url))
        {
            return "The address is another server's: give the token that it is to be told, for the old one is not shown to it.";
        }
        var changed = await work.Connection.ExecuteAsync("""
            update partner set channel = @Kind, url = @Url, private_ranges = @ranges, channel_settings = @settings::jsonb,
                secret = case when @secret::bytea is not null then @secret when channel = @Kind then secret end
            where partner_id = @partnerId and version = @version
            """, new { setup.Kind, setup.Url, ranges = string.Join(' ', setup.PrivateRanges), settings = setup.Settings.ToJson(), secret = secrets.Seal(partyId, setup.Secret), partnerId, version }, work.Transaction);
        if (changed == 0)
        {
            const string refusal = "The partner's setup has changed: look at it again.";
            await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), "channel", refusal, "select concat_ws(': ', state, pause_reason), version from partner where partner_id = @key::int", version));
            return refusal;
        }
        await goLive.HoldAsync(work);
        await work.CommitAsync();
        return null;
    }

    // A key that was sealed with a lost key ring is no key: the other partners are fetched from all the same.
    private string? Opened(int partyId, byte[]? secret)
    {
        try
        {
            return secrets.Open(partyId, secret);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    private static bool IsSameServer(string before, string now) =>
        Uri.TryCreate(before, UriKind.Absolute, out var old) && Uri.TryCreate(now, UriKind.Absolute, out var other) && old.GetLeftPart(UriPartial.Authority) == other.GetLeftPart(UriPartial.Authority);

    /// <summary>The active partners from whose SFTP servers documents are fetched.</summary>
    public async Task<IReadOnlyList<InboundPartner>> InboundAsync(CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("inbound sftp"), ct);
        return [.. (await work.Connection.QueryAsync<(int Id, int PartyId, string Gln, string Url, string PrivateRanges, byte[]? Secret, string Settings)>(new CommandDefinition("""
            select p.partner_id, p.party_id, coalesce(y.gln, ''), p.url, p.private_ranges, p.secret, p.channel_settings::text from partner p join party y using (party_id)
            where p.state = 'active' and p.channel = 'sftp' and p.channel_settings ? 'inbound' order by p.partner_id
            """, transaction: work.Transaction, cancellationToken: ct))).Select(p => new InboundPartner(p.Id, p.PartyId, p.Gln, p.Url, p.PrivateRanges, Opened(p.PartyId, p.Secret), ChannelSettings.Read(p.Settings)))];
    }

    /// <returns>False when the partner is not in the state this starts from.</returns>
    public async Task<bool> SetPausedAsync(Actor actor, int partnerId, bool paused, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var changed = await work.Connection.ExecuteAsync("""
            update partner set state = case when @paused then 'paused' else 'active' end, pause_reason = case when @paused then @reason end
            where partner_id = @partnerId and case when @paused then state = 'active' or state = 'paused' and pause_reason = any(@waiting) else state = 'paused' and not coalesce(pause_reason = any(@waiting), false) end
            """, new { partnerId, paused, reason, waiting = (string[])[GoLive.Waiting, Licences.Waiting] }, work.Transaction);
        if (changed == 0)
        {
            await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), paused ? "pause" : "resume",
                paused ? "Only a partner that is active, or waits for its go-live or a licence, can be paused." : "Only a paused partner can be resumed, and one that waits for its go-live or a licence by that.",
                "select concat_ws(': ', state, pause_reason), version from partner where partner_id = @key::int"));
            return false;
        }
        await goLive.HoldAsync(work);
        await work.CommitAsync();
        return true;
    }

    /// <summary>The longest time that a partner can be said to need documents within.</summary>
    public static readonly TimeSpan MostNeed = TimeSpan.FromDays(60);

    /// <summary>Says how soon after capture a partner must have documents: of what is queued from now on.</summary>
    /// <param name="within">Null: as the settings say.</param>
    public async Task SetNeedAsync(Actor actor, int partnerId, TimeSpan? within, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        await work.Connection.ExecuteAsync("update partner set need_within = @within::interval where partner_id = @partnerId", new { within, partnerId }, work.Transaction);
        await work.CommitAsync();
    }

    /// <summary>Puts a partner into practice, where nothing but marked test documents goes to it, or ends that. Where go-live is signed, it then waits for the signature.</summary>
    /// <returns>Null, or why not.</returns>
    public async Task<string?> SetPracticeAsync(Actor actor, int partnerId, bool practice, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        // What is on its way to a partner is not stopped by practising.
        var changed = await work.Connection.ExecuteAsync("""
            update partner p set state = case when @practice then 'practice' else 'active' end, pause_reason = null
            where partner_id = @partnerId and case when @practice then state <> 'practice' and not exists (select from delivery d where d.partner_id = p.partner_id and d.state = 'due') else state = 'practice' end
            """, new { partnerId, practice }, work.Transaction);
        if (changed == 0)
        {
            return await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), practice ? "practice" : "end practice",
                practice ? "Only a partner that does not practise yet, and for which nothing is on its way, can be put into practice." : "Only a partner that is in practice can end it.",
                "select concat_ws(': ', state, pause_reason), version from partner where partner_id = @key::int"));
        }
        await goLive.HoldAsync(work);
        await work.CommitAsync();
        return null;
    }

    public async Task<int> AddRouteAsync(Actor actor, int partnerId, string? sourceGln, string? destinationGln, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var id = await work.Connection.ExecuteScalarAsync<int>("""
            insert into route (partner_id, source_gln, destination_gln, reason) values (@partnerId, @sourceGln, @destinationGln, @reason) returning route_id
            """, new { partnerId, sourceGln, destinationGln, reason }, work.Transaction);
        await work.CommitAsync();
        return id;
    }

    public async Task<IReadOnlyList<RouteItem>> RoutesAsync(Actor actor, int partnerId, int after, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return (await work.Connection.QueryAsync<RouteItem>("""
            select route_id as "Id", source_gln as "SourceGln", destination_gln as "DestinationGln", reason as "Reason", active as "Active"
            from route where partner_id = @partnerId and route_id > @after order by route_id limit @limit
            """, new { partnerId, after, limit }, work.Transaction)).AsList();
    }
}
