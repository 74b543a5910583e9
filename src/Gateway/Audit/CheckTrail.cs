using Dapper;
using Gateway.Access;
using Gateway.Alarms;
using Gateway.Database;
using Npgsql;

namespace Gateway.Audit;

/// <summary>How far a check has come, and what it has found.</summary>
/// <param name="Documents">Originals whose bytes hash to what their entries say.</param>
/// <param name="IsDone">Nothing more is looked at.</param>
/// <param name="Fault">The first that is not as it was sealed, as a sentence; null: none so far.</param>
public sealed record TrailCheck(long Leaves, long Of, long Checkpoints, long Documents, bool IsDone, string? Fault);

/// <summary>How the trail stands.</summary>
/// <param name="Leaves">How many entries of the epoch are sealed.</param>
/// <param name="SealedAt">When the last were.</param>
/// <param name="SignedAt">Of the newest checkpoint or heartbeat; null before the first.</param>
/// <param name="Waiting">Entries that are not sealed yet; at most 10,000 are counted.</param>
/// <param name="OldestWaiting">When the oldest of them was recorded.</param>
public sealed record TrailState(int Epoch, long Leaves, byte[] Root, DateTime SealedAt, DateTime? SignedAt, string? Note, long Waiting, DateTime? OldestWaiting)
{
    public string Key => Note is null ? "" : SignedNote.NamedSigner(Note);
}

/// <summary>
/// Reads the whole trail and every original document and makes each signed root anew, while they are in use. It asks the database that it checks, and believes the
/// running program: what convinces a stranger is an export and <c>gateway verify</c>.
/// </summary>
public sealed class CheckTrail(GatewayDatabase database, SealKey key)
{
    private const int AtOnce = 5_000;

    // Larger ones are hashed by exports, a piece at a time.
    private const long LargestDocument = 64 << 20;

    /// <summary>Entries are sealed within seconds, unless a transaction that began before them is still open; so long is none.</summary>
    internal static AlarmCondition Behind { get; } = AlarmCondition.Of("alarm.sealing", AlarmSeverity.Error, "entries of the audit trail that are not sealed", """
        select 'audit trail' as Subject, 'Entries of the audit trail are not sealed since ' || to_char(e.recorded_at, 'YYYY-MM-DD HH24:MI:SS') || ' UTC.' as Sentence, 'audit' as Link, e.recorded_at as Since, null::text as Severity
        from (select horizon, sealed_at from audit_seal order by epoch desc, size desc limit 1) s
        cross join lateral (select recorded_at from audit_entry where txid >= s.horizon order by txid, ord limit 1) e cross join installation i
        -- What is written into the past of a demonstration has waited since the last seal at most.
        where greatest(e.recorded_at, case when i.kind <> 'live' then s.sealed_at end) < gateway_now() - interval '1 minute'
        """);

    public async Task<TrailState> StateAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await work.Connection.QuerySingleAsync<TrailState>(new CommandDefinition("""
            select s.epoch as Epoch, s.size as Leaves, s.root as Root, s.sealed_at as SealedAt, n.signed_at as SignedAt, n.text as Note, w.Waiting, w.OldestWaiting
            from (select * from audit_seal order by epoch desc, size desc limit 1) s
            left join lateral (select signed_at, text from (select signed_at, text from audit_checkpoint c where (c.epoch, c.size) = (select epoch, size from audit_checkpoint order by epoch desc, size desc limit 1)
                union all select signed_at, text from audit_heartbeat) x order by signed_at desc limit 1) n on true
            cross join lateral (select count(*) as Waiting, min(recorded_at) as OldestWaiting from (select recorded_at from audit_entry where txid >= s.horizon order by txid, ord limit 10000) e) w
            """, transaction: work.Transaction, cancellationToken: ct));
    }

    /// <summary>Checks every epoch up to its newest checkpoint; who asked and what was found is recorded.</summary>
    /// <param name="tell">Told how far it has come.</param>
    public async Task<TrailCheck> RunAsync(Actor actor, Func<TrailCheck, Task> tell, CancellationToken ct)
    {
        var epochs = await EpochsAsync(actor, ct);
        var check = new TrailCheck(0, epochs.Sum(e => e.Size), 0, 0, false, null);
        var keys = await KeysAsync(actor, ct);
        foreach (var (epoch, size) in epochs)
        {
            var frontier = new MerkleFrontier();
            while (frontier.Size < size && check.Fault is null)
            {
                check = await GoOnAsync(actor, keys, epoch, size, frontier, check, ct);
                await tell(check);
            }
        }
        check = await DocumentsAsync(actor, check, tell, ct);
        await using var work = await database.BeginAsync(actor, ct);
        await work.AuditAsync("verify", "audit_trail", check.Fault ?? $"{check.Leaves} leaves, {check.Checkpoints} checkpoints and {check.Documents} documents are as they were sealed");
        await work.CommitAsync();
        check = check with { IsDone = true };
        await tell(check);
        return check;
    }

    private async Task<TrailCheck> DocumentsAsync(Actor actor, TrailCheck check, Func<TrailCheck, Task> tell, CancellationToken ct)
    {
        await using (var look = await database.BeginAsync(actor, ct))
        {
            var gone = await look.Connection.ExecuteScalarAsync<string?>(new CommandDefinition(
                "select min(entity_key) from audit_entry a where entity = 'capture' and new ? 'sha256' and not exists (select from capture c where c.public_id::text = a.entity_key)", transaction: look.Transaction, commandTimeout: 0, cancellationToken: ct));
            check = gone is null ? check : check with { Fault = $"Capture {gone}, of which the trail tells, is gone." };
        }
        for (long after = 0; check.Fault is null;)
        {
            await using var work = await database.BeginAsync(actor, ct);
            var (count, wrong) = await work.Connection.QuerySingleAsync<(long, string?)>(new CommandDefinition("""
                select count(*), min(n.public_id::text) filter (where n.now is distinct from n.said) from (
                    select c.public_id, a.new ->> 'sha256' as said,
                        encode(sha256((select string_agg(k.bytes, ''::bytea order by k.ordinal) from document_chunk k where k.document_id = c.document_id)), 'hex') as now
                    from (select * from capture where capture_id > @after order by capture_id limit 200) c join document d using (document_id)
                    join lateral (select new from audit_entry where entity = 'capture' and entity_key = c.public_id::text and new ? 'sha256' order by ord limit 1) a on true
                    where d.length <= @LargestDocument) n
                """, new { after, LargestDocument }, work.Transaction, 0, cancellationToken: ct));
            var end = await work.Connection.ExecuteScalarAsync<long?>(new CommandDefinition("select max(capture_id) from (select capture_id from capture where capture_id > @after order by capture_id limit 200) c", new { after }, work.Transaction, cancellationToken: ct));
            if (end is null)
            {
                return check;
            }
            (after, check) = (end.Value, check with { Documents = check.Documents + count, Fault = wrong is null ? null : $"The original document of capture {wrong} is not the one that was received." });
            await tell(check);
        }
        return check;
    }

    private async Task<IReadOnlyList<(int Epoch, long Size)>> EpochsAsync(Actor actor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        return (await work.Connection.QueryAsync<(int, long)>(new CommandDefinition("select epoch, max(size) from audit_checkpoint group by 1 order by 1", transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    private async Task<TrustedKeys> KeysAsync(Actor actor, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var keys = new TrustedKeys();
        foreach (var pem in (await work.Connection.QueryAsync<string>(new CommandDefinition("select public_pem from audit_key", transaction: work.Transaction, cancellationToken: ct))).Append(key.PublicPem))
        {
            keys.Add(pem);
        }
        return keys;
    }

    private async Task<TrailCheck> GoOnAsync(Actor actor, TrustedKeys keys, int epoch, long size, MerkleFrontier frontier, TrailCheck check, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor, ct);
        var end = Math.Min(frontier.Size + AtOnce, size);
        var notes = new Queue<(long Size, string Text)>(await work.Connection.QueryAsync<(long, string)>(new CommandDefinition(
            "select size, text from audit_checkpoint where epoch = @epoch and size > @Size and size <= @end order by size", new { epoch, frontier.Size, end }, work.Transaction, cancellationToken: ct)));
        await using var select = new NpgsqlCommand($"""
            select l.leaf, l.ord, a.canonical, a.canonical is not null and sha256('\x00'::bytea || a.canonical) = l.hash, convert_to({TrailExport.ColumnsOf("convert_from(a.canonical, 'UTF8')::jsonb ? 'ord'")}, 'UTF8') = a.canonical, l.hash
            from audit_leaf l left join audit_entry a using (ord) where l.epoch = $1 and l.leaf >= $2 and l.leaf < $3 order by l.leaf
            """, work.Connection, work.Transaction) { Parameters = { new() { Value = epoch }, new() { Value = frontier.Size }, new() { Value = end } } };
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var (leaf, ord) = (rows.GetInt64(0), rows.GetInt64(1));
            var fault = leaf != frontier.Size ? $"Leaf {frontier.Size} of epoch {epoch} is gone."
                : await rows.IsDBNullAsync(2, ct) ? $"Entry {ord}, leaf {leaf} of epoch {epoch}, is gone."
                : !rows.GetBoolean(3) ? $"Entry {ord}, leaf {leaf} of epoch {epoch}, does not have the bytes that were sealed."
                : !rows.GetBoolean(4) ? $"Entry {ord}, leaf {leaf} of epoch {epoch}, says in its columns what was not sealed."
                : null;
            if (fault is not null)
            {
                return check with { Fault = fault };
            }
            frontier.Add(rows.GetFieldValue<byte[]>(5));
            check = check with { Leaves = check.Leaves + 1 };
            if (notes.TryPeek(out var note) && note.Size == frontier.Size)
            {
                notes.Dequeue();
                if (Checkpoint.Parse(note.Text) is not { } said || !said.Root.AsSpan().SequenceEqual(frontier.Root()) || Checkpoint.Read(note.Text, keys.Find, out _) is null)
                {
                    return check with { Fault = $"The leaves of epoch {epoch} up to {note.Size - 1} do not have the root that was signed." };
                }
                check = check with { Checkpoints = check.Checkpoints + 1 };
            }
        }
        return frontier.Size < end ? check with { Fault = $"Leaf {frontier.Size} of epoch {epoch} is gone." } : check;
    }
}
