using System.IO.Compression;
using System.Net;
using System.Text;
using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>The captures pages as somebody needs them whose file was refused.</summary>
public sealed class UploadTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    private const string Rows = """
        select (select count(*) from document) || ' ' || (select count(*) from document_chunk) || ' ' || (select count(*) from capture) || ' ' || (select count(*) from finding)
            || ' ' || (select count(*) from event) || ' ' || (select count(*) from capture_term) || ' ' || (select count(*) from idempotency) || ' ' || (select count(*) from audit_entry)
        """;

    private static byte[] Document(bool isBad) => new ShipmentGenerator(5).Xml(
        new ShipmentPlan(2, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31)) { OmitCaseParent = isBad });

    private static FilePayload File(string name, byte[] bytes) => new() { Name = name, MimeType = "application/octet-stream", Buffer = bytes };

    [Fact]
    public async Task A_CMO_whose_file_is_refused_has_the_place_and_the_remedy_after_two_clicks()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "cmo");
        var page = browser.Page;
        await browser.ReadyAsync();
        Assert.EndsWith("/captures", page.Url, StringComparison.Ordinal);
        await browser.AxeAsync("captures-empty");

        // One click to choose, one to upload.
        await page.SetInputFilesAsync("#files", File("shipment.xml", Document(isBad: true)));
        await page.ClickAsync("text=Upload");
        await browser.AtAsync("**/captures/*-*");
        await browser.ReadyAsync();
        await page.GetByText("EPCIS-AGG-01").First.WaitForAsync();
        var finding = page.Locator(".finding").First;
        Assert.Contains("AggregationEvent", await finding.Locator("pre.source mark").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(5, (await finding.Locator("pre.source").InnerTextAsync()).TrimEnd().Split('\n').Length);
        Assert.Matches(@"line \d+, column \d+, event \d+, eventID ", await finding.InnerTextAsync());
        Assert.Contains("What to do Name the container or pallet in parentID.", await page.Locator(".rule").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal("/help/EPCIS-AGG-01", await page.Locator(".rule h3 a").GetAttributeAsync("href"));
        await browser.AxeAsync("capture-refused");

        // n and p go through the findings.
        await page.Keyboard.PressAsync("n");
        Assert.True(await finding.EvaluateAsync<bool>("e => e === document.activeElement"));
        await page.Keyboard.PressAsync("n");
        Assert.True(await page.Locator(".finding").Nth(1).EvaluateAsync<bool>("e => e === document.activeElement"));
        await page.Keyboard.PressAsync("p");
        Assert.True(await finding.EvaluateAsync<bool>("e => e === document.activeElement"));

        // What is copied for the supplier is what is downloaded.
        await page.ClickAsync("text=Copy for supplier");
        await page.GetByText("Copied").WaitForAsync();
        var copied = await page.EvaluateAsync<string>("navigator.clipboard.readText()");
        Assert.Contains("EPCIS-AGG-01 (error)", copied, StringComparison.Ordinal);
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("text=Report as text"));
        Assert.EndsWith(".txt", download.SuggestedFilename, StringComparison.Ordinal);
        Assert.Equal(copied, await System.IO.File.ReadAllTextAsync(await download.PathAsync(), Ct));

        // The corrected document is found from the refused one, without a reload, and its events behind it; also when the page has only told the time meanwhile.
        var refused = page.Url;
        for (var tick = 0; tick < 2; tick++)
        {
            var age = await page.Locator("dl.facts time").First.InnerTextAsync();
            await Eventually.TrueAsync(async () => await page.Locator("dl.facts time").First.InnerTextAsync() != age);
        }
        using var corrected = await gateway.CaptureAsync(Document(isBad: false));
        await page.GetByText("A later document with the same document number was accepted").WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "look at it" }).ClickAsync();
        await page.GetByText("Accepted with").First.WaitForAsync();
        await browser.ReadyAsync();
        await browser.AxeAsync("capture-accepted");
        await page.GetByRole(AriaRole.Link, new() { Name = "AggregationEvent" }).First.ClickAsync();
        await browser.AtAsync("**/events?type=AggregationEvent");
        await page.GetByText("Only AggregationEvent").WaitForAsync();
        await browser.AxeAsync("capture-events");
        await page.GotoAsync(refused + "/events");
        await browser.ReadyAsync();
        await page.GetByText("Nothing was stored.").WaitForAsync();
        await browser.AxeAsync("capture-events-empty");
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task More_than_ten_findings_of_a_rule_are_behind_a_door()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "cmo");
        var events = string.Join(",", Enumerable.Repeat("""{"type":"AggregationEvent","eventTime":"2026-03-01T10:00:00Z","eventTimeZoneOffset":"+00:00","childEPCs":["urn:epc:id:sgtin:9521234.011111.7"],"action":"ADD","bizStep":"packing"}""", 12));
        var document = $$"""{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-01T10:00:00Z","epcisBody":{"eventList":[{{events}}] } }""";
        await browser.GoAsync("captures");
        await browser.Page.SetInputFilesAsync("#files", File("one-line.json", Encoding.UTF8.GetBytes(document)));
        await browser.Page.ClickAsync("text=Upload");
        await browser.AtAsync("**/captures/*-*");
        await browser.ReadyAsync();
        var rule = browser.Page.Locator(".rule", new() { HasText = "EPCIS-AGG-01" });
        await rule.GetByText("Show all 12 of this rule").WaitForAsync();
        await Assertions.Expect(rule.Locator(".finding")).ToHaveCountAsync(10); // while the page comes alive it is drawn once more
        // Each place of the one line is cut around its own column.
        Assert.Equal(10, (await rule.Locator("pre.source").AllInnerTextsAsync()).Count);
        await rule.GetByText("Show all 12 of this rule").ClickAsync();
        await browser.AtAsync("**?code=EPCIS-AGG-01**");
        await browser.Page.GetByText("Show all findings").WaitForAsync();
        Assert.Equal(12, await browser.Page.Locator(".finding").CountAsync());
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task Checking_only_stores_nothing_and_needs_no_scripts()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "cmo", scripts: false);
        var page = browser.Page;
        var before = await gateway.Database.ScalarAsync<string>(Rows);
        await page.GotoAsync(new Uri(gateway.Url, "captures").ToString());
        await page.SetInputFilesAsync("#files", [File("bad.xml", Document(isBad: true)), File("good.xml", Document(isBad: false))]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Check only" }).ClickAsync();
        await browser.AtAsync("**/captures/check");
        Assert.Equal("1 of 2 files would be accepted; nothing is stored.", await page.Locator("h1").InnerTextAsync());
        Assert.True(await page.Locator(".finding pre.source mark").CountAsync() > 0);
        Assert.Contains("EPCIS-AGG-01", await page.Locator("section.file").First.InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(before, await gateway.Database.ScalarAsync<string>(Rows));
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task What_is_wrong_with_a_file_is_told_where_the_person_is()
    {
        await using var gateway = await TestGateway.StartAsync(("Capture:MaxBytes", "200000"));
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "cmo");
        var page = browser.Page;

        await browser.GoAsync("captures/check");
        await browser.AxeAsync("check-empty");
        await page.SetInputFilesAsync("#files", File("large.xml", new byte[300_000]));
        await page.GetByRole(AriaRole.Button, new() { Name = "Check only" }).ClickAsync();
        await page.GetByText("Capture too large").WaitForAsync();
        await browser.AxeAsync("check-too-large");

        await page.SetInputFilesAsync("#files", File("bad.xml", Document(isBad: true)));
        await page.GetByRole(AriaRole.Button, new() { Name = "Check only" }).ClickAsync();
        await page.Locator(".rule", new() { HasText = "EPCIS-AGG-01" }).WaitForAsync();
        await page.ClickAsync("text=Report for the supplier");
        await page.ClickAsync("text=Copy for supplier");
        await page.GetByText("Copied").WaitForAsync();
        Assert.StartsWith("EPCIS document bad.xml\n", await page.EvaluateAsync<string>("navigator.clipboard.readText()"), StringComparison.Ordinal);
        await browser.AxeAsync("check-findings");

        // What cannot be read is kept as it came, and its page says why.
        foreach (var (name, text, code) in (IEnumerable<(string, string, string)>)[("notes.txt", "This is no XML.", "EPCIS-DOC-01"), ("doctype.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "EPCIS-XML-02")])
        {
            await browser.GoAsync("captures");
            await page.SetInputFilesAsync("#files", File(name, Encoding.UTF8.GetBytes(text)));
            await page.ClickAsync("text=Upload");
            await browser.AtAsync("**/captures/*-*");
            await page.GetByText(code).First.WaitForAsync();
            await browser.ReadyAsync();
            await browser.AxeAsync("capture-" + code);
        }
        browser.NothingWentWrong("413");
    }

    [Fact]
    public async Task Several_files_come_with_one_form_and_the_same_bytes_once()
    {
        await using var gateway = await TestGateway.StartAsync(("Capture:MaxBytes", "200000"));
        using var http = await FormClient.SignInAsync(gateway, "cmo");
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            gzip.Write(Document(isBad: true));
        }

        using var answer = await http.PostAsync("captures/upload", ("a.xml", Document(isBad: false)), ("large.xml", new byte[300_000]), ("b.xml.gz", packed.ToArray()), ("again.xml", Document(isBad: false)));
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("3 of 4 files stored", text, StringComparison.Ordinal);
        Assert.Contains("GW-CAP-03", text, StringComparison.Ordinal);
        Assert.Contains("The same bytes had come before", text, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await gateway.Database.ScalarAsync<long>("select count(*) from capture where state in ('accepted', 'refused')") == 2);
        Assert.Equal("accepted application/xml -, refused application/xml gzip", await gateway.Database.ScalarAsync<string>(
            "select string_agg(c.state || ' ' || d.media_type || ' ' || coalesce(d.content_encoding, '-'), ', ' order by c.capture_id) from capture c join document d using (document_id)"));

        // The party is the person's, and the bytes are kept as they came.
        Assert.Equal("The cmo", await gateway.Database.ScalarAsync<string>("select distinct p.name from capture c join party p on p.party_id = c.party_id"));
        Assert.Equal(packed.ToArray(), await gateway.Database.ScalarAsync<byte[]>("select bytes from document_chunk join document using (document_id) where content_encoding = 'gzip'"));
    }

    [Fact]
    public async Task A_form_that_is_not_ours_stores_nothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var http = await FormClient.SignInAsync(gateway, "cmo");
        foreach (var token in (string?[])[null, "forged"])
        {
            using var answer = await http.PostWithAsync(token, "captures/upload", ("a.xml", Document(isBad: false)));
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("GW-ACC-04", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
        using var empty = await http.PostAsync("captures/upload");
        Assert.Contains("GW-CAP-15", await empty.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(0, await gateway.Database.ScalarAsync<long>("select count(*) from capture"));
    }
}
