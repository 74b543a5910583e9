using Gateway.Delivery;
using Gateway.Delivery.Channels;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Shipments;

/// <summary>What a document's being taken changes of the shipments it tells: another document than the one they were counted against may have been taken.</summary>
public sealed class TakenShipmentTests
{
    // With others in a transaction that many share; and alone, where the partner asks for time.
    [Theory]
    [InlineData(null)]
    [InlineData("00:00:30")]
    public async Task The_shipments_that_a_taken_document_tells_may_be_counted_again_and_no_others(string? retryAfter)
    {
        await using var outbox = await Outbox.CreateAsync();
        await outbox.AddPartnerAsync("https://partner.example");
        await outbox.AddPartnerAsync("https://other.example");
        await outbox.AddAsync(1, 2, 1);
        // The first delivery tells one of two events of its capture; the second tells all of its own.
        await outbox.Database.ExecuteAsync("""
            select set_config('app.party', '*', false), set_config('app.actor', 'test', false);
            insert into capture (document_id, party_id, submitted_by, error_behaviour, state, created_at, finished_at, answer_status, answer_body)
            select document_id, party_id, 'x', 'rollback', 'accepted', gateway_now(), gateway_now(), 202, '' from document order by document_id;
            update delivery d set capture_id = c.capture_id from capture c where c.document_id = d.document_id;
            update delivery set compose_kind = 'shipment', shipment_events = '{11}' where delivery_id = 1;
            insert into shipment (party_id, partner_id, capture_id, event_id, created_at)
            select p.party_id, p.partner_id, d.capture_id, d.delivery_id * 10 + n, gateway_now() from delivery d, generate_series(1, 2) n, partner p where p.partner_id = 1 or n = 1;
            update shipment set units = 1, recounted = true, stale = false
            """);
        var queue = outbox.Node().GetRequiredService<DeliveryQueue>();
        var answer = new ChannelAnswer(AnswerMeaning.Pending, Verdict.Ok, "ok", 202) { RetryAfter = retryAfter is null ? null : TimeSpan.Parse(retryAfter, System.Globalization.CultureInfo.InvariantCulture) };
        foreach (var (delivery, told) in ((long, string)[])[(1, "1 11"), (2, "1 11, 1 21, 1 22")])
        {
            foreach (var claimed in (await queue.ClaimAsync(1, 10, CancellationToken.None)).Where(c => c.DeliveryId == delivery))
            {
                Assert.Equal("delivered", (await queue.CompleteAsync(claimed, (await queue.IntendAsync(claimed))!.Number, answer))!.State);
            }
            Assert.Equal((told, told), (await ShipmentsAsync("stale"), await ShipmentsAsync("not recounted")));
            await outbox.Database.AdvanceAsync(TimeSpan.FromMinutes(5)); // what was claimed beside it may be claimed again
        }

        Task<string> ShipmentsAsync(string which) => outbox.Database.ScalarAsync<string>($"select string_agg(partner_id || ' ' || event_id, ', ' order by event_id, partner_id) from shipment where {which}");
    }
}
