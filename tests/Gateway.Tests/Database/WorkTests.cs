using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.TestSupport;

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
}
