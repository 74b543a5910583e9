using System.IO.Compression;
using System.Net;
using System.Text;

namespace Gateway.Tests.Capture;

public sealed class CaptureTests
{
    private const string UnitEvents = "/events?MATCH_epc=urn:epc:id:sgtin:4012345.011111.1";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_document_of_either_form_becomes_a_finished_job_and_events(bool xml)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = xml ? await gateway.PostAsync(Documents.Xml, "application/xml") : await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var job = accepted.Headers.Location!.ToString();
        Assert.True((await gateway.GetAsync(job)).GetProperty("running").GetBoolean());

        Assert.True(await gateway.ProcessAsync());

        var done = await gateway.GetAsync(job);
        Assert.Equal((false, true, 0), (done.GetProperty("running").GetBoolean(), done.GetProperty("success").GetBoolean(), done.GetProperty("errors").GetArrayLength()));
        var answer = await gateway.GetAsync(UnitEvents);
        var found = Assert.Single(answer.GetProperty("epcisBody").GetProperty("queryResults").GetProperty("resultsBody").GetProperty("eventList").EnumerateArray());
        Assert.True(found.TryGetProperty("recordTime", out _));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'capture' and action = 'capture'"));
    }

    [Fact]
    public async Task The_same_bytes_get_the_first_answer_again_and_a_key_names_one_document()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var document = Documents.Json(Documents.Event(1));
        using var first = await gateway.PostAsync(document, headers: ("Idempotency-Key", "a"));
        using var sameKey = await gateway.PostAsync(document, headers: ("Idempotency-Key", "a"));
        using var noKey = await gateway.PostAsync(document);
        using var other = await gateway.PostAsync(Documents.Json(Documents.Event(2)), headers: ("Idempotency-Key", "a"));

        var body = await first.Content.ReadAsStringAsync();
        foreach (var again in new[] { sameKey, noKey })
        {
            Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
            Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
            Assert.Equal(body, await again.Content.ReadAsStringAsync());
        }
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
    }

    [Fact]
    public async Task Eight_identical_posts_at_once_make_one_document()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var document = Documents.Json(Documents.Event(1));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => gateway.PostAsync(document, headers: ("Idempotency-Key", "a"))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Single(answers.Select(a => a.Headers.Location).Distinct());
        Assert.Single(answers, a => !a.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    [Fact]
    public async Task A_request_whose_key_is_held_by_an_unfinished_one_is_told_to_wait()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var document = Documents.Json(Documents.Event(1));
        await using var holder = new Npgsql.NpgsqlConnection(gateway.Database.AdministratorConnectionString);
        await holder.OpenAsync();
        await using var open = await holder.BeginTransactionAsync();
        var sha = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(document)));
        await using var insert = new Npgsql.NpgsqlCommand($"insert into document (party_id, sha256, length, media_type, received_at) select party_id, '\\x{sha}', 1, 'x', now() from party", holder, open);
        await insert.ExecuteNonQueryAsync();
        using var answer = await gateway.PostAsync(document);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_document_that_cannot_be_read_keeps_its_bytes_and_stores_no_event()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        var broken = "<!DOCTYPE x []>" + Documents.Xml[Documents.Xml.IndexOf("<epcis", StringComparison.Ordinal)..];
        using var refused = await gateway.PostAsync(broken, "application/xml");
        using var again = await gateway.PostAsync(broken, "application/xml");
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (refused.StatusCode, again.StatusCode));
        Assert.Contains("GW-CAP-05", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var id = await gateway.Database.ScalarAsync<Guid>("select public_id from capture where state = 'refused'");
        Assert.Equal(broken, await gateway.Client.GetStringAsync($"/api/captures/{id}/source"));
        Assert.False(await gateway.ProcessAsync());
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Theory]
    [InlineData("rollback", 0, "refused")]
    [InlineData("proceed", 2, "accepted")]
    public async Task An_error_refuses_the_document_or_only_its_event(string behaviour, int events, string state)
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1), Documents.BadEvent, Documents.Event(2)), headers: ("GS1-Capture-Error-Behaviour", behaviour));
        await gateway.ProcessAsync();
        var job = await gateway.GetAsync(accepted.Headers.Location!.ToString());
        Assert.Equal((false, false), (job.GetProperty("running").GetBoolean(), job.GetProperty("success").GetBoolean()));
        Assert.NotEqual(0, job.GetProperty("errors").GetArrayLength());
        Assert.Equal(events, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.Equal(state, await gateway.Database.ScalarAsync<string>("select state from capture"));
    }

    [Fact]
    public async Task An_event_sent_again_is_not_stored_again_and_another_content_is_told()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        const string id = "urn:uuid:0e6b3b2e-0000-4000-8000-000000000001";
        foreach (var document in new[] { Documents.Json(Documents.Event(1, id)), Documents.Json(Documents.Event(1, id), Documents.Event(5)), Documents.Json(Documents.Event(2, id)) })
        {
            using var accepted = await gateway.PostAsync(document);
            await gateway.ProcessAsync();
        }
        Assert.Equal("GW-EVT-01 info,GW-EVT-02 warning", await gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || severity, ',' order by capture_id) from finding where code like 'GW-%'"));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/events/" + Uri.EscapeDataString(id))).StatusCode);
    }

    [Theory]
    [InlineData("truncated", HttpStatusCode.BadRequest)]
    [InlineData("garbage", HttpStatusCode.BadRequest)]
    [InlineData("bomb", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("large", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("whole", HttpStatusCode.Accepted)]
    public async Task Gzip_is_inflated_within_bounds(string kind, HttpStatusCode expected)
    {
        await using var gateway = await CaptureGateway.StartAsync(("Capture:MaxBytes", "6000000"));
        var document = Encoding.UTF8.GetBytes(Documents.Json(Documents.Event(1)));
        var body = kind switch
        {
            "truncated" => Gzip(document)[..^12],
            "garbage" => document,
            "bomb" => Gzip([.. document, .. Enumerable.Repeat((byte)' ', 5_000_000)]),
            "large" => Gzip([.. document, .. Enumerable.Range(0, 7_000_000).Select(i => (byte)(i % 7 * (i >> 3) % 3 == 0 ? ' ' : '\n'))]),
            _ => Gzip(document),
        };
        using var answer = await gateway.PostAsync(body, "application/json", ("Content-Encoding", "gzip"));
        Assert.Equal(expected, answer.StatusCode);
        if (expected == HttpStatusCode.Accepted)
        {
            await gateway.ProcessAsync();
            Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        }
    }

    [Fact]
    public async Task What_is_no_document_is_refused_before_it_is_read()
    {
        await using var gateway = await CaptureGateway.StartAsync(("Capture:MaxBytes", "1000"));
        using var type = await gateway.PostAsync("a,b", "text/csv");
        using var encoding = await gateway.PostAsync("{}", "application/json", ("Content-Encoding", "br"));
        using var size = await gateway.PostAsync(new string(' ', 1001), "application/json");
        using var empty = await gateway.PostAsync("", "application/json");
        using var behaviour = await gateway.PostAsync("{}", "application/json", ("GS1-Capture-Error-Behaviour", "all"));
        Assert.Equal([415, 415, 413, 400, 400], new[] { type, encoding, size, empty, behaviour }.Select(r => (int)r.StatusCode));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    [Fact]
    public async Task Checking_tells_the_findings_and_stores_nothing()
    {
        await using var gateway = await CaptureGateway.StartAsync();
        using var content = new StringContent(Documents.Json(Documents.BadEvent), Encoding.UTF8, "application/json");
        using var answer = await gateway.Client.PostAsync("/api/check", content);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Contains("\"form\":\"2.0-json\",\"valid\":false,\"events\":1", body, StringComparison.Ordinal);
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }
        return buffer.ToArray();
    }
}
