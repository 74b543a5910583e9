using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Gateway.Host.Simulate.Hub;
using Gateway.TestSupport;

namespace Gateway.Journeys.Hub;

using static HubGateway;

/// <summary>
/// The gateway killed between any two steps of a release and of orders: what was decided and not written, written and not sent, sent and not answered, answered and not kept. In the end each market holds what the gateway believes, each message has
/// one number, and the hub's own log shows no breach. Six kills; forty with GATEWAY_FAULTS=full.
/// </summary>
public sealed class HubKillTests
{
    private static readonly string[] s_markets = ["DE", "FR"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_gateway_killed_anywhere_reports_each_pack_once_and_tells_each_state_once()
    {
        var kills = FaultScale.IsFull ? 40 : 6;
        await using var hub = await HubSimulator.StartAsync(new HubSimulatorOptions { ResultAfter = TimeSpan.FromMilliseconds(50), MarketAfter = TimeSpan.FromMilliseconds(100) }, Ct);
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await using var host = await ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName, ("Delivery__LeaseTime", "00:00:03"), ("Delivery__AttemptTimeout", "00:00:01"));
        using var administrator = Client("administrator");
        using var officer = Client("officer");
        using var maker = Client("cmo");
        using (var added = await administrator.PostAsJsonAsync("api/partners", HubPartner(hub), Ct))
        {
            Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync(Ct));
        }
        var lots = Enumerable.Range(0, kills).Select(n => $"K{n:00}").ToList();
        foreach (var lot in lots)
        {
            using var captured = await maker.PostAsync("capture", Commissioning(lot, 40, $"{lot}-"), Ct);
            Assert.Equal(HttpStatusCode.Accepted, captured.StatusCode);
        }
        using (var told = await officer.PostAsJsonAsync("api/hub/products", ProductOf(s_markets), Ct))
        {
            Assert.True(told.IsSuccessStatusCode, await told.Content.ReadAsStringAsync(Ct));
        }
        await Eventually.TrueAsync(async () => await database.ScalarAsync<bool>("select (select bool_and(hub_distributed(delivery_id)) from hub_message) and (select count(*) from capture where state = 'accepted') = " + kills));

        var random = new Random(11);
        for (var n = 0; n < kills; n++)
        {
            await TryAsync($"api/hub/lots/{Gtin}/{lots[n]}/release", new { reason = "QA has released it." });
            // What the lot before has by now may have a state.
            if (n > 0)
            {
                await TryAsync("api/hub/orders", new { gtin = Gtin, lot = lots[n - 1], serials = Enumerable.Range(1, 5).Select(s => $"{lots[n - 1]}-{s:0000}"), state = "Exported", location = Place, reason = "shipped abroad" });
                await TryAsync("api/hub/orders", new { gtin = Gtin, lot = lots[n - 1], serials = Enumerable.Range(3, 1).Select(s => $"{lots[n - 1]}-{s:0000}"), state = "Exported", undo = true, location = Place, reason = "not shipped" });
            }
            await Task.Delay(random.Next(700), Ct);
            await host.KillAsync();
            await host.StartAgainAsync();
        }
        foreach (var lot in lots)
        {
            await TryAsync($"api/hub/lots/{Gtin}/{lot}/release", new { reason = "QA has released it." });
        }
        await Eventually.TrueAsync(async () => await database.ScalarAsync<bool>($"""
            select (select count(*) from hub_pack) = {kills * 40} and not exists (select from hub_chunk c where not exists (select from hub_message m where m.hub_chunk_id = c.hub_chunk_id)) and not exists (select from hub_message where answered_at is null)
                and not exists (select from hub_order where status in ('ready', 'told'))
            """), seconds: 90);

        foreach (var lot in lots)
        {
            var believed = (await database.ScalarAsync<string>($"select string_agg(serial || ' ' || coalesce(k.state, 'Active'), E'\\n' order by serial collate \"C\") from hub_pack k join hub_lot l using (hub_lot_id) where l.lot = '{lot}' and k.fault is null")).Split('\n');
            Assert.Equal(40, believed.Length);
            Assert.All(s_markets, country => Assert.Equal(believed, hub.Holding(country, Gtin, lot).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}")));
        }
        Assert.Equal(await database.ScalarAsync<long>("select count(*) from hub_message"), hub.Received.Select(r => r.CorrelationId).Distinct().LongCount());
        Assert.All(hub.Received.GroupBy(r => r.CorrelationId), same => Assert.Single(same.Select(r => r.Sha256).Distinct()));
        Assert.True(hub.Violations.Count == 0, string.Join("\n", hub.Violations.Select(v => $"{v.Rule}: {v.Text}")));
        data.Delete(recursive: true);

        HttpClient Client(string role)
        {
            var client = new HttpClient { BaseAddress = host.Url };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keys[role]);
            return client;
        }

        // What a rule forbids by then, or what the kill cut off, is not asked again.
        async Task TryAsync(string path, object body)
        {
            try
            {
                using var answer = await officer.PostAsJsonAsync(path, body, Ct);
                Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.Conflict, await answer.Content.ReadAsStringAsync(Ct));
            }
            catch (HttpRequestException)
            {
            }
        }
    }
}
