using System.Net;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Identifiers;
using Gateway.Access;
using Gateway.Database;
using Gateway.MasterData;
using Gateway.Query;
using Gateway.Tests.Capture;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Query;

public sealed class EventAnswerTests
{
    [Fact]
    public async Task Events_are_answered_as_valid_2_0_xml()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:uuid:1", ",\"https://ns.example.com/a\":{\"b\":[1,2]}"), Documents.Event(2)));
        await gateway.ProcessAsync();

        foreach (var (path, count) in new[] { ("/events", 2), ("/events/urn:uuid:1", 1) })
        {
            using var answer = await GetAsync(gateway, path, "application/xml");
            Assert.Equal((HttpStatusCode.OK, "application/xml"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            using var reader = new XmlEpcisReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), EpcisSchemas.For);
            var events = new List<EpcisEvent>();
            while (reader.Read())
            {
                events.Add(reader.Current);
            }
            Assert.Empty(reader.Findings.All);
            Assert.Equal((DocumentForm.Xml20, "EPCISQueryDocument", count), (reader.Form, reader.Header.DocumentType, events.Count));
            Assert.All(events, e => Assert.Equal(("https://ref.gs1.org/cbv/BizStep-shipping", true), (e.BizStep, e.RecordTimeText is not null)));
            Assert.Equal(["1", "2"], events[0].Extensions.Single().Children.Select(c => c.Text));
        }
        using var urns = await GetAsync(gateway, "/events", "application/xml", ("GS1-CBV-XML-Format", "Always_URN"));
        Assert.Contains("<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>", await urns.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private const string Unit = "urn:epc:id:sgtin:4012345.011111.1";
    private const string UnitLink = "https://id.gs1.org/01/04012345111118/21/1";
    private const string Unknown = "https://id.gs1.org/01/09506000134352/21/ABC";

    [Theory]
    [InlineData(null, Unit, Unknown, "urn:epc:id:sgln:4012345.00001.0")]
    [InlineData("Always_GS1_Digital_Link", UnitLink, Unknown, "https://id.gs1.org/414/4012345000016")]
    [InlineData("Always_EPC_URN", Unit, Unknown, "urn:epc:id:sgln:4012345.00001.0")]
    [InlineData("Never_Translates", Unit, Unknown, "urn:epc:id:sgln:4012345.00001.0")]
    [InlineData("No_Preference", Unit, Unknown, "urn:epc:id:sgln:4012345.00001.0")]
    public async Task Identifiers_are_answered_as_they_are_asked_for_and_no_company_prefix_is_guessed(string? format, string unit, string unknown, string place)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:uuid:1", ",\"readPoint\":{\"id\":\"urn:epc:id:sgln:4012345.00001.0\"}").Replace($"\"{Unit}\"", $"\"{Unit}\",\"{Unknown}\"", StringComparison.Ordinal)));
        await gateway.ProcessAsync();

        foreach (var path in new[] { "/events", "/events/urn:uuid:1" })
        {
            foreach (var accept in new[] { "application/json", "application/xml" })
            {
                using var answer = format is null ? await GetAsync(gateway, path, accept) : await GetAsync(gateway, path, accept, ("GS1-EPC-Format", format));
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.Equal(format ?? "Never_Translates", answer.Headers.GetValues("GS1-EPC-Format").Single());
                Assert.Equal(["Accept", "GS1-EPC-Format", "GS1-CBV-XML-Format"], answer.Headers.Vary);
                using var reader = EpcisDocument.Open(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), ReaderLimits.Default);
                Assert.True(reader.Read());
                var e = Assert.IsType<ObjectEvent>(reader.Current);
                Assert.Equal((unit, unknown, place), (e.EpcList[0], e.EpcList[1], e.ReadPoint?.Id));
                Assert.NotNull(e.RecordTimeText);
                Assert.False(reader.Read());
                Assert.Empty(reader.Findings.All);
            }
        }
    }

    [Fact]
    public async Task A_company_prefix_of_the_master_data_makes_an_EPC_URI_of_a_digital_link()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1).Replace($"\"{Unit}\"", $"\"{Unknown}\"", StringComparison.Ordinal)));
        await gateway.ProcessAsync();
        Assert.Contains(Unknown, await BodyAsync(), StringComparison.Ordinal);
        using var file = new MemoryStream("gtin,name,companyPrefixLength\n09506000134352,A,7\n"u8.ToArray());
        var outcome = await new ChangeMasterData(gateway.Database.Gateway).ImportAsync(Actor.System("test") with { Reason = "test" }, file, dryRun: false, TestContext.Current.CancellationToken);
        Assert.Equal(1, outcome.Added);
        Assert.Contains("urn:epc:id:sgtin:9506000.013435.ABC", await BodyAsync(), StringComparison.Ordinal);

        async Task<string> BodyAsync()
        {
            using var answer = await GetAsync(gateway, "/events", "application/json", ("GS1-EPC-Format", "Always_EPC_URN"));
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
    }

    // Always_EPC_URN reads every event and writes it anew: where there is nothing to translate, not a character may differ.
    [Fact]
    public async Task An_event_that_is_written_anew_says_what_was_stored()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        foreach (var sample in new[] { "dscsa-shipment.xml", "shipment-2.0.xml", "commissioning.json" })
        {
            using var accepted = await gateway.PostAsync(await File.ReadAllBytesAsync(Repository.File("samples/" + sample), TestContext.Current.CancellationToken), sample.EndsWith("xml", StringComparison.Ordinal) ? "application/xml" : "application/ld+json");
            Assert.True(await gateway.ProcessAsync());
        }
        using var extended = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:uuid:1", ",\"https://ns.example.com/a\":{\"b\":[1.50,true,null,\"\\u00e9\"]},\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Temperature\",\"value\":2.10,\"uom\":\"CEL\"}]}]")));
        Assert.True(await gateway.ProcessAsync());

        var stored = await EventsAsync("Never_Translates");
        Assert.True(stored.Count >= 4);
        Assert.Equal(stored, await EventsAsync("Always_EPC_URN"));

        async Task<List<string>> EventsAsync(string format)
        {
            using var answer = await GetAsync(gateway, "/events?perPage=100", "application/json", ("GS1-EPC-Format", format));
            using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            return [.. document.RootElement.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList").EnumerateArray().Select(e => e.GetRawText())];
        }
    }

    [Fact]
    public async Task An_event_that_does_not_read_back_is_answered_as_it_is_stored()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1), Documents.Event(2)));
        await gateway.ProcessAsync();
        gateway.Database.HasEventsOrUnitsByHand = true;
        await gateway.Database.ExecuteAsync("update event set body = replace(body, 'T10:00:01Z', 'T10:00:01') where event_id & 1048575 = 0");
        using var answer = await GetAsync(gateway, "/events", null, ("GS1-EPC-Format", "Always_GS1_Digital_Link"));
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains($"\"{Unit}\"", text, StringComparison.Ordinal);
        Assert.Contains("\"https://id.gs1.org/01/04012345111118/21/2\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_keeps_the_prefixes_that_it_declares_itself()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:uuid:1", ",\"disposition\":\"own:held\",\"@context\":[{\"own\":\"https://ns.example.com/\"}]")));
        await gateway.ProcessAsync();
        using var answer = await GetAsync(gateway, "/events", "application/json");
        using var reader = EpcisDocument.Open(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), ReaderLimits.Default);
        Assert.True(reader.Read());
        Assert.Equal(("own:held", "https://ns.example.com/"), (reader.Current.Disposition, reader.Namespaces.GetValueOrDefault("own")));
    }

    // An element with an attribute is two values of XML, and three of the JSON that is stored.
    [Fact]
    public async Task An_event_with_as_many_values_as_a_capture_takes_is_answered_in_every_form()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var many = $"<x:all>{string.Concat(Enumerable.Repeat("<x:a b=\"1\">t</x:a>", FaultScale.Of(100_000, 350_000)))}</x:all>";
        using var accepted = await gateway.PostAsync(Documents.Xml.Replace("</bizStep>", "</bizStep>" + many, StringComparison.Ordinal).Replace("<epcis:EPCISDocument ", "<epcis:EPCISDocument xmlns:x=\"https://ns.example.com/\" ", StringComparison.Ordinal), "application/xml");
        await gateway.ProcessAsync();
        foreach (var accept in new[] { "application/json", "application/xml" })
        {
            using var answer = await GetAsync(gateway, "/events", accept, ("GS1-EPC-Format", "Always_GS1_Digital_Link"));
            Assert.Contains(UnitLink, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_extension_as_deep_as_a_capture_takes_is_translated_too()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        const int depth = 50;
        var deep = string.Concat(Enumerable.Repeat("<x:a>", depth)) + "deep" + string.Concat(Enumerable.Repeat("</x:a>", depth));
        using var accepted = await gateway.PostAsync(Documents.Xml.Replace("</bizStep>", "</bizStep>" + deep, StringComparison.Ordinal).Replace("<epcis:EPCISDocument ", "<epcis:EPCISDocument xmlns:x=\"https://ns.example.com/\" ", StringComparison.Ordinal), "application/xml");
        await gateway.ProcessAsync();
        foreach (var accept in new[] { "application/json", "application/xml" })
        {
            using var answer = await GetAsync(gateway, "/events", accept, ("GS1-EPC-Format", "Always_GS1_Digital_Link"));
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains(UnitLink, text, StringComparison.Ordinal);
            Assert.Contains("deep", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("application/json", "GS1-EPC-Format", "Always_URN", HttpStatusCode.BadRequest, "QueryParameterException")]
    [InlineData("application/json", "GS1-EPC-Format", "always_epc_urn", HttpStatusCode.BadRequest, "QueryParameterException")]
    [InlineData("application/xml", "GS1-CBV-XML-Format", "Always_EPC_URN", HttpStatusCode.BadRequest, "QueryParameterException")]
    [InlineData("application/xml", "GS1-CBV-XML-Format", "Never_Translates", HttpStatusCode.NotAcceptable, "NotAcceptableException")]
    [InlineData("application/json", "GS1-CBV-XML-Format", "Never_Translates", HttpStatusCode.OK, null)]
    public async Task A_format_that_there_is_not_is_refused(string accept, string name, string value, HttpStatusCode status, string? exception)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        foreach (var path in new[] { "/events", "/events/urn:uuid:1" })
        {
            using var answer = await GetAsync(gateway, path, accept, (name, value));
            Assert.Equal(status == HttpStatusCode.OK && path != "/events" ? HttpStatusCode.NotFound : status, answer.StatusCode);
            Assert.Equal(["Accept", "GS1-EPC-Format", "GS1-CBV-XML-Format"], answer.Headers.Vary);
            if (exception is not null)
            {
                Assert.Contains($"epcisException:{exception}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Who_reads_an_answer_slowly_holds_no_connection_of_the_database()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json([.. Enumerable.Range(1, 50).Select(n => Documents.Event(n))]));
        await gateway.ProcessAsync();
        var database = GatewayDatabase.Open(gateway.Database.AdministratorConnectionString + ";Maximum Pool Size=1;Timeout=10");
        await using var source = database.Source;
        var ids = await gateway.Database.ScalarAsync<long[]>("select array_agg(event_id order by event_id) from event");
        await using var reader = new SlowReader();
        var context = new DefaultHttpContext { Response = { Body = reader } };
        var answer = EventAnswer.WriteAsync(context.Response, database, Actor.System("test"), ids!, DateTime.UtcNow, new AnswerForm("application/json"), CompanyPrefixes.None, NullLogger.Instance, CancellationToken.None);
        await reader.Asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await using (var other = await database.BeginAsync(Actor.System("test"), CancellationToken.None))
        {
            Assert.NotNull(other); // the only connection is free while the answer waits for its reader
        }
        reader.Reads.SetResult();
        await answer;
        Assert.Equal(50, JsonDocument.Parse(reader.ToArray()).RootElement.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList").GetArrayLength());
    }

    private sealed class SlowReader : MemoryStream
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public TaskCompletionSource Reads { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Asked.TrySetResult();
            await Reads.Task;
            Write(buffer.Span);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            return Reads.Task;
        }
    }

    [Fact]
    public async Task The_form_follows_accept()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        foreach (var (accept, expected) in new (string?, string?)[]
        {
            (null, "application/json"),
            ("*/*", "application/json"),
            ("application/*", "application/json"),
            ("application/ld+json", "application/ld+json"),
            ("application/xml", "application/xml"),
            ("text/*", "text/xml"),
            ("application/json;q=0.4, application/xml;q=0.5", "application/xml"),
            ("application/xml;q=0.4, */*;q=0.5", "application/json"),
            ("application/json;q=0, application/ld+json;q=0, */*;q=0.1", "application/xml"),
            ("application/xml;q=0", null),
            ("text/html", null),
            ("application/json;q=0", null),
        })
        {
            using var answer = await GetAsync(gateway, "/events", accept);
            Assert.Equal((accept, expected is null ? HttpStatusCode.NotAcceptable : HttpStatusCode.OK), (accept, answer.StatusCode));
            Assert.Equal((accept, expected ?? "application/problem+json"), (accept, answer.Content.Headers.ContentType?.MediaType));
        }
    }

    [Fact]
    public async Task Options_tells_methods_versions_and_limits()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        foreach (var (path, allow, hasLimits) in new[]
        {
            ("/events", "GET, OPTIONS", false),
            ("/events/urn:uuid:1", "GET, OPTIONS", false),
            ("/capture", "GET, POST, OPTIONS", true),
            ("/capture/66bbc9a3-ae11-4a2c-8e5a-2f3e9d3f9c55", "GET, OPTIONS", false),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, path);
            using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
            Assert.Equal(allow.Split(", ").Order(), answer.Content.Headers.Allow.Order());
            var headers = answer.Headers.ToDictionary(h => h.Key, h => h.Value.Single());
            Assert.Equal(("No_Preference", "No_Preference"), (headers["GS1-EPC-Format"], headers["GS1-CBV-XML-Format"]));
            Assert.Equal(("1.2.0", "2.0.0", "2.0.0"), (headers["GS1-EPCIS-Min"], headers["GS1-EPCIS-Max"], headers["GS1-CBV-Version"]));
            Assert.Equal(hasLimits, headers.ContainsKey("GS1-EPCIS-Capture-Limit") && headers.ContainsKey("GS1-EPCIS-Capture-File-Size-Limit") && headers.ContainsKey("GS1-Capture-Error-Behaviour"));
        }
    }

    private static async Task<HttpResponseMessage> GetAsync(CaptureGateway gateway, string path, string? accept, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in accept is null ? headers : [.. headers, ("Accept", accept)])
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        return await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
