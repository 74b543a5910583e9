using System.Data;
using System.Diagnostics;
using System.Globalization;
using Dapper;
using Gateway.Access;
using Npgsql;

namespace Gateway.Database;

/// <summary>The application's way to its database: every transaction names its actor and the rows it may touch.</summary>
public sealed class GatewayDatabase
{
    private readonly NpgsqlDataSource _sessions;

    private GatewayDatabase(NpgsqlDataSource source, NpgsqlDataSource sessions) => (Source, _sessions) = (source, sessions);

    /// <summary>Pooled connections, which go on to the next as they are: what outlives a transaction belongs in <see cref="OpenSessionAsync"/>.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Builds the pool: one of the application's roles, no just-in-time compilation (it costs hierarchy queries 30–110 ms), UTC.</summary>
    public static GatewayDatabase Open(string connectionString, string role = "gateway_app")
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "gateway",
            Options = $"-c role={role} -c jit=off -c timezone=UTC -c idle_in_transaction_session_timeout=30s",
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            IncludeErrorDetail = false,
            NoResetOnClose = true, // settings end with their transaction; resetting what nobody changed costs more than a look-up
        };
        return new GatewayDatabase(Build(settings), Build(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }));

        // A command is traced as part of some work; the workers' empty looks would be traces of their own, thousands an hour.
        static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder settings) => new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .ConfigureTracing(tracing => tracing
                .ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null)
                .EnablePhysicalOpenTracing(false))
            .Build();
    }

    /// <summary>A connection that nobody had before and nobody has after, for what belongs to a session: what it listens for.</summary>
    public ValueTask<NpgsqlConnection> OpenSessionAsync(CancellationToken ct) => _sessions.OpenConnectionAsync(ct);

    /// <summary>
    /// The rows of one statement in one round trip: who asks travels with it, and their transaction ends with the answer. For looks by
    /// a key: the statement is planned once for all values, where planning it for each would take longer than the look.
    /// </summary>
    /// <param name="parameters">An object whose properties the statement names.</param>
    public async Task<List<T>> ReadAsync<T>(Actor reader, string sql, object? parameters, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        var all = new DynamicParameters(parameters);
        for (var n = 0; n < Work.Settings.Length; n++)
        {
            all.Add(Work.NameOf(n), Work.Settings[n].Value(reader) ?? "", DbType.String);
        }
        await using var answers = await connection.QueryMultipleAsync(new CommandDefinition($"{Work.ActAs}, set_config('plan_cache_mode', 'force_generic_plan', true);\n{sql}", all, cancellationToken: ct));
        await answers.ReadAsync();
        return (await answers.ReadAsync<T>()).AsList();
    }

    /// <param name="isolation">The database's usual one, read committed, unless more is asked for.</param>
    public async Task<Work> BeginAsync(Actor actor, CancellationToken ct, IsolationLevel isolation = IsolationLevel.Unspecified)
    {
        var connection = await Source.OpenConnectionAsync(ct);
        try
        {
            // BEGIN travels with the first command: one round trip for both.
            var transaction = await connection.BeginTransactionAsync(isolation, ct);
            var work = new Work(connection, transaction);
            await work.ActAsAsync(actor, ct);
            return work;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Whether COMMIT took effect is not known: its answer was lost, late, or came with a warning. Never told as success.</summary>
public sealed class CommitUnknownException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One transaction with its actor. Disposing without a commit rolls back.</summary>
public sealed class Work(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    /// <summary>After this the caller is told that the outcome is unknown; the COMMIT itself goes on.</summary>
    public static readonly TimeSpan CommitDeadline = TimeSpan.FromSeconds(30);

    private Actor? _actor;
    private bool _handedOver;
    private int _closed;

    public NpgsqlConnection Connection { get; } = connection;
    public NpgsqlTransaction Transaction { get; private set; } = transaction;

    /// <summary>What a transaction is told of its actor.</summary>
    internal static readonly (string Name, Func<Actor, string?> Value)[] Settings =
    [
        ("app.party", a => a.Sees), ("app.actor", a => a.Id), ("app.actor_name", a => a.Name), ("app.actor_role", a => a.Role),
        ("app.actor_party", a => a.PartyId?.ToString(CultureInfo.InvariantCulture)), ("app.method", a => a.Method), ("app.origin", a => a.Origin),
        ("app.reason", a => a.Reason), ("app.correlation", a => a.Correlation),
    ];

    internal static readonly string ActAs = "select " + string.Join(", ", Settings.Select((s, n) => $"set_config('{s.Name}', @{NameOf(n)}, true)"));

    internal static string NameOf(int setting) => $"actor{setting}";

    /// <summary>Names who acts from here on, and what he may touch.</summary>
    public async Task ActAsAsync(Actor actor, CancellationToken ct = default)
    {
        _actor = actor;
        await using var command = new NpgsqlCommand(ActAs, Connection, Transaction);
        for (var n = 0; n < Settings.Length; n++)
        {
            command.Parameters.AddWithValue(NameOf(n), Settings[n].Value(actor) ?? "");
        }
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Notes in the audit trail what no row shows: a failed sign-in, a secret that was changed.</summary>
    public async Task AuditAsync(string action, string entity, string key)
    {
        await using var command = new NpgsqlCommand("select audit_write($1, $2, $3, null, null)", Connection, Transaction)
        {
            Parameters = { new() { Value = action }, new() { Value = entity }, new() { Value = key } },
        };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Takes back what was done here, and commits the entry of the refused step in its place.</summary>
    /// <returns>The refusal, for the caller to answer.</returns>
    public async Task<string> RefuseAsync(RefusedStep refused)
    {
        await Transaction.DisposeAsync();
        Transaction = await Connection.BeginTransactionAsync();
        await ActAsAsync(_actor!);
        await NoteAsync(refused);
        await CommitAsync();
        return refused.Refusal;
    }

    /// <summary>As <see cref="RefuseAsync"/> where the step is one of several in the transaction: it has changed nothing, and the caller goes on and commits.</summary>
    public Task NoteAsync(RefusedStep refused) => refused.NoteAsync(this, _actor!);

    /// <summary>
    /// Returns only when the commit is confirmed. A COMMIT whose wait for a standby was cancelled returns normally with a mere
    /// warning, so any warning, a lost connection or a passed deadline is <see cref="CommitUnknownException"/>.
    /// </summary>
    public async Task CommitAsync(TimeSpan? deadline = null)
    {
        PostgresNotice? warning = null;
        void OnNotice(object sender, NpgsqlNoticeEventArgs e) => warning = e.Notice;
        Connection.Notice += OnNotice;
        var commit = CommitUncancelledAsync();
        try
        {
            await commit.WaitAsync(deadline ?? CommitDeadline);
        }
        catch (TimeoutException timeout) when (!commit.IsCompleted)
        {
            _handedOver = true;
            _ = commit.ContinueWith(async done => { _ = done.Exception; await CloseAsync(); }, TaskScheduler.Default);
            throw new CommitUnknownException("The database has not confirmed the commit in time.", timeout);
        }
        catch (Exception e) when (e is NpgsqlException and not PostgresException || e is PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "57014" } || e is IOException || e is ObjectDisposedException)
        {
            throw new CommitUnknownException("The connection was lost while committing.", e);
        }
        finally
        {
            if (!_handedOver)
            {
                Connection.Notice -= OnNotice;
            }
        }
        if (warning is not null)
        {
            throw new CommitUnknownException($"The commit was confirmed with a warning ({warning.SqlState}).");
        }
    }

    // No token and no command timeout: a cancelled COMMIT may look like a success.
    private async Task CommitUncancelledAsync()
    {
        await using var commit = new NpgsqlCommand("commit", Connection, Transaction) { CommandTimeout = 0 };
        await commit.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private async Task CloseAsync()
    {
        await Transaction.DisposeAsync();
        await Connection.DisposeAsync();
    }

    // Once only: Npgsql keeps one transaction object per pooled connection, so a second disposal would roll back whoever has it next.
    public ValueTask DisposeAsync() => _handedOver || Interlocked.Exchange(ref _closed, 1) != 0 ? ValueTask.CompletedTask : new ValueTask(CloseAsync());
}
