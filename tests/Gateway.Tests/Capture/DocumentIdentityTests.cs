using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Gateway.Tests.Capture;

/// <summary>A sender's identifier names one document: the same bytes again are the same document, others under it are refused.</summary>
public sealed class DocumentIdentityTests
{
    private const string Sender = "urn:epc:id:sgln:9521234.00000.0", Other = "urn:epc:id:sgln:9525678.00000.0";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // At once, and by the worker.
    public static TheoryData<int> Ways => [262_144, 0];

    public static TheoryData<int, string> WaysAndForms => new MatrixTheoryData<int, string>([262_144, 0], ["1.2", "2.0", "json"]);

    [Theory]
    [MemberData(nameof(WaysAndForms))]
    public async Task Other_bytes_under_an_identifier_are_kept_and_refused_with_their_place_and_the_same_bytes_get_the_first_answer(int maxBytesAtOnce, string form)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        string Make(int n, string id = "4711", string sender = Sender) => Document(form, n, id, sender);
        var first = await StateAsync(gateway, Make(1));
        Assert.Equal("accepted", first.State);

        using (var again = await PostAsync(gateway, gateway.Client, Make(1)))
        {
            Assert.Equal((HttpStatusCode.Accepted, first.Id, "true"), (again.StatusCode, IdOf(again), again.Headers.GetValues("Idempotency-Replayed").Single()));
        }

        var second = await StateAsync(gateway, Make(2));
        Assert.Equal("refused", second.State);
        var details = await gateway.GetAsync($"/api/captures/{second.Id}");
        var finding = Assert.Single(details.GetProperty("findings").EnumerateArray(), f => f.GetProperty("severity").GetString() == "error");
        Assert.Equal(("GW-CAP-20", "4711"), (finding.GetProperty("code").GetString(), finding.GetProperty("got").GetString()));
        Assert.Contains($"accepted as capture {first.Id}", finding.GetProperty("message").GetString(), StringComparison.Ordinal);
        var lines = Make(2).Split('\n');
        var line = Array.FindIndex(lines, l => l.Contains("4711", StringComparison.Ordinal));
        var where = finding.GetProperty("where");
        Assert.Equal(line + 1, where.GetProperty("line").GetInt32());
        Assert.InRange(where.GetProperty("column").GetInt32(), lines[line].IndexOf(form == "json" ? "\"instance" : "<sbdh:Inst", StringComparison.Ordinal) + 1, lines[line].IndexOf("4711", StringComparison.Ordinal) + 1);
        Assert.Equal(form == "json" ? "/instanceIdentifier" : null, where.TryGetProperty("pointer", out var pointer) ? pointer.GetString() : null);
        Assert.Equal(Make(2), await gateway.Client.GetStringAsync($"/api/captures/{second.Id}/source", Ct));
        Assert.Equal($"GW-CAP-20 error open {second.Id}", await gateway.Database.ScalarAsync<string>("select string_agg(code || ' ' || severity || ' ' || state || ' ' || source_id, ',') from exception"));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));

        // It was refused, so the same bytes get that answer again, and its identifier is still the first's.
        Assert.Equal((second.Id, "refused"), await StateAsync(gateway, Make(2)));
        Assert.Equal("accepted", (await StateAsync(gateway, Make(3, "4712"))).State);
        Assert.Equal("accepted", (await StateAsync(gateway, Make(4, sender: Other))).State);
        using var cmo = await gateway.SignInAsync("Second CMO");
        Assert.Equal("accepted", (await StateAsync(gateway, Make(5), cmo)).State);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_document_that_was_refused_may_come_again_mended_under_its_identifier(int maxBytesAtOnce)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        string Make(int n, params string[] more) => Json("4711", Sender, [Documents.Event(n), .. more]);
        Assert.Equal("refused", (await StateAsync(gateway, Make(1, Documents.BadEvent))).State);
        Assert.Equal("accepted", (await StateAsync(gateway, Make(1))).State);
        Assert.Equal("refused", (await StateAsync(gateway, Make(2))).State);

        // Whoever asks to proceed is refused whole all the same, and is told everything at once; the identifier is what it is refused for.
        foreach (var behaviour in (string[])["rollback", "proceed"])
        {
            var (id, state) = await StateAsync(gateway, Make(behaviour.Length, Documents.Event(9), Documents.BadEvent), headers: ("GS1-Capture-Error-Behaviour", behaviour));
            var codes = (await gateway.GetAsync($"/api/captures/{id}")).GetProperty("findings").EnumerateArray().Where(f => f.GetProperty("severity").GetString() == "error").Select(f => f.GetProperty("code").GetString());
            Assert.Equal("refused EPCIS-AGG-01 GW-CAP-20", $"{state} {string.Join(' ', codes.Order(StringComparer.Ordinal))}");
            Assert.Equal("GW-CAP-20", await gateway.Database.ScalarAsync<string>($"select string_agg(code, ',') from exception where source_id = '{id}'"));
        }
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_was_accepted_in_part_has_its_identifier_and_what_is_not_named_may_always_come(int maxBytesAtOnce)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        Assert.Equal("accepted", (await StateAsync(gateway, Json("4711", Sender, Documents.Event(1), Documents.BadEvent), headers: ("GS1-Capture-Error-Behaviour", "proceed"))).State);
        Assert.Equal("refused", (await StateAsync(gateway, Json("4711", Sender, Documents.Event(2)))).State);
        foreach (var n in (int[])[3, 4])
        {
            Assert.Equal("accepted", (await StateAsync(gateway, Json(" ", Sender, Documents.Event(n)))).State);
            Assert.Equal("accepted", (await StateAsync(gateway, Documents.Json(Documents.Event(n + 2)))).State);
        }
        // A GLN in another form is the same sender, and none is one too.
        Assert.Equal("refused", (await StateAsync(gateway, Json("4711", "9521234000006", Documents.Event(7)))).State);
        Assert.Equal("accepted", (await StateAsync(gateway, Json("4711", "", Documents.Event(8)))).State);
        Assert.Equal("refused", (await StateAsync(gateway, Json("4711", "", Documents.Event(9)))).State);
    }

    [Theory]
    [InlineData(262_144, false)]
    [InlineData(0, false)]
    [InlineData(262_144, true)]
    public async Task Of_many_at_once_under_one_identifier_one_wins(int maxBytesAtOnce, bool someByWorkers)
    {
        await using var gateway = await StartAsync(maxBytesAtOnce);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(n =>
            PostAsync(gateway, gateway.Client, Json("4711", Sender, Documents.Event(n), Documents.Event(n + 100)) + (someByWorkers && n % 5 == 0 ? new string(' ', 300_000) : ""))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => EndAsync(gateway)));
        await EndAsync(gateway);
        Assert.Equal("accepted 1 refused 15", await gateway.Database.ScalarAsync<string>("select string_agg(state || ' ' || n, ' ' order by state) from (select state, count(*) as n from capture group by state) s"));
        Assert.Equal(2L, await gateway.Database.ScalarAsync<long>("select count(*) from event"));
        Assert.Equal("GW-CAP-20 15", await gateway.Database.ScalarAsync<string>("select code || ' ' || count(*) from exception group by code"));
    }

    // Two workers that have both found the name free: the second one waits in the index, and finds it taken in its next turn.
    [Fact]
    public async Task A_name_that_is_taken_between_the_look_and_the_commit_is_seen()
    {
        await using var gateway = await StartAsync(0);
        using var first = await PostAsync(gateway, gateway.Client, Json("4711", Sender, Documents.Event(1)));
        await EndAsync(gateway);
        using var second = await PostAsync(gateway, gateway.Client, Json("4711", Sender, Documents.Event(2)));
        await using var holder = await gateway.Database.Gateway.BeginAsync(global::Gateway.Access.Actor.System("test"), Ct);
        await using (var hide = new Npgsql.NpgsqlCommand("update capture set identity = null where state = 'accepted'", holder.Connection, holder.Transaction))
        {
            await hide.ExecuteNonQueryAsync(Ct);
        }
        await holder.CommitAsync();
        await using var taker = await gateway.Database.Gateway.BeginAsync(global::Gateway.Access.Actor.System("test"), Ct);
        await using (var take = new Npgsql.NpgsqlCommand("update capture set identity = sha256(convert_to('[\"9521234000006\",\"4711\"]', 'UTF8')) where state = 'accepted'", taker.Connection, taker.Transaction))
        {
            await take.ExecuteNonQueryAsync(Ct);
        }
        var turn = gateway.ProcessAsync();
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") > 0);
        await taker.CommitAsync();
        Assert.True(await turn);
        Assert.Equal("processing 0", await gateway.Database.ScalarAsync<string>("select state || ' ' || attempts from capture order by capture_id desc limit 1"));
        await EndAsync(gateway);
        Assert.Equal("accepted,refused", await gateway.Database.ScalarAsync<string>("select string_agg(state, ',' order by capture_id) from capture"));
    }

    [Fact]
    public async Task A_check_says_it_and_stores_nothing()
    {
        await using var gateway = await StartAsync(0);
        Assert.Equal("accepted", (await StateAsync(gateway, Document("1.2", 1, "4711", Sender))).State);
        Assert.Equal((true, ""), await CheckAsync(gateway.Client, Document("1.2", 1, "4711", Sender)));
        Assert.Equal((false, "GW-CAP-20"), await CheckAsync(gateway.Client, Document("1.2", 2, "4711", Sender)));
        using var cmo = await gateway.SignInAsync("Second CMO");
        Assert.Equal((true, ""), await CheckAsync(cmo, Document("1.2", 2, "4711", Sender)));
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from capture"));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_same_document_compressed_otherwise_is_accepted_with_nothing_new_and_another_one_is_refused(int maxBytesAtOnce)
    {
        var document = Document("1.2", 1, "4711", Sender);
        var sent = new Dictionary<string, byte[]>
        {
            ["plain"] = Encoding.UTF8.GetBytes(document), ["level 1"] = Gzip(document, 1), ["level 9"] = Gzip(document, 9), ["stored"] = Gzip(document, 0),
        };
        Assert.Equal(4, sent.Values.Select(Convert.ToHexString).Distinct().Count());
        foreach (var first in (string[])["plain", "level 1"])
        {
            await using var gateway = await StartAsync(maxBytesAtOnce);
            var name = await StateAsync(gateway, sent[first]);
            foreach (var (_, again) in sent.Where(s => s.Key != first))
            {
                Assert.Equal((true, ""), await CheckAsync(gateway.Client, again));
                var (id, state) = await StateAsync(gateway, again);
                var finding = Assert.Single((await gateway.GetAsync($"/api/captures/{id}")).GetProperty("findings").EnumerateArray());
                Assert.Equal(("accepted", "GW-CAP-21"), (state, finding.GetProperty("code").GetString()));
                Assert.Contains(name.Id, finding.GetProperty("message").GetString(), StringComparison.Ordinal);
            }
            Assert.Equal(("accepted", 1L, 0L), (name.State, await gateway.Database.ScalarAsync<long>("select count(*) from event"), await gateway.Database.ScalarAsync<long>("select count(*) from exception")));

            foreach (var other in (byte[][])[Gzip(Document("1.2", 2, "4711", Sender), 1), Encoding.UTF8.GetBytes(Document("1.2", 3, "4711", Sender)), Gzip(document + " ", 9)])
            {
                Assert.Equal((false, "GW-CAP-20"), await CheckAsync(gateway.Client, other));
                var (id, state) = await StateAsync(gateway, other);
                var said = (await gateway.GetAsync($"/api/captures/{id}")).GetProperty("findings").EnumerateArray().Single(f => f.GetProperty("code").GetString() == "GW-CAP-20").GetProperty("message").GetString();
                Assert.Equal("refused", state);
                Assert.Contains($"accepted as capture {name.Id}", said, StringComparison.Ordinal); // the first keeps the name
            }
        }
    }

    // The second of two that come at once finds the name taken in the index, by itself.
    [Fact]
    public async Task The_same_document_compressed_in_many_ways_at_once_is_accepted_each_time_and_stored_once()
    {
        await using var gateway = await StartAsync(262_144);
        var document = Document("1.2", 1, "4711", Sender);
        byte[][] ways = [Encoding.UTF8.GetBytes(document), .. Enumerable.Range(0, 10).Select(level => Gzip(document, level)).DistinctBy(Convert.ToHexString)];
        var answers = await Task.WhenAll(ways.Select(w => PostAsync(gateway, gateway.Client, w)));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => EndAsync(gateway)));
        await EndAsync(gateway);
        Assert.Equal($"accepted {ways.Length}", await gateway.Database.ScalarAsync<string>("select string_agg(state || ' ' || n, ' ' order by state) from (select state, count(*) as n from capture group by state) s"));
        Assert.Equal((1L, 1L), (await gateway.Database.ScalarAsync<long>("select count(*) from event"), await gateway.Database.ScalarAsync<long>("select count(identity) from capture")));
    }

    private static byte[] Gzip(string document, int level)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, new ZLibCompressionOptions { CompressionLevel = level }))
        {
            gzip.Write(Encoding.UTF8.GetBytes(document));
        }
        return buffer.ToArray();
    }

    private static Task<(bool, string)> CheckAsync(HttpClient client, string document) => CheckAsync(client, Encoding.UTF8.GetBytes(document));

    private static async Task<(bool, string)> CheckAsync(HttpClient client, byte[] document)
    {
        using var content = new ByteArrayContent(document);
        content.Headers.ContentType = new("application/xml");
        if (IsGzip(document))
        {
            content.Headers.ContentEncoding.Add("gzip");
        }
        using var answer = await client.PostAsync("/api/check", content, Ct);
        var found = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement;
        return (found.GetProperty("valid").GetBoolean(), string.Join(' ', found.GetProperty("findings").EnumerateArray().Where(f => f.GetProperty("severity").GetString() == "error").Select(f => f.GetProperty("code").GetString())));
    }

    private static Task<(string Id, string State)> StateAsync(CaptureGateway gateway, string document, HttpClient? client = null, params (string, string)[] headers) =>
        StateAsync(gateway, Encoding.UTF8.GetBytes(document), client, headers);

    private static async Task<(string Id, string State)> StateAsync(CaptureGateway gateway, byte[] document, HttpClient? client = null, params (string, string)[] headers)
    {
        using var answer = await PostAsync(gateway, client ?? gateway.Client, document, headers);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await EndAsync(gateway);
        return (IdOf(answer), (await gateway.GetAsync($"/api/captures/{IdOf(answer)}", client)).GetProperty("state").GetString()!);
    }

    private static string IdOf(HttpResponseMessage answer) => answer.Headers.Location!.ToString().Split('/')[^1];

    private static Task<HttpResponseMessage> PostAsync(CaptureGateway gateway, HttpClient client, string document, params (string, string)[] headers) =>
        PostAsync(gateway, client, Encoding.UTF8.GetBytes(document), headers);

    private static Task<HttpResponseMessage> PostAsync(CaptureGateway gateway, HttpClient client, byte[] document, params (string, string)[] headers) =>
        CaptureGateway.PostAsync(client, document, document[0] == '<' || IsGzip(document) ? "application/xml" : "application/ld+json", IsGzip(document) ? [.. headers, ("Content-Encoding", "gzip")] : headers);

    private static bool IsGzip(byte[] document) => document is [0x1f, 0x8b, ..];

    private static Task<CaptureGateway> StartAsync(int maxBytesAtOnce) => CaptureGateway.StartAsync(("Capture:MaxBytesAtOnce", maxBytesAtOnce.ToString(CultureInfo.InvariantCulture)));

    private static async Task EndAsync(CaptureGateway gateway)
    {
        while (await gateway.ProcessAsync())
        {
            // Whatever is not decided yet.
        }
    }

    private static string Document(string form, int n, string identifier, string sender) => form == "json" ? Json(identifier, sender, Documents.Event(n)) : Xml(form, n, identifier, sender);

    private static string Json(string identifier, string sender, params string[] events) =>
        Documents.Json(events).Replace("\"epcisBody\"", $"\n\"sender\":{JsonSerializer.Serialize(sender)},\n\"instanceIdentifier\":\"{identifier}\",\n\"epcisBody\"", StringComparison.Ordinal);

    private static string Xml(string version, int n, string identifier, string sender) => Documents.Xml
        .Replace("xsd:1", version == "1.2" ? "xsd:1" : "xsd:2", StringComparison.Ordinal).Replace("schemaVersion=\"1.2\"", $"schemaVersion=\"{version}\"", StringComparison.Ordinal)
        .Replace(".1</epc>", $".{n}</epc>", StringComparison.Ordinal)
        .Replace("<EPCISBody>", $"""
            <EPCISHeader xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"><sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
            <sbdh:Sender><sbdh:Identifier Authority="GS1">{sender}</sbdh:Identifier></sbdh:Sender><sbdh:Receiver><sbdh:Identifier Authority="GS1">urn:epc:id:sgln:9529999.00000.0</sbdh:Identifier></sbdh:Receiver>
            <sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion>
            <sbdh:InstanceIdentifier>{identifier}</sbdh:InstanceIdentifier><sbdh:Type>Events</sbdh:Type><sbdh:CreationDateAndTime>2026-03-01T10:00:00Z</sbdh:CreationDateAndTime></sbdh:DocumentIdentification>
            </sbdh:StandardBusinessDocumentHeader></EPCISHeader><EPCISBody>
            """, StringComparison.Ordinal);
}
