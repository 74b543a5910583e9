using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Capture;
using Gateway.Database;
using Gateway.Intake;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Lines;

/// <summary>
/// Puts together what the devices of a line have said of one run, in the order of corrected time (LINES.md section 6), and captures it by the mapping
/// for device messages: in the bytes they sent, behind lines of the gateway's own that tell the run and the clocks. The document is stored and the
/// messages are marked in one transaction, so a crash applies none twice and forgets none.
/// </summary>
public sealed partial class ApplyMessages(GatewayDatabase database, Mappings mappings, IOptions<LineOptions> options, ILogger<ApplyMessages> log)
{
    /// <summary>The mapping that reads the documents. It has to be approved, as any other.</summary>
    public const string Mapping = "device-messages";

    private const int MaxMessages = 2_000, MaxText = 16 << 20;
    // Words that no device may send as its type.
    private const string OwnBatch = "gateway:batch", OwnClock = "gateway:clock";
    private static readonly Actor Gateway = Actor.System("lines");
    private readonly LineOptions _options = options.Value;
    private DateTime _toldAt;

    private sealed record Message(int DeviceId, string Device, int Epoch, long Seq, string Body, string Typ, double OffsetMs, DateTime At, long? RunId);

    private sealed record RunOf(Guid PublicId, string Gtin, string Lot, DateOnly Expiry);

    /// <summary>One turn over every line that has messages.</summary>
    /// <returns>How many messages were applied.</returns>
    public async Task<int> RunAsync(CancellationToken ct)
    {
        IReadOnlyList<(int LineId, int PartyId, string Code)> lines;
        await using (var look = await database.BeginAsync(Gateway, ct))
        {
            lines = (await look.Connection.QueryAsync<(int, int, string)>(new CommandDefinition(
                "select line_id, party_id, code from line l where exists (select from device_message m where m.line_id = l.line_id and m.state = 'ready') order by line_id", transaction: look.Transaction, cancellationToken: ct))).AsList();
        }
        if (lines.Count == 0)
        {
            return 0;
        }
        if (await mappings.ApprovedIdAsync(Mapping, ct) is not { } mapping)
        {
            if (DateTime.UtcNow - _toldAt > TimeSpan.FromMinutes(1))
            {
                _toldAt = DateTime.UtcNow;
                NotApproved(Mapping);
            }
            return 0;
        }
        var applied = 0;
        foreach (var (lineId, partyId, code) in lines)
        {
            try
            {
                for (int some; (some = await ApplyAsync(mapping, lineId, partyId, code, ct)) > 0; applied += some)
                {
                }
            }
            catch (Exception e) when (e is not (OperationCanceledException or NpgsqlException or CommitUnknownException))
            {
                NotApplied(e, code); // the other lines go on
            }
        }
        return applied;
    }

    private async Task<int> ApplyAsync(string mapping, int lineId, int partyId, string code, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        // Another node may be at this line; it will come to an end.
        if (!await work.Connection.ExecuteScalarAsync<bool>(new CommandDefinition("select pg_try_advisory_xact_lock(20300047, @lineId)", new { lineId }, work.Transaction, cancellationToken: ct)))
        {
            return 0;
        }
        var all = (await work.Connection.QueryAsync<Message>(new CommandDefinition(Ready, new { lineId, _options.SettleFor, _options.WaitForOffline, MaxMessages }, work.Transaction, cancellationToken: ct))).AsList();
        // A document is of one run.
        var size = 0L;
        var messages = all.TakeWhile(m => m.RunId == all[0].RunId && (size += m.Body.Length) - m.Body.Length < MaxText).ToList();
        if (messages.Count == 0)
        {
            return 0;
        }
        var run = messages[0].RunId is { } runId
            ? await work.Connection.QuerySingleAsync<RunOf>(new CommandDefinition("select public_id as PublicId, gtin, lot, expiry from run where run_id = @runId", new { runId }, work.Transaction, cancellationToken: ct))
            : null;
        var now = await work.Connection.ExecuteScalarAsync<DateTime>(new CommandDefinition("select gateway_now()", transaction: work.Transaction, cancellationToken: ct));
        var document = Document(code, run, messages);
        var publicId = Guid.NewGuid();
        using var bytes = new MemoryStream(document);
        var (captureId, _) = await CaptureRecords.InsertAsync(work, new NewCapture(
            publicId, partyId, Gateway.Id, SHA256.HashData(document), document.Length, "application/jsonl", null, null, "proceed", now, 202, CaptureJob.FirstAnswer(publicId, now, "proceed"))
        {
            Mapping = mapping,
            Method = "device",
            RunId = messages[0].RunId,
        }, bytes, ct) ?? throw new InvalidOperationException("A message is put into two documents.");
        await work.Connection.ExecuteAsync(new CommandDefinition("""
            update device_message m set state = 'applied', capture_id = @captureId from unnest(@devices, @epochs, @seqs) n (device_id, epoch, seq)
            where m.device_id = n.device_id and m.epoch = n.epoch and m.seq = n.seq and m.state = 'ready'
            """, new { captureId, devices = messages.Select(m => m.DeviceId).ToArray(), epochs = messages.Select(m => m.Epoch).ToArray(), seqs = messages.Select(m => m.Seq).ToArray() }, work.Transaction, cancellationToken: ct));
        if (messages[0].RunId is { } counted)
        {
            await CountAsync(work, counted, messages);
        }
        await work.CommitAsync();
        return messages.Count;
    }

    // What belongs before a message may still come: from a device a moment behind, one that resends what was missing, or one whose link is cut.
    private const string Ready = """
        with b as (
            select (select min(corrected_at) from device_message w where w.line_id = @lineId and w.state = 'waiting') as waits,
                exists (select from device d join device_status s using (device_id) where d.line_id = @lineId and not d.withdrawn and s.offline_since is not null) as is_cut)
        select m.device_id as DeviceId, d.name as Device, m.epoch, m.seq, m.body, m.typ, m.offset_ms as OffsetMs, m.corrected_at as At, r.run_id as RunId
        from b cross join device_message m join device d using (device_id)
        left join lateral (select case when state <> 'closed' then run_id end as run_id from run r where r.line_id = m.line_id and r.started_at <= m.corrected_at + interval '10 s'
            order by m.corrected_at between r.started_at and coalesce(r.ended_at, 'infinity') desc, r.started_at desc limit 1) r on true
        where m.line_id = @lineId and m.state = 'ready' and m.received_at <= gateway_now() - case when b.is_cut then greatest(@SettleFor, @WaitForOffline) else @SettleFor end
          and (b.waits is null or m.corrected_at < b.waits)
        order by m.corrected_at, case m.typ when 'encode' then 1 when 'verify' then 2 when 'label' then 3 when 'pack' then 5 else 4 end, m.device_id, m.epoch, m.seq limit @MaxMessages
        """;

    /// <summary>What machines count is compared with what the serial numbers say, and never taken for it.</summary>
    private static async Task CountAsync(Work work, long runId, IReadOnlyList<Message> messages)
    {
        var counted = new List<(string Device, string Counter, long Reported)>();
        foreach (var message in messages.Where(m => m.Typ == "counters"))
        {
            using var json = JsonDocument.Parse(message.Body);
            foreach (var counter in RunCounts.Counters)
            {
                // Asked for by their names: what else a message has need not be text that can be read.
                if (json.RootElement.TryGetProperty(counter, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var n) && n >= 0)
                {
                    counted.Add((message.Device, counter, n));
                }
            }
        }
        if (counted.Count > 0)
        {
            await work.Connection.ExecuteAsync("""
                insert into run_counter (run_id, party_id, device, counter, reported, reported_by, reported_at)
                select r.run_id, r.party_id, n.device, n.counter, n.reported, n.device, gateway_now() from run r, unnest(@devices, @counters, @reported) n (device, counter, reported) where r.run_id = @runId and r.state <> 'closed'
                """, new { runId, devices = counted.Select(c => c.Device).ToArray(), counters = counted.Select(c => c.Counter).ToArray(), reported = counted.Select(c => c.Reported).ToArray() }, work.Transaction);
        }
    }

    /// <summary>The first line of a document of the gateway's own: what those that follow are of.</summary>
    internal static string Batch(string line, Guid? run, string? gtin, string? lot, DateOnly? expiry) =>
        JsonSerializer.Serialize(new { typ = OwnBatch, line, run, gtin, lot, expiry = expiry?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) });

    private static byte[] Document(string line, RunOf? run, IReadOnlyList<Message> messages)
    {
        var text = new StringBuilder();
        text.Append(Batch(line, run?.PublicId, run?.Gtin, run?.Lot, run?.Expiry)).Append('\n');
        var offsets = new Dictionary<(string, int), double>();
        foreach (var m in messages)
        {
            if (!offsets.TryGetValue((m.Device, m.Epoch), out var offset) || offset != m.OffsetMs)
            {
                offsets[(m.Device, m.Epoch)] = m.OffsetMs;
                text.Append(JsonSerializer.Serialize(new { typ = OwnClock, dev = m.Device, ep = m.Epoch, offset_ms = m.OffsetMs })).Append('\n');
            }
            // The bytes are one object and may have line ends between members, where they say nothing.
            text.Append(m.Body.Replace('\r', ' ').Replace('\n', ' ')).Append('\n');
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    [LoggerMessage(1873, LogLevel.Error, "What the devices of line {Line} said could not be applied; it is tried again.")]
    private partial void NotApplied(Exception exception, string line);

    [LoggerMessage(1871, LogLevel.Warning, "Messages of devices wait: nobody has approved the mapping {Mapping}.")]
    private partial void NotApproved(string mapping);
}
