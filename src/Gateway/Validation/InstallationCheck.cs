using System.Globalization;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Validation;

/// <summary>Whether an installation is as it was validated, and stands on what it needs: what <c>gateway doctor</c> asks besides durability.</summary>
public sealed class InstallationCheck(GatewayDatabase database, Fingerprint fingerprint, ReadValidation validation)
{
    private static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(2);
    private const int Named = 10;
    private static readonly Actor s_doctor = Actor.System("doctor");

    /// <returns>What was found, the hash of what is installed, and the name of the effective baseline.</returns>
    public async Task<(IReadOnlyList<HealthCheck> Checks, string Fingerprint, string? Baseline)> RunAsync(CancellationToken ct)
    {
        var components = await fingerprint.ReadAsync(TimeSpan.Zero, ct);
        var checks = new List<HealthCheck>();
        var overview = await validation.ReadAsync(s_doctor, ct);
        if (await validation.CompareAsync(s_doctor, components, ct) is { } differences)
        {
            // Settings may be given to the gateway's own process only, so the nodes tell them.
            var ofProgram = differences.Where(d => Kind(d) is "program" or "runtime" or "aspnet" or "environment" || Kind(d).StartsWith("static", StringComparison.Ordinal)).ToList();
            var ofSettings = differences.Where(d => Kind(d) == "setting").ToList();
            checks.Add(Of("program files", ofProgram, components.Count(c => c.Key.StartsWith("program ", StringComparison.Ordinal))));
            checks.Add(Of("database objects", [.. differences.Except(ofProgram).Except(ofSettings)], null));
        }
        else
        {
            checks.Add(new("program files", true, "no baseline to compare with: draft one on the page Validation"));
        }
        checks.Add(new("validated state", overview.State is ValidationStates.Validated or ValidationStates.NoBaseline || overview.Nodes.Count == 0,
            $"{(overview.Baseline is { } number ? $"baseline {number.ToString(CultureInfo.InvariantCulture)}, " : "")}{(overview.Nodes.Count == 0 ? "no node runs" : $"{overview.State}, nodes that run: {overview.Nodes.Count.ToString(CultureInfo.InvariantCulture)}")}"));
        checks.AddRange(await OfDatabaseAsync(ct));
        await using var work = await database.BeginAsync(s_doctor, ct);
        var hash = await Fingerprint.OfAsync(work, components, ct);
        return (checks, hash, overview.Baseline is { } baseline ? $"{baseline.ToString(CultureInfo.InvariantCulture)} {overview.State}" : null);
    }

    private static string Kind(Difference difference) => difference.Name.Split(' ')[0];

    private static HealthCheck Of(string name, IReadOnlyList<Difference> differences, int? count) => differences.Count == 0
        ? new(name, true, count is { } all ? $"{all.ToString(CultureInfo.InvariantCulture)} files, as validated" : "as validated")
        : new(name, false, $"{string.Join(", ", differences.Take(Named))}{(differences.Count > Named ? $" and {(differences.Count - Named).ToString(CultureInfo.InvariantCulture)} more" : "")}: install what was validated, or assess the change and put a new baseline into effect");

    private async Task<IReadOnlyList<HealthCheck>> OfDatabaseAsync(CancellationToken ct)
    {
        var before = DateTime.UtcNow;
        await using var work = await database.BeginAsync(s_doctor, ct);
        var (now, owned, standbys, connected, isEncrypted, isLocal, guards) = await work.Connection.QuerySingleAsync<(DateTime, string?, string, long, bool, bool, string?)>(new CommandDefinition("""
            select clock_timestamp(),
                   (select string_agg(what, ', ') from (
                        select 'owns ' || count(*) || ' tables' as what from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and pg_has_role(session_user, c.relowner, 'member') having count(*) > 0
                        union all select 'may make roles' from pg_roles where rolname = session_user and rolcreaterole
                        union all select 'may make databases' from pg_roles where rolname = session_user and rolcreatedb) w),
                   current_setting('synchronous_standby_names'), (select count(*) from pg_stat_replication),
                   coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false), inet_client_addr() is null or inet_client_addr() <<= '127.0.0.0/8' or inet_client_addr() = '::1',
                   (select string_agg(tgname || ' on ' || tgrelid::regclass, ', ') from pg_trigger where tgenabled = 'D' and not tgisinternal)
            """, transaction: work.Transaction, cancellationToken: ct));
        var after = DateTime.UtcNow;
        var skew = now < before ? before - now : now > after ? now - after : TimeSpan.Zero;
        return
        [
            new("privileges", owned is null, owned is null ? "the gateway's login owns nothing" : $"the gateway's login {owned}: let ConnectionStrings:Gateway log in as a member of gateway_app only, and ConnectionStrings:Owner as the owner"),
            new("guards", guards is null, guards is null ? "every trigger is on" : $"switched off: {guards}. Switch them on, and find out what was written meanwhile"),
            new("time", skew <= MaxSkew, string.Create(CultureInfo.InvariantCulture, $"this machine and the database differ by {skew.TotalSeconds:0.000} s{(skew <= MaxSkew ? "" : ": let both follow the same time server")}")),
            new("connection to the database", isEncrypted || isLocal, isEncrypted ? "TLS" : isLocal ? "on this machine" : "plain, over the network: set SSL Mode=VerifyFull in ConnectionStrings:Gateway"),
            new("replication", standbys.Length == 0 || connected > 0, standbys.Length == 0 ? $"no synchronous standby is asked for; standbys connected: {connected.ToString(CultureInfo.InvariantCulture)}" : connected > 0 ? $"{standbys}; standbys connected: {connected.ToString(CultureInfo.InvariantCulture)}" : $"{standbys} is asked for, and no standby is connected: each commit waits"),
        ];
    }
}
