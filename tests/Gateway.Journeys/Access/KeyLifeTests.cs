using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.Journeys.Access;

/// <summary>A key from its making to its end.</summary>
public sealed class KeyLifeTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_made_used_rotated_without_a_gap_and_revoked_and_the_trail_tells_all_of_it()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var admin = gateway.Client("administrator");

        var first = await ShownAsync(await admin.PostAsJsonAsync("api/keys", new { role = "cmo", name = "Filling line 3", party = "A CMO", gln = "9521234000105", expiresInDays = 30 }, Ct));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(gateway, first.Key));
        Assert.NotEqual(JsonValueKind.Null, (await ListedAsync(admin, first.Id)).GetProperty("lastUsedAt").ValueKind);

        // Two active keys until the overlap ends.
        var second = await ShownAsync(await admin.PostAsJsonAsync($"api/keys/{first.Id}/rotate", new { reason = "yearly", overlapDays = 7 }, Ct));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(gateway, first.Key));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(gateway, second.Key));
        await gateway.Database.AdvanceAsync(TimeSpan.FromDays(8));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(gateway, first.Key));
        Assert.Equal("expired", (await ListedAsync(admin, first.Id)).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.OK, await TryAsync(gateway, second.Key));
        using (var again = await admin.PostAsJsonAsync($"api/keys/{first.Id}/rotate", new { reason = "again" }, Ct))
        {
            Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        }

        using (var revoked = await admin.PostAsJsonAsync($"api/keys/{second.Id}/revoke", new { reason = "lost" }, Ct))
        {
            Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(gateway, second.Key));

        // Made, shortened, refused when it had ended, made, revoked: five entries; being used is none. No entry and no list holds a secret or its hash.
        Assert.Equal("insert,update,refused,insert,update/lost", await gateway.Database.ScalarAsync<string>($"""
            select string_agg(action || case when reason = 'lost' then '/lost' else '' end, ',' order by case when entity_key = '{first.Id}' then 0 else 1 end, ord)
            from audit_entry where entity = 'api_key' and entity_key in ('{first.Id}', '{second.Id}')
            """));
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from audit_entry where convert_from(canonical, 'UTF8') like '%secret_hash%'"));
        Assert.DoesNotContain(second.Key.Split('.')[1], await admin.GetStringAsync("api/keys?limit=200", Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_not_given_to_a_party_of_another_kind()
    {
        await using var gateway = await TestGateway.StartAsync();
        await gateway.AddPartnerAsync("9521234000204", "well/one");
        using var admin = gateway.Client("administrator");
        using var answer = await admin.PostAsJsonAsync("api/keys", new { role = "cmo", name = "x", party = "y", gln = "9521234000204" }, Ct);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
    }

    [Fact]
    public async Task Use_is_noted_once_a_minute_and_not_for_every_request()
    {
        await using var gateway = await TestGateway.StartAsync();
        var row = $"select ctid::text from api_key where key_id = '{gateway.Keys["officer"][4..20]}'";
        await TryAsync(gateway, gateway.Keys["officer"]);
        var noted = await gateway.Database.ScalarAsync<string>(row);
        await TryAsync(gateway, gateway.Keys["officer"]);
        Assert.Equal(noted, await gateway.Database.ScalarAsync<string>(row));
        await gateway.Database.AdvanceAsync(TimeSpan.FromMinutes(2));
        await TryAsync(gateway, gateway.Keys["officer"]);
        Assert.NotEqual(noted, await gateway.Database.ScalarAsync<string>(row));
    }

    private static async Task<(string Id, string Key)> ShownAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
            return (body.GetProperty("id").GetString()!, body.GetProperty("key").GetString()!);
        }
    }

    private static async Task<JsonElement> ListedAsync(HttpClient admin, string id) =>
        (await admin.GetFromJsonAsync<JsonElement>("api/keys?limit=200", Ct)).GetProperty("items").EnumerateArray().Single(k => k.GetProperty("id").GetString() == id);

    private static async Task<HttpStatusCode> TryAsync(TestGateway gateway, string key)
    {
        using var http = new HttpClient { BaseAddress = gateway.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await http.GetAsync(key == gateway.Keys["officer"] ? "api/deliveries" : "capture", Ct);
        return answer.StatusCode;
    }
}
