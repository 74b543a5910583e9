using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Access;
using Gateway.TestSupport;

namespace Gateway.Tests.Capture;

/// <summary>What a bound key sends: its own data is captured as ever, a document with anybody else's is kept and refused.</summary>
[Requirement("P11-26")]
public sealed class ScopeTests
{
    private const string Own = "urn:epc:id:sgtin:4012345.011111.1", Foreign = "urn:epc:id:sgtin:0614141.107346.1";
    private const string Site = "4012345000016", OtherSite = "0614141000012", Prefixes = "4012345, 9521234";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly KeyScope Bound = KeyScope.Read(["4012345", "9521234"], [Site], out _)!;

    // At once, and by the worker.
    public static TheoryData<int> Ways => [262_144, 0];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Own_data_is_captured_in_every_spelling(int maxBytesAtOnce)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        foreach (var members in (string[])
            [
                Objects(Own, "urn:epc:id:sgtin:4012345.011111.2", "urn:epc:id:sscc:9521234.1234567890", "https://id.gs1.org/01/04012345111118/21/3"),
                Quantities("urn:epc:class:lgtin:4012345.011111.LOT", "https://id.gs1.org/01/04012345111118/10/LOT"),
                Objects(Own) + At("readPoint", "urn:epc:id:sgln:4012345.00001.0") + At("bizLocation", $"https://id.gs1.org/414/{Site}/254/7"),
                Objects(Own) + At("readPoint", $"https://example.com/414/{Site}"),
            ])
        {
            using var answer = await CaptureGateway.PostAsync(bound, Encoding.UTF8.GetBytes(Documents.Json(Event(members))), "application/ld+json");
            await EndAsync(gateway);
            var job = await gateway.GetAsync(answer.Headers.Location!.ToString(), bound);
            Assert.True(job.GetProperty("success").GetBoolean(), job.ToString());
        }
        using var xml = await CaptureGateway.PostAsync(bound, Encoding.UTF8.GetBytes(Documents.Xml), "application/xml");
        await EndAsync(gateway);
        Assert.Equal("accepted 5 0", await gateway.Database.ScalarAsync<string>("select string_agg(distinct state, ' ') || ' ' || count(*) || ' ' || (select count(*) from exception) from capture"));
        Assert.Equal(5L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    public static TheoryData<string, string, string> ForeignEvents => new()
    {
        { Objects(Own, Foreign), Foreign, Prefixes },
        { Objects("urn:epc:id:sscc:0614141.1234567890"), "urn:epc:id:sscc:0614141.1234567890", Prefixes },
        { Objects("urn:epc:id:grai:0614141.12345.400"), "urn:epc:id:grai:0614141.12345.400", Prefixes },
        { Objects(Own, "https://id.gs1.org/01/10614141073464/21/1"), "https://id.gs1.org/01/10614141073464/21/1", Prefixes },
        { Objects("https://example.com/objects/1"), "https://example.com/objects/1", Prefixes },
        { Objects(Own) + Quantities("urn:epc:class:lgtin:0614141.107346.LOT"), "urn:epc:class:lgtin:0614141.107346.LOT", Prefixes },
        { Quantities("urn:epc:idpat:sgtin:0614141.107346.*"), "urn:epc:idpat:sgtin:0614141.107346.*", Prefixes },
        { Objects(Own) + At("readPoint", "urn:epc:id:sgln:0614141.00001.0"), "urn:epc:id:sgln:0614141.00001.0", Site },
        { Objects(Own) + At("readPoint", $"https://id.gs1.org/414/{Site}") + At("bizLocation", $"https://id.gs1.org/414/{OtherSite}"), $"https://id.gs1.org/414/{OtherSite}", Site },
        { Objects(Own) + At("bizLocation", "https://example.com/hall"), "https://example.com/hall", Site },
    };

    [Theory]
    [MemberData(nameof(ForeignEvents))]
    public async Task A_foreign_event_refuses_the_document_with_a_finding_and_an_exception_and_its_bytes_stay(string members, string identifier, string named)
    {
        foreach (var way in (int[])[262_144, 0])
        {
            await using var gateway = await StartAsync(way);
            using var bound = await gateway.SignInAsync("Bound CMO", Bound);
            await RefusedAsync(gateway, bound, Documents.Json(Event(Objects(Own)), Event(members)), "application/ld+json", identifier, bound: named);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_foreign_parent_or_child_of_a_packing_refuses_it_too(int maxBytesAtOnce)
    {
        const string parent = "urn:epc:id:sscc:0614141.1234567890";
        await using var gateway = await StartAsync(maxBytesAtOnce);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        await RefusedAsync(gateway, bound, Documents.Json(Event(Objects(Own)), Packing(parent, Own)), "application/ld+json", parent);
        await RefusedAsync(gateway, bound, Documents.Json(Event(Objects(Own)), Packing("urn:epc:id:sscc:9521234.1234567890", Foreign)), "application/ld+json", Foreign);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Xml_is_refused_alike_with_its_line(int maxBytesAtOnce)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        var events = Documents.Xml[Documents.Xml.IndexOf("<ObjectEvent>", StringComparison.Ordinal)..Documents.Xml.IndexOf("</EventList>", StringComparison.Ordinal)];
        await RefusedAsync(gateway, bound, Documents.Xml.Replace("</EventList>", events.Replace(Own, Foreign, StringComparison.Ordinal) + "</EventList>", StringComparison.Ordinal), "application/xml", Foreign, line: 5);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Whoever_asks_to_proceed_is_refused_whole_all_the_same_and_findings_are_limited(int maxBytesAtOnce)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        var foreign = Enumerable.Range(1, 1_100).Select(n => Event(Objects($"urn:epc:id:sgtin:0614141.107346.{n}")));
        using var answer = await CaptureGateway.PostAsync(bound, Encoding.UTF8.GetBytes(Documents.Json([Event(Objects(Own)), Documents.BadEvent, .. foreign])), "application/ld+json", ("GS1-Capture-Error-Behaviour", "proceed"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await EndAsync(gateway);
        Assert.Equal("refused 0 1101 1000 0", await gateway.Database.ScalarAsync<string>(
            "select state || ' ' || event_count || ' ' || error_count || ' ' || (select count(*) from finding) || ' ' || (select count(*) from event) from capture"));
        Assert.Equal("GW-CAP-17 error 1", await gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || severity || ' ' || occurrences, ',') from exception"));
    }

    [Theory]
    [InlineData("rollback")]
    [InlineData("proceed")]
    public async Task What_was_stored_before_the_foreign_event_of_a_large_document_was_read_is_taken_back(string behaviour)
    {
        await using var gateway = await StartAsync(0);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        var own = Enumerable.Range(0, 12).Select(n => Event(Objects([.. Enumerable.Range(1, 1_000).Select(s => $"urn:epc:id:sgtin:4012345.011111.{n}X{s}")])));
        using var answer = await CaptureGateway.PostAsync(bound, Encoding.UTF8.GetBytes(Documents.Json([.. own, Event(Objects(Foreign))])), "application/ld+json", ("GS1-Capture-Error-Behaviour", behaviour));
        await EndAsync(gateway);
        Assert.Equal("refused 0 1 0 0 1", await gateway.Database.ScalarAsync<string>("""
            select state || ' ' || event_count || ' ' || error_count || ' ' || (select count(*) from event) || ' ' || (select count(*) from unit) || ' ' || (select count(*) from exception) from capture
            """));
    }

    [Fact]
    public async Task What_bound_the_key_when_the_document_came_counts_however_it_is_bound_when_it_is_processed()
    {
        await using var gateway = await StartAsync(0);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        using var free = await gateway.SignInAsync("Free CMO");
        using var first = await CaptureGateway.PostAsync(bound, Encoding.UTF8.GetBytes(Documents.Json(Event(Objects(Foreign)))), "application/ld+json");
        using var second = await CaptureGateway.PostAsync(free, Encoding.UTF8.GetBytes(Documents.Json(Event(Objects(Foreign)))), "application/ld+json");
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            update api_key set prefixes = case name when 'Bound CMO' then '{}'::text[] else '{4012345}' end, sites = '{}'
            """);
        await EndAsync(gateway);
        Assert.Equal("refused,accepted", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
    }

    [Fact]
    public async Task A_key_that_is_bound_to_sites_only_may_send_of_any_company_and_the_other_way_round()
    {
        await using var gateway = await StartAsync(262_144);
        using var sites = await gateway.SignInAsync("Sites", KeyScope.Read(null, [Site], out _));
        using var prefixes = await gateway.SignInAsync("Prefixes", KeyScope.Read(["4012345"], null, out _));
        foreach (var (client, members, state) in ((HttpClient, string, string)[])
            [
                (sites, Objects(Foreign), "accepted"), (sites, Objects(Foreign) + At("readPoint", $"https://id.gs1.org/414/{OtherSite}"), "refused"),
                (prefixes, Objects(Own) + At("readPoint", $"https://id.gs1.org/414/{OtherSite}"), "accepted"), (prefixes, Objects(Foreign), "refused"),
            ])
        {
            using var answer = await CaptureGateway.PostAsync(client, Encoding.UTF8.GetBytes(Documents.Json(Event(members))), "application/ld+json");
            Assert.Equal(state, (await gateway.GetAsync($"/api/captures/{answer.Headers.Location!.ToString().Split('/')[^1]}", client)).GetProperty("state").GetString());
        }
    }

    [Fact]
    public async Task A_check_says_what_the_capture_would_be_refused_for()
    {
        await using var gateway = await StartAsync(0);
        using var bound = await gateway.SignInAsync("Bound CMO", Bound);
        using var content = new StringContent(Documents.Json(Event(Objects(Foreign))), Encoding.UTF8, "application/ld+json");
        using var answer = await bound.PostAsync("/api/check", content, Ct);
        var found = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement;
        Assert.Equal((false, "GW-CAP-17"), (found.GetProperty("valid").GetBoolean(), found.GetProperty("findings")[0].GetProperty("code").GetString()));
    }

    private static async Task RefusedAsync(CaptureGateway gateway, HttpClient client, string document, string type, string identifier, int? line = null, string bound = Prefixes)
    {
        var routed = await gateway.Database.ScalarAsync<long>("select count(*) from delivery");
        using var answer = await CaptureGateway.PostAsync(client, Encoding.UTF8.GetBytes(document), type);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await EndAsync(gateway);
        var job = await gateway.GetAsync(answer.Headers.Location!.ToString(), client);
        Assert.Equal((false, false), (job.GetProperty("running").GetBoolean(), job.GetProperty("success").GetBoolean()));
        var id = answer.Headers.Location!.ToString().Split('/')[^1];
        var details = await gateway.GetAsync($"/api/captures/{id}", client);
        Assert.Equal(("refused", 0), (details.GetProperty("state").GetString(), details.GetProperty("events").GetInt32()));
        var finding = Assert.Single(details.GetProperty("findings").EnumerateArray(), f => f.GetProperty("severity").GetString() == "error");
        Assert.Equal(("GW-CAP-17", 1, identifier), (finding.GetProperty("code").GetString(), finding.GetProperty("event").GetInt32(), finding.GetProperty("got").GetString()));
        Assert.Contains($"bound to: {bound}.", finding.GetProperty("message").GetString(), StringComparison.Ordinal);
        if (line is { } wanted)
        {
            Assert.Equal(wanted, finding.GetProperty("where").GetProperty("line").GetInt32());
        }
        Assert.Equal(document, await client.GetStringAsync($"/api/captures/{id}/source", Ct));
        Assert.Equal("GW-CAP-17 error open", await gateway.Database.ScalarAsync<string>($"select string_agg(code || ' ' || severity || ' ' || state, ',') from exception where source_id = '{id}'"));
        Assert.Equal((0L, 0L, routed), (await gateway.Database.ScalarAsync<long>("select count(*) from event"), await gateway.Database.ScalarAsync<long>("select count(*) from unit"), await gateway.Database.ScalarAsync<long>("select count(*) from delivery")));
    }

    private static Task<CaptureGateway> StartAsync(int maxBytesAtOnce) => CaptureGateway.StartAsync(("Capture:MaxBytesAtOnce", maxBytesAtOnce.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private static async Task EndAsync(CaptureGateway gateway)
    {
        while (await gateway.ProcessAsync())
        {
            // Whatever is not decided yet.
        }
    }

    private static string Event(string members) => $$"""
        {"type":"ObjectEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","bizStep":"shipping"{{members}}}
        """;

    private static string Packing(string parent, string child) => $$"""
        {"type":"AggregationEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","action":"ADD","bizStep":"packing","parentID":"{{parent}}","childEPCs":["{{child}}"]}
        """;

    private static string Objects(params string[] epcs) => $",\"epcList\":[{string.Join(",", epcs.Select(e => $"\"{e}\""))}]";

    private static string Quantities(params string[] classes) => $",\"quantityList\":[{string.Join(",", classes.Select(c => $"{{\"epcClass\":\"{c}\",\"quantity\":1}}"))}]";

    private static string At(string field, string place) => $",\"{field}\":{{\"id\":\"{place}\"}}";
}
