using System.Globalization;
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
/// <param name="ReceiptHours">Within so many hours its system says what became of a document; null: as the configuration says.</param>
/// <param name="AnswerDays">Within so many days it tells what of the goods it has received; null: as the configuration says.</param>
/// <param name="TellsReceipt">It has promised to: then silence is overdue. Else goods count as received after that time.</param>
public sealed record PartnerProfile(
    string Regulation = "none", string Release = "R1.3", string Ids = "epc", string SbdhAuthority = "GS1", string SbdhForm = "sgln", string Sender = "owner",
    int? MaxEvents = null, long? MaxBytes = null, bool TakesErrorDeclaration = false, bool TakesVoidShipping = true,
    int? ReceiptHours = null, int? AnswerDays = null, bool TellsReceipt = false)
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
        { ReceiptHours: < 1 or > 720 } => "receiptHours is 1 to 720.",
        { AnswerDays: < 1 or > 365 } => "answerDays is 1 to 365.",
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
                takes_error_declaration as TakesErrorDeclaration, takes_void_shipping as TakesVoidShipping,
                receipt_hours as ReceiptHours, answer_days as AnswerDays, tells_receipt as TellsReceipt, version from partner_profile where partner_id = @partnerId
            """, new { partnerId }, work.Transaction, cancellationToken: ct));
        return row is null ? (new PartnerProfile(), 0)
            : (new PartnerProfile(row.Regulation, row.Release, row.Ids, row.SbdhAuthority, row.SbdhForm, row.Sender, row.MaxEvents, row.MaxBytes, row.TakesErrorDeclaration, row.TakesVoidShipping,
                row.ReceiptHours, row.AnswerDays, row.TellsReceipt), row.Version);
    }

    /// <param name="version">The version that was looked at, 0 where there was none; null: whichever it has.</param>
    /// <returns>Null, or why not.</returns>
    public async Task<string?> SetAsync(Actor actor, int partnerId, PartnerProfile profile, string reason, CancellationToken ct, int? version = null)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        // Who changes it meanwhile waits.
        await work.Connection.ExecuteAsync("select from partner where partner_id = @partnerId for update", new { partnerId }, work.Transaction);
        var now = await work.Connection.ExecuteScalarAsync<int?>("select version from partner_profile where partner_id = @partnerId", new { partnerId }, work.Transaction) ?? 0;
        if (version is not null && version != now)
        {
            return await work.RefuseAsync(new RefusedStep("partner", partnerId.ToString(CultureInfo.InvariantCulture), "profile", "The partner's profile has changed: look at it again.",
                "select concat_ws(': ', state, pause_reason), coalesce((select version from partner_profile where partner_id = @key::int), 0) from partner where partner_id = @key::int", version));
        }
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            insert into partner_profile (partner_id, party_id, regulation, release, ids, sbdh_authority, sbdh_form, sender, max_events, max_bytes, takes_error_declaration, takes_void_shipping, receipt_hours, answer_days, tells_receipt)
            select partner_id, party_id, @Regulation, @Release, @Ids, @SbdhAuthority, @SbdhForm, @Sender, @MaxEvents, @MaxBytes, @TakesErrorDeclaration, @TakesVoidShipping, @ReceiptHours, @AnswerDays, @TellsReceipt from partner where partner_id = @partnerId
            on conflict (partner_id) do update set regulation = @Regulation, release = @Release, ids = @Ids, sbdh_authority = @SbdhAuthority, sbdh_form = @SbdhForm, sender = @Sender,
                max_events = @MaxEvents, max_bytes = @MaxBytes, takes_error_declaration = @TakesErrorDeclaration, takes_void_shipping = @TakesVoidShipping,
                receipt_hours = @ReceiptHours, answer_days = @AnswerDays, tells_receipt = @TellsReceipt
            """, new
        {
            partnerId, profile.Regulation, profile.Release, profile.Ids, profile.SbdhAuthority, profile.SbdhForm, profile.Sender, profile.MaxEvents, profile.MaxBytes,
            profile.TakesErrorDeclaration, profile.TakesVoidShipping, profile.ReceiptHours, profile.AnswerDays, profile.TellsReceipt,
        }, work.Transaction, cancellationToken: ct));
        await goLive.HoldAsync(work);
        await work.CommitAsync();
        return null;
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
        public int? ReceiptHours { get; init; }
        public int? AnswerDays { get; init; }
        public bool TellsReceipt { get; init; }
        public int Version { get; init; }
    }
}
