using System.Text.Json;
using Dapper;
using Gateway.Access;
using Gateway.Database;

namespace Gateway.Partners;

/// <summary>One step of a test of a partner's connection.</summary>
/// <param name="Step">dns, tcp, tls or host-key, authentication, sample, receipt.</param>
/// <param name="State">passed, failed, not reached, not applicable.</param>
/// <param name="Ms">How long it took.</param>
/// <param name="Seen">What was seen, in a sentence, without any secret.</param>
/// <param name="Code">Of a failure, as an attempt of a delivery names it.</param>
/// <param name="Verdict">Of a failure: ours, theirs or network.</param>
/// <param name="Next">Of a failure: what to do, in a sentence.</param>
public sealed record TestStep(string Step, string State, long Ms, string Seen, string? Code = null, string? Verdict = null, string? Next = null);

/// <summary>What a test found.</summary>
/// <param name="Version">Of the setup that was tested.</param>
/// <param name="Passed">No step failed.</param>
/// <param name="Accepted">The partner itself said that it has the sample.</param>
/// <param name="MessageId">Under which the sample was sent; null: none was.</param>
/// <param name="Told">What a person was told of the sample: who has it, and how that was told.</param>
public sealed record PartnerTest(
    long TestId, int Version, DateTime StartedAt, DateTime EndedAt, bool Passed, bool Accepted, Guid? MessageId, IReadOnlyList<TestStep> Steps, string TestedBy, string? Told, string? ConfirmedBy)
{
    /// <summary>The partner has the sample: it said so, or a person was told.</summary>
    public bool HasSample => Accepted || Told is not null;

    /// <summary>The step that failed; null when none did.</summary>
    public TestStep? Failure => Steps.FirstOrDefault(s => s.State == "failed");
}

/// <summary>The results of tests: kept for ever, with the version of the setup that they are of.</summary>
public sealed class PartnerTests(GatewayDatabase database)
{
    private const string Select = """
        select t.test_id as TestId, t.partner_version as Version, t.started_at as StartedAt, t.ended_at as EndedAt, t.passed as Passed, t.accepted as Accepted, t.message_id as MessageId,
            t.steps::text as Steps, t.tested_by as TestedBy, c.told as Told, c.confirmed_by as ConfirmedBy
        from partner_test t left join partner_sample_confirmed c using (test_id)
        """;

    /// <param name="documentId">The sample; null: none was sent.</param>
    /// <returns>The test's number.</returns>
    public async Task<long> SaveAsync(Actor actor, int partnerId, int version, DateTime startedAt, IReadOnlyList<TestStep> steps, bool accepted, long? documentId, Guid? messageId, string? reason)
    {
        await using var work = await database.BeginAsync(actor with { Reason = reason ?? actor.Reason }, CancellationToken.None);
        var id = await work.Connection.ExecuteScalarAsync<long>("""
            insert into partner_test (partner_id, party_id, partner_version, started_at, ended_at, passed, accepted, document_id, message_id, steps, tested_by)
            select partner_id, party_id, @version, @startedAt, gateway_now(), @passed, @accepted, @documentId, @messageId, @steps::jsonb, current_setting('app.actor_name') from partner where partner_id = @partnerId returning test_id
            """, new { partnerId, version, startedAt, passed = steps.All(s => s.State != "failed"), accepted, documentId, messageId, steps = JsonSerializer.Serialize(steps, JsonSerializerOptions.Web) }, work.Transaction);
        await work.CommitAsync();
        return id;
    }

    /// <summary>Newest first.</summary>
    /// <param name="before">The test that ended the page before.</param>
    public async Task<IReadOnlyList<PartnerTest>> ListAsync(Actor reader, int partnerId, long? before, int limit, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return await ListAsync(work, $"{Select} where t.partner_id = @partnerId and (@before::bigint is null or t.test_id < @before) order by t.test_id desc limit @limit", new { partnerId, before, limit });
    }

    public async Task<PartnerTest?> FindAsync(Actor reader, int partnerId, long testId, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(reader, ct);
        return (await ListAsync(work, $"{Select} where t.partner_id = @partnerId and t.test_id = @testId", new { partnerId, testId })).SingleOrDefault();
    }

    /// <summary>Keeps that a person was told that the partner has the sample of a test, where no machine says so.</summary>
    /// <param name="told">Who told it, and how.</param>
    /// <returns>Null, or why not.</returns>
    public async Task<string?> ConfirmAsync(Actor actor, int partnerId, long testId, string told, CancellationToken ct)
    {
        await using var work = await database.BeginAsync(actor with { Reason = told }, ct);
        var kept = await work.Connection.ExecuteAsync("""
            insert into partner_sample_confirmed (test_id, party_id, told, confirmed_by, confirmed_at)
            select test_id, party_id, @told, current_setting('app.actor_name'), gateway_now() from partner_test where test_id = @testId and partner_id = @partnerId and document_id is not null and passed
            on conflict do nothing
            """, new { testId, partnerId, told }, work.Transaction);
        if (kept == 0)
        {
            return "The test sent no sample, failed, or its sample is confirmed already.";
        }
        await work.CommitAsync();
        return null;
    }

    /// <summary>The newest tests of a version of a partner's setup.</summary>
    internal static Task<IReadOnlyList<PartnerTest>> OfVersionAsync(Work work, int partnerId, int version) =>
        ListAsync(work, $"{Select} where t.partner_id = @partnerId and t.partner_version = @version order by t.test_id desc limit 100", new { partnerId, version });

    private static async Task<IReadOnlyList<PartnerTest>> ListAsync(Work work, string sql, object parameters) =>
        [.. (await work.Connection.QueryAsync<Row>(sql, parameters, work.Transaction)).Select(r => new PartnerTest(
            r.TestId, r.Version, r.StartedAt, r.EndedAt, r.Passed, r.Accepted, r.MessageId, JsonSerializer.Deserialize<TestStep[]>(r.Steps, JsonSerializerOptions.Web)!, r.TestedBy, r.Told, r.ConfirmedBy))];

    private sealed record Row(long TestId, int Version, DateTime StartedAt, DateTime EndedAt, bool Passed, bool Accepted, Guid? MessageId, string Steps, string TestedBy, string? Told, string? ConfirmedBy);
}
