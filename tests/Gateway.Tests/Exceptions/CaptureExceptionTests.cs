using System.Text;
using Gateway.Access;
using Gateway.Exceptions;
using Gateway.Tests.Capture;

namespace Gateway.Tests.Exceptions;

/// <summary>What a capture leaves for a person to settle.</summary>
public sealed class CaptureExceptionTests
{
    private static readonly Actor Reader = Actor.System("test");
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_eventID_used_again_with_other_content_opens_an_exception_of_its_units_and_its_document()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1), Event("urn:x:2", 2)));
        Assert.Empty(await ListAsync(gateway));
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1), Event("urn:x:2", 2)) + " "); // the same in other bytes is no news
        Assert.Empty(await ListAsync(gateway));

        var changed = Documents.Json(Event("urn:x:1", 8), Event("urn:x:2", 9), Event("urn:x:3", 3));
        var capture = await CapturedAsync(gateway, gateway.Client, changed);
        var row = Assert.Single(await ListAsync(gateway));
        Assert.Equal(("GW-EVT-02", "warning", "open", "capture", capture, "urn:x:1", 2, 2, "04012345111118", "A1"),
            (row.Code, row.Severity, row.State, row.SourceKind, row.SourceId, row.EventUri, row.Occurrences, row.UnitCount, row.Gtin, row.Lot));
        Assert.Equal(await gateway.Database.ScalarAsync<long>($"select document_id from capture where public_id = '{capture}'"), row.DocumentId);
        Assert.Equal(["urn:epc:id:sgtin:4012345.011111.8", "urn:epc:id:sgtin:4012345.011111.9"], await new ExceptionList(gateway.Database.Gateway).UnitsAsync(Reader, row.Cursor, null, 10, Ct));
        Assert.Equal("accepted", await gateway.Database.ScalarAsync<string>($"select state from capture where public_id = '{capture}'"));

        // The same bytes again are the same capture.
        await CaptureGateway.PostAsync(gateway.Client, Encoding.UTF8.GetBytes(changed), "application/ld+json");
        Assert.False(await gateway.ProcessAsync());
        Assert.Equal(1, Assert.Single(await ListAsync(gateway)).Version);
    }

    [Fact]
    public async Task An_eventID_in_use_elsewhere_opens_one_for_who_came_second_and_tells_nothing_of_the_other()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var second = await gateway.SignInAsync("Second CMO");
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1)));
        await CapturedAsync(gateway, second, Documents.Json(Event("urn:x:1", 2)));
        var row = Assert.Single(await ListAsync(gateway));
        Assert.Equal(("GW-EVT-03", "Second CMO", 1), (row.Code, row.Party, row.UnitCount));
        var told = await gateway.Database.ScalarAsync<string>("select e::text || (select string_agg(u::text, ' ') from exception_unit u) from exception e");
        Assert.DoesNotContain("011111.1", told, StringComparison.Ordinal);
        Assert.DoesNotContain("First", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_document_opens_one_with_its_first_error_and_its_lot()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var capture = await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1), Documents.BadEvent, Documents.BadEvent));
        var row = Assert.Single(await ListAsync(gateway));
        Assert.Equal(("EPCIS-AGG-01", "error", "open", capture, "A1", 0, 1), (row.Code, row.Severity, row.State, row.SourceId, row.Lot, row.UnitCount, row.Occurrences));
        Assert.Equal(row.DocumentId, await gateway.Database.ScalarAsync<long>("select document_id from document"));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task What_was_found_on_the_way_to_a_refusal_is_not_left_behind()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1)));
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 2), Documents.BadEvent));
        Assert.Equal("EPCIS-AGG-01", Assert.Single(await ListAsync(gateway)).Code);
    }

    [Fact]
    public async Task A_document_that_cannot_be_read_opens_one_at_the_door_and_one_that_cannot_be_processed_when_that_is_given_up()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var unreadable = await gateway.PostAsync("This is no EPCIS document.", "application/xml");
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, unreadable.StatusCode);
        Assert.Equal(await gateway.Database.ScalarAsync<string>("select code || ' ' || message from finding order by ordinal limit 1"),
            Assert.Single(await ListAsync(gateway)) is var door ? $"{door.Code} {door.Message}" : "");

        using var sound = await gateway.PostAsync(Documents.Json(Event("urn:x:1", 1)));
        await gateway.Database.ExecuteAsync("update capture set attempts = 99 where state = 'processing'");
        Assert.True(await gateway.ProcessAsync());
        var row = (await ListAsync(gateway))[0];
        Assert.Equal(("GW-CAP-11", sound.Headers.Location!.ToString().Split('/')[^1]), (row.Code, row.SourceId));
    }

    [Fact]
    public async Task An_accepted_document_opens_none()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        await CapturedAsync(gateway, gateway.Client, Documents.Json(Event("urn:x:1", 1)));
        Assert.Empty(await ListAsync(gateway));
    }

    private static Task<IReadOnlyList<ExceptionRow>> ListAsync(CaptureGateway gateway) => new ExceptionList(gateway.Database.Gateway).ListAsync(Reader, new ExceptionFilter(), 100, Ct);

    private static string Event(string id, int serial) => $$"""
        {"type":"ObjectEvent","eventID":"{{id}}","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:epc:id:sgtin:4012345.011111.{{serial}}"],"action":"ADD","bizStep":"commissioning","ilmd":{"cbvmda:lotNumber":"A1"} }
        """;

    /// <returns>The captureID.</returns>
    private static async Task<string> CapturedAsync(CaptureGateway gateway, HttpClient client, string document)
    {
        using var answer = await CaptureGateway.PostAsync(client, Encoding.UTF8.GetBytes(document), "application/ld+json");
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
        Assert.True(await gateway.ProcessAsync());
        return answer.Headers.Location!.ToString().Split('/')[^1];
    }
}
