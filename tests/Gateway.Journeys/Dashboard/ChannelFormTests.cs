using System.Net.Http.Json;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>A partner's channel is changed on its page, and its key is never shown there.</summary>
public sealed class ChannelFormTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_partner_is_moved_to_SFTP_with_a_pasted_key_that_no_page_and_no_answer_shows()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var server = await SftpServer.StartAsync();
        using var officer = gateway.Client("officer");
        using var added = await officer.PostAsJsonAsync("api/partners", new { gln = "9521321000018", name = "Acme", format = "1.2-xml", channel = new { kind = "https", url = "https://example.org/in", token = "a-token" } }, Ct);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("partners/1");
        await Button("Channel…").ClickAsync();
        await page.SelectOptionAsync("#kind", "sftp");
        await page.FillAsync("#url", "sftp://gw@sftp.example.org/in");
        await page.FillAsync("#hostkey", "example.org ssh-ed25519 AAAA");
        await page.FillAsync("#key", server.ClientKey);
        await page.FillAsync("#trigger", "{stem}.done");
        await page.FillAsync("#reason", "they have no HTTPS");
        await Button("Change").ClickAsync();
        await page.GetByText("channel.hostKey is one line").WaitForAsync();
        await browser.AxeAsync("channel-form");
        await page.FillAsync("#hostkey", server.HostKey);
        await Button("Change").ClickAsync();
        await page.GetByText("Done.", new() { Exact = true }).WaitForAsync();
        await page.GetByText("sealed; it is never shown").WaitForAsync();
        Assert.Contains(server.HostKey, await page.ContentAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", await page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal("sftp 2 they have no HTTPS", await gateway.Database.ScalarAsync<string>("select channel || ' ' || version || ' ' || (select reason from audit_entry where entity = 'partner' and action = 'update') from partner"));
        Assert.DoesNotContain("PRIVATE KEY", await gateway.Database.ScalarAsync<string>("select string_agg(to_jsonb(e)::text, '') from audit_entry e"), StringComparison.Ordinal);

        // The key stays when another member changes; who looked at an older version is told so; what is not known is not dropped.
        object Channel(string? hostKey) => new { kind = "sftp", url = "sftp://gw@sftp.example.org/other", hostKey };
        using var changed = await officer.PutAsJsonAsync("api/partners/9521321000018/channel", new { version = 2, reason = "moved", channel = Channel(server.HostKey) }, Ct);
        Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync(Ct));
        Assert.DoesNotContain("PRIVATE KEY", await changed.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.True(await gateway.Database.ScalarAsync<bool>("select secret is not null and channel_settings = jsonb_build_object('hostKey', channel_settings ->> 'hostKey') from partner"));
        using var late = await officer.PutAsJsonAsync("api/partners/9521321000018/channel", new { version = 2, reason = "moved", channel = Channel(server.HostKey) }, Ct);
        Assert.Equal(409, (int)late.StatusCode);
        using var wrong = await officer.PutAsJsonAsync("api/partners/9521321000018/channel", new { version = 3, reason = "moved", channel = Channel(null) }, Ct);
        Assert.Equal(422, (int)wrong.StatusCode);
        using var unknown = await officer.PutAsJsonAsync("api/partners/9521321000018/channel", new { version = 3, reason = "moved", channel = new { kind = "sftp", passphrase = "x" } }, Ct);
        Assert.Equal(400, (int)unknown.StatusCode);
        Assert.Contains("passphrase", await unknown.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);

        ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
    }
}
