using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Tests.Database;

public sealed class WorkTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disposing_a_work_twice_leaves_alone_whoever_has_its_connection_next()
    {
        await using var database = await TestDatabase.CreateAsync();
        var one = GatewayDatabase.Open(database.AdministratorConnectionString + ";Maximum Pool Size=1");
        await using (one.Source)
        {
            var first = await one.BeginAsync(Actor.System("test"), Ct);
            await first.DisposeAsync();
            await using (var second = await one.BeginAsync(Actor.System("test"), Ct))
            {
                await second.Connection.ExecuteAsync("insert into party (kind, name) values ('cmo', 'Stays')", transaction: second.Transaction);
                await first.DisposeAsync();
                await second.CommitAsync();
            }
            Assert.Equal(1L, await database.ScalarAsync<long>("select count(*) from party where name = 'Stays'"));
        }
    }

    [Fact]
    public async Task A_reading_leaves_no_transaction_and_no_actor_behind()
    {
        await using var database = await TestDatabase.CreateAsync();
        var one = GatewayDatabase.Open(database.AdministratorConnectionString + ";Maximum Pool Size=1");
        await using (one.Source)
        {
            for (var n = 0; n < 3; n++) // the third runs what the second has prepared
            {
                var read = await one.ReadAsync<(string, string)>(Actor.System("test"), "select current_setting('app.actor'), @said", new { said = "yes" }, Ct);
                Assert.Equal([("system:test", "yes")], read);
            }
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => one.ReadAsync<int>(Actor.System("test"), "select 1 / @nothing", new { nothing = 0 }, Ct));
            await using var next = await one.Source.OpenConnectionAsync(Ct);
            Assert.Equal(("", "auto"), await next.QuerySingleAsync<(string, string)>("select coalesce(current_setting('app.actor', true), ''), current_setting('plan_cache_mode')"));
            // Whoever is in no transaction has a new one for each statement.
            Assert.NotEqual(await next.ExecuteScalarAsync<string>("select pg_current_xact_id()::text"), await next.ExecuteScalarAsync<string>("select pg_current_xact_id()::text"));
        }
    }

    [Fact]
    public async Task What_a_session_listens_for_goes_with_it()
    {
        await using var database = await TestDatabase.CreateAsync();
        var one = GatewayDatabase.Open(database.AdministratorConnectionString + ";Maximum Pool Size=1");
        await using (one.Source)
        {
            int server;
            await using (var session = await one.OpenSessionAsync(Ct))
            {
                await session.ExecuteAsync("listen something");
                server = session.ProcessID;
            }
            await using var next = await one.Source.OpenConnectionAsync(Ct);
            Assert.NotEqual(server, next.ProcessID);
            Assert.Empty(await next.QueryAsync<string>("select pg_listening_channels()"));
        }
    }
}
