using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Gateway.Journeys.Dashboard;
using Microsoft.Playwright;

namespace Gateway.Journeys;

/// <summary>Numbers from the pool to the line and back, over HTTP in each form, on the command line and on the page.</summary>
public sealed class SerialJourneys
{
    private const string Gtin = "09521321000018";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_captured_file_says_was_printed_never_goes_back_into_its_pool()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        using var line = gateway.Client("operator");
        foreach (var (address, body) in ((string, object)[])
            [("api/products/09521234001010", new { name = "Demozol", level = "unit", companyPrefixLength = 7, serialPattern = "^[0-9A-Z]{10}$", reason = "test" }), ("api/locations/9521234000013", new { name = "Plant", kind = "both", companyPrefixLength = 7, reason = "test" })])
        {
            using var known = await officer.PutAsJsonAsync(address, body, Ct);
            known.EnsureSuccessStatusCode();
        }
        using var approved = await officer.PostAsJsonAsync("api/intake/mappings/f1-unit-csv/approve", new { reason = "tried" }, Ct);
        approved.EnsureSuccessStatusCode();
        // While there is no pool, a file is a file.
        await TakeInAsync(("BEFORE0001", "OK"));
        await MakeAsync(officer, new { gtin = "09521234001010", stock = 0, reason = "a new product" });
        var granted = JsonDocument.Parse((await AskAsync(line, "application/json", """{"requestId":"r1","gtin":"09521234001010","quantity":1000}""")).Text).RootElement;
        var n = granted.GetProperty("numbers").EnumerateArray().Select(x => x.GetString()!).ToArray();
        var statements = 0;
        // To everything, because commands are traced as part of some work only.
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a => _ = a.TagObjects.Any(t => t.Value is string text && text.Contains("update serial_number n set state", StringComparison.Ordinal)) ? Interlocked.Increment(ref statements) : 0,
        };
        ActivitySource.AddActivityListener(listener);
        // Commissioned, printed and rejected, printed and destroyed, and not used.
        await TakeInAsync([.. n[..500].Select(s => (s, "OK")), (n[500], "REJ"), (n[501], "DES"), (n[502], "UNU")]);
        Assert.InRange(statements, 1, 4); // for 503 numbers
        Assert.Equal("1 497, 2 1, 4 502", await gateway.Database.ScalarAsync<string>("select string_agg(state || ' ' || n, ', ' order by state) from (select state, count(*) as n from serial_number group by state) s"));
        foreach (var (serial, status) in ((string, HttpStatusCode)[])[(n[0], HttpStatusCode.Conflict), (n[500], HttpStatusCode.Conflict), (n[501], HttpStatusCode.Conflict), (n[502], HttpStatusCode.OK), (n[503], HttpStatusCode.OK)])
        {
            using var back = await officer.PostAsJsonAsync("api/serials/returns", new { gtin = "09521234001010", serials = new[] { serial }, reason = "left over" }, Ct);
            Assert.Equal((serial, status), (serial, back.StatusCode));
        }

        async Task TakeInAsync(params (string Serial, string Status)[] rows)
        {
            var file = $"#GTIN;09521234001010\r\n#LOT;L26B101\r\n#EXP;31.08.2028\r\n#TZ;Europe/Berlin\r\n#COUNT;{rows.Length}\r\nNr;Seriennummer;Status;Zeit;Station;Grund;Güte\r\n{string.Concat(rows.Select((r, i) => $"{i + 1};{r.Serial};{r.Status};14.09.2026 08:02:11,120;V;{(r.Status is "REJ" or "DES" ? "GRADE" : "")};A\r\n"))}";
            using var answer = await line.PostAsync("api/intake/f1-unit-csv", new ByteArrayContent(Encoding.UTF8.GetBytes(file)) { Headers = { { "Content-Type", "text/csv" } } }, Ct);
            Assert.Equal(202, (int)answer.StatusCode);
            Assert.Equal("[]", (await gateway.JobAsync(answer.Headers.Location!)).GetProperty("errors").ToString());
        }
    }

    [Fact]
    public async Task The_same_request_as_json_csv_and_xml_is_the_same_call()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        var pool = await MakeAsync(officer, new { gtin = Gtin, reason = "a new product" });
        await MakeAsync(officer, new { ssccPrefix = "19521321", ordered = true, reason = "pallets" });
        using var line = gateway.Client("operator");
        var (json, status) = await AskAsync(line, "application/json", $$"""{"requestId":"r1","gtin":"{{Gtin}}","quantity":5,"lot":"LOT1","device":"printer-1"}""");
        var answer = JsonDocument.Parse(json).RootElement;
        var numbers = answer.GetProperty("numbers").EnumerateArray().Select(n => n.GetString()!).ToArray();
        Assert.Equal((201, 5, "open"), (status, numbers.Distinct().Count(), answer.GetProperty("state").GetString()));
        Assert.StartsWith("1 in ", answer.GetProperty("guess").GetString(), StringComparison.Ordinal);

        var (csv, again) = await AskAsync(line, "text/csv", $"requestId,gtin,quantity,lot,device\nr1,{Gtin},5,LOT1,printer-1\n");
        Assert.Equal((200, $"gtin,serial\r\n{string.Concat(numbers.Select(n => $"{Gtin},{n}\r\n"))}"), (again, csv));
        var bare = $"<serialNumbersRequest><RequestId>r1</RequestId><SendingSystem>printer-1</SendingSystem><Lot>LOT1</Lot><Size>5</Size><ObjectKey><Name>GTIN</Name><Value>{Gtin}</Value></ObjectKey></serialNumbersRequest>";
        var (xml, third) = await AskAsync(line, "application/xml", bare);
        Assert.Equal((200, string.Join(' ', numbers)), (third, string.Join(' ', XDocument.Parse(xml).Descendants("SerialNumber").Select(n => n.Value))));
        Assert.Contains(numbers[0], (await AskAsync(line, "application/xml", bare, "application/json")).Text, StringComparison.Ordinal);
        Assert.Equal(1L, await gateway.Database.ScalarAsync<long>("select count(*) from serial_grant"));

        // In an envelope, without an id: each is a request of its own. From and to where the numbers follow each other, a list where one is asked for.
        foreach (var (random, first, last, listed) in ((string, string, string, int)[])[("", "19521321000000000", "19521321000000002", 0), ("<RequestRandomizedNumbers>X</RequestRandomizedNumbers>", "", "", 3)])
        {
            var message = $"""
                <soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/><soapenv:Body><n:NumberRangeRequestMessage xmlns:n="urn:test"><SendingSystem>L3</SendingSystem><EncodingType>SSCC</EncodingType>
                <Size>3</Size><ObjectKey><Name>COMPANY_PREFIX</Name><Value>9521321|1</Value></ObjectKey>{random}</n:NumberRangeRequestMessage></soapenv:Body></soapenv:Envelope>
                """;
            var range = XDocument.Parse((await AskAsync(line, "text/xml", message)).Text);
            Assert.Equal("Envelope", range.Root!.Name.LocalName);
            Assert.Equal((first, last, listed), (Cut(range.Descendants("NumberFrom").Single().Value), Cut(range.Descendants("NumberTo").Single().Value), range.Descendants("SerialNumber").Count()));
        }

        foreach (var (type, body, accept, code) in ((string, string, string?, string)[])
            [
                ("application/json", "{", null, "GW-HTTP-09"), ("text/csv", "requestId\n", null, "GW-HTTP-09"), ("application/xml", "<a>", null, "GW-HTTP-09"), ("application/xml", "<!DOCTYPE a><a/>", null, "GW-HTTP-09"),
                ("application/xml", "<a><Size>1</Size></a>", null, "GW-HTTP-09"), ("text/plain", "5", null, "GW-HTTP-08"), ("application/json", "{}", "image/png", "GW-HTTP-03"), ("application/json", "{}", null, "GW-HTTP-06"),
                ("application/json", $$"""{"requestId":"r1","gtin":"{{Gtin}}","quantity":6}""", null, "GW-SER-01"), ("application/json", """{"requestId":"r2","gtin":"09521321000025","quantity":6}""", null, "GW-HTTP-01"),
                ("application/json", """{"requestId":"r3","ssccPrefix":"19521321","quantity":100000,"lot":"A lot of more than twenty"}""", null, "GW-HTTP-06"),
            ])
        {
            Assert.Contains($"\"{code}\"", (await AskAsync(line, type, body, accept)).Text, StringComparison.Ordinal);
        }
        using var big = await officer.PostAsync($"api/serials/pools/{pool}/import?reason=x", new StringContent("1"), Ct);
        Assert.Contains("GW-SER-02", await big.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_goes_in_numbers_go_out_are_acknowledged_and_go_back_over_http_and_on_the_command_line()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var officer = gateway.Client("officer");
        var pool = await MakeAsync(officer, new { gtin = Gtin, party = "The cmo", source = "external", alphabet = "0123456789", length = 12, reason = "the authority's" });
        using (var guessable = await officer.PostAsJsonAsync("api/serials/pools", new { gtin = Gtin, alphabet = "01", length = 4, reason = "short" }, Ct))
        {
            Assert.Contains("GW-SER-04", await guessable.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        using (var wrong = await officer.PostAsync($"api/serials/pools/{pool}/import?reason=x", new StringContent("000000000001\n000000000001\n1"), Ct))
        {
            var findings = (await wrong.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("findings").EnumerateArray().Select(f => (f.GetProperty("where").GetProperty("line").GetInt32(), f.GetProperty("code").GetString()));
            Assert.Equal([(2, "GW-SER-05"), (3, "GW-SER-06")], findings);
        }
        using (var taken = await officer.PostAsync($"api/serials/pools/{pool}/import?reason=x", new StringContent("000000000001\n000000000002\n000000000003"), Ct))
        {
            Assert.Equal(3, (await taken.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("taken").GetInt32());
        }
        using var cmo = gateway.Client("cmo");
        var request = $$"""{"requestId":"r1","gtin":"{{Gtin}}","quantity":2}""";
        var granted = JsonDocument.Parse((await AskAsync(cmo, "application/json", request)).Text).RootElement;
        var grant = granted.GetProperty("grant").GetString();
        using (var acknowledged = await cmo.PostAsync($"api/serials/grants/{grant}/acknowledge", null, Ct))
        {
            Assert.Equal("acknowledged", (await acknowledged.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("state").GetString());
        }
        var (dry, status) = await AskAsync(cmo, "application/json", request.Replace("r1", "r2", StringComparison.Ordinal));
        Assert.Equal(409, status);
        Assert.Contains("pool.dry", dry, StringComparison.Ordinal);
        using (var back = await cmo.PostAsJsonAsync("api/serials/returns", new { grant, reason = "left over" }, Ct))
        {
            Assert.Equal(2, (await back.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("quantity").GetInt32());
        }

        var (exit, said, _) = await gateway.VerbAsync("serials", "pools");
        Assert.Equal(0, exit);
        Assert.Contains("3 left", said, StringComparison.Ordinal);
        (exit, said, _) = await gateway.VerbAsync("serials", "request", "--id", "r9", "--gtin", Gtin, "--quantity", "3", "--pool", pool, "--format", "csv");
        Assert.Equal((0, 4), (exit, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        (exit, _, var why) = await gateway.VerbAsync("serials", "request", "--id", "r10", "--gtin", Gtin, "--quantity", "3", "--pool", pool);
        Assert.Equal(1, exit);
        Assert.Contains("Nothing was granted.", why, StringComparison.Ordinal);
        (exit, said, _) = await gateway.VerbAsync("serials", "void", "000000000001", "--gtin", Gtin, "--reason", "torn");
        Assert.Equal((0, "1 number voided.\n"), (exit, said));
        (exit, _, why) = await gateway.VerbAsync("serials", "return", "000000000001", "--gtin", Gtin, "--reason", "again");
        Assert.Equal(1, exit);
        Assert.Contains("is voided", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_the_page_a_pool_is_made_numbers_are_granted_and_go_back()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("serials");
        await page.FillAsync("#of", Gtin);
        await page.FillAsync("#why", "A new product.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make", Exact = true }).ClickAsync();
        await page.Locator("h1", new() { HasText = $"The pool of {Gtin} has" }).WaitForAsync();
        await page.FillAsync("#quantity", "25");
        await page.FillAsync("#lot", "LOT1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Grant", Exact = true }).ClickAsync();
        await page.GetByText("25 numbers are granted").WaitForAsync();
        await browser.AxeAsync("serial-pool");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Return ") }).ClickAsync();
        await page.FillAsync("#reason", "Left over.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Return", Exact = true }).ClickAsync();
        await page.GetByText("25 numbers went back.").WaitForAsync();
        Assert.Equal(25, await gateway.Database.ScalarAsync<int>("select quantity from serial_change where kind = 'return' and reason = 'Left over.'"));
        browser.NothingWentWrong();
    }

    private static string Cut(string sscc) => sscc.Length == 18 ? sscc[..17] : sscc;

    private static async Task<string> MakeAsync(HttpClient officer, object pool)
    {
        using var answer = await officer.PostAsJsonAsync("api/serials/pools", pool, Ct);
        Assert.True((int)answer.StatusCode == 201, await answer.Content.ReadAsStringAsync(Ct));
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("id").GetString()!;
    }

    private static async Task<(string Text, int Status)> AskAsync(HttpClient http, string type, string body, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/serials/requests") { Content = new StringContent(body, Encoding.UTF8, type) };
        if (accept is not null)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        }
        using var answer = await http.SendAsync(request, Ct);
        return (await answer.Content.ReadAsStringAsync(Ct), (int)answer.StatusCode);
    }
}
