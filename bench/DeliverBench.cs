using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using Gateway.Host;
using Gateway.Host.Simulate;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>
/// Delivery to a partner that answers at once: from a capture's answer to the partner's receipt on an idle system, and how many documents a
/// second go out, beside the same parts with nothing else: claim a hundred, post each body, record their outcomes, each step durable.
/// </summary>
static class DeliverBench
{
    private const int Rounds = 3, Size = 10_240, FloorWorkers = 2, FloorPosts = 8, FloorBatch = 100, InFlight = GatewayProcess.InFlightPerPartner;

    private static int s_shipment;

    public static async Task RunAsync(int documents, int captures)
    {
        await using var partner = await ReceivingPartner.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync();
        await using var administrator = new NpgsqlConnection(gateway.Administrator);
        await administrator.OpenAsync();
        await ExecuteAsync(administrator, "select set_config('app.actor', 'bench', false), set_config('app.party', '*', false)");
        await ExecuteAsync(administrator, $"update partner set url = '{partner.Url}', state = 'active', pause_reason = null");
        await LatencyAsync(gateway, partner, captures);
        await NeighbourAsync(gateway, administrator, partner, captures);
        var (bare, delivered) = (new List<double>(), new List<double>());
        for (var round = -1; round < Rounds; round++)
        {
            var floor = await FloorAsync(gateway.Floor, partner.Url, documents);
            var (rate, processor) = await DrainAsync(gateway, administrator, partner, documents);
            if (round >= 0) // the first warms up
            {
                bare.Add(floor);
                delivered.Add(rate);
                Console.WriteLine(FormattableString.Invariant($"floor {floor,7:0} /s  delivered {rate,7:0} /s  ratio {rate / floor:0.00}; processor {processor.Gateway:0} µs each, the database's {processor.Database:0} µs"));
            }
        }
        Console.WriteLine(FormattableString.Invariant($"{documents:N0} documents of {Size} bytes, medians of {Rounds}: floor {Median(bare):0} /s, delivered {Median(delivered):0} /s, ratio {Median(delivered) / Median(bare):0.00}"));
    }

    private static async Task LatencyAsync(GatewayProcess gateway, ReceivingPartner partner, int captures)
    {
        var (fromAnswer, fromRequest, bytes) = await ShipAsync(gateway, partner, captures);
        Console.WriteLine(FormattableString.Invariant(
            $"{captures} shipments of {bytes:N0} bytes, one after the other, to the partner's receipt: from the capture's answer p50 {Median(fromAnswer):0.0} ms p99 {Percentile(fromAnswer, 99):0.0} ms; from its request p50 {Median(fromRequest):0.0} ms p99 {Percentile(fromRequest, 99):0.0} ms"));
    }

    /// <summary>How long a partner waits while another keeps every request open, beside how long it waits when it is alone.</summary>
    private static async Task NeighbourAsync(GatewayProcess gateway, NpgsqlConnection administrator, ReceivingPartner partner, int captures)
    {
        await ExecuteAsync(administrator, $"""
            insert into party (kind, name) values ('partner', 'Hanging');
            insert into partner (party_id, name, format, channel, url, created_at) select party_id, name, '1.2-xml', 'https', '{partner.HangingUrl}', gateway_now() from party where name = 'Hanging'
            """);
        await PauseAsync(true);
        var (alone, beside) = (new List<(double P50, double P99)>(), new List<(double P50, double P99)>());
        for (var round = 0; round < 2 * Rounds; round++)
        {
            var hangs = round % 2 == 1;
            if (hangs)
            {
                await ExecuteAsync(administrator, """
                    delete from breaker;
                    insert into delivery (party_id, document_id, capture_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
                    select p.party_id, c.document_id, c.capture_id, p.partner_id, gen_random_uuid(), 'lane ' || c.document_id, 'due', gateway_now(), gateway_now(), gateway_now() + interval '7 days'
                    from (select * from capture order by capture_id desc limit 40) c cross join partner p where p.name = 'Hanging' and not exists (select from delivery d where d.document_id = c.document_id and d.partner_id = p.partner_id)
                    """);
                await PauseAsync(false);
                while (partner.Hanging < InFlight)
                {
                    await Task.Delay(10);
                }
            }
            var (fromAnswer, _, _) = await ShipAsync(gateway, partner, captures);
            (hangs ? beside : alone).Add((Median(fromAnswer), Percentile(fromAnswer, 99)));
            if (hangs)
            {
                if (partner.Hanging < InFlight)
                {
                    throw new InvalidOperationException("The other partner did not hang all the while.");
                }
                await PauseAsync(true);
                partner.LetGo();
                await Task.Delay(1000);
            }
        }
        var (without, with) = (Median([.. alone.Select(a => a.P99)]), Median([.. beside.Select(b => b.P99)]));
        Console.WriteLine(FormattableString.Invariant(
            $"beside a partner that keeps {InFlight} requests open: p50 {Median([.. beside.Select(b => b.P50)]):0.0} ms p99 {with:0.0} ms, alone p50 {Median([.. alone.Select(a => a.P50)]):0.0} ms p99 {without:0.0} ms, ratio of p99 {with / without:0.00}; medians of {Rounds} alternating runs"));

        Task PauseAsync(bool paused) => ExecuteAsync(administrator, $"""
            update partner set state = '{(paused ? "paused" : "active")}', pause_reason = {(paused ? "'bench'" : "null")} where name = 'Hanging';
            select pg_notify('delivery_due', partner_id::text) from partner where name = 'Hanging'
            """);
    }

    private static async Task<(List<double> FromAnswer, List<double> FromRequest, long Bytes)> ShipAsync(GatewayProcess gateway, ReceivingPartner partner, int captures)
    {
        var generator = new ShipmentGenerator(DemonstrationPlant.Seed);
        var (fromAnswer, fromRequest, bytes) = (new List<double>(), new List<double>(), 0L);
        for (var n = -20; n < captures; n++)
        {
            var plan = new ShipmentPlan(++s_shipment, DemonstrationCast.Shippers[0], GatewayProcess.Partner, DateTimeOffset.UtcNow, "BENCH1", new DateOnly(2029, 1, 31));
            var document = generator.Xml(plan);
            using var content = new ByteArrayContent(document);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
            var received = partner.NextAsync();
            var sent = Stopwatch.GetTimestamp();
            using var answer = await gateway.Http.PostAsync("capture", content);
            answer.EnsureSuccessStatusCode();
            var answered = Stopwatch.GetTimestamp();
            var at = await received.WaitAsync(TimeSpan.FromSeconds(30));
            if (n >= 0)
            {
                bytes += document.Length;
                fromAnswer.Add(Math.Max(0, Stopwatch.GetElapsedTime(answered, at).TotalMilliseconds));
                fromRequest.Add(Stopwatch.GetElapsedTime(sent, at).TotalMilliseconds);
            }
            await Task.Delay(Random.Shared.Next(5, 40)); // idle between two
        }
        return (fromAnswer, fromRequest, bytes / captures);
    }

    private static async Task<(double Rate, (double Gateway, double Database) Processor)> DrainAsync(GatewayProcess gateway, NpgsqlConnection administrator, ReceivingPartner partner, int documents)
    {
        await ExecuteAsync(administrator, "update partner set state = 'paused', pause_reason = 'bench'");
        await ExecuteAsync(administrator, $"""
            set session_replication_role = replica;
            with body as materialized (select n, convert_to(rpad(gen_random_uuid()::text, {Size}, 'x'), 'utf8') as bytes from generate_series(1, {documents}) n),
            d as (insert into document (party_id, sha256, length, media_type, received_at) select 1, sha256(bytes), {Size}, 'application/xml', gateway_now() from body returning document_id, sha256),
            c as (insert into document_chunk (document_id, party_id, ordinal, bytes) select d.document_id, 1, 0, b.bytes from d join body b on sha256(b.bytes) = d.sha256),
            j as (insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
                  select document_id, 1, 'bench', 'rollback', 'accepted', gateway_now(), gateway_now(), 202, '' from d returning capture_id, document_id)
            insert into delivery (party_id, document_id, capture_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select p.party_id, j.document_id, j.capture_id, p.partner_id, gen_random_uuid(), 'lane ' || j.document_id, 'due', gateway_now() - interval '1 h' + j.document_id * interval '1 ms', gateway_now(), gateway_now() + interval '7 days' from j cross join partner p where p.name = 'Partner';
            set session_replication_role = origin
            """);
        await ExecuteAsync(administrator, "analyze delivery; analyze document; analyze document_chunk");
        await Task.Delay(3000);
        var begun = partner.Received;
        var before = gateway.Processor();
        var start = Stopwatch.GetTimestamp();
        await ExecuteAsync(administrator, "update partner set state = 'active', pause_reason = null where name = 'Partner'; select pg_notify('delivery_due', partner_id::text) from partner where name = 'Partner'");
        // The database is asked only when the partner has all: asking all the while would be measured too.
        while (partner.Received < begun + documents || await ScalarAsync(administrator, "select count(*) from (select from delivery where state = 'due' and partner_id = (select partner_id from partner where name = 'Partner') limit 1) d") > 0)
        {
            await Task.Delay(10);
        }
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var after = gateway.Processor();
        if (partner.Repeats > 0)
        {
            throw new InvalidOperationException($"{partner.Repeats} documents came twice.");
        }
        return (documents / took, ((after.Gateway - before.Gateway) * 1000 / documents, (after.Database - before.Database) * 1000 / documents));
    }

    /// <summary>The same durable steps with nothing around them (PERFORMANCE.md, row 8): the rate of it.</summary>
    private static async Task<double> FloorAsync(string connectionString, string url, int documents)
    {
        await using var source = new NpgsqlDataSourceBuilder(connectionString).Build();
        await using (var create = source.CreateCommand($"""
            drop table if exists outbox;
            create table outbox (id bigint generated always as identity primary key, state smallint not null default 0, due timestamptz not null default now(), lease timestamptz, attempt int not null default 0, status smallint, body bytea not null);
            alter table outbox alter body set storage external; create index on outbox (due) where state = 0;
            insert into outbox (body) select convert_to(rpad(gen_random_uuid()::text, {Size}, 'x'), 'utf8') from generate_series(1, {documents}); analyze outbox
            """))
        {
            create.CommandTimeout = 0;
            await create.ExecuteNonQueryAsync();
        }
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = FloorWorkers * FloorPosts });
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, FloorWorkers).Select(_ => Task.Run(() => FloorWorkerAsync(source, http, url))));
        return documents / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task FloorWorkerAsync(NpgsqlDataSource source, HttpClient http, string url)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var claim = new NpgsqlCommand("""
            update outbox j set state = 1, lease = now() + interval '5 min', attempt = attempt + 1 from (select id from outbox where state = 0 and due <= now() order by due limit $1 for update skip locked) q
            where j.id = q.id returning j.id, j.body
            """, connection) { Parameters = { new() { Value = FloorBatch } } };
        await claim.PrepareAsync();
        await using var record = new NpgsqlCommand("update outbox o set state = 2, lease = null, status = u.s from unnest($1, $2) as u(id, s) where o.id = u.id", connection)
        {
            Parameters = { new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint }, new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint } },
        };
        while (true)
        {
            var claimed = new List<(long Id, byte[] Body)>();
            await using (var rows = await claim.ExecuteReaderAsync())
            {
                while (await rows.ReadAsync())
                {
                    claimed.Add((rows.GetInt64(0), (byte[])rows[1]));
                }
            }
            if (claimed.Count == 0)
            {
                return;
            }
            var status = new short[claimed.Count];
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, FloorPosts).Select(async _ =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < claimed.Count;)
                {
                    using var body = new ByteArrayContent(claimed[i].Body);
                    using var answer = await http.PostAsync(url, body);
                    status[i] = (short)answer.StatusCode;
                }
            }));
            record.Parameters[0].Value = claimed.Select(c => c.Id).ToArray();
            record.Parameters[1].Value = status;
            await record.ExecuteNonQueryAsync();
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Takes whatever comes, and knows when it came and whether it came before.</summary>
    private sealed class ReceivingPartner(WebApplication app) : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, int> _seen = new();
        private TaskCompletionSource<long> _next = new();
        private TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _repeats, _hanging;

        public string Url => app.Urls.First() + "/in";

        public string HangingUrl => app.Urls.First() + "/hang";

        public int Hanging => _hanging;

        public int Repeats => _repeats;

        public int Received => _seen.Count;

        public Task<long> NextAsync() => (_next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public static async Task<ReceivingPartner> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var partner = new ReceivingPartner(app);
            app.MapPost("/in", partner.TakeAsync);
            app.MapPost("/hang", partner.HangAsync);
            await app.StartAsync();
            return partner;
        }

        private async Task TakeAsync(HttpContext context)
        {
            var buffer = new byte[16_384];
            while (await context.Request.Body.ReadAsync(buffer) > 0)
            {
            }
            _next.TrySetResult(Stopwatch.GetTimestamp());
            // The floor sends no key.
            if (context.Request.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key && !_seen.TryAdd(key, 0))
            {
                Interlocked.Increment(ref _repeats);
            }
            context.Response.StatusCode = StatusCodes.Status202Accepted;
        }

        /// <summary>Fails the requests that are kept open.</summary>
        public void LetGo() => Interlocked.Exchange(ref _hangs, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

        private async Task HangAsync(HttpContext context)
        {
            Interlocked.Increment(ref _hanging);
            await _hangs.Task;
            Interlocked.Decrement(ref _hanging);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
