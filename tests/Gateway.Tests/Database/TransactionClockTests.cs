using Gateway.Access;
using Gateway.Database;
using Dapper;
using Npgsql;

namespace Gateway.Tests.Database;

public sealed class TransactionClockTests
{
    private static readonly DateTime Then = DateTime.UtcNow.AddDays(-14);

    [Fact]
    public async Task A_transaction_lies_in_the_past_until_it_ends()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var past = await database.Gateway.BeginAsync(Actor.System("test"), default))
        {
            Assert.InRange(await TransactionClock.MoveToAsync(past, Then), Then, Then.AddMinutes(5));
            Assert.InRange(await NowAsync(past), Then, Then.AddMinutes(5));
            await using var present = await database.Gateway.BeginAsync(Actor.System("test"), default);
            Assert.InRange(await NowAsync(present), Then.AddDays(13), Then.AddDays(15));
            await past.CommitAsync();
        }
        // The same connection comes back out of the pool.
        await using var next = await database.Gateway.BeginAsync(Actor.System("test"), default);
        Assert.InRange(await NowAsync(next), Then.AddDays(13), Then.AddDays(15));
    }

    [Fact]
    public async Task The_past_is_counted_from_a_moved_clock_too()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.AdvanceAsync(TimeSpan.FromDays(3));
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), default);
        Assert.InRange(await TransactionClock.MoveToAsync(work, Then), Then, Then.AddMinutes(5));
    }

    [Fact]
    public async Task A_live_database_knows_the_present_only()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("update installation set kind = 'live'");
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => TransactionClock.MoveToAsync(work, Then));
        await Assert.ThrowsAsync<InvalidOperationException>(() => TransactionClock.RefuseLiveAsync(work));
        await work.Connection.ExecuteAsync("select set_config('app.clock_offset', '-14 days', true)", transaction: work.Transaction);
        Assert.InRange(await NowAsync(work), Then.AddDays(13), Then.AddDays(15));
    }

    [Fact]
    public async Task What_is_written_into_the_past_wakes_nobody()
    {
        await using var database = await TestDatabase.CreateAsync();
        var heard = new List<string>();
        await using var listener = new NpgsqlConnection(database.AdministratorConnectionString);
        await listener.OpenAsync();
        listener.Notification += (_, e) => heard.Add($"{e.Channel} {e.Payload}");
        await listener.ExecuteAsync("listen capture_arrived; listen changed; listen delivery_due");
        await CaptureAsync(database, isPast: true);
        await CaptureAsync(database, isPast: false);
        Assert.True(await listener.WaitAsync(TimeSpan.FromMinutes(1)));
        await listener.ExecuteAsync("select 1"); // what else was sent has come with its answer
        Assert.Equal(["capture_arrived ", "changed capture 00000000-0000-0000-0000-000000000001"], heard.Order());
    }

    private static async Task CaptureAsync(TestDatabase database, bool isPast)
    {
        await using var work = await database.Gateway.BeginAsync(Actor.System("test"), default);
        if (isPast)
        {
            await TransactionClock.MoveToAsync(work, Then);
        }
        await work.Connection.ExecuteAsync("""
            insert into party (kind, name) values ('cmo', 'CMO ' || @isPast);
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select max(party_id), sha256(@isPast::text::bytea), 1, 'application/xml', gateway_now() from party returning document_id, party_id)
            insert into capture (document_id, party_id, public_id, submitted_by, error_behaviour, state, created_at, answer_status, answer_body)
            select document_id, party_id, case when @isPast then gen_random_uuid() else '00000000-0000-0000-0000-000000000001' end, 'test', 'rollback', 'processing', gateway_now(), 202, '' from d
            """, new { isPast }, work.Transaction);
        await work.CommitAsync();
    }

    private static Task<DateTime> NowAsync(Work work) => work.Connection.ExecuteScalarAsync<DateTime>("select gateway_now()", transaction: work.Transaction);
}
