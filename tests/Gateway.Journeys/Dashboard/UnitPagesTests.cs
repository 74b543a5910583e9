using System.Text;
using System.Text.Json;
using Gateway.Host.Simulate;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>A pallet of three cases with four packs each, shipped: looked at in the browser and on the command line.</summary>
public sealed class UnitPagesTests
{
    private static readonly SimulatedParty Shipper = SimulatedParty.AtOneAddress("9521234000105", 7, "Shipper");
    private static readonly SimulatedParty Buyer = SimulatedParty.AtOneAddress("9521234000204", 7, "Buyer");

    [Fact]
    public async Task A_pack_is_found_leads_to_its_pallet_and_that_is_opened_to_its_packs_in_one_click()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (pallet, serial) = await ShippedAsync(gateway);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await page.SetViewportSizeAsync(1024, 768);
        await browser.GoAsync("today");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("l");
        await browser.AtAsync("**/units");
        await browser.ReadyAsync();
        await browser.AxeAsync("units");

        // The beginning of a serial number is enough.
        await page.FillAsync("#unit", serial[..6]);
        await page.Keyboard.PressAsync("Enter");
        await browser.AtAsync("**/units?q=*");
        await browser.ReadyAsync();
        Assert.Contains($"{serial[..6]} is 1 unit", await page.InnerTextAsync("h1"), StringComparison.Ordinal);
        await browser.AxeAsync("units-found");
        await page.Locator("main table a").First.ClickAsync();
        await page.GetByText("The pack is SHIPPED, in 2 containers, at last a pallet.").WaitForAsync();
        Assert.Equal("case pallet", string.Join(' ', await page.Locator("#up + table td:first-child").AllInnerTextsAsync()));
        Assert.Contains("shipping", await page.InnerTextAsync("ol.timeline"), StringComparison.Ordinal);
        Assert.True(await page.Locator("ol.timeline a", new() { HasText = "Capture" }).CountAsync() >= 4);
        await browser.AxeAsync("unit");

        // Up to the pallet, and down to every pack.
        await page.Locator("#up + table a").Last.ClickAsync();
        await page.GetByText("The pallet is SHIPPED; it holds 3 units.").WaitForAsync();
        await page.GetByText("Open it").ClickAsync();
        await page.GetByText("15 units in all.").WaitForAsync();
        Assert.Equal((15, 12, 3), (await page.Locator("#down ~ table tbody tr").CountAsync(), await page.Locator("td.deep-2").CountAsync(), await page.Locator("td.deep-1").CountAsync()));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await browser.AxeAsync("pallet-opened");

        // The search field of every page knows units too, and who names one whole is led to it.
        await page.FillAsync("#search", serial);
        await page.Keyboard.PressAsync("Enter");
        await browser.AtAsync("**/search?q=*");
        await browser.ReadyAsync();
        await page.Locator("main a[href^='units/view']").First.WaitForAsync();
        await browser.AxeAsync("search-units");

        // A lot that is found leads to its page.
        await browser.GoAsync("search?q=LOT1");
        await page.Locator("main a[href^='lots/']").First.ClickAsync();
        await browser.AtAsync("**/lots/*/LOT1");
        await browser.ReadyAsync();
        await browser.GoAsync($"units?q={pallet}");
        await browser.AtAsync("**/units/view?epc=*");
        await browser.GoAsync("units/view?epc=09521234001010");
        Assert.Equal("This is no unit.", await page.InnerTextAsync("h1"));
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task A_moment_of_the_story_shows_the_pack_and_its_pallet_as_they_were_then()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (pallet, serial) = await ShippedAsync(gateway);
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await page.SetViewportSizeAsync(1024, 768);
        await browser.GoAsync($"units/view?epc={(await gateway.Database.ScalarAsync<string>($"select key from unit where key like '%{serial}'"))}");

        // The packing of its case, before that of the case itself and the shipment.
        await page.Locator("ol.timeline li", new() { HasText = "packing" }).First.Locator("a[title]").ClickAsync();
        await browser.AtAsync("**/units/view?epc=*&asOf=*Z");
        await browser.ReadyAsync();
        await page.GetByText("the pack was COMMISSIONED, in a case.").WaitForAsync();
        Assert.Contains("This is a past moment", await page.InnerTextAsync(".notice.watch"), StringComparison.Ordinal);
        Assert.Equal("case", string.Join(' ', await page.Locator("#up + table td:first-child").AllInnerTextsAsync()));
        Assert.DoesNotContain("shipping", await page.InnerTextAsync("ol.timeline"), StringComparison.Ordinal);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await browser.AxeAsync("unit-then");

        // What it was in is shown at the same moment.
        var moment = page.Url[page.Url.IndexOf("&asOf=", StringComparison.Ordinal)..];
        await page.Locator("#up + table a").First.ClickAsync();
        await browser.AtAsync("**" + moment);
        await page.GetByText("the case was COMMISSIONED; it held 4 units.").WaitForAsync();
        await page.GetByText("Open it").ClickAsync();
        await page.GetByText("4 units in all.").WaitForAsync();
        await page.SetViewportSizeAsync(1280, 800);
        await browser.AxeAsync("case-then");
        await page.Locator("td.deep-1 a").First.ClickAsync();
        await browser.AtAsync("**" + moment);
        await page.GetByText("the pack was COMMISSIONED, in a case.").WaitForAsync();
        await page.GetByText("Show it as it is now").ClickAsync();
        await page.GetByText("The pack is SHIPPED").WaitForAsync();
        Assert.DoesNotContain("asOf", page.Url, StringComparison.Ordinal);

        // A moment of one's own, in UTC; before anything had happened, and after all of it.
        await page.FillAsync("#asOf", "2020-02-29T12:00");
        await page.Locator("form:has(#asOf) button").ClickAsync();
        await page.GetByText("it is known since 2026-").WaitForAsync();
        await browser.ReadyAsync();
        await browser.AxeAsync("unit-not-yet");
        await page.FillAsync("#asOf", "2026-11-02T12:00");
        await page.Keyboard.PressAsync("Enter");
        await page.GetByText("At 2026-11-02 12:00:00 UTC the pack was SHIPPED, in 2 containers, at last a pallet.").WaitForAsync();
        await browser.GoAsync($"units/view?epc={pallet}&asOf=soon");
        await page.GetByText("The moment was not understood.").WaitForAsync();
        Assert.StartsWith("The pallet is SHIPPED", await page.InnerTextAsync("h1"), StringComparison.Ordinal);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task What_an_exception_is_about_leads_to_the_units()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (_, serial) = await ShippedAsync(gateway);
        var pack = await gateway.Database.ScalarAsync<string>($"select epc from event_epc where epc like '%{serial}' limit 1");
        using (var answer = await gateway.CaptureAsync(Encoding.UTF8.GetBytes($"""
            <?xml version="1.0" encoding="UTF-8"?>
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-02T10:00:00Z"><EPCISBody><EventList>
            <ObjectEvent><eventTime>2026-11-02T09:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>{pack}</epc></epcList>
            <action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep></ObjectEvent>
            </EventList></EPCISBody></epcis:EPCISDocument>
            """)))
        {
            await gateway.JobAsync(answer.Headers.Location!);
        }
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync($"exceptions?epc={pack}");
        Assert.Equal(pack, await page.InnerTextAsync(".toolbar a[href^='units/view']"));
        await page.GetByRole(AriaRole.Link, new() { Name = "1 unit", Exact = true }).ClickAsync();
        await browser.AtAsync("**/exceptions/*#units");
        await browser.ReadyAsync();
        await browser.AxeAsync("exception-units");
        await page.Locator("#units + table a", new() { HasText = pack }).ClickAsync();
        await page.GetByText("The pack is SHIPPED and held").WaitForAsync();
        Assert.Contains("Commissioned twice", await page.InnerTextAsync("#exceptions + ul"), StringComparison.Ordinal);
        browser.NothingWentWrong();
    }

    [Fact]
    public async Task Trace_tells_where_a_unit_is_what_is_in_it_and_what_was_told()
    {
        await using var gateway = await TestGateway.StartAsync();
        var (pallet, serial) = await ShippedAsync(gateway);
        var (exit, said, wrong) = await gateway.VerbAsync("trace", pallet, "--json", "--contents");
        Assert.True(exit == 0, wrong);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal((16, "pallet", "SHIPPED"), (lines.Count, lines[0].GetProperty("unit").GetProperty("level").GetString(), lines[0].GetProperty("unit").GetProperty("state").GetString()));
        Assert.Equal("shipping", lines[0].GetProperty("history").EnumerateArray().Last().GetProperty("bizStep").GetString());
        Assert.Equal([.. new[] { 1, 2, 2, 2, 2 }], lines[1..6].Select(l => l.GetProperty("depth").GetInt32()));

        var pack = lines.Single(l => l.TryGetProperty("epc", out var epc) && epc.GetString()!.EndsWith(serial, StringComparison.Ordinal)).GetProperty("epc").GetString()!;
        (exit, said, _) = await gateway.VerbAsync("trace", pack);
        Assert.Equal(0, exit);
        Assert.Contains("SHIPPED", said, StringComparison.Ordinal);
        Assert.Contains($"in {lines[0].GetProperty("unit").GetProperty("epc").GetString()}  pallet", said, StringComparison.Ordinal);
        Assert.Contains("lot LOT1, expires 2029-01-31", said, StringComparison.Ordinal);

        // Before its shipment; without what was told since, and with what was in it then.
        var before = lines[0].GetProperty("history").EnumerateArray().Last().GetProperty("eventTime").GetDateTime().AddSeconds(-1);
        (exit, said, wrong) = await gateway.VerbAsync("trace", pallet, "--json", "--contents", "--as-of", before.ToString("O"));
        Assert.True(exit == 0, wrong);
        var past = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal((16, "COMMISSIONED"), (past.Count, past[0].GetProperty("unit").GetProperty("state").GetString()));
        Assert.All(past.Skip(1), c => Assert.Equal("COMMISSIONED", c.GetProperty("state").GetString()));
        Assert.Equal(lines[0].GetProperty("history").GetArrayLength() - 1, past[0].GetProperty("history").GetArrayLength());
        (exit, said, _) = await gateway.VerbAsync("trace", pallet, "--as-of", before.ToString("O"));
        Assert.Equal((0, true, false), (exit, said.Contains("COMMISSIONED", StringComparison.Ordinal), said.Contains("shipping", StringComparison.Ordinal)));
        (exit, _, wrong) = await gateway.VerbAsync("trace", pallet, "--as-of", "2020-01-01T00:00:00Z");
        Assert.Equal((1, true), (exit, wrong.Contains("it is known since 2026-", StringComparison.Ordinal)));
        (exit, _, wrong) = await gateway.VerbAsync("trace", pallet, "--as-of", "2026-01-01T00:00:00");
        Assert.Equal((2, true), (exit, wrong.Contains("with Z or an offset", StringComparison.Ordinal)));

        (exit, _, wrong) = await gateway.VerbAsync("trace", "(00)395212340000000014");
        Assert.Equal((1, true), (exit, wrong.Contains("Nobody has told of the unit", StringComparison.Ordinal)));
        (exit, _, wrong) = await gateway.VerbAsync("trace", "09521234001010");
        Assert.Equal((2, true), (exit, wrong.Length > 0));
    }

    /// <returns>The pallet's SSCC, and the serial number of one pack of it.</returns>
    private static async Task<(string Pallet, string Serial)> ShippedAsync(TestGateway gateway)
    {
        using var answer = await gateway.CaptureAsync(new ShipmentGenerator(5).Xml(new ShipmentPlan(1, Shipper, Buyer, new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero), "LOT1", new DateOnly(2029, 1, 31))));
        await gateway.JobAsync(answer.Headers.Location!);
        return (await gateway.Database.ScalarAsync<string>("select substr(key, 3) from unit where key like '00%'"),
            await gateway.Database.ScalarAsync<string>("select substr(key, 19) from unit where key like '01%' and children is null order by unit_id limit 1"));
    }
}
