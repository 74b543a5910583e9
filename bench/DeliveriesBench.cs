using System.Diagnostics;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.Host;
using Gateway.Operations;
using Gateway.Partners;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gateway.Bench;

/// <summary>Listing, counting and searching deliveries among many: prints what each filter costs, cold caches aside.</summary>
static class DeliveriesBench
{
    private const int Repetitions = 5, Few = 5_000, Claimed = 100, Claims = 51;

    public static async Task RunAsync(int rows)
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        Environment.SetEnvironmentVariable("GATEWAY_DATA", data.FullName);
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
            await FillAsync(database.AdministratorConnectionString, 0, Few);
            await AddDueAsync(database.AdministratorConnectionString);
            var few = await ClaimAsync(database.AdministratorConnectionString);
            await FillAsync(database.AdministratorConnectionString, Few, rows);
            var many = await ClaimAsync(database.AdministratorConnectionString);
            Console.WriteLine(FormattableString.Invariant($"a claim of {Claimed} among {Few:N0} deliveries {few:0.00} ms, among {rows:N0} {many:0.00} ms, ratio {many / few:0.00}; medians of {Claims}"));
            var overview = new DeliveryOverview(database.Gateway);
            var everybody = Actor.System("bench");
            var partner = everybody with { Sees = "2" };
            var day = DateTime.UtcNow.Date.AddDays(-3);
            (string What, Actor Reader, DeliveryFilter Filter)[] filters =
            [
                ("everything", everybody, new()),
                ("needs decision", everybody, new("dead")),
                ("late", everybody, new("late")),
                ("partner", everybody, new(PartnerId: 3)),
                ("partner's own reader", partner, new()),
                ("code", everybody, new(Code: "http-400")),
                ("code without a row", everybody, new(Code: "dns")),
                ("dead reason, partner", everybody, new(PartnerId: 3, DeadReason: "refused")),
                ("day", everybody, new(Day: day)),
                ("day, partner, dead", everybody, new("dead", PartnerId: 3, Day: day)),
                ("ordering key", everybody, new(Text: $"lane {rows / 2}")),
                ("ordering key, own reader", partner, new(Text: $"lane {rows / 2}")),
                ("ordering key's beginning", everybody, new(Text: "lane 1")),
                ("message", everybody, new(Text: Guid.NewGuid().ToString())),
                ("delivered in an hour", everybody, new("taken", PartnerId: 3, From: day, To: day.AddHours(1))),
            ];
            Console.WriteLine($"{rows:N0} deliveries; the median of {Repetitions}, in ms");
            foreach (var (what, reader, filter) in filters)
            {
                var list = await MedianAsync(() => overview.ListAsync(reader, filter, 51, CancellationToken.None));
                var count = await MedianAsync(() => overview.CountAsync(reader, filter, CancellationToken.None));
                var groups = await MedianAsync(() => overview.GroupsAsync(reader, filter, 200, CancellationToken.None));
                Console.WriteLine(FormattableString.Invariant($"{what,-26} list {list,8:0.0}  counts {count,8:0.0}  groups {groups,8:0.0}"));
            }
            var (scorecards, today) = (new Scorecards(database.Gateway), DateOnly.FromDateTime(DateTime.UtcNow));
            foreach (var days in (int[])[30, 90])
            {
                var card = await MedianAsync(() => scorecards.FindAsync(everybody, 3, today.AddDays(1 - days), today, CancellationToken.None));
                Console.WriteLine(FormattableString.Invariant($"{$"scorecard of {days} days",-26} {(await scorecards.FindAsync(everybody, 3, today.AddDays(1 - days), today, CancellationToken.None)).Documents,8:N0} documents  {card,8:0.0}"));
            }
            // As if all were one partner's.
            await using (var connection = new NpgsqlConnection(database.AdministratorConnectionString))
            {
                await connection.OpenAsync();
                await connection.ExecuteAsync("set session_replication_role = replica; delete from delivery where partner_id = (select partner_id from partner where name = 'Claimed'); update delivery set partner_id = 3, party_id = (select party_id from partner where partner_id = 3); update attempt set party_id = (select party_id from partner where partner_id = 3)", commandTimeout: 1800);
                await connection.ExecuteAsync("vacuum analyze", commandTimeout: 1800);
            }
            var all = await MedianAsync(() => scorecards.FindAsync(everybody, 3, today.AddDays(-29), today, CancellationToken.None));
            Console.WriteLine(FormattableString.Invariant($"{"scorecard, one partner",-26} {rows / 3,8:N0} documents  {all,8:0.0}"));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<double> MedianAsync(Func<Task> look)
    {
        var times = new List<double>();
        for (var n = -1; n < Repetitions; n++)
        {
            var start = Stopwatch.GetTimestamp();
            await look();
            if (n >= 0) // the first warms up
            {
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
        return times.Order().ElementAt(Repetitions / 2);
    }

    // Twice as many as are claimed, each in a lane of its own, to a partner that has no others due.
    private static async Task AddDueAsync(string administrator)
    {
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        await connection.ExecuteAsync("""
            select set_config('app.actor', 'bench', false), set_config('session_replication_role', 'replica', false);
            insert into party (kind, name) values ('partner', 'Claimed');
            insert into partner (party_id, name, format, channel, url, created_at) select party_id, name, '1.2-xml', 'https', 'https://example.org', gateway_now() from party where name = 'Claimed';
            insert into delivery (party_id, document_id, capture_id, partner_id, message_id, ordering, state, due_at, created_at, give_up_at)
            select p.party_id, c.document_id, c.capture_id, p.partner_id, gen_random_uuid(), 'own lane ' || c.document_id, 'due', gateway_now(), gateway_now(), gateway_now() + interval '7 days'
            from (select * from capture order by capture_id limit 2 * @Claimed) c cross join partner p where p.name = 'Claimed'
            """, new { Claimed });
        await connection.ExecuteAsync("vacuum analyze");
    }

    private static async Task<double> ClaimAsync(string administrator)
    {
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddSingleton(GatewayDatabase.Open(administrator))
            .AddLogging().AddPartners().AddDelivery().AddOperations().AddDataProtection().UseEphemeralDataProtectionProvider().Services.BuildServiceProvider();
        await using var connection = new NpgsqlConnection(administrator);
        var partnerId = await connection.ExecuteScalarAsync<int>("select partner_id from partner where name = 'Claimed'");
        var queue = services.GetRequiredService<DeliveryQueue>();
        var times = new List<double>();
        for (var n = -10; n < Claims; n++)
        {
            var start = Stopwatch.GetTimestamp();
            var claimed = await queue.ClaimAsync(partnerId, Claimed, CancellationToken.None);
            var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (claimed.Count != Claimed)
            {
                throw new InvalidOperationException($"{claimed.Count} were claimed.");
            }
            if (n >= 0)
            {
                times.Add(took);
            }
            await queue.ReleaseAsync(claimed);
        }
        return Figures.Median(times);
    }

    // Fifty partners, three months of documents; one in five hundred needs a decision, one in a thousand is retried.
    private static async Task FillAsync(string administrator, int known, int rows)
    {
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        await connection.ExecuteAsync("""
            select set_config('app.actor', 'bench', false), set_config('session_replication_role', 'replica', false);
            insert into party (kind, name) select 'organisation', 'We' where @known = 0;
            insert into party (kind, name) select 'partner', 'Partner ' || n from generate_series(1, 50) n where @known = 0;
            insert into partner (party_id, name, format, channel, url, created_at) select party_id, name, '1.2-xml', 'https', 'https://example.org', gateway_now() from party where kind = 'partner' and @known = 0;
            insert into document (party_id, sha256, length, media_type, received_at)
            select 1, sha256(n::text::bytea), 1, 'application/xml', gateway_now() - interval '90 days' * (1 - n::float / @rows) from generate_series(@known + 1, @rows) n;
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select document_id, 1, 'bench', 'rollback', 'accepted', received_at, received_at, 202, '' from document where document_id > @known order by document_id;
            insert into delivery (party_id, document_id, capture_id, partner_id, message_id, ordering, state, dead_reason, code, attempts, due_at, created_at, give_up_at, finished_at)
            select p.party_id, d.document_id, c.capture_id, p.partner_id, gen_random_uuid(), 'lane ' || d.document_id, s, case when s = 'dead' then 'refused' end,
                   case s when 'dead' then 'http-400' when 'due' then 'http-503' end, 1, d.received_at, d.received_at, d.received_at + interval '7 days', case when s = 'delivered' then d.received_at end
            from document d join capture c using (document_id) join partner p on p.partner_id = 1 + d.document_id % 50
            cross join lateral (select case when d.document_id % 499 = 0 then 'dead' when d.document_id % 997 = 0 then 'due' else 'delivered' end as s) s where d.document_id > @known order by d.document_id;
            insert into attempt (delivery_id, number, party_id, started_at, ended_at, request_hash, code, verdict)
            select delivery_id, 1, party_id, created_at, created_at + interval '1 s', '', coalesce(code, 'ok'), case when code = 'http-503' then 'theirs' when code is null then 'ok' else 'ours' end from delivery where document_id > @known;
            """, new { known, rows }, commandTimeout: 1800);
        await connection.ExecuteAsync("vacuum analyze", commandTimeout: 1800);
    }
}
