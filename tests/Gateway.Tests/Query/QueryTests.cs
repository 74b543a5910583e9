using System.Net;
using Gateway.Tests.Capture;

namespace Gateway.Tests.Query;

public sealed class QueryTests
{
    [Fact]
    public async Task Pages_follow_their_links_to_the_end_and_every_event_comes_once()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json([.. Enumerable.Range(1, 7).Select(n => Documents.Event(n))]));
        await gateway.ProcessAsync();
        var seen = new List<string>();
        for (var path = "/events?perPage=3&eventType=ObjectEvent%7CAggregationEvent"; path is not null;)
        {
            using var answer = await gateway.Client.GetAsync(path);
            var body = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            seen.AddRange(body.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList").EnumerateArray()
                .Select(e => e.GetProperty("epcList")[0].GetString()!));
            path = answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null;
        }
        Assert.Equal(Enumerable.Range(1, 7).Select(n => $"urn:epc:id:sgtin:4012345.011111.{n}"), seen);
    }

    [Theory]
    [InlineData("/events?EQ_colour=red", HttpStatusCode.BadRequest)]
    [InlineData("/events?perPage=1001", HttpStatusCode.BadRequest)]
    [InlineData("/events?GE_eventTime=yesterday", HttpStatusCode.BadRequest)]
    [InlineData("/events/urn:uuid:unknown", HttpStatusCode.NotFound)]
    [InlineData("/events?GE_eventTime=2026-03-01T10:00:00Z&LT_eventTime=2026-03-02T00:00:00Z", HttpStatusCode.OK)]
    public async Task Parameters_are_understood_or_refused(string path, HttpStatusCode expected)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var answer = await gateway.Client.GetAsync(path);
        Assert.Equal(expected, answer.StatusCode);
    }
}
