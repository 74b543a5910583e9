using System.Diagnostics;
using System.Globalization;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host;
using Gateway.MasterData;
using Gateway.Serials;
using Npgsql;
using NpgsqlTypes;
using static Gateway.Bench.Figures;

namespace Gateway.Bench;

/// <summary>A request to a pool with many issued numbers: generated on the spot, and out of what was generated ahead; beside a bare COPY of as many rows into a table with the same rows and indexes.</summary>
internal static class SerialsBench
{
    private const string Gtin = "09521321000018";

    public static async Task RunAsync(int issued, int asked, int repetitions)
    {
        var data = Directory.CreateTempSubdirectory("gateway-bench-");
        Environment.SetEnvironmentVariable("GATEWAY_DATA", data.FullName);
        File.SetUnixFileMode(data.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await using var database = await RunningDatabase.OpenAsync(GatewayHost.Configuration(), CancellationToken.None);
            var actor = Actor.System("bench") with { Reason = "bench" };
            await using (var work = await database.Gateway.BeginAsync(actor, CancellationToken.None))
            {
                await Parties.EnsureAsync(work, "organisation", "Bench", null);
                await work.CommitAsync();
            }
            using var masterData = new KnownMasterData(new MasterDataRecords(database.Gateway));
            var pools = new SerialPools(database.Gateway, masterData);
            var pool = (await pools.MakeAsync(actor, new PoolRequest(Gtin, Alphabet: "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", Length: 12, Stock: 0, Reason: "bench"), CancellationToken.None)).Pool!;
            await FillAsync(database.AdministratorConnectionString, issued);
            var grants = new GrantNumbers(database.Gateway);
            var (made, stocked, bare) = (new List<double>(), new List<double>(), new List<double>());
            for (var round = -1; round < repetitions; round++)
            {
                var generating = await TimeAsync(() => AskAsync(grants, actor, $"made {round}", asked));
                await ExecuteAsync(database.AdministratorConnectionString, FormattableString.Invariant($"update serial_pool set stock = {asked} where pool_id = {pool.PoolId}"));
                await new RefillPools(database.Gateway).RunAsync(CancellationToken.None);
                var claiming = await TimeAsync(() => AskAsync(grants, actor, $"stock {round}", asked));
                await ExecuteAsync(database.AdministratorConnectionString, FormattableString.Invariant($"update serial_pool set stock = 0 where pool_id = {pool.PoolId}"));
                var copying = await TimeAsync(() => CopyBareAsync(database.AdministratorConnectionString, asked));
                if (round >= 0) // the first round warms up
                {
                    made.Add(generating);
                    stocked.Add(claiming);
                    bare.Add(copying);
                }
            }
            Console.WriteLine(FormattableString.Invariant($"{issued:N0} issued numbers of one product, {asked:N0} asked for; the median of {repetitions}; durable commits"));
            Print("granted, generated on the spot", made);
            Print("granted, generated ahead", stocked);
            Print("bare COPY, same indexes", bare);
            Console.WriteLine(FormattableString.Invariant($"granted / bare COPY: {Median(made) / Median(bare):0.0} on the spot, {Median(stocked) / Median(bare):0.0} ahead"));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static void Print(string what, List<double> times) => Console.WriteLine(FormattableString.Invariant($"{what,-32} median {Median(times),6:0} ms  [{times.Min():0} .. {times.Max():0}]"));

    private static async Task AskAsync(GrantNumbers grants, Actor actor, string request, int asked)
    {
        var outcome = await grants.RunAsync(actor, new SerialRequest(request, Gtin, Quantity: asked), CancellationToken.None);
        if (outcome.Granted?.Numbers.Count != asked)
        {
            throw new InvalidOperationException(outcome.Sentence);
        }
    }

    // As if they had been granted over months; and the same rows once more, without any of our rules.
    private static async Task FillAsync(string administrator, int issued)
    {
        var start = Stopwatch.GetTimestamp();
        await ExecuteAsync(administrator, string.Create(CultureInfo.InvariantCulture, $"""
            set synchronous_commit = off;
            set maintenance_work_mem = '512MB';
            select set_config('app.party', '*', false);
            drop index serial_number_once, serial_number_grant;
            insert into serial_grant (party_id, pool_id, request_id, request_sha, quantity) select party_id, pool_id, 'issued before', sha256(''), 100000 from serial_pool;
            insert into serial_number (item, grant_id, pool_id, party_id, state, serial) select p.item, g.grant_id, p.pool_id, p.party_id, 4, upper(substr(md5('bench ' || n), 1, 12)) from serial_pool p join serial_grant g using (pool_id), generate_series(1, {issued}) n;
            create unique index serial_number_once on serial_number (item, serial);
            create index serial_number_grant on serial_number (grant_id) where grant_id is not null;
            update serial_pool set made = {issued};
            create table bare as select * from serial_number;
            create unique index on bare (item, serial);
            create index on bare (pool_id) where state = 0;
            create index on bare (grant_id) where grant_id is not null;
            analyze serial_number, bare;
            checkpoint
            """));
        Console.WriteLine(FormattableString.Invariant($"filled twice in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s"));
    }

    private static async Task CopyBareAsync(string administrator, int rows)
    {
        var serials = Enumerable.Range(0, rows).Select(_ => System.Security.Cryptography.RandomNumberGenerator.GetString("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 12)).ToArray();
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        await using var writer = await connection.BeginBinaryImportAsync("copy bare (item, grant_id, pool_id, party_id, state, serial) from stdin (format binary)");
        foreach (var serial in serials)
        {
            await writer.StartRowAsync();
            await writer.WriteAsync(9521321000018, NpgsqlDbType.Bigint);
            await writer.WriteAsync(2L, NpgsqlDbType.Bigint);
            await writer.WriteAsync(1, NpgsqlDbType.Integer);
            await writer.WriteAsync(1, NpgsqlDbType.Integer);
            await writer.WriteAsync((short)1, NpgsqlDbType.Smallint);
            await writer.WriteAsync(serial, NpgsqlDbType.Text);
        }
        await writer.CompleteAsync();
    }

    private static async Task ExecuteAsync(string administrator, string sql)
    {
        await using var connection = new NpgsqlConnection(administrator);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"select set_config('app.actor', 'bench', false); {sql}", connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
