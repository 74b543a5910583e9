using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Database;

/// <summary>Something changed: a capture by its public id, a delivery by its number, or (kind <c>all</c>) anything; or (kind <c>lost</c>) that nothing is heard any more.</summary>
public sealed record Change(string Kind, string Key)
{
    /// <summary>After a lost connection nobody knows what was missed.</summary>
    public static readonly Change Anything = new("all", "");

    /// <summary>Who reads now finds out whether the database answers.</summary>
    public static readonly Change Unheard = new("lost", "");
}

/// <summary>Listens on the database's channel <c>changed</c> and tells whoever subscribed, in this process.</summary>
public sealed partial class ChangeFeed(GatewayDatabase database, ILogger<ChangeFeed> logger, TimeProvider time) : BackgroundService
{
    /// <summary>After this without a sign of life from the database, what was read may be old.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromSeconds(1);

    // A quiet connection is asked for a sign of life: a dead one can look merely silent. Question and answer fit into StaleAfter.
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, Action<Change>> _subscribers = new();
    private bool _isListening;
    private long _heardAt = time.GetUtcNow().UtcTicks;

    /// <summary>The database's last sign of life: until then every change was told.</summary>
    public DateTime HeardAt => new(Interlocked.Read(ref _heardAt), DateTimeKind.Utc);

    /// <summary>Nothing was heard for so long that pages may be old.</summary>
    public bool IsStale => time.GetUtcNow().UtcDateTime - HeardAt > StaleAfter;

    /// <summary>Called on the listening thread: the callback only takes note. Disposing ends it.</summary>
    public IDisposable Subscribe(Action<Change> noted)
    {
        var id = Guid.NewGuid();
        _subscribers[id] = noted;
        return new Subscription(() => _subscribers.TryRemove(id, out _));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
            {
                Lost(e.Message);
                if (_isListening)
                {
                    _isListening = false;
                    Tell(Change.Unheard);
                }
                await Task.Delay(ReconnectAfter, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenSessionAsync(ct);
        connection.Notification += (_, e) =>
        {
            Heard();
            Tell(Parse(e.Payload));
        };
        await ExecuteAsync(connection, "listen changed", ct);
        Heard();
        _isListening = true;
        Tell(Change.Anything);
        while (true)
        {
            if (!await connection.WaitAsync(AskAfter, ct))
            {
                await ExecuteAsync(connection, "select", ct);
                Heard();
            }
        }
    }

    private void Heard() => Interlocked.Exchange(ref _heardAt, time.GetUtcNow().UtcTicks);

    private void Tell(Change change)
    {
        foreach (var noted in _subscribers.Values)
        {
            noted(change);
        }
    }

    private static Change Parse(string payload) =>
        payload.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank ? new Change(payload[..blank], payload[(blank + 1)..]) : Change.Anything;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)AnswerWithin.TotalSeconds };
        await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(1101, LogLevel.Warning, "The feed of changes lost its connection and tries again: {Reason}")]
    private partial void Lost(string reason);

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
