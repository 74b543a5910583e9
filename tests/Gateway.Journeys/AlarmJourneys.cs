using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Alarms;
using Gateway.Journeys.Dashboard;
using Gateway.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Gateway.Journeys;

/// <summary>An alarm from its beginning to its end, over HTTP, on the command line and on its pages.</summary>
public sealed class AlarmJourneys
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Over_http_it_is_found_acknowledged_and_silenced_and_a_webhook_is_told()
    {
        await using var hook = await HttpsListener.StartAsync(null, _ => Task.FromResult(200));
        await using var gateway = await TestGateway.StartAsync(("Alarms:AllowPrivateAddresses", "true"), ("Alarms:ClearAfter", "00:00:30"));
        using var administrator = gateway.Client("administrator");
        using var officer = gateway.Client("officer");
        var added = await AnsweredAsync(administrator, HttpMethod.Post, "api/alarms/targets", new { name = "Quality", channel = "webhook", address = hook.Url, reason = "go-live" }, 201);
        var target = added.GetProperty("target").GetProperty("targetId").GetString();
        Assert.StartsWith(AlarmTargets.SecretPrefix, added.GetProperty("secret").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await administrator.GetStringAsync("api/alarms/targets", Ct), StringComparison.OrdinalIgnoreCase);
        await WrongAsync(gateway);
        await LookAsync(gateway);
        await gateway.Services.GetRequiredService<SendNotices>().RunAsync(Ct);
        Assert.Equal("alarm.raised", JsonDocument.Parse(Assert.Single(hook.Calls).Body).RootElement.GetProperty("type").GetString());

        var alarm = Assert.Single((await officer.GetFromJsonAsync<JsonElement>("api/alarms?state=open&kind=alarm.late", Ct)).GetProperty("items").EnumerateArray());
        var id = alarm.GetProperty("alarmId").GetInt64();
        Assert.Equal(("alarm.late", "raised", 1), (alarm.GetProperty("kind").GetString(), alarm.GetProperty("state").GetString(), alarm.GetProperty("told").GetInt32()));
        Assert.Equal("GW-DLV-02", (await AnsweredAsync(officer, HttpMethod.Post, $"api/alarms/{id}/acknowledge", new { reason = " " }, 422)).GetProperty("code").GetString());
        Assert.Equal("GW-ALM-01", (await AnsweredAsync(officer, HttpMethod.Post, $"api/alarms/{id}/acknowledge", new { reason = "seen", version = 9 }, 409)).GetProperty("code").GetString());
        Assert.Equal("acknowledged", (await AnsweredAsync(officer, HttpMethod.Post, $"api/alarms/{id}/acknowledge", new { reason = "seen" }, 200)).GetProperty("state").GetString());
        await AnsweredAsync(officer, HttpMethod.Post, "api/alarms/999/acknowledge", new { reason = "seen" }, 404);

        var silence = await AnsweredAsync(officer, HttpMethod.Post, "api/alarms/silences", new { kind = "alarm.late", until = DateTime.UtcNow.AddHours(2).ToString("o"), reason = "maintenance" }, 201);
        Assert.Equal("*", silence.GetProperty("subject").GetString());
        Assert.Equal("GW-HTTP-06", (await AnsweredAsync(officer, HttpMethod.Post, "api/alarms/silences", new { until = DateTime.UtcNow.AddDays(31).ToString("o"), reason = "too long" }, 422)).GetProperty("code").GetString());
        Assert.False((await AnsweredAsync(officer, HttpMethod.Post, $"api/alarms/silences/{silence.GetProperty("silenceId").GetInt64()}/end", new { reason = "done" }, 200)).GetProperty("stands").GetBoolean());
        Assert.Equal(1, (await officer.GetFromJsonAsync<JsonElement>("api/alarms/preview?least=warning", Ct)).GetProperty("items").GetArrayLength());
        Assert.Equal(0, (await officer.GetFromJsonAsync<JsonElement>("api/alarms/preview?least=error", Ct)).GetProperty("items").GetArrayLength());
        await AnsweredAsync(administrator, HttpMethod.Put, $"api/alarms/targets/{target}", new { name = "Quality", address = hook.Url + "/b", least = "error", reason = "moved", version = 1 }, 200);
        await AnsweredAsync(administrator, HttpMethod.Post, $"api/alarms/targets/{target}/test", new { reason = "moved" }, 202);
        await gateway.Services.GetRequiredService<SendNotices>().RunAsync(Ct);
        Assert.Equal("alarm.test", JsonDocument.Parse(hook.Calls[^1].Body).RootElement.GetProperty("type").GetString());

        // It ends by itself, and whoever was told is told so.
        await gateway.Database.ExecuteAsync("update delivery set state = 'closed', finished_at = gateway_now()");
        await LookAsync(gateway);
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(1));
        await LookAsync(gateway);
        await gateway.Services.GetRequiredService<SendNotices>().RunAsync(Ct);
        Assert.Equal("alarm.cleared", JsonDocument.Parse(hook.Calls[^1].Body).RootElement.GetProperty("type").GetString());
        await AnsweredAsync(administrator, HttpMethod.Post, $"api/alarms/targets/{target}/remove", new { reason = "gone" }, 204);
        foreach (var wrong in (string[])["alarms?state=new", "alarms?limit=0", "alarms?cursor=x", "alarms/preview?least=all", "deliveries?why=nothing"])
        {
            using var answer = await officer.GetAsync($"api/{wrong}", Ct);
            Assert.Equal((wrong, 400), (wrong, (int)answer.StatusCode));
        }
    }

    [Fact]
    public async Task The_command_line_lists_acknowledges_and_silences()
    {
        await using var gateway = await TestGateway.StartAsync();
        await WrongAsync(gateway);
        await LookAsync(gateway);
        var listed = await gateway.VerbAsync("alarms", "list", "--kind", "alarm.late", "--json");
        Assert.Equal(1, listed.Exit);
        var id = JsonDocument.Parse(listed.Said.Trim()).RootElement.GetProperty("alarmId").GetInt64();
        Assert.Equal(0, (await gateway.VerbAsync("alarms", "acknowledge", $"{id}", "--reason", "seen")).Exit);
        Assert.Equal(1, (await gateway.VerbAsync("alarms", "acknowledge", $"{id}", "--reason", "seen")).Exit);
        Assert.Equal(2, (await gateway.VerbAsync("alarms", "acknowledge", "999", "--reason", "seen")).Exit);
        Assert.Equal(0, (await gateway.VerbAsync("alarms", "list")).Exit);
        Assert.Equal(0, (await gateway.VerbAsync("alarms", "silence", "--kind", "alarm.late", "--until", DateTime.UtcNow.AddHours(1).ToString("o"), "--reason", "maintenance")).Exit);
        Assert.Equal(1, (await gateway.VerbAsync("alarms", "silence", "--until", "tomorrow", "--reason", "maintenance")).Exit);
        Assert.Equal("alarm acknowledge; alarm_silence insert", await gateway.Database.ScalarAsync<string>(
            "select string_agg(entity || ' ' || case when entity = 'alarm' then 'acknowledge' else action end, '; ' order by ord) from audit_entry where entity like 'alarm%' and actor = 'system:command line' and action <> 'refused'"));
    }

    [Fact]
    public async Task On_its_pages_an_officer_acknowledges_and_silences_and_an_administrator_says_who_is_told()
    {
        await using var gateway = await TestGateway.StartAsync();
        await WrongAsync(gateway);
        await LookAsync(gateway);
        await using (var browser = await SignedInBrowser.OpenAsync(gateway, "officer"))
        {
            var page = browser.Page;
            await browser.GoAsync("alarms");
            Assert.Equal("1 alarm stands that nobody has acknowledged.", await page.InnerTextAsync("h1"));
            await browser.AxeAsync("alarms");
            await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Acknowledge ") }).ClickAsync();
            await page.FillAsync("#reason", "the carrier was told");
            await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge", Exact = true }).ClickAsync();
            await page.GetByText("1 alarm stands, and somebody knows of it.").WaitForAsync();
            await browser.GoAsync("settings/alarms?kind=alarm.late&subject=9521234000204");
            Assert.Equal("alarm.late", await page.InputValueAsync("#kind"));
            Assert.Equal(0, await page.Locator("#address").CountAsync());
            await page.FillAsync("#because", "maintenance");
            await page.GetByRole(AriaRole.Button, new() { Name = "Silence", Exact = true }).ClickAsync();
            await page.Locator(".state", new() { HasText = "Stands" }).WaitForAsync();
            await browser.AxeAsync("alarm-settings");
            browser.NothingWentWrong();
        }
        await using (var browser = await SignedInBrowser.OpenAsync(gateway, "administrator"))
        {
            var page = browser.Page;
            await browser.GoAsync("settings/alarms");
            Assert.StartsWith("Nobody is told of alarms", await page.InnerTextAsync("h1"), StringComparison.Ordinal);
            await page.FillAsync("#name", "Quality");
            await page.SelectOptionAsync("#channel", "webhook");
            await page.FillAsync("#address", "https://hook.example.com/in");
            await page.FillAsync("#why", "go-live");
            await page.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
            Assert.StartsWith(AlarmTargets.SecretPrefix, await page.InnerTextAsync("#secret"), StringComparison.Ordinal);
            Assert.Equal(0, await page.Locator("#because").CountAsync());
            await browser.AxeAsync("alarm-targets");
            browser.NothingWentWrong();
        }
    }

    // A document that its partner should have had a while ago.
    private static async Task WrongAsync(TestGateway gateway)
    {
        await gateway.AddPartnerAsync("9521234000204", "accepts/buyer");
        await gateway.Database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            with d as (insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256('x'), 1, 'application/xml', gateway_now() from party where kind = 'organisation' returning document_id)
            insert into delivery (party_id, document_id, partner_id, message_id, ordering, state, due_at, created_at, need_by, give_up_at)
            select p.party_id, d.document_id, p.partner_id, gen_random_uuid(), 'x', 'due', gateway_now() + interval '1 day', gateway_now() - interval '2 hours', gateway_now() - interval '1 hour', gateway_now() + interval '7 days' from d, partner p
            """);
    }

    private static Task LookAsync(TestGateway gateway) => gateway.Services.GetRequiredService<JudgeAlarms>().RunAsync(Ct);

    private static async Task<JsonElement> AnsweredAsync(HttpClient http, HttpMethod method, string address, object body, int status)
    {
        using var request = new HttpRequestMessage(method, address) { Content = JsonContent.Create(body) };
        using var answer = await http.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(status == (int)answer.StatusCode, $"{address}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }
}
