using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>A host is killed while it stores what a device says: the device is not answered, sends the same again, and each message is stored once.</summary>
[Requirement("P11-47")]
public sealed class DeviceKillTests
{
    private const int Gate = 4744;

    [Theory]
    [InlineData("before it is written", "before insert on device_message for each statement", 0, 0)]
    [InlineData("when all is written and nothing is committed", "after insert on device_message deferrable initially deferred for each row", 0, 0)]
    [InlineData("when it is committed and nobody was told", "", 3, 3)]
    public async Task Killed_between_insert_and_answer_a_host_leaves_all_of_a_post_or_nothing_and_the_same_again_is_stored_once(string when, string timing, long kept, int duplicates)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        await database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into line (party_id, code, name, site, read_point, time_zone) select party_id, 'PL01', 'Line', '9521234000105', 'urn:epc:id:sgln:9521234.00010.1', 'UTC' from party where kind = 'organisation'
            """);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        await using var host = await ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName);
        using var http = new HttpClient { BaseAddress = host.Url };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keys["operator"]);
        using var registered = await http.PostAsJsonAsync("api/devices/register", new { deviceId = "cam-1", kind = "camera", firmware = "1", configHash = "1", line = "PL01" }, ct);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await registered.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("token").GetString());

        if (timing.Length > 0)
        {
            await database.ExecuteAsync($"""
                create function wait_at_gate() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({Gate}); return new; end $$;
                create {(timing.StartsWith("after", StringComparison.Ordinal) ? "constraint " : "")}trigger gate {timing} execute function wait_at_gate()
                """);
            await using var holder = new Npgsql.NpgsqlConnection(database.AdministratorConnectionString);
            await holder.OpenAsync(ct);
            await using (var hold = new Npgsql.NpgsqlCommand($"select pg_advisory_lock({Gate})", holder))
            {
                await hold.ExecuteNonQueryAsync(ct);
            }
            var unanswered = PostAsync(http, ct);
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 1);
            Assert.False(unanswered.IsCompleted);
            await host.KillAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => unanswered);
            // What the dead host asked for last must not be done for it.
            await database.ExecuteAsync("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
            await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 0);
            await holder.CloseAsync();
        }
        else
        {
            // The answer that nobody heard.
            await PostAsync(http, ct);
            await host.KillAsync();
        }
        Assert.Equal((when, kept), (when, await database.ScalarAsync<long>("select count(*) from device_message")));
        if (timing.Length > 0)
        {
            await database.ExecuteAsync("drop trigger gate on device_message");
        }
        await host.StartAgainAsync();
        var answer = await PostAsync(http, ct);
        Assert.Equal((3, duplicates), (answer.GetProperty("ackedThrough").GetInt64(), answer.GetProperty("duplicates").GetInt32()));
        Assert.Equal("1, 2, 3", await database.ScalarAsync<string>("select string_agg(seq::text, ', ' order by seq) from device_message where state = 'ready'"));
        data.Delete(recursive: true);
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, CancellationToken ct)
    {
        var messages = Enumerable.Range(1, 3).Select(seq => $$"""{"dev":"cam-1","ep":1,"seq":{{seq}},"ts":"2026-03-01T10:00:00Z","mono":{{seq}},"typ":"x"}""");
        using var answer = await http.PostAsync("api/devices/cam-1/messages", new StringContent($"{{\"messages\":[{string.Join(',', messages)}]}}", Encoding.UTF8, "application/json"), ct);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
    }
}
