using System.Collections.Concurrent;
using Gateway.Capture;
using Gateway.Delivery;
using Gateway.TestSupport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Journeys.Scheduling;

/// <summary>What each chore finds and says; that it may run twice is told by <see cref="ClockTests"/>.</summary>
public sealed class ChoreTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_capture_undecided_for_too_long_is_told_of_and_one_in_time_is_not()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("""
            select set_config('app.actor', 'system:test', false), set_config('app.actor_name', 'Test', false), set_config('app.actor_role', 'system', false);
            with p as (insert into party (kind, name) values ('organisation', 'Test') returning party_id),
            d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256('x'), 1, 'application/xml', gateway_now() from p returning *)
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, answer_status, answer_body)
                select document_id, party_id, 'test', 'rollback', 'processing', gateway_now(), 202, '' from d
            """);
        var heard = new Heard<FindStuckCaptures>();
        var chore = new FindStuckCaptures(database.Gateway, Options.Create(new CaptureOptions()), heard);

        await chore.RunAsync(Ct);
        Assert.Empty(heard.Events);
        await database.AdvanceAsync(TimeSpan.FromMinutes(16));
        await chore.RunAsync(Ct);

        var (id, text) = Assert.Single(heard.Events);
        Assert.Equal(1091, id);
        Assert.Contains((await database.ScalarAsync<Guid>("select public_id from capture")).ToString(), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receipt_missing_for_four_hours_is_told_of()
    {
        await using var gateway = await TestGateway.StartAsync(new Dictionary<string, string?> { ["Scheduling:StartDelay"] = "00:10:00" });
        await gateway.AddPartnerAsync("9521234000204", "well/buyer");
        await gateway.Database.ExecuteAsync("""
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256('x'), 1, 'application/xml', gateway_now() from partner returning *)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, receipt, due_at, created_at, finished_at, give_up_at)
                select p.party_id, d.document_id, p.partner_id, gen_random_uuid(), 'x', 'delivered', 'pending', gateway_now() + interval '1 day', gateway_now(), gateway_now(), gateway_now() + interval '7 days' from d, partner p
            """);
        var heard = new Heard<FindOverdueReceipts>();
        var chore = new FindOverdueReceipts(gateway.Database.Gateway, Options.Create(new DeliveryOptions()), heard);

        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(3.9));
        await chore.RunAsync(Ct);
        Assert.Empty(heard.Events);
        await gateway.Database.AdvanceAsync(TimeSpan.FromHours(0.2));
        await chore.RunAsync(Ct);

        Assert.Equal(2090, Assert.Single(heard.Events).Id);
    }

    [Fact]
    public async Task The_application_cannot_make_partitions_but_through_the_function_and_that_only_of_years_near()
    {
        await using var database = await TestDatabase.CreateAsync();
        await Refused("create table event_y2090 partition of event for values in (2090)");
        await Refused("select make_event_partitions(90)");
        await Refused("drop table quartz.qrtz_triggers");

        async Task Refused(string sql)
        {
            await using var command = database.Gateway.Source.CreateCommand(sql);
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync(Ct));
        }
    }

    [Fact]
    public async Task Bodies_of_a_dead_node_are_removed_and_those_of_a_living_one_stay()
    {
        var left = await OldFileAsync($"gateway-{Guid.NewGuid():N}");
        var used = await OldFileAsync($"gateway-{Guid.NewGuid():N}");
        var foreign = await OldFileAsync($"gateway-notes-{Guid.NewGuid():N}");
        await using (new FileStream(used, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            await new RemoveLeftBodies(TimeProvider.System, new Heard<RemoveLeftBodies>()).RunAsync(Ct);
            Assert.Equal((false, true, true), (File.Exists(left), File.Exists(used), File.Exists(foreign)));
        }
        File.Delete(used);
        File.Delete(foreign);
    }

    private static async Task<string> OldFileAsync(string name)
    {
        var path = Path.Combine(Path.GetTempPath(), name);
        await File.WriteAllTextAsync(path, "x", Ct);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));
        return path;
    }

    private sealed class Heard<T> : ILogger<T>
    {
        private readonly ConcurrentQueue<(int, string)> _events = new();

        public IReadOnlyList<(int Id, string Text)> Events => [.. _events];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _events.Enqueue((eventId.Id, formatter(state, exception)));
    }
}
