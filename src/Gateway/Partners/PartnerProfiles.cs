using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Partners;

/// <summary>What documents a partner must have, and takes. What is not said is as it is here.</summary>
/// <param name="Regulation">none, or us-dscsa: then its documents are always composed, and held until they are complete.</param>
/// <param name="Release">R1.2 or R1.3 of the GS1 US guideline.</param>
/// <param name="Ids">epc or digital-link.</param>
/// <param name="SbdhAuthority">GS1, GLN or SGLN.</param>
/// <param name="SbdhForm">sgln or gln.</param>
/// <param name="Sender">Whom the header names: the owner or ship-from.</param>
/// <param name="MaxEvents">Of a document; null: no limit.</param>
/// <param name="MaxBytes">Of a document; null: no limit.</param>
/// <param name="TakesErrorDeclaration">Else a shipment in error is voided for it.</param>
public sealed record PartnerProfile(
    string Regulation = "none", string Release = "R1.3", string Ids = "epc", string SbdhAuthority = "GS1", string SbdhForm = "sgln", string Sender = "owner",
    int? MaxEvents = null, long? MaxBytes = null, bool TakesErrorDeclaration = false, bool TakesVoidShipping = true)
{
    /// <returns>What cannot be as it is; null when nothing.</returns>
    /// <param name="format">The partner's.</param>
    public string? Refuse(string format) => this switch
    {
        { Regulation: not ("none" or "us-dscsa") } => "regulation is none or us-dscsa.",
        { Release: not ("R1.2" or "R1.3") } => "release is R1.2 or R1.3.",
        { Ids: not ("epc" or "digital-link") } => "ids is epc or digital-link.",
        { Ids: "digital-link" } when format == "1.2-xml" => "EPCIS 1.2 has no Digital Links: ids is epc for a partner of that format.",
        { SbdhAuthority: not ("GS1" or "GLN" or "SGLN") } => "sbdhAuthority is GS1, GLN or SGLN.",
        { SbdhForm: not ("sgln" or "gln") } => "sbdhForm is sgln or gln.",
        { Sender: not ("owner" or "ship-from") } => "sender is owner or ship-from.",
        { MaxEvents: < 1 } => "maxEvents is at least 1.",
        { MaxBytes: < 1 } => "maxBytes is at least 1.",
        _ => null,
    };
}

/// <summary>The profiles of partners. A change is one of the partner's setup, which may have to be signed for anew.</summary>
public sealed class PartnerProfiles(GatewayDatabase database, GoLive goLive)
{
    /// <returns>The partner's, or what holds where nothing was said; with the version 0 then.</returns>
    public async Task<(PartnerProfile Profile, int Version)> FindAsync(Actor reader, int partnerId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        var row = await work.Connection.QuerySingleOrDefaultAsync<Row>(new CommandDefinition("""
            select regulation, release, ids, sbdh_authority as SbdhAuthority, sbdh_form as SbdhForm, sender, max_events as MaxEvents, max_bytes as MaxBytes,
                takes_error_declaration as TakesErrorDeclaration, takes_void_shipping as TakesVoidShipping, version from partner_profile where partner_id = @partnerId
            """, new { partnerId }, work.Transaction, cancellationToken: ct));
        return row is null ? (new PartnerProfile(), 0)
            : (new PartnerProfile(row.Regulation, row.Release, row.Ids, row.SbdhAuthority, row.SbdhForm, row.Sender, row.MaxEvents, row.MaxBytes, row.TakesErrorDeclaration, row.TakesVoidShipping), row.Version);
    }

    public async Task SetAsync(Actor actor, int partnerId, PartnerProfile profile, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into partner_profile (partner_id, party_id, regulation, release, ids, sbdh_authority, sbdh_form, sender, max_events, max_bytes, takes_error_declaration, takes_void_shipping)
            select partner_id, party_id, @Regulation, @Release, @Ids, @SbdhAuthority, @SbdhForm, @Sender, @MaxEvents, @MaxBytes, @TakesErrorDeclaration, @TakesVoidShipping from partner where partner_id = @partnerId
            on conflict (partner_id) do update set regulation = @Regulation, release = @Release, ids = @Ids, sbdh_authority = @SbdhAuthority, sbdh_form = @SbdhForm, sender = @Sender,
                max_events = @MaxEvents, max_bytes = @MaxBytes, takes_error_declaration = @TakesErrorDeclaration, takes_void_shipping = @TakesVoidShipping
            """, new
        {
            partnerId, profile.Regulation, profile.Release, profile.Ids, profile.SbdhAuthority, profile.SbdhForm, profile.Sender, profile.MaxEvents, profile.MaxBytes,
            profile.TakesErrorDeclaration, profile.TakesVoidShipping,
        }, work.Transaction, cancellationToken: ct));
        await goLive.HoldAsync(work);
        await work.CommitAsync();
    }

    private sealed record Row
    {
        public string Regulation { get; init; } = "";
        public string Release { get; init; } = "";
        public string Ids { get; init; } = "";
        public string SbdhAuthority { get; init; } = "";
        public string SbdhForm { get; init; } = "";
        public string Sender { get; init; } = "";
        public int? MaxEvents { get; init; }
        public long? MaxBytes { get; init; }
        public bool TakesErrorDeclaration { get; init; }
        public bool TakesVoidShipping { get; init; }
        public int Version { get; init; }
    }
}
