using System.Net.Http.Headers;
using Gateway.Access;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>The forms for roles and keys, as an administrator uses them.</summary>
public sealed class SettingsFormsTests
{
    [Fact]
    public async Task An_administrator_makes_a_role_permits_it_something_and_makes_a_key_for_it_that_is_shown_once()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "administrator");
        var page = browser.Page;
        await browser.GoAsync("settings/roles");
        await page.FillAsync("#role", "Packer One");
        await page.FillAsync("#what", "Packs and looks");
        await Button(page, "Add").ClickAsync();
        await page.GetByText("A role's name has 2 to 40 small letters").WaitForAsync();
        await page.FillAsync("#role", "packer");
        await Button(page, "Add").ClickAsync();
        await page.GetByText("Done.", new() { Exact = true }).WaitForAsync();
        await Button(page, $"Permit {Permissions.ReadCaptures} to packer").ClickAsync();
        await page.FillAsync("#reason", "they watch the line");
        await Button(page, "Permit").ClickAsync();
        await Button(page, $"Withdraw {Permissions.ReadCaptures} from packer").WaitForAsync();
        await browser.AxeAsync("roles-form");

        // Roles beyond one's own are not offered, nor is a look at a new key of such a role.
        await browser.GoAsync("settings/keys");
        Assert.Equal(["administrator", "cmo", "device", "inspector", "operator", "packer", "partner", "witness"], await page.Locator("#role option").AllInnerTextsAsync());
        Assert.Equal(1, await Button(page, $"Rotate {gateway.Keys["cmo"][4..20]}").CountAsync());
        Assert.Equal(0, await Button(page, $"Rotate {gateway.Keys["officer"][4..20]}").CountAsync());
        Assert.Equal(1, await Button(page, $"Revoke {gateway.Keys["officer"][4..20]}").CountAsync());
        await page.FillAsync("#name", "Line 3");
        await page.SelectOptionAsync("#role", "packer");
        await page.FillAsync("#days", "many");
        await Button(page, "Add").ClickAsync();
        await page.GetByText("The days are a number from 1 to 3650").WaitForAsync();
        await page.FillAsync("#days", "30");
        await Button(page, "Add").ClickAsync();
        var key = await page.InnerTextAsync("#secret");
        Assert.Matches("^gwl_[0-9a-f]{16}\\.[A-Za-z0-9_-]{43}$", key);
        await browser.AxeAsync("keys-form");
        using (var http = new HttpClient { BaseAddress = gateway.Url })
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var allowed = await http.GetAsync("capture", TestContext.Current.CancellationToken);
            using var refused = await http.GetAsync("api/keys", TestContext.Current.CancellationToken);
            Assert.Equal((200, 403), ((int)allowed.StatusCode, (int)refused.StatusCode));
        }
        Assert.Equal($"key:{gateway.Keys["administrator"][4..20]} packer 30", await gateway.Database.ScalarAsync<string>(
            $"select made_by || ' ' || role || ' ' || extract(day from expires_at - created_at) from api_key where key_id = '{key[4..20]}'"));

        // Shown once: the next look shows its row and never again its secret.
        await browser.GoAsync("settings/keys");
        var content = await page.ContentAsync();
        Assert.Contains(key[4..20], content, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Split('.')[1], content, StringComparison.Ordinal);
        browser.NothingWentWrong();
    }

    private static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
