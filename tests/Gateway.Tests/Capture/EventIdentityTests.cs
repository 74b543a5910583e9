using System.Text;

namespace Gateway.Tests.Capture;

public sealed class EventIdentityTests
{
    private const string Id = "urn:uuid:66bbc9a3-ae11-4a2c-8e5a-2f3e9d3f9c55";

    [Fact]
    public async Task The_same_event_as_1_2_xml_2_0_xml_and_json_is_stored_once()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var url = await CapturedAsync(gateway, gateway.Client, Xml(1), "application/xml");
        Assert.Equal("", await FindingsAsync(gateway, url));
        url = await CapturedAsync(gateway, gateway.Client, Xml(2), "application/xml");
        Assert.Equal("GW-EVT-01", await FindingsAsync(gateway, url));
        url = await CapturedAsync(gateway, gateway.Client, Json("1"), "application/ld+json");
        Assert.Equal("GW-EVT-01", await FindingsAsync(gateway, url));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));

        url = await CapturedAsync(gateway, gateway.Client, Json("2"), "application/ld+json");
        Assert.Equal("GW-EVT-02", await FindingsAsync(gateway, url));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task An_id_that_two_parties_claim_keeps_both_events_and_shows_each_its_own()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var other = await gateway.SignInAsync("Second CMO");
        Assert.Equal("", await FindingsAsync(gateway, await CapturedAsync(gateway, gateway.Client, Json("1"), "application/ld+json")));

        var url = await CapturedAsync(gateway, other, Json("2"), "application/ld+json");
        Assert.Equal("GW-EVT-03", await FindingsAsync(gateway, url));
        var told = await gateway.Database.ScalarAsync<string>("select row_to_json(f)::text from finding f where code = 'GW-EVT-03'");
        Assert.DoesNotContain("011111.1", told, StringComparison.Ordinal);
        Assert.DoesNotContain("First", told, StringComparison.Ordinal);

        Assert.Contains("011111.1\"", (await gateway.GetAsync("/events/" + Uri.EscapeDataString(Id))).GetRawText(), StringComparison.Ordinal);
        var seen = (await gateway.GetAsync("/events/" + Uri.EscapeDataString(Id), other)).GetRawText();
        Assert.Contains("011111.2\"", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("011111.1\"", seen, StringComparison.Ordinal);

        // Within the second party the id has one content again.
        Assert.Equal("GW-EVT-01", await FindingsAsync(gateway, await CapturedAsync(gateway, other, Json("2", " "), "application/ld+json"), own: true));
        Assert.Equal("GW-EVT-02", await FindingsAsync(gateway, await CapturedAsync(gateway, other, Json("3"), "application/ld+json"), own: true));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task The_same_content_of_another_party_is_stored_without_a_word()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var other = await gateway.SignInAsync("Second CMO");
        await CapturedAsync(gateway, gateway.Client, Json("1"), "application/ld+json");
        Assert.Equal("", await FindingsAsync(gateway, await CapturedAsync(gateway, other, Json("1"), "application/ld+json")));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Theory]
    [InlineData(true, 1, "GW-EVT-02")]
    [InlineData(false, 2, "GW-EVT-03")]
    public async Task Two_captures_with_the_same_id_at_once_wait_for_each_other(bool sameParty, long stored, string finding)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var other = await gateway.SignInAsync("Second CMO");
        await AcceptedAsync(gateway.Client, Json("1"), "application/ld+json");
        await AcceptedAsync(sameParty ? gateway.Client : other, Json("2"), "application/ld+json");

        // A third transaction holds the id until both stand before it, then gives it up.
        await using var holder = new Npgsql.NpgsqlConnection(gateway.Database.AdministratorConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var claim = new Npgsql.NpgsqlCommand($"insert into event_identity (event_uri, content_hash, event_id, party_id, claim) select '{Id}', null, 1, min(party_id), 0 from party", holder, transaction);
        await claim.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var both = Task.WhenAll(gateway.ProcessAsync(), gateway.ProcessAsync());
        await UntilAsync(async () => both.IsCompleted || await gateway.Database.ScalarAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into event_identity%'") == 2);
        Assert.False(both.IsCompleted);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await both;

        Assert.Equal(stored, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.Equal(finding, await gateway.Database.ScalarAsync<string>("select string_agg(code, ',') from finding where code like 'GW-%'"));
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 600, "The condition did not come within a minute.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<string> CapturedAsync(CaptureGateway gateway, HttpClient client, string document, string type)
    {
        var url = await AcceptedAsync(client, document, type);
        Assert.True(await gateway.ProcessAsync());
        return url;
    }

    private static async Task<string> AcceptedAsync(HttpClient client, string document, string type)
    {
        using var answer = await CaptureGateway.PostAsync(client, Encoding.UTF8.GetBytes(document), type);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
        return answer.Headers.Location!.ToString();
    }

    /// <param name="own">Only the gateway's own codes: the checks of the document are not the point.</param>
    private static Task<string> FindingsAsync(CaptureGateway gateway, string url, bool own = true) => gateway.Database.ScalarAsync<string>(
        $"select coalesce(string_agg(code, ','), '') from finding join capture using (capture_id) where public_id = '{url.Split('/')[^1]}' and (not {own} or code like 'GW-%')");

    private static string Json(string serial, string space = "") => Documents.Json($$"""
        {"type":"ObjectEvent","eventID":"{{Id}}","eventTime":"2026-03-01T11:00:00+01:00","eventTimeZoneOffset":"+01:00","epcList":["https://id.gs1.org/01/04012345111118/21/9","urn:epc:id:sgtin:4012345.011111.{{serial}}"],
         "action":"ADD","bizStep":"commissioning","ilmd":{"cbvmda:lotNumber":"A1"},"bizTransactionList":[{"type":"po","bizTransaction":"urn:example:po:1"}]{{space}}}
        """);

    private static string Xml(int edition)
    {
        var id = edition == 1 ? $"<baseExtension><eventID>{Id}</eventID></baseExtension>" : $"<eventID>{Id}</eventID>";
        var ilmd = "<ilmd xmlns:m=\"urn:epcglobal:cbv:mda\"><m:lotNumber>A1</m:lotNumber></ilmd>";
        var cbv = edition == 1 ? "urn:epcglobal:cbv:bizstep:commissioning" : "https://ref.gs1.org/cbv/BizStep-commissioning";
        return $"""
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:{edition}" schemaVersion="{edition}.0" creationDate="2026-03-01T10:00:00Z"><EPCISBody><EventList><ObjectEvent>
            <eventTime>2026-03-01T10:00:00.000Z</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>{id}
            <epcList><epc>urn:epc:id:sgtin:4012345.011111.1</epc><epc>urn:epc:id:sgtin:4012345.011111.9</epc></epcList><action>ADD</action><bizStep>{cbv}</bizStep>
            <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:example:po:1</bizTransaction></bizTransactionList>
            {(edition == 1 ? $"<extension>{ilmd}</extension>" : ilmd)}</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>
            """;
    }
}
