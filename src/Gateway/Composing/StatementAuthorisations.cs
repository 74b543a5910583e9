using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Composing;

/// <summary>That an owner may have the transaction statement made in its name, and in which words.</summary>
/// <param name="Gln">The owner.</param>
/// <param name="ValidTo">From then on no more; null: until somebody ends it.</param>
public sealed record StatementAuthorisation(long Id, string Gln, string LegalNotice, DateTime ValidFrom, DateTime? ValidTo, string Reason);

/// <summary>Recorded authorisations: without one the statement is never made.</summary>
public sealed class StatementAuthorisations(GatewayDatabase database)
{
    /// <summary>The legal notice that the owner's statement has at a moment; null when it may make none.</summary>
    public async Task<string?> NoticeAsync(string gln, DateTime at, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(Actor.System("composing"), ct);
        return await work.Connection.ExecuteScalarAsync<string?>(new CommandDefinition("""
            select legal_notice from statement_authorisation where gln = @gln and valid_from <= @at and (valid_to is null or valid_to > greatest(@at, gateway_now())) order by valid_from desc, authorisation_id desc limit 1
            """, new { gln, at }, work.Transaction, cancellationToken: ct));
    }

    public async Task<IReadOnlyList<StatementAuthorisation>> ListAsync(Actor reader, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await work.Connection.QueryAsync<StatementAuthorisation>(new CommandDefinition("""
            select authorisation_id as Id, gln as Gln, legal_notice as LegalNotice, valid_from as ValidFrom, valid_to as ValidTo, reason as Reason from statement_authorisation order by authorisation_id desc limit 1000
            """, transaction: work.Transaction, cancellationToken: ct))).AsList();
    }

    public async Task<long> AddAsync(Actor actor, string gln, string legalNotice, DateTime? validFrom, DateTime? validTo, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var id = await work.Connection.ExecuteScalarAsync<long>(new CommandDefinition("""
            insert into statement_authorisation (party_id, gln, legal_notice, valid_from, valid_to, reason)
            select party_id, @gln, @legalNotice, coalesce(@validFrom, gateway_now()), @validTo, @reason from party where kind = 'organisation' returning authorisation_id
            """, new { gln, legalNotice, validFrom, validTo, reason }, work.Transaction, cancellationToken: ct));
        await work.CommitAsync();
        return id;
    }

    /// <summary>Ends it now.</summary>
    /// <returns>False when there is none that is still in force.</returns>
    public async Task<bool> EndAsync(Actor actor, long id, string reason, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason }, ct);
        var ended = await work.Connection.ExecuteAsync(new CommandDefinition("""
            update statement_authorisation set valid_to = greatest(gateway_now(), valid_from + interval '1 us'), reason = @reason where authorisation_id = @id and (valid_to is null or valid_to > gateway_now())
            """, new { id, reason }, work.Transaction, cancellationToken: ct));
        if (ended == 0)
        {
            await work.RefuseAsync(new RefusedStep("statement_authorisation", FormattableString.Invariant($"{id}"), "end", "Only an authorisation that is in force can be ended.", "select case when valid_to is null then 'in force' else 'ended' end, null::int from statement_authorisation where authorisation_id = @key::bigint"));
            return false;
        }
        await work.CommitAsync();
        return true;
    }
}
