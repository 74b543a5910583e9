using System.Collections.Concurrent;
using Gateway.Database;
using Gateway.Scheduling;
using Gateway.TestSupport;
using Gateway.Validation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Validation;

/// <summary>What a node says of itself while its database does not answer, and when what differs becomes something else.</summary>
[Requirement("P11-1")]
public sealed class WatchValidationTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_does_not_answer_is_told_once_as_that_and_only_then_nobody_knows_the_state()
    {
        await using var node = await Node.StartAsync();
        await node.BecomesAsync(ValidationStates.Validated);
        await using (await node.UnansweredAsync())
        {
            await Eventually.TrueAsync(() => Task.FromResult(node.Lines.Any(l => l.Id == 1806)));
            Assert.Equal(ValidationStates.Validated, node.Status.Now.State);
        }
        await Eventually.TrueAsync(() => Task.FromResult(node.Lines.Any(l => l.Id == 1807)));
        Assert.Equal([(1803, LogLevel.Information), (1806, LogLevel.Warning), (1807, LogLevel.Information)], node.Lines.Select(l => (l.Id, l.Level)));

        await using (await node.UnansweredAsync())
        {
            await node.BecomesAsync(ValidationStates.NotValidated);
            var asked = await node.AskedAsync();
            await Eventually.TrueAsync(async () => await node.AskedAsync() > asked); // it goes on trying, and says no more
            Assert.Equal([1803, 1806, 1807, 1806, 1804], node.Lines.Select(l => l.Id));
            Assert.Equal("The node could not be compared with the baseline.", node.Status.Now.Detail);
        }
        await node.BecomesAsync(ValidationStates.Validated);
        Assert.Equal(1, node.Lines.Count(l => l.Level >= LogLevel.Error));
        // Nothing differed, so the trail knows of nothing.
        Assert.Equal(1, await node.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'validation_state' and action = 'update'"));
    }

    [Fact]
    public async Task A_second_difference_is_told_in_the_log_the_trail_and_the_stored_state_as_the_first_was()
    {
        await using var node = await Node.StartAsync();
        await node.BecomesAsync(ValidationStates.Validated);
        node.Configuration["Capture:MaxEvents"] = "999";
        await node.BecomesAsync(ValidationStates.NotValidated);
        await SaysAsync("setting Capture:MaxEvents changed");
        var since = await node.Database.ScalarAsync<DateTime>("select since from validation_state");
        node.Configuration["Capture:MaxBytes"] = "999999";
        await SaysAsync("setting Capture:MaxBytes changed, setting Capture:MaxEvents changed");
        // The same names, another content.
        node.Configuration["Capture:MaxBytes"] = "999998";
        await Eventually.TrueAsync(() => Task.FromResult(node.Lines.Count(l => l.Id == 1801) == 3));
        Assert.Equal(3, await node.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'validation_state' and new ->> 'state' = 'not validated'"));
        Assert.Equal(since, await node.Database.ScalarAsync<DateTime>("select since from validation_state"));

        Task SaysAsync(string what) => Eventually.TrueAsync(async () =>
            (await node.Database.ScalarAsync<string>("select detail from validation_state")).EndsWith(": " + what, StringComparison.Ordinal) && node.Lines.Any(l => l.Id == 1801 && l.Text.EndsWith(": " + what, StringComparison.Ordinal)));
    }

    /// <summary>A node that compares itself often, what runs being the baseline, and hears what it logs.</summary>
    private sealed class Node : ILogger<WatchValidation>, IAsyncDisposable
    {
        private readonly ConcurrentQueue<(int Id, LogLevel Level, string Text)> _log = new();
        private GatewayDatabase? _impatient;
        private ChangeFeed? _feed;
        private WatchValidation? _watch;

        public required TestDatabase Database { get; init; }

        public required ValidationStatus Status { get; init; }

        public IConfiguration Configuration { get; } = new ConfigurationBuilder().AddInMemoryCollection().Build();

        public IReadOnlyList<(int Id, LogLevel Level, string Text)> Lines => [.. _log];

        public static async Task<Node> StartAsync()
        {
            var options = Options.Create(new ValidationOptions { Every = TimeSpan.FromMilliseconds(200) });
            var node = new Node { Database = await TestDatabase.CreateAsync(), Status = new ValidationStatus(options) };
            node._impatient = GatewayDatabase.Open(node.Database.AdministratorConnectionString + ";Command Timeout=1");
            node._feed = new ChangeFeed(node.Database.Gateway, NullLogger<ChangeFeed>.Instance, TimeProvider.System);
            var fingerprint = new Fingerprint(node._impatient, new GxpSettings(node.Configuration, OptionsSection.In(typeof(ValidationOptions).Assembly)), Path.GetTempPath());
            node._watch = new WatchValidation(node._impatient, fingerprint, node.Status, new NodeFaults(), node._feed, options, node);
            await node._watch.StartAsync(Ct);
            await Eventually.TrueAsync(async () => await node.Database.ScalarAsync<long>("select count(*) from validation_live()") > 0);
            await node.Database.ExecuteAsync("""
                set session_replication_role = replica;
                insert into validation_baseline (title, reason, fingerprint, state, drafted_by, drafted_by_name, drafted_at, reviewed_by, reviewed_by_name, reviewed_at, approved_by, approved_by_name, approved_at, effective_by_name, effective_at)
                select 'What is tested', 'a test', fingerprint, 'effective', 'test:a', 'A', now(), 'test:b', 'B', now(), 'test:c', 'C', now(), 'A', now() from validation_live()
                """);
            return node;
        }

        public Task BecomesAsync(string state) => Eventually.TrueAsync(() => Task.FromResult(Status.Now.State == state));

        /// <summary>Nothing that the node asks of its state is answered until this is disposed.</summary>
        public async Task<NpgsqlConnection> UnansweredAsync()
        {
            var connection = new NpgsqlConnection(Database.AdministratorConnectionString + ";Pooling=false");
            await connection.OpenAsync(Ct);
            await using var command = new NpgsqlCommand("begin; lock table validation_state, validation_node, validation_baseline in access exclusive mode", connection);
            await command.ExecuteNonQueryAsync(Ct);
            return connection;
        }

        /// <summary>When it last asked what nothing answers.</summary>
        public Task<DateTime> AskedAsync() => Eventually.AsAsync<DateTime>(async () => await Database.ScalarAsync<object>("select max(query_start) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") as DateTime?);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _log.Enqueue((eventId.Id, logLevel, formatter(state, exception)));

        public async ValueTask DisposeAsync()
        {
            await _watch!.StopAsync(CancellationToken.None);
            _watch.Dispose();
            _feed!.Dispose();
            await _impatient!.Source.DisposeAsync();
            await Database.DisposeAsync();
        }
    }
}
