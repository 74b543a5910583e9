using Dapper;
using Epcis;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Devices;

/// <summary>What a post of messages is answered with.</summary>
/// <param name="AckedThrough">The device deletes up to here, and nothing else.</param>
/// <param name="Missing">Ranges that are asked for.</param>
/// <param name="Rejected">Numbers that had come with another content; they count as dealt with.</param>
/// <param name="Duplicates">Messages that had come before, in the same bytes.</param>
public sealed record MessagesAnswer(long AckedThrough, IReadOnlyList<long[]> Missing, IReadOnlyList<RejectedMessage> Rejected, int Duplicates);

public sealed record RejectedMessage(long Seq, string Code);

public enum PostRefusal
{
    None,

    /// <summary>The token is not that of this device.</summary>
    Foreign,
    EpochStale,
    EpochUnknown,

    /// <summary>Too many ranges would be missing, or a number is too far ahead.</summary>
    Scattered,
}

/// <summary>A post on its way to be stored.</summary>
/// <param name="KeyId">Of the token that it came with.</param>
internal sealed class MessagePost(string device, string keyId, string sees, IReadOnlyList<DeviceMessage> messages)
{
    public string Device { get; } = device;
    public string KeyId { get; } = keyId;
    public string Sees { get; } = sees;
    public IReadOnlyList<DeviceMessage> Messages { get; } = messages;
    public TaskCompletionSource<(PostRefusal Refusal, MessagesAnswer? Answer)> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Stores what devices say: posts that come while others are stored share the next transaction, so that a commit is paid once for many.
/// Nobody is answered before it is confirmed, so a message is acknowledged only when it is stored, and a post that is repeated because
/// no answer came finds its messages there.
/// </summary>
public sealed partial class DeviceMessages
{
    private const int MaxTogether = 64;
    private const int MaxMessagesTogether = 8_000;

    /// <summary>Ranges that one answer asks for.</summary>
    private const int MaxAsked = 100;

    private readonly GatewayDatabase _database;
    private readonly ILogger<DeviceMessages> _log;
    private readonly Gathering<MessagePost> _gathering;
    private readonly (int Messages, long Bytes) _most;
    private int _messages;
    private long _bytes;

    public DeviceMessages(GatewayDatabase database, IOptions<DeviceOptions> options, ILogger<DeviceMessages> log)
    {
        (_database, _log, _most) = (database, log, (options.Value.MaxMessagesInMemory, options.Value.MaxBytesInMemory));
        _gathering = new Gathering<MessagePost>(options.Value.TransactionsAtOnce, Choose, ServeAsync);
    }

    /// <summary>Takes room for so many messages of so many bytes together.</summary>
    /// <returns>False when there is none.</returns>
    internal bool TryReserve(int messages, long bytes)
    {
        // Both are taken, and given back when one of them is too much.
        var hasRoom = Interlocked.Add(ref _messages, messages) <= _most.Messages;
        hasRoom &= Interlocked.Add(ref _bytes, bytes) <= _most.Bytes;
        if (!hasRoom)
        {
            Release(messages, bytes);
        }
        return hasRoom;
    }

    internal void Release(int messages, long bytes)
    {
        Interlocked.Add(ref _messages, -messages);
        Interlocked.Add(ref _bytes, -bytes);
    }

    /// <exception cref="CommitUnknownException">The commit was not confirmed: the device must not be told that its messages are stored.</exception>
    internal Task<(PostRefusal Refusal, MessagesAnswer? Answer)> StoreAsync(MessagePost post)
    {
        _gathering.Add(post);
        return post.Outcome.Task;
    }

    // One party's, so that row security holds for all; and of each device one, so that each finds what the one before it left.
    private static List<MessagePost> Choose(IReadOnlyList<MessagePost> waiting)
    {
        var chosen = new List<MessagePost>();
        var keys = new HashSet<string>();
        var messages = 0;
        foreach (var next in waiting)
        {
            if (chosen.Count == 0 || chosen.Count < MaxTogether && messages + next.Messages.Count <= MaxMessagesTogether && next.Sees == chosen[0].Sees && !keys.Contains(next.KeyId))
            {
                chosen.Add(next);
                messages += next.Messages.Count;
            }
            keys.Add(next.KeyId); // also of who is not chosen: the next of his does not overtake him
        }
        return chosen;
    }

    private async Task ServeAsync(List<MessagePost> together)
    {
        try
        {
            var answers = await StoreAsync(together);
            for (var n = 0; n < together.Count; n++)
            {
                together[n].Outcome.SetResult(answers[n]);
            }
        }
        catch (Exception e) when (e is CommitUnknownException || together.Count == 1)
        {
            together.ForEach(p => p.Outcome.SetException(e));
        }
        catch (Exception e)
        {
            TakenApart(e, together.Count);
            foreach (var post in together)
            {
                await ServeAsync([post]);
            }
        }
    }

    private async Task<List<(PostRefusal Refusal, MessagesAnswer? Answer)>> StoreAsync(List<MessagePost> together)
    {
        await using var work = await _database.BeginAsync(DeviceExceptions.Gateway with { Sees = together[0].Sees }, CancellationToken.None);
        var (now, streams) = await StreamsAsync(work, together);
        var known = await KnownAsync(work, together, streams);
        var taken = together.ConvertAll(post => streams.TryGetValue(post.KeyId, out var stream) && stream.Name == post.Device ? TakenPost.Of(post, stream, known, now) : new TakenPost(post, PostRefusal.Foreign));
        var stored = taken.FindAll(t => t.Refusal == PostRefusal.None);
        if (stored.Count > 0)
        {
            await InsertAsync(work, stored, now);
            foreach (var t in stored.Where(t => t.Stream!.Sequence.Gaps.Any(g => g.Id == 0 || g.HasChanged)))
            {
                await StoreGapsAsync(work, t.Stream!);
            }
            await TellAsync(work, stored);
            await work.CommitAsync();
        }
        return taken.ConvertAll(t => (t.Refusal, t.Refusal == PostRefusal.None ? t.Answer(MaxAsked) : null));
    }

    // Whoever has a device's status has its sequence; they are taken in one order, so that nobody waits for somebody who waits for him.
    private static async Task<(DateTime Now, Dictionary<string, DeviceStream> Streams)> StreamsAsync(Work work, List<MessagePost> together)
    {
        using var rows = await work.Connection.QueryMultipleAsync("""
            set local lock_timeout = '10s'; set local plan_cache_mode = force_generic_plan;
            select gateway_now();
            select s.device_id as DeviceId, s.party_id as PartyId, d.line_id as LineId, d.name as Name, s.key_id as KeyId, s.epoch as Epoch, s.last_seq as LastSeq, s.offset_ms as OffsetMs
            from device_status s join device d using (device_id) where s.key_id = any(@keys) and not d.withdrawn order by s.device_id for update of s;
            """, new { keys = together.Select(p => p.KeyId).ToArray() }, work.Transaction);
        var now = await rows.ReadSingleAsync<DateTime>();
        var streams = (await rows.ReadAsync<DeviceStream>()).ToDictionary(s => s.KeyId);
        if (streams.Count > 0)
        {
            // After the lock, so that what the one before wrote is seen.
            var gaps = (await work.Connection.QueryAsync<GapRow>("""
                select g.device_id as DeviceId, g.epoch as Epoch, g.gap_id as GapId, g.first_seq as First, g.last_seq as Last, g.missing as Missing, g.opened_at is not null as IsOpened
                from device_gap g where g.device_id = any(@ids) and g.closed_at is null
                """, new { ids = streams.Values.Select(s => s.DeviceId).ToArray() }, work.Transaction)).ToLookup(g => (g.DeviceId, g.Epoch));
            foreach (var s in streams.Values)
            {
                s.Sequence = new Sequence(s.LastSeq, gaps[(s.DeviceId, s.Epoch)].Select(g => new Gap(g.GapId, g.First, g.Last, g.Missing, g.IsOpened)));
            }
        }
        return (now, streams);
    }

    // What a line says goes on where it was: nothing is looked up then.
    private static async Task<Dictionary<(int, long), byte[]>> KnownAsync(Work work, List<MessagePost> together, Dictionary<string, DeviceStream> streams)
    {
        var asked = together.Where(p => streams.ContainsKey(p.KeyId)).SelectMany(p => p.Messages.Where(m => m.Seq <= streams[p.KeyId].LastSeq && m.Epoch == streams[p.KeyId].Epoch)
            .Select(m => (streams[p.KeyId].DeviceId, m.Epoch, m.Seq))).ToList();
        return asked.Count == 0 ? [] : (await work.Connection.QueryAsync<(int DeviceId, long Seq, byte[] Sha256)>("""
            select m.device_id, m.seq, m.sha256 from unnest(@devices, @epochs, @seqs) a (device_id, epoch, seq) join device_message m using (device_id, epoch, seq)
            """, new { devices = asked.Select(a => a.DeviceId).ToArray(), epochs = asked.Select(a => a.Epoch).ToArray(), seqs = asked.Select(a => a.Seq).ToArray() }, work.Transaction))
            .DistinctBy(k => (k.DeviceId, k.Seq)).ToDictionary(k => (k.DeviceId, k.Seq), k => k.Sha256);
    }

    private static async Task InsertAsync(Work work, List<TakenPost> posts, DateTime now)
    {
        var all = posts.SelectMany(p => p.Fresh.Select(f => (S: p.Stream!, f.Message, f.State, f.CorrectedAt))).ToList();
        if (all.Count == 0)
        {
            return;
        }
        await work.Connection.ExecuteAsync("""
            insert into device_message (device_id, epoch, seq, party_id, line_id, sha256, body, typ, ts, mono, offset_ms, corrected_at, state, received_at)
            select m.*, @now from unnest(@devices, @epochs, @seqs, @parties, @lines, @hashes, @bodies, @types, @times, @monos, @offsets, @corrected, @states) as m
            """, new
        {
            now,
            devices = all.ConvertAll(m => m.S.DeviceId).ToArray(), epochs = all.ConvertAll(m => m.Message.Epoch).ToArray(), seqs = all.ConvertAll(m => m.Message.Seq).ToArray(),
            parties = all.ConvertAll(m => m.S.PartyId).ToArray(), lines = all.ConvertAll(m => m.S.LineId).ToArray(), hashes = all.ConvertAll(m => m.Message.Sha256).ToArray(),
            bodies = all.ConvertAll(m => System.Text.Encoding.UTF8.GetString(m.Message.Body.Span)).ToArray(), types = all.ConvertAll(m => m.Message.Type).ToArray(),
            times = all.ConvertAll(m => m.Message.At).ToArray(), monos = all.ConvertAll(m => m.Message.Mono).ToArray(), offsets = all.ConvertAll(m => m.S.OffsetMs).ToArray(),
            corrected = all.ConvertAll(m => m.CorrectedAt).ToArray(), states = all.ConvertAll(m => m.State).ToArray(),
        }, work.Transaction);
        await work.Connection.ExecuteAsync("update device_status s set last_seq = u.last from unnest(@ids, @lasts) as u (id, last) where s.device_id = u.id",
            new { ids = posts.ConvertAll(p => p.Stream!.DeviceId).ToArray(), lasts = posts.ConvertAll(p => p.Stream!.Sequence.Last).ToArray() }, work.Transaction);
    }

    private static async Task StoreGapsAsync(Work work, DeviceStream s)
    {
        foreach (var gap in s.Sequence.Gaps)
        {
            if (gap.Id == 0)
            {
                await work.Connection.ExecuteAsync("""
                    insert into device_gap (device_id, party_id, epoch, first_seq, last_seq, missing, run_id, noticed_at, closed_at)
                    select @DeviceId, @PartyId, @Epoch, @First, @Last, @Flat, (select run_id from run where line_id = @LineId and state in ('running', 'paused')), gateway_now(), case when @IsClosed then gateway_now() end
                    """, new { s.DeviceId, s.PartyId, s.LineId, s.Epoch, gap.First, gap.Last, gap.Flat, gap.IsClosed }, work.Transaction);
            }
            else if (gap.HasChanged)
            {
                await work.Connection.ExecuteAsync("update device_gap set missing = @Flat, closed_at = case when @IsClosed then gateway_now() end where gap_id = @Id", new { gap.Id, gap.Flat, gap.IsClosed }, work.Transaction);
            }
        }
        await ReleaseAsync(work, s.DeviceId, s.Epoch, s.Sequence.WaitsAfter);
    }

    /// <summary>What waits for nothing any more is ready to be applied.</summary>
    /// <param name="waitsAfter">What is behind this number goes on waiting; null: nothing does.</param>
    internal static Task ReleaseAsync(Work work, int deviceId, int epoch, long? waitsAfter) => work.Connection.ExecuteAsync(
        "update device_message set state = 'ready' where device_id = @deviceId and epoch = @epoch and state = 'waiting' and seq < coalesce(@waitsAfter, 9223372036854775807)", new { deviceId, epoch, waitsAfter }, work.Transaction);

    // Last, because it is done as the gateway.
    private static async Task TellAsync(Work work, List<TakenPost> posts)
    {
        foreach (var post in posts)
        {
            var s = post.Stream!;
            if (post.Rejected.Count > 0)
            {
                await DeviceExceptions.OpenAsync(work, DeviceCodes.Conflict, Severity.Error, s.PartyId, s.Name,
                    FormattableString.Invariant($"{s.Name} has sent message {post.Rejected[0]} of epoch {s.Epoch} again with another content. The first stands."), post.Rejected.Count);
            }
            if (post.Fresh.Where(f => f.State == "quarantined").Select(f => f.Message).ToList() is { Count: > 0 } future)
            {
                await DeviceExceptions.OpenAsync(work, DeviceCodes.Future, Severity.Error, s.PartyId, s.Name,
                    FormattableString.Invariant($"{s.Name} has sent message {future[0].Seq} of epoch {s.Epoch} with a time that is still to come. It is kept, and not applied."), future.Count);
            }
            // What an earlier epoch left out never comes: whoever lost it has said so.
            if (s.Sequence.Gaps.Any(g => g.IsOpened && g.IsClosed)
                && !await work.Connection.ExecuteScalarAsync<bool>("select exists (select from device_gap where device_id = @DeviceId and opened_at is not null and closed_at is null)", new { s.DeviceId }, work.Transaction))
            {
                await DeviceExceptions.ResolveAsync(work, DeviceCodes.Gap, s.PartyId, s.Name, "The messages that were missing have come.");
            }
        }
    }

    [LoggerMessage(2601, LogLevel.Warning, "{Posts} posts of messages could not be stored together; each is stored alone.")]
    private partial void TakenApart(Exception exception, int posts);

    private sealed record GapRow
    {
        public int DeviceId { get; init; }
        public int Epoch { get; init; }
        public long GapId { get; init; }
        public long First { get; init; }
        public long Last { get; init; }
        public long[] Missing { get; init; } = [];
        public bool IsOpened { get; init; }
    }
}
