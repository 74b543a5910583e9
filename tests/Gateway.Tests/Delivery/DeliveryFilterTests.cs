using Gateway.Access;
using Gateway.Delivery;

namespace Gateway.Tests.Delivery;

/// <summary>What narrows a list of deliveries, alone and together.</summary>
public sealed class DeliveryFilterTests
{
    private static readonly Actor Reader = Actor.System("test");

    [Theory]
    [InlineData("state=open", "1 2 3 10")]
    [InlineData("state=late", "2")]
    [InlineData("state=dead", "4 5 6")]
    [InlineData("code=http-503", "3 4 5")]
    [InlineData("code=-", "1 2 7 8 9 10")]
    [InlineData("reason=refused", "5 6")]
    [InlineData("why=partner.failed", "3 4 5")]
    [InlineData("why=partner.refused", "6")]
    [InlineData("why=other&state=open", "")] // what was never tried, or was delivered, has no reason
    [InlineData("why=held.person", "")]
    [InlineData("why=partner.failed&state=dead", "4 5")]
    [InlineData("state=dead&code=http-503&reason=refused", "5")]
    [InlineData("day=2026-11-20", "7 8")]
    [InlineData("day=2026-11-19", "9")]
    [InlineData("day=2026-11-18", "")]
    [InlineData("day=2026-11-20&state=delivered", "7")]
    [InlineData("text=7", "7")]
    [InlineData("text=lane 1", "1 10")]
    [InlineData("text=lane 1&partner=2", "10")]
    [InlineData("text=lane%", "")]
    [InlineData("text=00000000-0000-0000-0000-000000000008", "8")]
    [InlineData("state=delivered&from=2026-11-20T10:00:00Z&to=2026-11-20T11:00:00Z", "7")]
    [InlineData("state=delivered&from=2026-11-20T10:00:01Z", "")]
    [InlineData("state=delivered&to=2026-11-20T10:00:00Z", "")]
    public async Task A_filter_finds_its_rows_and_its_counts_are_of_those_rows(string query, string expected)
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 9, 1);
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 1, 1);
        // 7 and its replay 8 are of one document, 9 of another day's; the rest came with no capture.
        await outbox.Database.ExecuteAsync("""
            update delivery set created_at = gateway_now() - interval '61 minutes' where delivery_id in (2, 4);
            update delivery set created_at = gateway_now() - interval '59 minutes' where delivery_id = 1;
            update delivery set need_by = created_at + interval '1 hour';
            update delivery set code = 'http-503', attempts = 3 where delivery_id in (3, 4, 5);
            update delivery set state = 'dead', dead_reason = case when delivery_id = 4 then 'exhausted' else 'refused' end, code = coalesce(code, 'http-400') where delivery_id in (4, 5, 6);
            update delivery set state = 'delivered', finished_at = '2026-11-20 10:00+00' where delivery_id = 7;
            update delivery set state = 'closed', dead_reason = null, document_id = 7, replay_of = 7, message_id = '00000000-0000-0000-0000-000000000008' where delivery_id = 8;
            update delivery set state = 'closed' where delivery_id = 9;
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select d, 1, 'test', 'rollback', 'accepted', t::timestamptz, gateway_now(), 202, '' from (values (7, '2026-11-20 23:59:59.999+00'), (9, '2026-11-19 00:00+00')) v (d, t);
            update delivery d set capture_id = c.capture_id from capture c where c.document_id = d.document_id;
            """);
        var overview = new DeliveryOverview(outbox.Database.Gateway);
        var given = query.Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => p[1]);
        var filter = DeliveryFilter.Read(given.GetValueOrDefault, out var wrong);
        Assert.Null(wrong);

        var rows = await overview.ListAsync(Reader, filter, 100, CancellationToken.None);
        Assert.Equal(expected, string.Join(' ', rows.Select(r => r.DeliveryId).Order()));
        Assert.Equal(rows.Count, await overview.CountUpToAsync(Reader, filter, 100, CancellationToken.None));
        var counts = await overview.CountAsync(Reader, filter, CancellationToken.None);
        foreach (var (state, count) in ((string, long)[])[("queued", counts.Queued), ("retrying", counts.Retrying), ("dead", counts.Dead), ("delivered", counts.Delivered), ("closed", counts.Closed)])
        {
            Assert.Equal((state, count), (state, (await overview.ListAsync(Reader, filter with { State = state }, 100, CancellationToken.None)).Count));
        }
        Assert.Equal(filter, DeliveryFilter.Read(filter.Query().ToDictionary().GetValueOrDefault, out _));
    }

    [Fact]
    public async Task A_days_list_is_counted_whole_and_equals_the_days_balance()
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), DeliveryCounts.Cap + 3, 1);
        await outbox.Database.ExecuteAsync("""
            update delivery set state = 'delivered' where delivery_id > 5;
            update delivery set document_id = 7, replay_of = 7 where delivery_id = 6;
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select document_id, 1, 'test', 'rollback', 'accepted', timestamptz '2026-11-20 12:00+00', gateway_now(), 202, '' from document;
            update delivery d set capture_id = c.capture_id from capture c where c.document_id = d.document_id
            """);
        var day = new DateTime(2026, 11, 20, 0, 0, 0, DateTimeKind.Utc);
        var counts = await new DeliveryOverview(outbox.Database.Gateway).CountAsync(Reader, new DeliveryFilter(Day: day), CancellationToken.None);
        Assert.Equal((DeliveryCounts.Cap - 2, 5), (counts.Delivered, counts.Queued));
        Assert.Equal((await new DeliveryFigures(outbox.Database.Gateway).BalanceAsync(Reader, day, CancellationToken.None)).Deliveries, counts);
    }

    [Theory]
    [InlineData("state", "gone")]
    [InlineData("partner", "nobody")]
    [InlineData("day", "21.11.2026")]
    [InlineData("reason", "tired")]
    [InlineData("from", "soon")]
    [InlineData("before", "x")]
    [InlineData("text", "a\0b")]
    public void What_cannot_be_is_said_and_does_not_narrow(string name, string value)
    {
        Assert.Equal(new DeliveryFilter(), DeliveryFilter.Read(n => n == name ? value : null, out var wrong));
        Assert.NotNull(wrong);
    }

    [Fact]
    public async Task Groups_are_by_partner_state_reason_and_code_and_each_counts_the_rows_behind_its_door()
    {
        await using var outbox = await Outbox.CreateAsync();
        var overview = new DeliveryOverview(outbox.Database.Gateway);
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.org"), 9, 1);
        await outbox.AddAsync(await outbox.AddPartnerAsync("https://example.net"), 3, 1);
        await outbox.Database.ExecuteAsync("""
            update delivery set attempts = 1, code = 'http-503' where delivery_id in (1, 2, 10);
            update delivery set attempts = 1 where delivery_id = 3;
            update delivery set state = 'dead', dead_reason = 'refused', code = 'http-400' where delivery_id in (4, 5, 11);
            update delivery set state = 'dead', dead_reason = 'refused', code = null where delivery_id = 6;
            """);
        var groups = await overview.GroupsAsync(Reader, new DeliveryFilter(), 100, CancellationToken.None);
        Assert.Equal(
            ["1 dead http-400 2", "1 dead - 1", "1 retrying http-503 2", "1 retrying - 1", "2 dead http-400 1", "2 retrying http-503 1"],
            groups.Select(g => $"{g.PartnerId} {g.State} {g.Code ?? "-"} {g.Count}").Order(StringComparer.Ordinal).OrderBy(g => g[..6], StringComparer.Ordinal).ThenByDescending(g => g.Contains("http", StringComparison.Ordinal)));
        foreach (var g in groups)
        {
            Assert.Equal(g.Count, await overview.CountUpToAsync(Reader, g.Rows, 100, CancellationToken.None));
            Assert.Equal(g.State == "retrying", g.Next is not null);
        }
        Assert.Equal(2, (await overview.GroupsAsync(Reader, new DeliveryFilter(PartnerId: 2), 100, CancellationToken.None)).Count);
    }
}
