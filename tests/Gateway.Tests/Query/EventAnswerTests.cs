using System.Net;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Access;
using Gateway.Database;
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
        var answer = EventAnswer.WriteAsync(context.Response, database, Actor.System("test"), ids!, DateTime.UtcNow, new AnswerForm("application/json"), NullLogger.Instance, CancellationToken.None);
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
