using System.Net;
using System.Net.Http.Headers;
using Gateway.Access;
using Gateway.Database;
using Gateway.Host;
using Gateway.Host.Simulate;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Gateway.Journeys;

/// <summary>A server of its own that waits for a standby which never comes: COMMITs hang there until they are cancelled or cut off.</summary>
public sealed class CommitJourneys
{
    [Theory]
    [InlineData("pg_cancel_backend")]    // the cancelled wait looks like a success, with a warning
    [InlineData("pg_terminate_backend")] // the answer is lost
    public async Task An_unconfirmed_commit_is_503_and_the_same_key_then_succeeds(string fault)
    {
        var ct = TestContext.Current.CancellationToken;
        var directory = Path.Combine(Path.GetTempPath(), $"gateway-commit-{Guid.NewGuid():N}");
        await using (var server = await EmbeddedPostgres.StartAsync(directory, ct, "shared_buffers=128MB"))
        {
            await server.EnsureDatabaseAsync("gateway", ct);
            var administrator = server.ConnectionString("gateway");
            await using var running = await RunningDatabase.OpenAsync(
                new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Gateway"] = administrator }).Build(), ct);
            string key;
            await using (var work = await running.Gateway.BeginAsync(Actor.System("test"), ct))
            {
                key = await ApiKeys.CreateAsync(work, await Parties.EnsureAsync(work, "cmo", "The CMO", null), "cmo", "cmo", "gwl");
                await work.CommitAsync();
            }
            await using var app = GatewayHost.Build(running, TestGateway.Settings);
            await app.StartAsync(ct);
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);

            await ExecuteAsync(administrator, "alter system set synchronous_standby_names = 'absent'");
            await ExecuteAsync(administrator, "select pg_reload_conf()");
            var unconfirmed = PostAsync(client, ct);
            await Eventually.TrueAsync(async () => await ScalarAsync<long>(administrator, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'") > 0);
            // What the gateway writes by itself waits as well, and may be the first to wait.
            await Eventually.TrueAsync(async () =>
            {
                await ExecuteAsync(administrator, $"select {fault}(pid) from pg_stat_activity where wait_event = 'SyncRep'");
                return unconfirmed.IsCompleted;
            });

            using (var answer = await unconfirmed)
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                Assert.Contains("GW-HTTP-05", await answer.Content.ReadAsStringAsync(ct), StringComparison.Ordinal);
            }
            await ExecuteAsync(administrator, "alter system reset synchronous_standby_names");
            await ExecuteAsync(administrator, "select pg_reload_conf()");
            using (var again = await PostAsync(client, ct))
            {
                Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
            }
            Assert.Equal(1L, await ScalarAsync<long>(administrator, "select count(*) from capture"));
            await app.StopAsync(ct);
        }
        Directory.Delete(directory, recursive: true);
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, CancellationToken ct)
    {
        using var document = new MemoryStream();
        CommissioningDocument.Write(document, units: 10, perEvent: 10, seed: 3);
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document.ToArray()) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        request.Headers.Add("Idempotency-Key", "one-key");
        return await client.SendAsync(request, ct);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("set synchronous_commit = local", connection);
        await command.ExecuteNonQueryAsync();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
