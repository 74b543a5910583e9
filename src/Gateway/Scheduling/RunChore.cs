using Gateway.Database;
using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Scheduling;

/// <summary>Runs one chore now, under the advisory lock that makes this node its leader. Whatever clock calls this may call it twice.</summary>
public sealed partial class RunChore(GatewayDatabase database, IEnumerable<ChoreRegistration> chores, IServiceProvider services, ILogger<RunChore> log)
{
    // First half of the lock's key; the second is the chore's name.
    private const int LockSpace = 0x47_57_43_48;

    private readonly Dictionary<string, ChoreRegistration> _chores = chores.ToDictionary(c => c.Name, StringComparer.Ordinal);

    /// <returns>False when the chore did not run to its end here: another node has it, it is unknown to this build, or it failed.</returns>
    public async Task<bool> RunAsync(string name, CancellationToken ct)
    {
        if (!_chores.TryGetValue(name, out var chore))
        {
            Unknown(name);
            return false;
        }
        using var activity = GatewayTrace.Continue("chore", traceParent: null);
        activity?.SetTag("gateway.chore", name);
        try
        {
            var ran = chore.OnEveryNode ? await RunHereAsync(chore, ct) : await RunAsLeaderAsync(chore, ct);
            GatewayMeter.ChoreRun(name, ran ? "done" : "elsewhere");
            return ran;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            Stopped(name);
            return false;
        }
        catch (Exception e)
        {
            // The next firing tries again; a clock must not stop because of one chore.
            GatewayMeter.ChoreRun(name, "failed");
            Failed(e, name);
            return false;
        }
    }

    private async Task<bool> RunAsLeaderAsync(ChoreRegistration chore, CancellationToken ct)
    {
        // The lock belongs to this session: it ends with the process, the connection or this block, whichever is first.
        await using var leader = await database.OpenSessionAsync(ct);
        if (!await AskAsync(leader, "select pg_try_advisory_lock($1, hashtext($2))", chore.Name, ct))
        {
            Elsewhere(chore.Name);
            return false;
        }
        try
        {
            return await RunHereAsync(chore, ct);
        }
        finally
        {
            await AskAsync(leader, "select pg_advisory_unlock($1, hashtext($2))", chore.Name, CancellationToken.None);
        }
    }

    private async Task<bool> RunHereAsync(ChoreRegistration chore, CancellationToken ct)
    {
        await ((IChore)services.GetRequiredService(chore.Type)).RunAsync(ct);
        return true;
    }

    private static async Task<bool> AskAsync(NpgsqlConnection connection, string sql, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = LockSpace }, new() { Value = name } } };
        return await command.ExecuteScalarAsync(ct) is true;
    }

    [LoggerMessage(3001, LogLevel.Error, "Chore {Chore} failed; it runs again at its next time.")]
    private partial void Failed(Exception e, string chore);

    [LoggerMessage(3002, LogLevel.Debug, "Chore {Chore} runs on another node.")]
    private partial void Elsewhere(string chore);

    [LoggerMessage(3003, LogLevel.Warning, "Chore {Chore} is unknown to this build; a newer node has it.")]
    private partial void Unknown(string chore);

    [LoggerMessage(3004, LogLevel.Information, "Chore {Chore} was stopped with the gateway; its next firing does the rest.")]
    private partial void Stopped(string chore);
}
