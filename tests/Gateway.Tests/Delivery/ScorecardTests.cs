using Gateway.Access;
using Gateway.Delivery;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Delivery;

/// <summary>How a partner did in some days: one question, whose figures follow from deliveries and attempts.</summary>
public sealed class ScorecardTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Actor Reader = Actor.System("test");

    [Fact]
    public async Task The_figures_are_those_of_its_deliveries_of_these_days_and_of_no_other_partners()
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 1, 10);
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 1, 3);
        await outbox.Database.ExecuteAsync("""
            insert into capture (party_id, document_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select 1, document_id, 'k', 'rollback', 'accepted', timestamptz '2026-11-10 08:00Z', timestamptz '2026-11-10 08:00Z', 202, '' from delivery where partner_id = 1;
            update delivery d set capture_id = c.capture_id, created_at = '2026-11-10 08:00Z' from capture c where c.document_id = d.document_id;
            -- Six accepted after 1, 2, 3, 4, 5 and 60 minutes, the last at the second try; one whose receipt is pending; two refused, one of them closed; one that waits; one of another month.
            update delivery set state = 'delivered', attempts = case when delivery_id = 6 then 2 else 1 end, finished_at = created_at + make_interval(mins => case when delivery_id = 6 then 60 else delivery_id::int end) where delivery_id between 1 and 6;
            update delivery set state = 'delivered', receipt = 'pending', attempts = 1, finished_at = created_at where delivery_id = 7;
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-422', attempts = 3 where delivery_id = 8;
            update delivery set state = 'closed', dead_reason = 'refused', code = 'http-400', attempts = 3 where delivery_id = 9;
            -- Down from 09:00 to 09:40; a single failure is no time in which it was down.
            insert into attempt (delivery_id, number, party_id, started_at, ended_at, request_hash, code, verdict)
            select 1, n, p.party_id, timestamptz '2026-11-10 09:00Z' + make_interval(mins => m), timestamptz '2026-11-10 09:00Z' + make_interval(mins => m), '', code, verdict
            from partner p, (values (1, 0, 'connect', 'network'), (2, 20, 'http-503', 'theirs'), (3, 40, 'ok', 'ok'), (4, 50, 'http-503', 'theirs'), (5, 55, 'http-422', 'ours')) as a (n, m, code, verdict) where p.partner_id = 1
            """);
        var scorecards = outbox.Node().GetRequiredService<Scorecards>();
        var card = await scorecards.FindAsync(Reader, 1, new DateOnly(2026, 11, 1), new DateOnly(2026, 11, 30), Ct);
        Assert.Equal((10, 6, 5, 2, 2, 1), (card.Documents, card.Accepted, card.FirstTry, card.Rejected, card.Waiting, card.Undecided));
        Assert.Equal(83.3, card.FirstTryPercent);
        Assert.Equal([new RejectCount("http-400", 1), new RejectCount("http-422", 1)], card.Rejects);
        Assert.Equal((3.5, 46.25, 40.0), (card.MedianMinutes, card.P95Minutes, card.DownMinutes));
        Assert.Equal(new DateTime(2026, 11, 10, 8, 0, 0, DateTimeKind.Utc), card.OldestWaiting);
        var none = await scorecards.FindAsync(Reader, 1, new DateOnly(2026, 10, 1), new DateOnly(2026, 10, 31), Ct);
        Assert.Equal((0, null, null, 0.0), (none.Documents, none.FirstTryPercent, none.MedianMinutes, none.DownMinutes));
        Assert.Contains("\"rejected http-422\",\"1\"", ScorecardEndpoints.Csv("9521321000001", "=A", card), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null, "2026-10-25", "2026-11-23")]
    [InlineData("2026-11-01", null, "2026-11-01", "2026-11-23")]
    [InlineData(null, "2026-10-30", "2026-10-01", "2026-10-30")]
    [InlineData("2026-11-02", "2026-11-01", null, null)]
    [InlineData("2020-01-01", "2026-11-01", null, null)]
    [InlineData("yesterday", null, null, null)]
    public void Days_are_the_last_thirty_unless_somebody_says_which(string? from, string? until, string? first, string? last)
    {
        var refusal = Scorecards.Read(from, until, new DateOnly(2026, 11, 23), out var a, out var b);
        Assert.Equal((first, last), refusal is null ? ($"{a:yyyy-MM-dd}", $"{b:yyyy-MM-dd}") : (null, null));
    }
}
