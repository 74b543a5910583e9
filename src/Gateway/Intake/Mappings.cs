using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Gateway.Access;
using Gateway.Database;
using Microsoft.Extensions.Options;

namespace Gateway.Intake;

/// <summary>A mapping, as lists show it.</summary>
/// <param name="State"><c>approved</c>; <c>not approved</c>: a file that nobody has approved yet; <c>changed</c>: the file differs from what was approved under its version; <c>faulty</c>; <c>withdrawn</c>.</param>
/// <param name="Errors">What is wrong with the file.</param>
public sealed record MappingItem(string Name, int Version, string Title, string State, DateTime? ApprovedAt, string? ApprovedBy, string? Reason, IReadOnlyList<MappingError> Errors)
{
    /// <summary>Of the file; null when there is none any more.</summary>
    public string? Text { get; init; }
}

/// <summary>
/// The mappings: files in a folder, and what of them was approved. A file is read by nothing until somebody has approved it; what was approved is
/// kept as it was, and an approved version that changes is a fault and no new mapping.
/// </summary>
public sealed class Mappings(GatewayDatabase database, IOptions<IntakeOptions> options)
{
    private static readonly Actor Gateway = Actor.System("intake");
    private readonly ConcurrentDictionary<string, Mapping> _approved = new(StringComparer.Ordinal);

    private string Folder => options.Value.Mappings is { Length: > 0 } folder ? folder : MappingFiles.Folder;

    private sealed record Row(string Name, int Version, string Title, string Text, byte[] Sha256, DateTime ApprovedAt, string ApprovedByName, string Reason, DateTime? WithdrawnAt);

    private const string Select = "select name, version, title, text, sha256, approved_at as ApprovedAt, approved_by_name as ApprovedByName, reason, withdrawn_at as WithdrawnAt from mapping";

    /// <summary>Every file, and every approved mapping whose file is gone; by name, the newest version first.</summary>
    public async Task<IReadOnlyList<MappingItem>> ListAsync(CancellationToken ct)
    {
        var rows = await RowsAsync(null, ct);
        var items = new List<MappingItem>();
        foreach (var name in MappingFiles.Names(Folder))
        {
            var text = await File.ReadAllTextAsync(Path.Combine(Folder, name + ".yaml"), ct);
            if (MappingFile.Read(text, out var errors) is not { } file || file.Name != name)
            {
                items.Add(new MappingItem(name, 0, "", "faulty", null, null, null, errors.Count > 0 ? errors : [new MappingError(1, 1, "mapping is not the name of its file.")]) { Text = text });
                continue;
            }
            var row = rows.FirstOrDefault(r => r.Name == name && r.Version == file.Version);
            items.Add(new MappingItem(name, file.Version, file.Title, StateOf(row, text), row?.ApprovedAt, row?.ApprovedByName, row?.Reason, []) { Text = text });
        }
        items.AddRange(rows.Where(r => !items.Exists(i => i.Name == r.Name && i.Version == r.Version))
            .Select(r => new MappingItem(r.Name, r.Version, r.Title, r.WithdrawnAt is null ? "approved" : "withdrawn", r.ApprovedAt, r.ApprovedByName, r.Reason, []) { Text = r.Text }));
        return [.. items.OrderBy(i => i.Name, StringComparer.Ordinal).ThenByDescending(i => i.Version)];
    }

    private static string StateOf(Row? row, string text) => row switch
    {
        null => "not approved",
        { WithdrawnAt: not null } => "withdrawn",
        _ when !row.Sha256.AsSpan().SequenceEqual(SHA256.HashData(Encoding.UTF8.GetBytes(text))) => "changed",
        _ => "approved",
    };

    private async Task<IReadOnlyList<Row>> RowsAsync(string? name, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Gateway, ct);
        return (await work.Connection.QueryAsync<Row>(new CommandDefinition($"{Select} where @name::text is null or name = @name order by name, version desc", new { name }, work.Transaction, cancellationToken: ct))).AsList();
    }

    /// <summary>The mapping that files are read by today: the newest version that is approved and not withdrawn.</summary>
    /// <returns>Null when none is; then the sentence says why.</returns>
    internal async Task<(Mapping? Mapping, string? Refusal)> CurrentAsync(string name, CancellationToken ct)
    {
        var rows = await RowsAsync(name, ct);
        if (rows.FirstOrDefault(r => r.WithdrawnAt is null) is { } row)
        {
            return (Read(row), null);
        }
        return (null, rows.Count > 0 ? $"Every version of the mapping {name} was withdrawn." : MappingFiles.Names(Folder).Contains(name) ? $"Nobody has approved the mapping {name} yet; a dry run works without." : null);
    }

    /// <summary>Name and version of the mapping that documents are read by today; null when none is approved.</summary>
    public async Task<string?> ApprovedIdAsync(string name, CancellationToken ct) => (await CurrentAsync(name, ct)).Mapping?.Id;

    /// <summary>For a dry run: the file as it is, approved or not; else what is approved.</summary>
    internal async Task<(Mapping? Mapping, IReadOnlyList<MappingError> Errors)> DraftAsync(string name, CancellationToken ct)
    {
        if (MappingFiles.Names(Folder).Contains(name))
        {
            return (MappingFile.Read(await File.ReadAllTextAsync(Path.Combine(Folder, name + ".yaml"), ct), out var errors), errors);
        }
        return ((await CurrentAsync(name, ct)).Mapping, []);
    }

    /// <summary>The mapping that a document came by.</summary>
    /// <param name="id">Name and version, as captures keep it.</param>
    internal async Task<Mapping> OfAsync(string id, CancellationToken ct)
    {
        if (_approved.TryGetValue(id, out var known))
        {
            return known;
        }
        var parts = id.Split('@');
        return Read((await RowsAsync(parts[0], ct)).FirstOrDefault(r => $"{r.Version}" == parts[^1]) ?? throw new InvalidOperationException($"There is no mapping {id}."));
    }

    private Mapping Read(Row row) => _approved.GetOrAdd($"{row.Name}@{row.Version}", _ =>
        MappingFile.Read(row.Text, out var errors) ?? throw new InvalidOperationException($"The approved mapping {row.Name} cannot be read any more: {errors[0]}"));

    /// <summary>Approves the file of a mapping as it is now.</summary>
    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> ApproveAsync(Actor actor, string name, string? reason, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return "A reason is missing.";
        }
        if (!MappingFiles.Names(Folder).Contains(name))
        {
            return $"There is no file of a mapping {name}.";
        }
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, name + ".yaml"), ct);
        if (MappingFile.Read(text, out var errors) is not { } mapping)
        {
            return $"The file of the mapping {name} cannot be used: {string.Join(" ", errors.Take(5))}";
        }
        if (mapping.Name != name)
        {
            return $"The file is of a mapping {mapping.Name}, and its name is {name}.yaml.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason.Trim() }, ct);
        var added = await work.Connection.ExecuteAsync("""
            insert into mapping (name, version, title, text, sha256, approved_at, approved_by, approved_by_name, reason)
            values (@name, @Version, @Title, @text, sha256(convert_to(@text, 'UTF8')), gateway_now(), @Id, @ApproverName, @reason) on conflict do nothing
            """, new { name, mapping.Version, mapping.Title, text, actor.Id, ApproverName = actor.Name, reason = reason.Trim() }, work.Transaction);
        if (added == 0)
        {
            return await work.RefuseAsync(Refused(name, mapping.Version, "approve",
                await work.Connection.ExecuteScalarAsync<bool>("select text = @text and withdrawn_at is null from mapping where name = @name and version = @Version", new { name, mapping.Version, text }, work.Transaction)
                    ? $"Version {mapping.Version} of the mapping {name} is approved already."
                    : $"Version {mapping.Version} of the mapping {name} was approved with another text, or withdrawn: what changes is a new version."));
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>Takes an approved mapping out of use; what it has read stays.</summary>
    /// <returns>Null, or the refusal as a sentence.</returns>
    public async Task<string?> WithdrawAsync(Actor actor, string name, int version, string? reason, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            return "A reason is missing.";
        }
        await using var work = await database.BeginAsync(actor with { Reason = reason.Trim() }, ct);
        var changed = await work.Connection.ExecuteAsync("update mapping set withdrawn_at = gateway_now(), withdrawn_by_name = @by where name = @name and version = @version and withdrawn_at is null",
            new { name, version, by = actor.Name }, work.Transaction);
        if (changed == 0)
        {
            return await work.RefuseAsync(Refused(name, version, "withdraw", $"Version {version} of the mapping {name} is not in use."));
        }
        await work.CommitAsync();
        return null;
    }

    private static RefusedStep Refused(string name, int version, string step, string refusal) => new("mapping", name, step, refusal,
        $"select case when withdrawn_at is null then 'approved' else 'withdrawn' end, version from mapping where name = @key and version = {version}");
}
