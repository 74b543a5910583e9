using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Audit;

/// <summary>
/// What of an epoch is exported. With the subtrees on both sides of its leaves the root of every checkpoint from the first leaf on
/// can be made anew, whichever period was asked for.
/// </summary>
/// <param name="From">The first leaf, and <paramref name="To"/> the one after the last.</param>
/// <param name="Size">How many leaves the newest checkpoint has.</param>
/// <param name="Left">The roots of the subtrees before the first leaf, in their order.</param>
/// <param name="Right">Of those after the last, up to the size.</param>
public sealed record ExportedEpoch(int Epoch, long From, long To, long Size, IReadOnlyList<byte[]> Left, IReadOnlyList<byte[]> Right);

/// <summary>A line of <c>documents.jsonl</c>.</summary>
/// <param name="Ord">The entry that says what the document was when it came.</param>
/// <param name="Sha256">Of the stored bytes as they are now, in hexadecimal digits; null when they are gone.</param>
public sealed record ExportedDocument(long Ord, string? Sha256);

/// <summary>A line of <c>signatures.jsonl</c>.</summary>
/// <param name="Ord">The entry of the signature; 0 when there is none.</param>
/// <param name="Record">The signature as it is now; null when it is gone.</param>
public sealed record ExportedSignature(long Ord, JsonElement? Record);

/// <summary>A line of <c>replaced-keys.jsonl</c>: the entry that announced a key, in the first tree that the key before it signed.</summary>
public sealed record KeyReplacement(byte[] Canonical, LeafProof Proof);

/// <summary>The head of an export.</summary>
/// <param name="HasDocuments">Whether the original documents were read again.</param>
/// <param name="HasSignatures">Whether the signatures of records are in it as they are kept beside the trail.</param>
/// <param name="HasOriginals">Whether the original documents are in it themselves.</param>
/// <param name="IsReadable">Whether it has pages for persons (<see cref="ReadableExport"/>).</param>
/// <param name="From">The period that was asked for, and <paramref name="To"/>; null: open. The leaves may reach beyond it, and never less far.</param>
public sealed record ExportHead(string Format, Guid Origin, DateTime? From, DateTime? To, IReadOnlyList<ExportedEpoch> Epochs, bool HasDocuments = false, bool HasSignatures = false, bool HasOriginals = false, bool IsReadable = false)
{
    public const string V1 = "gateway audit export v1";
}

/// <summary>
/// Writes a folder that proves itself: the entries of a period with the bytes that were sealed, the checkpoints, the public key, what
/// stands in the anchor file, and what is in the trail without being in the tree. <see cref="TrailVerifier"/> needs nothing else.
/// </summary>
public sealed class TrailExport(SealerDatabase sealer, GatewayDatabase gateway, SealKey key, AnchorFile anchor)
{
    internal const string Head = "export.json", Entries = "entries.jsonl", Checkpoints = "checkpoints.txt", Unsealed = "unsealed.jsonl", Anchors = "anchors.txt", Documents = "documents.jsonl", Signatures = "signatures.jsonl",
        Replacements = "replaced-keys.jsonl", Receipts = "receipts", Keys = "keys", Originals = "originals";

    private const int DocumentsAtOnce = 500;

    private static readonly Actor Reader = Actor.System("export");
    private static readonly byte[] s_newLine = "\n"u8.ToArray();

    private static readonly string s_columns = ColumnsOf("true");

    /// <summary>What of an entry is sealed, made anew from its columns.</summary>
    /// <param name="hasOrd">Whether its number is sealed with it, as a condition.</param>
    internal static string ColumnsOf(string hasOrd) => $"""
        canonical_json(jsonb_build_object('action', a.action, 'actor', a.actor, 'actorName', a.actor_name, 'actorRole', a.actor_role, 'at', to_char(a.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'correlation', a.correlation, 'entity', a.entity, 'key', a.entity_key, 'method', a.method, 'new', a.new, 'old', a.old, 'origin', a.origin, 'party', a.party_id::text, 'reason', a.reason, 'version', a.version)
            || case when {hasOrd} then jsonb_build_object('ord', a.ord) else jsonb_build_object() end)
        """;

    /// <param name="from">Entries recorded from then on; null: from the first.</param>
    /// <param name="to">Up to then; null: up to the last that is sealed.</param>
    /// <param name="withDocuments">Reads every original document of the period, so that a changed one is found.</param>
    /// <param name="withOriginals">Writes each original document of the period too, as it came.</param>
    /// <param name="readable">Writes pages for persons too.</param>
    /// <param name="directory">Made when it is not there; it must be empty.</param>
    /// <returns>How many entries were written.</returns>
    /// <exception cref="IOException">There is something in the directory, or it cannot be written.</exception>
    public async Task<long> WriteAsync(DateTime? from, DateTime? to, DirectoryInfo directory, CancellationToken ct, bool withDocuments = true, bool withOriginals = false, bool readable = false)
    {
        if (directory.Exists && directory.EnumerateFileSystemInfos().Any())
        {
            throw new IOException($"{directory.FullName} is not empty.");
        }
        // Names and addresses of every party are in it.
        Directory.CreateDirectory(directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Before anything is read, so that whatever stands in it must be in the export.
        if (File.Exists(anchor.Path))
        {
            File.Copy(anchor.Path, Path.Combine(directory.FullName, Anchors));
        }
        // One snapshot for all: while it is written, sealing goes on.
        await using var work = await sealer.Database.BeginAsync(Reader, ct, System.Data.IsolationLevel.RepeatableRead);
        await work.Connection.ExecuteAsync("set local idle_in_transaction_session_timeout = 0", transaction: work.Transaction);
        var epochs = new List<ExportedEpoch>();
        foreach (var (epoch, size) in await work.Connection.QueryAsync<(int, long)>("select epoch, max(size) from audit_checkpoint group by 1 order by 1", transaction: work.Transaction))
        {
            // By when roots were sealed, not by the entries: some may be gone. What was recorded before the period's end and committed late is added.
            var (begin, last) = await work.Connection.QuerySingleAsync<(long, long)>(new CommandDefinition("""
                select case when @from::timestamptz is null then 0 else coalesce((select max(size) from audit_seal where epoch = @epoch and size <= @size and sealed_at <= @from), 0) end,
                       case when @to::timestamptz is null then @size else least(@size, greatest(
                           coalesce((select min(size) from audit_seal where epoch = @epoch and sealed_at >= @to), @size),
                           (select max(leaf) + 1 from audit_leaf join audit_entry using (ord) where epoch = @epoch and recorded_at < @to))) end
                """, new { epoch, size, from, to }, work.Transaction, 0, cancellationToken: ct));
            last = Math.Max(begin, last);
            epochs.Add(new ExportedEpoch(epoch, begin, last, size, await SubtreesAsync(work, epoch, 0, begin, ct), await SubtreesAsync(work, epoch, last, size, ct)));
        }
        foreach (var file in (string[])[Entries, Signatures])
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, file), "", ct); // there also when no epoch has any
        }
        var origin = await work.Connection.QuerySingleAsync<Guid>("select id from installation", transaction: work.Transaction);
        long count = 0;
        foreach (var epoch in epochs)
        {
            count += await CopyAsync(work, Path.Combine(directory.FullName, Entries), $"""
                select json_build_object('epoch', l.epoch, 'leaf', l.leaf, 'ord', l.ord, 'hash', replace(encode(l.hash, 'base64'), e'\n', ''), 'canonical', replace(encode(a.canonical, 'base64'), e'\n', ''), 'columns', case when a.ord is not null then {s_columns}::json end)::text
                from audit_leaf l left join audit_entry a using (ord) where l.epoch = {epoch.Epoch} and l.leaf >= {epoch.From} and l.leaf < {epoch.To} order by l.leaf
                """, ct);
        }
        await using (var signed = await gateway.BeginAsync(Reader, ct))
        {
            await signed.Connection.ExecuteAsync("set local idle_in_transaction_session_timeout = 0", transaction: signed.Transaction);
            foreach (var epoch in epochs)
            {
                await CopyAsync(signed, Path.Combine(directory.FullName, Signatures), $"""
                    select json_build_object('ord', l.ord, 'record', to_json(to_jsonb(s)))::text
                    from audit_leaf l join audit_entry a using (ord) left join signature s on s.signature_id::text = a.entity_key
                    where l.epoch = {epoch.Epoch} and l.leaf >= {epoch.From} and l.leaf < {epoch.To} and a.entity = 'signature' and a.action = 'insert' order by l.leaf
                    """, ct);
            }
            await CopyAsync(signed, Path.Combine(directory.FullName, Signatures), """
                select json_build_object('ord', 0, 'record', to_json(to_jsonb(s)))::text from signature s
                where not exists (select from audit_entry a where a.entity = 'signature' and a.entity_key = s.signature_id::text and a.action = 'insert') order by s.signature_id
                """, ct);
        }
        await CopyAsync(work, Path.Combine(directory.FullName, Unsealed), $"""
            select json_build_object('ord', a.ord, 'columns', {s_columns}::json)::text from audit_entry a
            where (a.txid < (select horizon from audit_seal order by epoch desc, size desc limit 1) or a.txid >= pg_snapshot_xmax(pg_current_snapshot())) and not exists (select from audit_leaf l where l.ord = a.ord) order by a.ord
            """, ct);
        await CopyAsync(work, Path.Combine(directory.FullName, Checkpoints), $"select text from audit_checkpoint where {string.Join(" or ", epochs.Select(e => $"epoch = {e.Epoch} and size >= {e.From}").DefaultIfEmpty("false"))} order by epoch, size", ct);
        if (withDocuments || withOriginals)
        {
            await WriteDocumentsAsync(work, Path.Combine(directory.FullName, Documents), withOriginals ? directory.CreateSubdirectory(Originals) : null, epochs, ct);
        }
        await WriteKeysAsync(work, directory, ct);
        // Last: a folder without it is unfinished. Where it says that there are pages, they are not finished before their list.
        var head = new ExportHead(ExportHead.V1, origin, from, to, epochs, withDocuments || withOriginals, HasSignatures: true, withOriginals, readable);
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, Head), JsonSerializer.Serialize(head, JsonSerializerOptions.Web), ct);
        if (readable)
        {
            await ReadableExport.WriteAsync(directory, head, key, ct);
        }
        return count;
    }

    /// <summary>What the stored bytes of each document hash to now, in the order of the entries that say what they hashed to.</summary>
    private async Task WriteDocumentsAsync(Work work, string path, DirectoryInfo? originals, IReadOnlyList<ExportedEpoch> epochs, CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16);
        foreach (var epoch in epochs)
        {
            for (var leaf = epoch.From; ;)
            {
                var captures = (await work.Connection.QueryAsync<(long Leaf, long Ord, string Key)>(new CommandDefinition("""
                    select l.leaf, l.ord, a.entity_key from audit_leaf l join audit_entry a using (ord)
                    where l.epoch = @Epoch and l.leaf >= @leaf and l.leaf < @To and a.entity = 'capture' and a.new ? 'sha256' order by l.leaf limit @DocumentsAtOnce
                    """, new { epoch.Epoch, leaf, epoch.To, DocumentsAtOnce }, work.Transaction, 0, cancellationToken: ct))).AsList();
                if (captures.Count == 0)
                {
                    break;
                }
                leaf = captures[^1].Leaf + 1;
                await foreach (var (ord, sha256) in HashesAsync([.. captures.Select(c => c.Ord)], [.. captures.Select(c => c.Key)], originals, ct))
                {
                    await file.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new ExportedDocument(ord, sha256), JsonSerializerOptions.Web), ct);
                    await file.WriteAsync(s_newLine, ct);
                }
            }
        }
        file.Flush(flushToDisk: true);
    }

    private async IAsyncEnumerable<(long Ord, string? Sha256)> HashesAsync(long[] ords, string[] captures, DirectoryInfo? originals, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var work = await gateway.BeginAsync(Reader, ct);
        await work.Connection.ExecuteAsync("set local idle_in_transaction_session_timeout = 0", transaction: work.Transaction);
        await using var select = new NpgsqlCommand("""
            select e.n, k.bytes from unnest($1::text[]) with ordinality as e (key, n)
            left join capture c on c.public_id::text = e.key left join document_chunk k using (document_id) order by e.n, k.ordinal
            """, work.Connection, work.Transaction) { Parameters = { new() { Value = captures } }, CommandTimeout = 0 };
        await using var chunks = await select.ExecuteReaderAsync(ct);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long at = 0;
        var isThere = false;
        FileStream? original = null;
        try
        {
            while (await chunks.ReadAsync(ct))
            {
                if (chunks.GetInt64(0) is var n && n != at)
                {
                    if (at > 0)
                    {
                        yield return (ords[at - 1], await FinishedAsync());
                    }
                    (at, isThere) = (n, false);
                }
                if (!await chunks.IsDBNullAsync(1, ct))
                {
                    var chunk = chunks.GetFieldValue<byte[]>(1);
                    if (originals is not null)
                    {
                        original ??= new FileStream(Path.Combine(originals.FullName, captures[at - 1]), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16);
                        await original.WriteAsync(chunk, ct);
                    }
                    isThere = true;
                    hash.AppendData(chunk);
                }
            }
            yield return (ords[at - 1], await FinishedAsync());
        }
        finally
        {
            await CloseAsync();
        }

        async Task<string?> FinishedAsync()
        {
            await CloseAsync();
            return Convert.ToHexStringLower(hash.GetHashAndReset()) is var text && isThere ? text : null;
        }

        async ValueTask CloseAsync()
        {
            if (original is not null)
            {
                await original.DisposeAsync();
                original = null;
            }
        }
    }

    /// <summary>The public keys, and for each that has replaced another the leaf that announced it, in a tree that the other signed.</summary>
    private async Task WriteKeysAsync(Work work, DirectoryInfo directory, CancellationToken ct)
    {
        var keys = directory.CreateSubdirectory(Keys);
        await File.WriteAllTextAsync(Path.Combine(keys.FullName, key.Id + ".pem"), key.PublicPem, ct);
        foreach (var (id, pem) in (await work.Connection.QueryAsync<(string, string)>("select key_id, public_pem from audit_key", transaction: work.Transaction)).AsList())
        {
            await File.WriteAllTextAsync(Path.Combine(keys.FullName, id + ".pem"), pem, ct);
        }
        await File.WriteAllLinesAsync(Path.Combine(directory.FullName, Replacements), (await TrailProofs.ReplacementsAsync(work, ct)).Select(r => JsonSerializer.Serialize(r, JsonSerializerOptions.Web)), ct);
    }

    private static async Task<IReadOnlyList<byte[]>> SubtreesAsync(Work work, int epoch, long from, long to, CancellationToken ct)
    {
        var (tree, roots) = (new AuditTree(work, epoch, ct), new List<byte[]>());
        foreach (var (height, place) in MerkleFrontier.PlacesOf(from, to))
        {
            roots.Add(await tree.SubtreeAsync(height, place));
        }
        return roots;
    }

    /// <summary>One text for each row, with a line of its own.</summary>
    private static async Task<long> CopyAsync(Work work, string path, string sql, CancellationToken ct)
    {
        long count = 0;
        await using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, 1 << 16);
        await using var select = new NpgsqlCommand(sql, work.Connection, work.Transaction) { CommandTimeout = 0 };
        await using var rows = await select.ExecuteReaderAsync(ct);
        for (; await rows.ReadAsync(ct); count++)
        {
            await file.WriteAsync(Encoding.UTF8.GetBytes(rows.GetString(0)), ct);
            await file.WriteAsync(s_newLine, ct);
        }
        file.Flush(flushToDisk: true);
        return count;
    }
}
