using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Capture;
using Gateway.MasterData;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Capture;

/// <summary>Small documents, stored and decided in one transaction before they are answered.</summary>
public sealed class SmallCaptureTests
{
    private static readonly (string, string) AtOnce = ("Capture:MaxBytesAtOnce", "262144");
    private static readonly CaptureRules Rules = new(Options.Create(new RuleOptions()));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_small_document_is_answered_with_its_finished_job(bool xml)
    {
        await using var gateway = await CaptureGateway.StartAsync(AtOnce);
        var document = xml ? Documents.Xml : Documents.Json(Documents.Event(1));
        using var accepted = await gateway.PostAsync(document, xml ? "application/xml" : "application/ld+json", ("Idempotency-Key", "a"));
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var answer = JsonDocument.Parse(await accepted.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((false, true), (answer.GetProperty("running").GetBoolean(), answer.GetProperty("success").GetBoolean()));
        var job = await gateway.GetAsync(accepted.Headers.Location!.ToString());
        Assert.Equal(Instants(answer), Instants(job));
        Assert.Equal((false, true), (job.GetProperty("running").GetBoolean(), job.GetProperty("success").GetBoolean()));

        Assert.False(await gateway.ProcessAsync());
        Assert.Equal(document, await gateway.Client.GetStringAsync($"/api/captures/{accepted.Headers.Location!.ToString().Split('/')[^1]}/source"));
        Assert.Equal("accepted 1 1", await gateway.Database.ScalarAsync<string>("select state || ' ' || event_count || ' ' || (select count(*) from event join event_epc using (event_id)) from capture"));
        Assert.Equal("system:capture", await gateway.Database.ScalarAsync<string>("select actor from audit_entry where entity = 'capture' and action = 'capture'"));
    }

    [Theory]
    [InlineData("rollback", 0, "refused", 1L)]
    [InlineData("proceed", 2, "accepted", 0L)]
    public async Task An_error_refuses_the_document_or_only_its_event_in_the_answer_itself(string behaviour, int events, string state, long exceptions)
    {
        await using var gateway = await CaptureGateway.StartAsync(AtOnce);
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1), Documents.BadEvent, Documents.Event(2)), headers: ("GS1-Capture-Error-Behaviour", behaviour));
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        var answer = JsonDocument.Parse(await accepted.Content.ReadAsStringAsync()).RootElement;
        var job = await gateway.GetAsync(accepted.Headers.Location!.ToString());
        Assert.All([answer, job], j => Assert.Equal((false, false, "EPCIS-AGG-01"),
            (j.GetProperty("running").GetBoolean(), j.GetProperty("success").GetBoolean(), j.GetProperty("errors")[0].GetProperty("code").GetString())));
        Assert.False(await gateway.ProcessAsync());
        Assert.Equal($"{state} {events} {events} {exceptions}", await gateway.Database.ScalarAsync<string>(
            "select state || ' ' || event_count || ' ' || (select count(*) from event) || ' ' || (select count(*) from exception) from capture"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>($"select count(*) from audit_entry where entity = 'capture' and action = '{(events == 0 ? "refuse" : "capture")}'"));
    }

    [Fact]
    public async Task What_errors_left_of_a_document_and_was_stored_before_refuses_it_as_ever()
    {
        await using var gateway = await CaptureGateway.StartAsync(AtOnce);
        using var first = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:x:1")));
        using var second = await gateway.PostAsync(Documents.Json(Documents.Event(1, "urn:x:1"), Documents.BadEvent), headers: ("GS1-Capture-Error-Behaviour", "proceed"));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal("accepted,refused", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task Eight_identical_posts_at_once_make_one_capture_and_a_key_names_one_document()
    {
        await using var gateway = await CaptureGateway.StartAsync(AtOnce);
        var document = Documents.Json(Documents.Event(1));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => gateway.PostAsync(document, headers: n % 2 == 0 ? [("Idempotency-Key", "a")] : [])));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Single(answers.Select(a => a.Headers.Location).Distinct());
        Assert.Single(answers, a => !a.Headers.Contains("Idempotency-Replayed"));
        Assert.Single((await Task.WhenAll(answers.Select(a => a.Content.ReadAsStringAsync()))).Distinct());
        Assert.Equal((1L, 1L), (await gateway.Database.ScalarAsync<long>("select count(*) from document"), await gateway.Database.ScalarAsync<long>("select count(*) from event")));

        var others = await Task.WhenAll(Enumerable.Range(2, 6).Select(n => gateway.PostAsync(Documents.Json(Documents.Event(n)), headers: ("Idempotency-Key", "b"))));
        Assert.Single(others, o => o.StatusCode == HttpStatusCode.Accepted);
        Assert.Equal(5, others.Count(o => o.StatusCode == HttpStatusCode.UnprocessableEntity));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
    }

    [Fact]
    public async Task Documents_at_once_that_tell_the_same_events_in_any_order_are_all_decided_and_each_event_is_stored_once()
    {
        await using var gateway = await CaptureGateway.StartAsync(AtOnce, ("Capture:TransactionsAtOnce", "4"));
        using var other = await gateway.SignInAsync("Second CMO");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(n =>
        {
            var events = Enumerable.Range(1, 6).Select(e => Documents.Event(e, $"urn:x:{e}"));
            var document = Documents.Json([.. n % 2 == 0 ? events : events.Reverse()]) + new string(' ', n);
            return CaptureGateway.PostAsync(n % 4 < 2 ? gateway.Client : other, Encoding.UTF8.GetBytes(document), "application/ld+json");
        }));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        while (await gateway.ProcessAsync())
        {
            // What two transactions got in each other's way with.
        }
        Assert.Equal("accepted 40", await gateway.Database.ScalarAsync<string>("select state || ' ' || count(*) from capture group by state"));
        Assert.Equal("12 12", await gateway.Database.ScalarAsync<string>("select count(*) || ' ' || count(distinct (party_id, event_uri)) from event"));
        Assert.Equal(40L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where entity = 'capture' and action = 'capture'"));
        Assert.Equal(40 * 6 - 12L, await gateway.Database.ScalarAsync<long>("select count(*) from finding where code = 'GW-EVT-01'"));
    }

    [Fact]
    public async Task Larger_and_compressed_documents_are_answered_first_and_decided_later()
    {
        await using var gateway = await CaptureGateway.StartAsync(("Capture:MaxBytesAtOnce", "1000"));
        using var large = await gateway.PostAsync(Documents.Json(Documents.Event(1)) + new string(' ', 1000));
        using var buffer = new MemoryStream();
        await using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Documents.Json(Documents.Event(2))));
        }
        using var compressed = await gateway.PostAsync(buffer.ToArray(), "application/json", ("Content-Encoding", "gzip"));
        using var small = await gateway.PostAsync(Documents.Json(Documents.Event(3)));
        Assert.Equal("processing,processing,accepted", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
        Assert.True(await gateway.ProcessAsync() && await gateway.ProcessAsync());
        Assert.Equal(3L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Fact]
    public async Task What_fails_on_the_way_is_taken_in_alone_and_decided_by_the_worker()
    {
        var calls = 0;
        var routing = new CaptureRouting((_, _) => ++calls == 1 ? throw new InvalidOperationException("The first way ends here.") : Task.CompletedTask);
        await using var gateway = await CaptureGateway.StartAsync(routing, false, AtOnce);
        using var accepted = await gateway.PostAsync(Documents.Json(Documents.Event(1)));
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        Assert.True(JsonDocument.Parse(await accepted.Content.ReadAsStringAsync()).RootElement.GetProperty("running").GetBoolean());
        Assert.Equal("processing", await gateway.Database.ScalarAsync<string>("select state from capture"));
        Assert.True(await gateway.ProcessAsync());
        Assert.Equal("accepted 1", await gateway.Database.ScalarAsync<string>("select state || ' ' || (select count(*) from event) from capture"));
    }

    [Fact]
    public async Task Those_of_one_party_that_come_while_one_is_stored_share_the_next_transaction()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var gateway = await CaptureGateway.StartAsync(("Capture:TransactionsAtOnce", "1"));
        using var second = await gateway.SignInAsync("Second CMO");
        var captures = Together(gateway, out var isUnderWay, open.Task);
        var first = captures.DecideAsync(Small(1, 1));
        await isUnderWay.WaitAsync(TimeSpan.FromSeconds(60));
        var rest = new[] { Small(2, 1), Small(3, 2), Small(4, 1), Small(2, 1), Small(5, 1) };
        var answers = rest.Select(captures.DecideAsync).ToList();
        open.SetResult();
        Assert.NotNull(await first);
        await Task.WhenAll(answers);
        // The same bytes again are not stored again, whoever is asked.
        Assert.Equal([true, true, true, false, true], answers.Select(a => a.Result is not null));
        Assert.Equal("1|2 4 5|3", await gateway.Database.ScalarAsync<string>("""
            select string_agg(serials, '|' order by serials) from (
                select string_agg(right(epc, 1), ' ' order by epc) as serials from event_epc join event using (event_id) group by txid) t
            """));
    }

    [Fact]
    public async Task One_that_fails_leaves_the_others_to_be_taken_in_alone()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var gateway = await CaptureGateway.StartAsync(("Capture:TransactionsAtOnce", "1"));
        await gateway.Database.ExecuteAsync("alter table event_epc_y2026 add check (epc not like '%.3')");
        var captures = Together(gateway, out var isUnderWay, open.Task);
        var first = captures.DecideAsync(Small(1, 1));
        await isUnderWay.WaitAsync(TimeSpan.FromSeconds(60));
        var rest = new[] { Small(2, 1), Small(3, 1) }.Select(captures.DecideAsync).ToList();
        open.SetResult();
        Assert.NotNull(await first);
        Assert.All(await Task.WhenAll(rest), Assert.Null);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from document"));
        Assert.NotNull(await captures.DecideAsync(Small(2, 1)));
    }

    private static (string?, string?) Instants(JsonElement job) => (Instant(job, "createdAt"), Instant(job, "finishedAt"));

    private static string? Instant(JsonElement job, string name) => job.GetProperty(name).GetDateTimeOffset().ToString("O");

    private static SmallCaptures Together(CaptureGateway gateway, out Task isUnderWay, Task open)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        isUnderWay = begun.Task;
        var routing = new CaptureRouting((_, _) =>
        {
            begun.TrySetResult();
            return open;
        });
        return gateway.SmallCaptures(routing);
    }

    private static SmallCapture Small(int n, int party)
    {
        var bytes = Encoding.UTF8.GetBytes(Documents.Json(Documents.Event(n)));
        using var stream = new MemoryStream(bytes);
        return new SmallCapture(
            new NewCapture(Guid.NewGuid(), party, "key:x", SHA256.HashData(bytes), bytes.Length, "application/json", null, null, "rollback", default, 202, "") { LeaseToken = Guid.NewGuid() },
            bytes, ParsedDocument.Read(stream, new CaptureOptions(), Rules, proceed: false, MasterDataSnapshot.Nothing, scope: null), party.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
