using Dapper;
using Gateway.Database;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Alarms;

/// <summary>How grave an alarm is, as its row spells it.</summary>
public static class AlarmSeverity
{
    /// <summary>Something will go wrong unless somebody acts.</summary>
    public const string Warning = "warning";

    /// <summary>Something has gone wrong.</summary>
    public const string Error = "error";
}

/// <summary>Something that is wrong at this moment.</summary>
/// <param name="Subject">What it is about, spelled the same each time: with the kind it is the alarm.</param>
/// <param name="Sentence">It leaves the gateway, so it names no unit, no document and no secret.</param>
/// <param name="Link">Where a person acts on it, within the dashboard.</param>
/// <param name="Since">Null: since it is found.</param>
/// <param name="Severity">Null: the condition's.</param>
public sealed record AlarmFinding(string Subject, string Sentence, string Link, DateTime? Since, string? Severity = null);

/// <summary>
/// What can be wrong, and how it is found out. A slice registers its own at setup; what it finds is what stands now, never what happened since
/// the last look, so a look that was missed loses nothing.
/// </summary>
/// <param name="Kind">Explained at <c>/help</c>: <c>alarm.</c> and a word.</param>
/// <param name="Title">What is looked for, in a few words.</param>
/// <param name="FindAsync">Reads what stands now, acting for the organisation.</param>
public sealed record AlarmCondition(string Kind, string Severity, string Title, Func<IServiceProvider, Work, CancellationToken, Task<IEnumerable<AlarmFinding>>> FindAsync)
{
    /// <summary>How the subjects of a node's own condition begin.</summary>
    internal static readonly string ThisNode = FormattableString.Invariant($"{Environment.MachineName}-{Environment.ProcessId} ");

    /// <summary>Each node finds only what is wrong with itself, and says nothing of the others.</summary>
    public bool IsOfNode { get; init; }

    /// <summary>A condition that one statement finds: it selects Subject, Sentence, Link, Since and Severity (null: the condition's).</summary>
    /// <param name="parameters">What the statement names, such as limits from options; null: nothing.</param>
    public static AlarmCondition Of(string kind, string severity, string title, string sql, Func<IServiceProvider, object>? parameters = null) => new(kind, severity, title, async (services, work, ct) =>
        await work.Connection.QueryAsync<AlarmFinding>(new CommandDefinition(sql, parameters?.Invoke(services), work.Transaction, cancellationToken: ct)));
}

public static class AlarmConditionSetup
{
    public static IServiceCollection AddAlarm(this IServiceCollection services, AlarmCondition condition) => services.AddSingleton(condition);
}
