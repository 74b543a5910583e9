using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Epcis;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Capture;

/// <summary>An event of a capture that is being stored.</summary>
/// <param name="findings">Those of its document.</param>
internal sealed class NewEvent(EventStore of, ParsedEvent parsed, Findings findings)
{
    public EventStore Of { get; } = of;
    public ParsedEvent Parsed { get; } = parsed;
    public Findings Findings { get; } = findings;

    /// <summary>Another party told the same under the same eventID before; what it says of units is said.</summary>
    public bool IsToldAgain { get; set; }

    public long Id { get; } = of.IdOf(parsed);

    /// <summary>Its identifiers that are looked up in another spelling, as a JSON object; null when there are none.</summary>
    public string? Keys => Parsed.Respelled is null ? null : JsonSerializer.Serialize(Parsed.Respelled);

    /// <summary>What of it is looked up by columns.</summary>
    public EventRow Row => new(
        CaptureRecords.Storable(Parsed.Event.EventId), CaptureRecords.Storable(Parsed.Event.EventType)!, Parsed.Event.Action?.ToString().ToUpperInvariant(), Parsed.Event.EventTime!.Value.UtcDateTime,
        Bare(CbvVocabulary.BizStep, Parsed.Event.BizStep), Bare(CbvVocabulary.Disposition, Parsed.Event.Disposition), CaptureRecords.Storable(Parsed.Event.ReadPoint?.Id), CaptureRecords.Storable(Parsed.Event.BizLocation?.Id));

    private static string? Bare(CbvVocabulary vocabulary, string? term) => term is null ? null : CaptureRecords.Storable(CbvTerms.ToBare(vocabulary, term));
}

internal readonly record struct EventRow(string? Uri, string Type, string? Action, DateTime Time, string? BizStep, string? Disposition, string? ReadPoint, string? BizLocation);

/// <summary>
/// Writes the events of one capture in its transaction: identities set-based, rows straight into the year's partitions, by binary
/// COPY or, when they are few, in one round trip.
/// </summary>
internal sealed class EventStore(Work work, CaptureLease lease, DateTime recordTime, UnitLedger ledger, CaptureNumbers? numbers, TimeSpan lateAfter) : IDisposable
{
    private const string EventColumns = "event_id, period, party_id, event_uri, event_type, action, event_time, record_time, biz_step, disposition, read_point, biz_location, told_again, internal, keys, body";
    private const int Few = 500;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public int Count { get; private set; }

    /// <summary>Some events were stored already, under an earlier capture.</summary>
    public bool HasRepeats { get; private set; }

    public UnitLedger Ledger => ledger;
    public ExceptionSource Source => lease.Source;
    public int PartyId => lease.PartyId;
    public DateTime RecordTime => recordTime;

    /// <summary>The year whose partitions hold the events.</summary>
    public short Period { get; } = (short)recordTime.Year;

    public Shipments Shipments { get; } = new();

    /// <summary>Of the events that are stored.</summary>
    public EventTimes Times { get; } = new(lease.ReceivedAt, lateAfter);

    public long FirstEventId => lease.CaptureId << 20;
    public long LastEventId { get; private set; } = lease.CaptureId << 20;

    /// <summary>Over the eventIDs of the stored events, in document order.</summary>
    public string Digest() => Convert.ToHexStringLower(_digest.GetCurrentHash());

    public Task StoreAsync(IReadOnlyList<ParsedEvent> parsed, Findings findings, CancellationToken ct) => StoreAsync(work, [.. parsed.Select(e => new NewEvent(this, e, findings))], ct);

    /// <summary>Stores events of several captures of one party and time, in their order.</summary>
    public static async Task StoreAsync(Work work, IReadOnlyList<NewEvent> all, CancellationToken ct)
    {
        var events = await WithoutRepeatsAsync(work, all);
        if (events.Count == 0)
        {
            return;
        }
        await (events.Sum(e => 1 + e.Parsed.Epcs.Count) <= Few ? InsertAsync(work, events) : CopyAsync(work, events, ct));
        foreach (var e in events)
        {
            e.Of.Note(e.Parsed);
        }
        await ApplyAsync(work, events, ct);
    }

    /// <summary>Tells the ledger what the stored events say of units, and their documents what it finds.</summary>
    private static async Task ApplyAsync(Work work, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        var said = events.Where(e => !e.IsToldAgain).ToDictionary(e => e.Id);
        var of = events[0].Of;
        List<LedgerEvent> heard = [.. said.Select(e => new LedgerEvent(e.Value.Parsed.Event, e.Key) { PartyId = of.PartyId, RecordedAt = of.RecordTime })];
        await of.TellNumbersAsync(work, heard, ct);
        foreach (var finding in await of.Ledger.ApplyAsync(heard, ct))
        {
            var e = said.GetValueOrDefault(finding.Number);
            if (e is null && events.Any(x => x.Of != of))
            {
                throw new InvalidOperationException("What is found of an earlier event is told with the capture that came before it, and here are several.");
            }
            (e ?? events[0]).Findings.Add(await CaptureExceptions.OpenAsync(work, (e ?? events[0]).Of.Source, finding, e?.Parsed.Event));
        }
    }

    private async Task TellNumbersAsync(Work work, IReadOnlyList<LedgerEvent> events, CancellationToken ct)
    {
        if (numbers is null || !await numbers.AreAny(work, ct))
        {
            return;
        }
        var facts = events.SelectMany(EventFacts.Of).ToLookup(f => f.Kind, f => f.Epcs);
        var told = new ToldNumbers(Of(FactKind.Encode, FactKind.Scrap, FactKind.Commission), Of(FactKind.Unused), Of(FactKind.Void));
        if (told.Encoded.Count + told.Unused.Count + told.Voided.Count > 0)
        {
            await numbers.Tell(work, told, ct);
        }

        List<string> Of(params FactKind[] kinds) => [.. kinds.SelectMany(k => facts[k]).SelectMany(e => e).Select(UnitKey.Of).OfType<string>()];
    }

    /// <summary>Writes what the ledger has kept back until all events are known.</summary>
    /// <exception cref="PostgresException">Deadlock or unique violation: other captures touch the same units.</exception>
    public Task CompleteAsync(CancellationToken ct) => ledger.FlushAsync(ct);

    public void Dispose() => _digest.Dispose();

    public long IdOf(ParsedEvent e) => (lease.CaptureId << 20) + e.Event.Index;

    private void Note(ParsedEvent e)
    {
        _digest.AppendData(Encoding.UTF8.GetBytes((e.Event.EventId ?? "") + "\n"));
        Shipments.See(IdOf(e), e.Event);
        Times.See(e.Event);
        LastEventId = IdOf(e);
        Count++;
    }

    private static Task InsertAsync(Work work, IReadOnlyList<NewEvent> events)
    {
        var (of, rows, epcs) = (events[0].Of, events.Select(e => e.Row).ToList(), events.SelectMany(e => e.Parsed.Epcs.Select(x => (e.Id, x.Role, x.Epc))).ToList());
        var classes = events.SelectMany(e => e.Parsed.Classes.Select(c => (e.Id, c.Role, c.Class))).ToList();
        return work.Connection.ExecuteAsync($"""
            insert into event_epc_y{of.Period} (event_id, party_id, period, role, epc) select event_id, @party, @period, role, epc from unnest(@epcEvents, @roles, @epcs) as n (event_id, role, epc);
            insert into event_class_y{of.Period} (event_id, party_id, period, role, class) select event_id, @party, @period, role, class from unnest(@classEvents, @classRoles, @classes) as n (event_id, role, class);
            insert into event_y{of.Period} ({EventColumns})
            select event_id, @period, @party, uri, type, action, at, @recordTime, biz_step, disposition, read_point, biz_location, told_again, internal, keys::jsonb, body
            from unnest(@ids, @uris, @types, @actions, @times, @steps, @dispositions, @readPoints, @locations, @told, @internal, @keys, @bodies) as n (event_id, uri, type, action, at, biz_step, disposition, read_point, biz_location, told_again, internal, keys, body)
            """, new
        {
            party = of.PartyId, period = of.Period, recordTime = of.RecordTime,
            epcEvents = epcs.Select(x => x.Id).ToArray(), roles = epcs.Select(x => x.Role).ToArray(), epcs = epcs.Select(x => x.Epc).ToArray(),
            classEvents = classes.Select(c => c.Id).ToArray(), classRoles = classes.Select(c => c.Role).ToArray(), classes = classes.Select(c => c.Class).ToArray(),
            ids = events.Select(e => e.Id).ToArray(), uris = rows.Select(r => r.Uri).ToArray(), types = rows.Select(r => r.Type).ToArray(), actions = rows.Select(r => r.Action).ToArray(),
            times = rows.Select(r => r.Time).ToArray(), steps = rows.Select(r => r.BizStep).ToArray(), dispositions = rows.Select(r => r.Disposition).ToArray(),
            readPoints = rows.Select(r => r.ReadPoint).ToArray(), locations = rows.Select(r => r.BizLocation).ToArray(), told = events.Select(e => e.IsToldAgain).ToArray(), @internal = events.Select(e => EventFacts.IsInternal(e.Parsed.Event)).ToArray(), keys = events.Select(e => e.Keys).ToArray(), bodies = events.Select(e => Encoding.UTF8.GetString(e.Parsed.Body)).ToArray(),
        }, work.Transaction);
    }

    private static async Task CopyAsync(Work work, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        var period = events[0].Of.Period;
        await CopyNamesAsync(work, $"event_epc_y{period}", "epc", events, e => e.Parsed.Epcs, ct);
        await CopyNamesAsync(work, $"event_class_y{period}", "class", events, e => e.Parsed.Classes, ct);
        await using var rows = await work.Connection.BeginBinaryImportAsync($"copy event_y{period} ({EventColumns}) from stdin (format binary)", ct);
        foreach (var e in events)
        {
            await WriteRowAsync(rows, e, ct);
        }
        await rows.CompleteAsync(ct);
    }

    private static async Task CopyNamesAsync(Work work, string table, string column, IReadOnlyList<NewEvent> events, Func<NewEvent, IReadOnlyList<(short Role, string Name)>> names, CancellationToken ct)
    {
        await using var copy = await BinaryCopy.BeginAsync(work, table, $"event_id, party_id, period, role, {column}", ct);
        foreach (var e in events)
        {
            foreach (var (role, name) in names(e))
            {
                await copy.StartRowAsync(ct);
                copy.Write(e.Id);
                copy.Write(e.Of.PartyId);
                copy.Write(e.Of.Period);
                copy.Write(role);
                copy.Write(name);
            }
        }
        await copy.CompleteAsync(ct);
    }

    private static async Task WriteRowAsync(NpgsqlBinaryImporter rows, NewEvent added, CancellationToken ct)
    {
        var row = added.Row;
        await rows.StartRowAsync(ct);
        await rows.WriteAsync(added.Id, NpgsqlDbType.Bigint, ct);
        await rows.WriteAsync(added.Of.Period, NpgsqlDbType.Smallint, ct);
        await rows.WriteAsync(added.Of.PartyId, NpgsqlDbType.Integer, ct);
        await TextAsync(row.Uri);
        await TextAsync(row.Type);
        await TextAsync(row.Action);
        await rows.WriteAsync(row.Time, NpgsqlDbType.TimestampTz, ct);
        await rows.WriteAsync(added.Of.RecordTime, NpgsqlDbType.TimestampTz, ct);
        await TextAsync(row.BizStep);
        await TextAsync(row.Disposition);
        await TextAsync(row.ReadPoint);
        await TextAsync(row.BizLocation);
        await rows.WriteAsync(added.IsToldAgain, NpgsqlDbType.Boolean, ct);
        await rows.WriteAsync(EventFacts.IsInternal(added.Parsed.Event), NpgsqlDbType.Boolean, ct);
        await (added.Keys is { } keys ? rows.WriteAsync(keys, NpgsqlDbType.Jsonb, ct) : rows.WriteNullAsync(ct));
        await rows.WriteAsync(added.Parsed.Body, NpgsqlDbType.Text, ct);

        Task TextAsync(string? text) => text is null ? rows.WriteNullAsync(ct) : rows.WriteAsync(text, NpgsqlDbType.Text, ct);
    }

    /// <summary>
    /// An eventID means one content of its party: the same again is no news, another content is not believed. What another
    /// party says under the id keeps nothing out. All is told.
    /// </summary>
    private static async Task<IReadOnlyList<NewEvent>> WithoutRepeatsAsync(Work work, IReadOnlyList<NewEvent> events)
    {
        var named = events.Where(e => e.Parsed.Event.EventId is not null).ToList();
        var unclaimed = await ClaimAsync(work, named, first: true);
        if (unclaimed.Count == 0)
        {
            return events;
        }
        var inUse = await CompareAsync(work, unclaimed, first: true);
        var own = inUse.Where(x => x.Claim.IsOwn).ToList();
        var others = inUse.Where(x => !x.Claim.IsOwn).ToList();
        own.AddRange(await CompareAsync(work, await ClaimAsync(work, [.. others.Select(x => x.Event)], first: false), first: false));
        var repeats = own.Select(x => x.Event).ToHashSet();
        foreach (var repeat in repeats)
        {
            repeat.Of.HasRepeats = true;
        }
        var told = own.Select(x => (x.Event, Finding: Repeat(x.Event.Parsed.Event, x.Claim.IsSame))).Concat(others.Where(x => !x.Claim.IsSame && !repeats.Contains(x.Event)).Select(x => (x.Event,
            Finding: Told("GW-EVT-03", Severity.Warning, x.Event.Parsed.Event, "This eventID is in use elsewhere with other content. The event is stored; an eventID should be unique in the world.")))).ToList();
        told.ForEach(t => t.Event.Findings.Add(t.Finding));
        foreach (var (again, _) in others.Where(x => x.Claim.IsSame && !repeats.Contains(x.Event)))
        {
            again.IsToldAgain = true;
        }
        // Which of two contents is true, only a person can find out.
        foreach (var doubtful in told.Where(t => t.Finding.Severity == Severity.Warning).GroupBy(t => (t.Event.Of.Source, t.Finding.Code)))
        {
            await CaptureExceptions.OpenAsync(work, doubtful.Key.Source, doubtful.First().Finding, [.. doubtful.Select(t => t.Event.Parsed)]);
        }
        return [.. events.Where(e => !repeats.Contains(e))];
    }

    /// <param name="first">Claims the id in the world, else beside another party that did.</param>
    /// <returns>The events whose id has this claim already.</returns>
    private static async Task<List<NewEvent>> ClaimAsync(Work work, IReadOnlyList<NewEvent> events, bool first)
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
        return [.. events.Where(e => !claimed.Contains(e.Id))];
    }

    private static async Task<List<(NewEvent Event, Claim Claim)>> CompareAsync(Work work, IReadOnlyList<NewEvent> events, bool first)
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
        return [.. events.Select(e => (e, claims[e.Id]))];
    }

    private static object Keys(IReadOnlyList<NewEvent> events, bool first) => new
    {
        uris = events.Select(e => CaptureRecords.Storable(e.Parsed.Event.EventId)!).ToArray(),
        declared = events.Select(e => DeclaredAt(e.Parsed)).ToArray(),
        contents = events.Select(e => e.Parsed.Content).ToArray(),
        ids = events.Select(e => e.Id).ToArray(),
        party = events[0].Of.PartyId,
        claim = first ? 0 : events[0].Of.PartyId,
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
