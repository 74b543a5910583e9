using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Exceptions;

namespace Gateway.Capture;

/// <summary>Another node has taken the capture over; what was done here is rolled back.</summary>
internal sealed class LeaseLostException() : Exception("The lease of the capture is lost.");

/// <summary>A claimed capture. Only the holder of the token may finish it.</summary>
internal sealed record CaptureLease
{
    public long CaptureId { get; init; }
    public Guid PublicId { get; init; }
    public long DocumentId { get; init; }
    public int PartyId { get; init; }
    public string ErrorBehaviour { get; init; } = "";
    public string SubmittedBy { get; init; } = "";
    public int Attempts { get; init; }
    public Guid LeaseToken { get; init; }
    public byte[] Sha256 { get; init; } = [];
    public long Length { get; init; }
    public string? ContentEncoding { get; init; }
    public string[]? Prefixes { get; init; }
    public string? Mapping { get; init; }
    public long? RunId { get; init; }
    public string[]? Sites { get; init; }

    /// <summary>What its sender's key might send when it came.</summary>
    public KeyScope? Scope => KeyScope.Of(Prefixes, Sites);

    /// <summary>When its document was received.</summary>
    public DateTime ReceivedAt { get; init; }

    /// <summary>The trace it came in; once it is worked on, that of the work.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What reads its document; null when that is EPCIS.</summary>
    public MappedDocument? Mapped => Mapping is { } mapping ? new MappedDocument(mapping, PartyId, ReceivedAt, Sha256, RunId) : null;

    /// <summary>The capture as what finds exceptions.</summary>
    public ExceptionSource Source => new("capture", PublicId.ToString(), PartyId, DocumentId);

    /// <summary>Of a capture that is decided in the transaction that stores it, so that nobody else can claim it.</summary>
    public static CaptureLease Of(NewCapture capture, long captureId, long documentId) => new()
    {
        CaptureId = captureId,
        PublicId = capture.PublicId,
        DocumentId = documentId,
        PartyId = capture.PartyId,
        ErrorBehaviour = capture.ErrorBehaviour,
        SubmittedBy = capture.SubmittedBy,
        LeaseToken = capture.LeaseToken!.Value,
        Sha256 = capture.Sha256,
        Length = capture.Length,
        ContentEncoding = capture.ContentEncoding,
        ReceivedAt = capture.Now,
        Mapping = capture.Mapping,
        RunId = capture.RunId,
    };

    /// <summary>Claims the oldest open capture; the attempt is counted and committed before any work.</summary>
    public static async Task<CaptureLease?> ClaimAsync(GatewayDatabase database, Actor actor, TimeSpan lease, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var claimed = await work.Connection.QuerySingleOrDefaultAsync<CaptureLease>("""
            update capture c set attempts = attempts + 1, lease_token = gen_random_uuid(), lease_until = gateway_now() + @lease
            from document d
            where d.document_id = c.document_id and c.capture_id = (
                select capture_id from capture where state = 'processing' and (lease_until is null or lease_until < gateway_now())
                order by lease_until nulls first, capture_id limit 1 for update skip locked)
            returning c.capture_id as CaptureId, c.public_id as PublicId, c.document_id as DocumentId, c.party_id as PartyId, c.error_behaviour as ErrorBehaviour,
                c.submitted_by as SubmittedBy, c.attempts, c.lease_token as LeaseToken, d.sha256, d.length, d.content_encoding as ContentEncoding, d.received_at as ReceivedAt, c.traceparent as TraceParent, c.prefixes, c.sites, c.mapping, c.run_id as RunId
            """, new { lease }, work.Transaction);
        await work.CommitAsync();
        return claimed;
    }

    /// <summary>Renews at a third of the lease until cancelled; cancels the work when the lease is no longer held.</summary>
    /// <param name="missed">Told of a renewal that failed; the next is tried all the same.</param>
    public async Task BeatAsync(GatewayDatabase database, Actor actor, TimeSpan lease, CancellationTokenSource working, Action<Exception> missed)
    {
        try
        {
            while (true)
            {
                await Task.Delay(lease / 3, working.Token);
                try
                {
                    if (!await RenewAsync(database, actor, lease, working.Token))
                    {
                        await working.CancelAsync();
                    }
                }
                catch (Exception e) when (!working.IsCancellationRequested)
                {
                    // A third of the lease is gone, not the lease: one lost connection must not end the renewing of a long document.
                    missed(e);
                }
            }
        }
        catch (Exception) when (working.IsCancellationRequested)
        {
            // The work has ended, or the lease has; a renewal cut short by that is no fault.
        }
    }

    /// <returns>False when the lease is no longer held.</returns>
    private async Task<bool> RenewAsync(GatewayDatabase database, Actor actor, TimeSpan lease, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var held = await work.Connection.ExecuteAsync("""
            update capture set lease_until = gateway_now() + @lease where capture_id = @CaptureId and lease_token = @LeaseToken and state = 'processing'
            """, new { lease, CaptureId, LeaseToken }, work.Transaction);
        await work.CommitAsync();
        return held > 0;
    }

    /// <summary>Sets the outcome in the caller's transaction, if the lease is still held.</summary>
    /// <param name="heldTo">The rules that decided; none when no verdict was reached.</param>
    public Task FinishAsync(Work work, string state, string? form, int events, string? heldTo) => FinishAsync(work, [(this, state, form, events, null)], heldTo, at: null);

    /// <summary>The same of several captures.</summary>
    /// <exception cref="Npgsql.PostgresException">Unique violation: another capture has the identity by now.</exception>
    /// <param name="at">When they are finished; null: now.</param>
    public static async Task FinishAsync(Work work, IReadOnlyCollection<(CaptureLease Lease, string State, string? Form, int Events, byte[]? Identity)> outcomes, string? heldTo, DateTime? at)
    {
        var changed = await work.Connection.ExecuteAsync("""
            update capture c set state = o.state, form = o.form, event_count = o.events, identity = o.identity, held_to = @heldTo, finished_at = coalesce(@at::timestamptz, gateway_now()), lease_token = null, lease_until = null
            from unnest(@captures, @tokens, @states, @forms, @events, @identities) as o (capture_id, token, state, form, events, identity)
            where c.capture_id = o.capture_id and c.lease_token = o.token and c.state = 'processing'
            """, new
        {
            heldTo, at, captures = outcomes.Select(o => o.Lease.CaptureId).ToArray(), tokens = outcomes.Select(o => o.Lease.LeaseToken).ToArray(),
            states = outcomes.Select(o => o.State).ToArray(), forms = outcomes.Select(o => o.Form).ToArray(), events = outcomes.Select(o => o.Events).ToArray(), identities = outcomes.Select(o => o.Identity).ToArray(),
        }, work.Transaction);
        if (changed != outcomes.Count)
        {
            throw new LeaseLostException();
        }
    }

    /// <summary>Gives the capture back: at once, or after a wait when the turn failed, so that a short disturbance does not use up every attempt.</summary>
    /// <param name="uncount">True when the turn ended for no fault of the document.</param>
    public async Task ReleaseAsync(GatewayDatabase database, Actor actor, bool uncount)
    {
        await using var work = await database.BeginAsync(actor, CancellationToken.None);
        await work.Connection.ExecuteAsync("""
            update capture set lease_until = case when @back = 0 then gateway_now() + attempts * interval '20 s' end, lease_token = null, attempts = attempts - @back where capture_id = @CaptureId and lease_token = @LeaseToken and state = 'processing'
            """, new { back = uncount ? 1 : 0, CaptureId, LeaseToken }, work.Transaction);
        await work.CommitAsync();
    }
}
