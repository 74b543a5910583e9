using System.Globalization;
using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Gateway.Scheduling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Validation;

/// <summary>
/// Compares this node with the effective baseline, at the start, then every while, and at once when a baseline or another node
/// changes; and says what all nodes together are. Nothing waits for it: what is not validated goes on working unless it is told to be refused.
/// </summary>
public sealed partial class WatchValidation(
    GatewayDatabase database, Fingerprint fingerprint, ValidationStatus status, NodeFaults faults, ChangeFeed feed, IOptions<ValidationOptions> options, ILogger<WatchValidation> log) : BackgroundService
{
    /// <summary>So many differences are kept with a node; all of them are counted.</summary>
    public const int MaxDifferences = 200;

    private const string Fault = "validation";
    private const int Named = 3;

    // Several nodes of one machine, even of one process, are told apart.
    private readonly string _node = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..4]}");
    private IReadOnlyDictionary<string, string> _components = new Dictionary<string, string>();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private string _hash = "";
    private ValidationStatus.Known? _logged;
    private long _comparedAt;
    private string? _failure;

    /// <summary>The name under which this node is listed.</summary>
    public string Node => _node;

    /// <summary>Reads what this node is and compares it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            await ReadAndCompareAsync(ct);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task ReadAndCompareAsync(CancellationToken ct)
    {
        var began = TimeProvider.System.GetTimestamp();
        var found = await ReadAsync(ct);
        WasRead(found.Count, (long)TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
        if (_hash.Length == 0 || found.Count != _components.Count || found.Any(c => _components.GetValueOrDefault(c.Key) != c.Value))
        {
            await using var work = await database.BeginAsync(Actor.System("validation"), ct);
            var hash = await Fingerprint.OfAsync(work, found, ct);
            await Fingerprint.KeepAsync(work, hash, found, ct);
            await work.CommitAsync();
            (_hash, _components) = (hash, found);
        }
        await CompareAsync(ct);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var work = await database.BeginAsync(Actor.System("validation"), CancellationToken.None);
            await work.Connection.ExecuteAsync("update validation_node set left_at = clock_timestamp() where node = @_node", new { _node }, work.Transaction);
            await work.CommitAsync();
        }
        catch (Exception e) when (DatabaseFault.IsOutage(e))
        {
            // Without a sign of life the others forget it in a while.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe(change =>
        {
            if (change.Kind is "validation" or "all" && woken.CurrentCount == 0)
            {
                woken.Release();
            }
        });
        var read = 0L;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (read == 0 || TimeProvider.System.GetElapsedTime(read) >= options.Value.Every)
                {
                    read = TimeProvider.System.GetTimestamp();
                    await RunAsync(stoppingToken);
                }
                else
                {
                    await CompareAsync(stoppingToken);
                }
                var left = options.Value.Every - TimeProvider.System.GetElapsedTime(read);
                await woken.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Fails(e);
                _hash = ""; // a restored database may not know it
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                read = 0;
            }
        }
    }

    private async Task<IReadOnlyDictionary<string, string>> ReadAsync(CancellationToken ct)
    {
        try
        {
            // Half of the time, so that nodes of one process share a reading and none is ever older than it may be.
            return await fingerprint.ReadAsync(options.Value.Every / 2, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            // A difference like any other, which somebody sees.
            return new Dictionary<string, string> { ["reading"] = e.Message };
        }
    }

    private async Task CompareAsync(CancellationToken ct)
    {
        if (_hash.Length == 0)
        {
            return; // woken before the first reading
        }
        await using var work = await database.BeginAsync(Actor.System("validation"), ct);
        // One at a time, so that each sees what the one before wrote, and a change of state is told once.
        await work.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtext('validation'))", transaction: work.Transaction);
        var effective = await work.Connection.QuerySingleOrDefaultAsync<(int Id, string Fingerprint)?>("select baseline_id, fingerprint from validation_baseline where state = 'effective'", transaction: work.Transaction);
        var differences = effective is { } e && e.Fingerprint != _hash ? await DifferencesAsync(work, e.Fingerprint, _hash) : [];
        var own = effective is null ? ValidationStates.NoBaseline : differences.Count == 0 ? ValidationStates.Validated : ValidationStates.NotValidated;
        await work.Connection.ExecuteAsync("""
            insert into validation_node (node, machine, build, fingerprint, state, difference_count, differences, change_reference, every, seen_at)
            values (@_node, @MachineName, @Build, @_hash, @own, @Count, @first::jsonb, @ChangeReference, @Every, clock_timestamp())
            on conflict (node) do update set fingerprint = excluded.fingerprint, state = excluded.state, difference_count = excluded.difference_count, differences = excluded.differences,
                change_reference = excluded.change_reference, seen_at = excluded.seen_at, left_at = null;
            delete from validation_node where seen_at < clock_timestamp() - interval '1 day'
            """, new { _node, Environment.MachineName, Installation.Build, _hash, own, differences.Count, first = JsonSerializer.Serialize(differences.Take(MaxDifferences), JsonSerializerOptions.Web), options.Value.ChangeReference, options.Value.Every }, work.Transaction);
        var known = await TogetherAsync(work);
        await work.CommitAsync();
        _comparedAt = TimeProvider.System.GetTimestamp();
        if (_failure is not null)
        {
            _failure = null;
            Again();
        }
        Tell(known);
    }

    /// <summary>A database that restarts changes nothing of what runs: for three turns, as long as the other nodes count this one, the last state stands.</summary>
    private void Fails(Exception e)
    {
        if (DatabaseFault.IsOutage(e) && (_comparedAt == 0 || TimeProvider.System.GetElapsedTime(_comparedAt) < (3 * options.Value.Every) + TimeSpan.FromSeconds(5)))
        {
            if (_failure is null)
            {
                Unreachable(e.Message);
            }
            _failure ??= "";
            return;
        }
        // Nobody knows what the node is: it does not go on as validated.
        if (status.Now.State != ValidationStates.NoBaseline)
        {
            status.Set(new(ValidationStates.NotValidated, "The node could not be compared with the baseline."));
            faults.Found(Fault, "the node could not be compared with the baseline", isFatal: false);
            _logged = null;
        }
        var failure = DatabaseFault.IsOutage(e) ? "outage" : $"{e.GetType()} {e.Message}";
        if (_failure != failure)
        {
            Failed(e);
        }
        _failure = failure;
    }

    internal static async Task<IReadOnlyList<Difference>> DifferencesAsync(Work work, string validated, string found) =>
        [.. await work.Connection.QueryAsync<Difference>("select name as Name, old as Validated, new as Found from validation_differences(@validated, @found)", new { validated, found }, work.Transaction)];

    private static async Task<ValidationStatus.Known> TogetherAsync(Work work)
    {
        var state = (await work.Connection.ExecuteScalarAsync<string>("select validation_now()", transaction: work.Transaction))!;
        var known = state is ValidationStates.Validated or ValidationStates.NoBaseline ? new ValidationStatus.Known(state, "")
            : new(state, await DetailAsync(work), await work.Connection.ExecuteScalarAsync<string>("select coalesce(string_agg(distinct fingerprint, ' '), '') from validation_live()", transaction: work.Transaction) ?? "");
        await work.Connection.ExecuteAsync("""
            update validation_state set state = @State, detail = @Detail, fingerprints = @Fingerprints, since = case when state = @State then since else gateway_now() end
            where (state, detail, fingerprints) is distinct from (@State, @Detail, @Fingerprints)
            """, known, work.Transaction);
        return known;
    }

    /// <summary>The first differences of the nodes that run, in a sentence.</summary>
    private static async Task<string> DetailAsync(Work work)
    {
        var rows = (await work.Connection.QueryAsync<(string Machine, int Count, string First)>("""
            select machine, difference_count, coalesce((select string_agg((d ->> 'name') || case when d ->> 'validated' is null then ' added' when d ->> 'found' is null then ' removed' else ' changed' end, ', ')
                       from (select d from jsonb_array_elements(differences) d limit @Named) d), '')
            from validation_live() where difference_count > 0 order by started_at
            """, new { Named }, work.Transaction)).AsList();
        return string.Join("; ", rows.Select(r => $"{r.Machine}: {r.First}{(r.Count > Named ? $" and {r.Count - Named} more" : "")}").Distinct().Order(StringComparer.Ordinal));
    }

    private void Tell(ValidationStatus.Known known)
    {
        status.Set(known);
        if (known.State is ValidationStates.Validated or ValidationStates.NoBaseline)
        {
            faults.Mended(Fault);
        }
        else
        {
            faults.Found(Fault, $"the installation is {known.State}", isFatal: false);
        }
        if (_logged == known)
        {
            return;
        }
        switch (known.State)
        {
            case ValidationStates.Validated:
                Validated();
                break;
            case ValidationStates.Mixed:
                Mixed(known.Detail);
                break;
            case ValidationStates.NotValidated:
                NotValidated(known.Detail);
                break;
        }
        _logged = known;
    }

    [LoggerMessage(1801, LogLevel.Critical, "What runs is not what was validated: {Differences}")]
    private partial void NotValidated(string differences);

    [LoggerMessage(1802, LogLevel.Critical, "The nodes that run differ among themselves: {Differences}")]
    private partial void Mixed(string differences);

    [LoggerMessage(1803, LogLevel.Information, "What runs is what was validated.")]
    private partial void Validated();

    [LoggerMessage(1805, LogLevel.Debug, "{Count} components were read in {Milliseconds} ms.")]
    private partial void WasRead(int count, long milliseconds);

    [LoggerMessage(1806, LogLevel.Warning, "The database does not answer, so the node cannot be compared with the baseline; its last state stands for three turns: {Message}")]
    private partial void Unreachable(string message);

    [LoggerMessage(1807, LogLevel.Information, "The node is compared with the baseline again.")]
    private partial void Again();

    [LoggerMessage(1804, LogLevel.Error, "The node could not be compared with the validated baseline: until it can, it counts as not validated.")]
    private partial void Failed(Exception e);
}
