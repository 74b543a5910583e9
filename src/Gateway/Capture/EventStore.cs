using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Epcis;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Database;
using Gateway.Units;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Capture;

/// <summary>Writes the events of one capture in its transaction: identities set-based, rows by binary COPY into the year's partitions.</summary>
internal sealed class EventStore(Work work, CaptureLease lease, DateTime recordTime, UnitLedger ledger) : IDisposable
{
    private const string EventColumns = "event_id, period, party_id, event_uri, event_type, action, event_time, record_time, biz_step, disposition, read_point, biz_location, told_again, body";
    private readonly HashSet<int> _toldAgain = [];
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public int Count { get; private set; }

    /// <summary>Some events were stored already, under an earlier capture.</summary>
    public bool HasRepeats { get; private set; }

    /// <summary>The year whose partitions hold the events.</summary>
    public short Period { get; } = (short)recordTime.Year;

    public Shipments Shipments { get; } = new();
    public long FirstEventId => lease.CaptureId << 20;
    public long LastEventId { get; private set; } = lease.CaptureId << 20;

    /// <summary>Over the eventIDs of the stored events, in document order.</summary>
    public string Digest() => Convert.ToHexStringLower(_digest.GetCurrentHash());

    public async Task StoreAsync(IReadOnlyList<ParsedEvent> parsed, Findings findings, CancellationToken ct)
    {
        var events = await WithoutRepeatsAsync(parsed, findings);
        if (events.Count == 0)
        {
            return;
        }
        await using (var epcs = await work.Connection.BeginBinaryImportAsync($"copy event_epc_y{Period} (event_id, party_id, period, role, epc) from stdin (format binary)", ct))
        {
            foreach (var e in events)
            {
                foreach (var (role, epc) in e.Epcs)
                {
                    await epcs.StartRowAsync(ct);
                    await epcs.WriteAsync(IdOf(e), NpgsqlDbType.Bigint, ct);
                    await epcs.WriteAsync(lease.PartyId, NpgsqlDbType.Integer, ct);
                    await epcs.WriteAsync(Period, NpgsqlDbType.Smallint, ct);
                    await epcs.WriteAsync(role, NpgsqlDbType.Smallint, ct);
                    await epcs.WriteAsync(epc, NpgsqlDbType.Text, ct);
                }
            }
            await epcs.CompleteAsync(ct);
        }
        await using var rows = await work.Connection.BeginBinaryImportAsync($"copy event_y{Period} ({EventColumns}) from stdin (format binary)", ct);
        foreach (var e in events)
        {
            await WriteRowAsync(rows, e, ct);
            _digest.AppendData(Encoding.UTF8.GetBytes((e.Event.EventId ?? "") + "\n"));
            Shipments.See(IdOf(e), e.Event);
            LastEventId = IdOf(e);
        }
        await rows.CompleteAsync(ct);
        await rows.DisposeAsync(); // the connection is busy with it until then
        Count += events.Count;
        var said = events.Where(e => !_toldAgain.Contains(e.Event.Index)).ToDictionary(IdOf);
        foreach (var finding in await ledger.ApplyAsync([.. said.Select(e => new LedgerEvent(e.Value.Event, e.Key) { PartyId = lease.PartyId, RecordedAt = recordTime })], ct))
        {
            findings.Add(await CaptureExceptions.OpenAsync(work, lease.Source, finding, said.GetValueOrDefault(finding.Number)?.Event));
        }
    }

    /// <summary>Writes what the ledger has kept back until all events are known.</summary>
    /// <exception cref="PostgresException">Deadlock or exclusion violation: other captures touch the same units.</exception>
    public Task CompleteAsync(CancellationToken ct) => ledger.FlushAsync(ct);

    public void Dispose() => _digest.Dispose();

    private long IdOf(ParsedEvent e) => (lease.CaptureId << 20) + e.Event.Index;

    private async Task WriteRowAsync(NpgsqlBinaryImporter rows, ParsedEvent parsed, CancellationToken ct)
    {
        var e = parsed.Event;
        await rows.StartRowAsync(ct);
        await rows.WriteAsync(IdOf(parsed), NpgsqlDbType.Bigint, ct);
        await rows.WriteAsync(Period, NpgsqlDbType.Smallint, ct);
        await rows.WriteAsync(lease.PartyId, NpgsqlDbType.Integer, ct);
        await TextAsync(e.EventId);
        await TextAsync(e.EventType);
        await TextAsync(e.Action?.ToString().ToUpperInvariant());
        await rows.WriteAsync(e.EventTime!.Value.UtcDateTime, NpgsqlDbType.TimestampTz, ct);
        await rows.WriteAsync(recordTime, NpgsqlDbType.TimestampTz, ct);
        await TextAsync(e.BizStep is null ? null : CbvTerms.ToBare(CbvVocabulary.BizStep, e.BizStep));
        await TextAsync(e.Disposition is null ? null : CbvTerms.ToBare(CbvVocabulary.Disposition, e.Disposition));
        await TextAsync(e.ReadPoint?.Id);
        await TextAsync(e.BizLocation?.Id);
        await rows.WriteAsync(_toldAgain.Contains(e.Index), NpgsqlDbType.Boolean, ct);
        await rows.WriteAsync(parsed.Body, NpgsqlDbType.Text, ct);

        Task TextAsync(string? text) => text is null ? rows.WriteNullAsync(ct) : rows.WriteAsync(CaptureRecords.Storable(text)!, NpgsqlDbType.Text, ct);
    }

    /// <summary>
    /// An eventID means one content of its party: the same again is no news, another content is not believed. What another
    /// party says under the id keeps nothing out. All is told.
    /// </summary>
    private async Task<IReadOnlyList<ParsedEvent>> WithoutRepeatsAsync(IReadOnlyList<ParsedEvent> events, Findings findings)
    {
        var named = events.Where(e => e.Event.EventId is not null).ToList();
        var unclaimed = await ClaimAsync(named, first: true);
        if (unclaimed.Count == 0)
        {
            return events;
        }
        var inUse = await CompareAsync(unclaimed, first: true);
        var own = inUse.Where(x => x.Claim.IsOwn).ToList();
        var others = inUse.Where(x => !x.Claim.IsOwn).ToList();
        own.AddRange(await CompareAsync(await ClaimAsync([.. others.Select(x => x.Event)], first: false), first: false));
        var repeats = own.Select(x => x.Event).ToHashSet();
        HasRepeats |= repeats.Count > 0;
        var told = own.Select(x => (x.Event, Finding: Repeat(x.Event.Event, x.Claim.IsSame))).Concat(others.Where(x => !x.Claim.IsSame && !repeats.Contains(x.Event)).Select(x => (x.Event,
            Finding: Told("GW-EVT-03", Severity.Warning, x.Event.Event, "This eventID is in use elsewhere with other content. The event is stored; an eventID should be unique in the world.")))).ToList();
        told.ForEach(t => findings.Add(t.Finding));
        _toldAgain.UnionWith(others.Where(x => x.Claim.IsSame && !repeats.Contains(x.Event)).Select(x => x.Event.Event.Index));
        // Which of two contents is true, only a person can find out.
        foreach (var doubtful in told.Where(t => t.Finding.Severity == Severity.Warning).GroupBy(t => t.Finding.Code))
        {
            await CaptureExceptions.OpenAsync(work, lease.Source, doubtful.First().Finding, [.. doubtful.Select(t => t.Event)]);
        }
        return [.. events.Where(e => !repeats.Contains(e))];
    }

    /// <param name="first">Claims the id in the world, else beside another party that did.</param>
    /// <returns>The events whose id has this claim already.</returns>
    private async Task<List<ParsedEvent>> ClaimAsync(IReadOnlyList<ParsedEvent> events, bool first)
    {
        if (events.Count == 0)
        {
            return [];
        }
        // In the order of the key, so that captures with the same events meet in one order.
        var claimed = (await work.Connection.QueryAsync<long>("""
            insert into event_identity (event_uri, declared_at, content_hash, event_id, party_id, claim)
            select *, @party, @claim from unnest(@uris, @declared, @contents, @ids) as n(event_uri, declared_at, content_hash, event_id) order by 1, 2, 4
            on conflict do nothing returning event_id
            """, Keys(events, first), work.Transaction)).ToHashSet();
        return [.. events.Where(e => !claimed.Contains(IdOf(e)))];
    }

    private async Task<List<(ParsedEvent Event, Claim Claim)>> CompareAsync(IReadOnlyList<ParsedEvent> events, bool first)
    {
        if (events.Count == 0)
        {
            return [];
        }
        var claims = (await work.Connection.QueryAsync<Claim>("""
            select n.event_id as EventId, i.party_id = @party as IsOwn, coalesce(i.content_hash = n.content_hash, true) as IsSame
            from unnest(@uris, @declared, @contents, @ids) as n(event_uri, declared_at, content_hash, event_id)
            join event_identity i on i.event_uri = n.event_uri and i.declared_at = n.declared_at and i.claim = @claim
            """, Keys(events, first), work.Transaction)).ToDictionary(c => c.EventId);
        return [.. events.Select(e => (e, claims[IdOf(e)]))];
    }

    private object Keys(IReadOnlyList<ParsedEvent> events, bool first) => new
    {
        uris = events.Select(e => CaptureRecords.Storable(e.Event.EventId)!).ToArray(),
        declared = events.Select(DeclaredAt).ToArray(),
        contents = events.Select(e => e.Content).ToArray(),
        ids = events.Select(IdOf).ToArray(),
        party = lease.PartyId,
        claim = first ? 0 : lease.PartyId,
    };

    private static string DeclaredAt(ParsedEvent e) => e.Event.ErrorDeclaration is not { } declaration ? ""
        : declaration.DeclarationTime?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) ?? CaptureRecords.Storable(declaration.DeclarationTimeText) ?? "";

    private static Finding Repeat(EpcisEvent e, bool isSame) => isSame
        ? Told("GW-EVT-01", Severity.Info, e, "An event with this eventID and content is stored already; it is not stored again.")
        : Told("GW-EVT-02", Severity.Warning, e, "An event with this eventID and other content is stored already; the first is kept.");

    private static Finding Told(string code, Severity severity, EpcisEvent e, string message) =>
        new(code, severity, message) { Event = e.Index, EventId = e.EventId, Where = e.Place, Clause = "EPCIS 2.0, eventID" };

    private sealed record Claim(long EventId, bool IsOwn, bool IsSame);
}
