using Gateway.Access;
using Gateway.Capture;

namespace Gateway.Tests.Capture;

public sealed class RelatedCaptureTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private const string Order = ""","bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:9521234000105:PO-77"}]""";

    private static string BadEvent => Documents.BadEvent.TrimEnd()[..^1] + Order + "}";

    [Fact]
    public async Task A_refused_document_leads_to_its_corrected_successor_and_back()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var refused = await CaptureAsync(gateway, gateway.Client, Documents.Json(BadEvent));
        await CaptureAsync(gateway, gateway.Client, Documents.Json(Documents.Event(1)));
        var corrected = await CaptureAsync(gateway, gateway.Client, Documents.Json(Documents.Event(2, extra: Order)));
        var list = new CaptureList(gateway.Database.Gateway);
        var reader = Actor.System("test");

        var later = Assert.Single(await list.RelatedAsync(reader, refused, Ct));
        Assert.Equal((corrected, "accepted", "document"), (later.Cursor, later.State, later.Kind));
        Assert.Contains("PO-77", later.Shared, StringComparison.Ordinal);
        var earlier = Assert.Single(await list.RelatedAsync(reader, corrected, Ct));
        Assert.Equal((refused, "refused"), (earlier.Cursor, earlier.State));
    }

    [Fact]
    public async Task Another_partys_document_of_the_same_number_is_not_related()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var own = await CaptureAsync(gateway, gateway.Client, Documents.Json(Documents.Event(1, extra: Order)));
        using var other = await gateway.SignInAsync("Second CMO");
        await CaptureAsync(gateway, other, Documents.Json(Documents.Event(2, extra: Order)));

        Assert.Empty(await new CaptureList(gateway.Database.Gateway).RelatedAsync(Actor.System("test"), own, Ct));
    }

    [Fact]
    public async Task Stored_events_are_told_by_kind_and_listed_in_document_order()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var capture = await CaptureAsync(gateway, gateway.Client, Documents.Json(Documents.Event(1), Documents.Event(2), Documents.BadEvent.Replace("\"ADD\"", "\"OBSERVE\"", StringComparison.Ordinal)));
        await CaptureAsync(gateway, gateway.Client, Documents.Json(Documents.Event(5)));
        var list = new CaptureList(gateway.Database.Gateway);
        var reader = Actor.System("test");

        Assert.Equal([("ObjectEvent", 2L), ("AggregationEvent", 1L)], (await list.EventKindsAsync(reader, capture, Ct)).Select(k => (k.Type, k.Count)));
        Assert.Equal([1L, 2L, 3L], (await list.EventsAsync(reader, capture, null, 0, 10, Ct)).Select(e => e.Number));
        Assert.Equal([2L], (await list.EventsAsync(reader, capture, "ObjectEvent", 1, 10, Ct)).Select(e => e.Number));
    }

    private static async Task<long> CaptureAsync(CaptureGateway gateway, HttpClient client, string document)
    {
        using var answer = await CaptureGateway.PostAsync(client, System.Text.Encoding.UTF8.GetBytes(document), "application/ld+json");
        Assert.Equal(202, (int)answer.StatusCode);
        Assert.True(await gateway.ProcessAsync());
        return await gateway.Database.ScalarAsync<long>("select max(capture_id) from capture");
    }
}
