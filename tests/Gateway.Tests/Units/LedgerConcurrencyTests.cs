using Epcis.Events;
using Gateway.Units;
using Npgsql;
using static Gateway.Tests.Units.Said;

namespace Gateway.Tests.Units;

/// <summary>Captures that touch the same units at the same time end as if one had come after the other.</summary>
public sealed class LedgerConcurrencyTests
{
    private const int Writers = 8, Kills = 12;

    [Fact]
    public async Task Eight_writers_whose_connections_are_killed_leave_what_their_events_make()
    {
        await using var ledger = await LedgerGateway.StartAsync();
        var random = new Random(20261122);
        var minute = 0;
        string[] packs = Packs(1, 40), cases = [.. Enumerable.Range(1, 8).Select(Case)], pallets = [Pallet(1), Pallet(2)];
        T Any<T>(T[] some) => some[random.Next(some.Length)];
        string[] Some(string[] some, int most) => [.. Enumerable.Range(0, random.Next(1, most)).Select(_ => Any(some)).Distinct()];
        EpcisEvent Event() => Story.At(random.Next(0, 200), random.Next(9) switch
        {
            0 => Commissioned(Some(packs, 10)),
            1 => Commissioned(null, Some([.. cases, .. pallets], 4)),
            2 or 3 => Packed(Any(cases), Some(packs, 6)),
            4 => Packed(Any(pallets), Some(cases, 4)),
            5 => Unpacked(Plant, Any(cases), random.Next(2) == 0 ? [] : Some(packs, 4)),
            6 => Shipped(Some([.. pallets, .. cases], 3)),
            7 => Received(Wholesaler, Some([.. pallets, .. cases], 3)),
            _ => random.Next(2) == 0 ? Held(Some(packs, 3)) : Released(Some(packs, 3)),
        }, ++minute).Event;

        const int documents = 24;
        for (var n = 0; n < documents; n++)
        {
            await ledger.AcceptAsync(Enumerable.Range(0, random.Next(1, 6)).Select(_ => Event()).ToList());
        }
        using var stop = new CancellationTokenSource();
        var killing = KillAsync(ledger, random, stop.Token);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WorkAsync(ledger)));
        await stop.CancelAsync();
        Assert.True(await killing > 0, "No connection was killed.");
        while (await OpenAsync(ledger) > 0)
        {
            await ledger.Gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(5)); // leases of the killed
            await WorkAsync(ledger);
        }
        Assert.Equal((long)documents, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'accepted'"));
        Assert.True((await ledger.HoldsAsync()).Units > 20);
    }

    /// <summary>Documents in two chunks that lock the same units in opposite orders.</summary>
    [Fact]
    public async Task Captures_that_lock_the_same_units_crosswise_all_end()
    {
        await using var ledger = await LedgerGateway.StartAsync(knowsProducts: false);
        // More than go to the database at once.
        string[] first = Packs(1, 7_000), second = Packs(20_001, 7_000);
        await ledger.CaptureAsync(At(0, Commissioned(first)), At(0, Commissioned(second)));
        const int documents = 4;
        for (var n = 0; n < documents; n++)
        {
            var (one, other) = n % 2 == 0 ? (first, second) : (second, first);
            await ledger.AcceptAsync([At(1, Seen(Plant, one)), At(1, Seen(Wholesaler, other))]);
        }
        await Task.WhenAll(Enumerable.Range(0, documents).Select(_ => WorkAsync(ledger)));
        Assert.Equal(documents + 1L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'accepted'"));
        await ledger.HoldsAsync();
    }

    /// <summary>A capture that comes late for one unit waits for its row; meanwhile another is made, for which it comes late too.</summary>
    [Fact]
    public async Task What_is_made_while_a_late_capture_waits_is_told_in_the_order_of_its_events()
    {
        await using var ledger = await LedgerGateway.StartAsync(knowsProducts: false);
        await ledger.CaptureAsync(At(10, Commissioned(Pack(1))));
        await ledger.AcceptAsync([At(5, Seen(Plant, Pack(1))), At(6, Seen(Plant, Pack(2)))]);
        await using var other = new NpgsqlConnection(ledger.Gateway.Database.AdministratorConnectionString);
        await other.OpenAsync();
        var holding = await other.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("select from unit for update", other, holding))
        {
            await hold.ExecuteNonQueryAsync();
        }
        var late = WorkAsync(ledger);
        await Eventually.TrueAsync(async () => await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 1);
        Assert.Equal("", await ledger.CaptureAsync(At(20, Commissioned(Pack(2)))));
        await holding.RollbackAsync();
        await late;
        Assert.Equal(0, await OpenAsync(ledger));
        Assert.Equal("2", await ledger.OfAsync(Pack(2), "first_event >> 20"));
        await ledger.HoldsAsync();
    }

    /// <summary>Nobody has the units' rows to lock: the database lets only one capture make them.</summary>
    [Fact]
    public async Task Captures_that_make_the_same_units_make_each_once()
    {
        await using var ledger = await LedgerGateway.StartAsync(knowsProducts: false);
        const int documents = 8;
        for (var n = 0; n < documents; n++)
        {
            await ledger.AcceptAsync([At(n, Commissioned([.. Packs(1, 200).OrderBy(p => p.GetHashCode(StringComparison.Ordinal) * (n + 1))]))]);
        }
        await Task.WhenAll(Enumerable.Range(0, documents).Select(_ => WorkAsync(ledger)));
        Assert.Equal(200L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from unit"));
        Assert.Equal(200L, await ledger.Gateway.Database.ScalarAsync<long>("select count(*) from unit where holds = 'unit.duplicate_commission'"));
        await ledger.HoldsAsync();
    }

    private static Task<long> OpenAsync(LedgerGateway ledger) => ledger.Gateway.Database.ScalarAsync<long>("select count(*) from capture where state = 'processing'");

    private static async Task WorkAsync(LedgerGateway ledger)
    {
        while (true)
        {
            try
            {
                if (!await ledger.Gateway.ProcessAsync())
                {
                    return;
                }
            }
            catch (Exception e) when (e is NpgsqlException or IOException or Gateway.Database.CommitUnknownException)
            {
                // As the worker does: the next turn begins.
            }
        }
    }

    private static async Task<int> KillAsync(LedgerGateway ledger, Random random, CancellationToken ct)
    {
        var killed = 0;
        // Not without end: on a slow machine no capture would ever come through.
        while (!ct.IsCancellationRequested && killed < Kills)
        {
            killed += (int)await ledger.Gateway.Database.ScalarAsync<long>("""
                select count(pg_terminate_backend(pid)) from (
                    select pid from pg_stat_activity where datname = current_database() and application_name = 'gateway' and state <> 'idle' order by random() limit 1) a
                """);
            await Task.Delay(random.Next(20, 80), CancellationToken.None);
        }
        return killed;
    }
}
