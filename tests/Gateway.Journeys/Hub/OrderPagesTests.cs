using Gateway.Access;
using Gateway.Host.Simulate.Hub;
using Gateway.Journeys.Access;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Playwright;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>States, recalls and withdrawals on the pages alone: one person asks, another signs.</summary>
public sealed class OrderPagesTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_the_pages_alone_a_lot_is_recalled_by_two_people_and_a_product_withdrawn()
    {
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions(), Ct);
        await using var gateway = await StartAsync(hub);
        using (var officer = gateway.Client("officer"))
        {
            await CommissionAsync(gateway, "B7", 12);
            await ProductAsync(gateway, officer, 1, "DE", "FR");
            using (await ReleaseAsync(officer, "B7"))
            {
                await DistributedAsync(officer, "B7");
            }
        }
        foreach (var name in (string[])["anna", "ben"])
        {
            await PeopleJourneys.AddAsync(gateway, name, "officer");
            await new People(gateway.Database.Gateway).VerifyIdentityAsync(Actor.System("test"), name, "identity card", Ct);
        }
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.SignInAsync("anna", SigningPagesTests.Good);

        // What a rule forbids is said in the dialog, and what is allowed leads to its order.
        await browser.GoAsync($"hub/{Gtin}/B7");
        await page.GetByRole(AriaRole.Button, new() { Name = "State of packs…" }).ClickAsync();
        await page.SelectOptionAsync("#state", "Exported");
        await page.FillAsync("#place", Place);
        await page.FillAsync("#serials", "S0001\ns0002");
        await page.FillAsync("#reason", "shipped abroad");
        await browser.AxeAsync("hub-state-form");
        await page.GetByRole(AriaRole.Button, new() { Name = "Tell the hub" }).ClickAsync();
        await page.GetByText("The pack s0002 was not reported in this lot: case counts.").WaitForAsync();
        await page.FillAsync("#serials", "S0001\nS0002");
        await page.GetByRole(AriaRole.Button, new() { Name = "Tell the hub" }).ClickAsync();
        await page.GetByText("2 packs of the lot B7: Exported. All 2 markets have it.").WaitForAsync();
        await browser.AxeAsync("hub-order");

        await browser.GoAsync($"hub/{Gtin}/B7");
        await page.GetByRole(AriaRole.Button, new() { Name = "Recall…" }).ClickAsync();
        await page.GetByText("12 packs of the lot B7 of").WaitForAsync();
        await page.FillAsync("#reason", "glass in the bottle");
        await page.FillAsync("#typed", "b7");
        Assert.True(await page.GetByRole(AriaRole.Button, new() { Name = "Ask for the recall" }).IsDisabledAsync());
        await page.FillAsync("#typed", "B7");
        await browser.AxeAsync("hub-recall-form");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask for the recall" }).ClickAsync();
        await page.GetByText("Recall of the lot B7. It waits for signatures.").WaitForAsync();
        var order = page.Url;
        await browser.AxeAsync("hub-recall-asked");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign…" }).ClickAsync();
        await page.GetByText("You made or changed this record, so somebody else must sign it.").WaitForAsync();

        await browser.SignInAsync("ben", SigningPagesTests.Good);
        await browser.GoAsync(browser.PathOf(order)!);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign…" }).ClickAsync();
        await SignAsync(page, "ben", isFirst: true);
        await page.GetByText("Recall of the lot B7. All 2 markets have it.").WaitForAsync();
        await browser.AxeAsync("hub-recall-done");
        Assert.Equal(["DE", "FR"], hub.Lots.Single().RecalledIn);
        await browser.GoAsync("hub/orders");
        await browser.AxeAsync("hub-orders");
        await browser.GoAsync($"hub/{Gtin}/B7");
        await page.GetByText("The lot B7 is recalled, or its product withdrawn, in DE, FR").WaitForAsync();
        await browser.AxeAsync("hub-lot-recalled");
        await page.GetByRole(AriaRole.Button, new() { Name = "State of packs…" }).ClickAsync();
        await page.FillAsync("#place", Place);
        await page.FillAsync("#serials", "S0005");
        await page.FillAsync("#reason", "too late");
        await page.GetByRole(AriaRole.Button, new() { Name = "Tell the hub" }).ClickAsync();
        await page.GetByRole(AriaRole.Alert).GetByText("nothing is told of its packs any more").WaitForAsync();

        await browser.GoAsync("hub");
        await browser.AxeAsync("hub");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Withdraw {Gtin}" }).ClickAsync();
        await page.FillAsync("#typed", Gtin);
        await page.FillAsync("#reason", "no licence any more");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask for the withdrawal" }).ClickAsync();
        await page.GetByText($"Withdrawal of {Gtin}. It waits for signatures.").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Decline…" }).ClickAsync();
        await page.FillAsync("#reason", "the licence is renewed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Decline", Exact = true }).ClickAsync();
        await page.GetByText($"Withdrawal of {Gtin}. It was never told.").WaitForAsync();
        Assert.Empty(hub.WithdrawnIn(Gtin));
        Assert.Empty(hub.Violations);
        browser.NothingWentWrong();
    }

    private static async Task SignAsync(IPage page, string user, bool isFirst)
    {
        await page.WaitForSelectorAsync("#secret-word");
        if (isFirst)
        {
            await page.CheckAsync("#accepted");
            await page.FillAsync("#signer", user);
        }
        await page.FillAsync("#secret-word", SigningPagesTests.Good);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
        await page.WaitForSelectorAsync("#signed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Close", Exact = true }).Last.ClickAsync();
        await page.Locator(".rz-dialog").WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }
}
