using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Host.Simulate;
using Gateway.TestSupport;

namespace Gateway.Journeys.Faults;

/// <summary>FT-19: many large documents at once are turned away before memory or disk suffers, and small ones still come in.</summary>
public sealed class MemoryPressureTests
{
    private const long Mebibyte = 1 << 20;

    [Fact]
    public async Task Large_documents_beyond_the_limit_are_turned_away_while_small_ones_come_in()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        var keys = await TestGateway.MakeKeysAsync(database);
        var data = Directory.CreateTempSubdirectory("gateway-child-");
        var temporary = data.CreateSubdirectory("temporary");
        var senders = FaultScale.Of(40, 200);
        var bytes = FaultScale.Of(6, 50) * Mebibyte;
        await using (var host = await ChildHost.StartAsync(database.AdministratorConnectionString, data.FullName,
            ("Capture__MaxLargeUploads", "4"), ("TMPDIR", temporary.FullName), ("DOTNET_EnableDiagnostics", "0")))
        {
            var large = Large(bytes);
            using var client = Client(host.Url, keys["cmo"]);
            var storm = Task.WhenAll(Enumerable.Range(0, senders).Select(n => PostAsync(client, WithName(large, n), ct)));
            var small = 0;
            do
            {
                var (status, body) = await PostAsync(client, Small(small++), ct);
                Assert.True(status == HttpStatusCode.Accepted, body);
            }
            while (!storm.IsCompleted || small < 20);
            var answers = await storm;

            Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.Accepted
                || a.Status == HttpStatusCode.ServiceUnavailable && JsonDocument.Parse(a.Body).RootElement.GetProperty("code").GetString() == "GW-CAP-12", $"{a.Status} {a.Body}"));
            Assert.Contains(answers, a => a.Status == HttpStatusCode.Accepted);
            Assert.Contains(answers, a => a.Status == HttpStatusCode.ServiceUnavailable);
            var peak = host.PeakBytes();
            TestContext.Current.SendDiagnosticMessage($"{senders} senders of {bytes / Mebibyte} MiB: peak {peak / Mebibyte} MiB, {answers.Count(a => a.Status == HttpStatusCode.Accepted)} accepted, {small} small ones meanwhile.");
            Assert.True(peak < (FaultScale.IsFull ? 900 : 300) * Mebibyte, $"The host's memory rose to {peak / Mebibyte} MiB.");

            // Room that was given is given back: all who were turned away come in one after the other.
            foreach (var n in Enumerable.Range(0, senders).Where(n => answers[n].Status != HttpStatusCode.Accepted).Take(2))
            {
                Assert.Equal(HttpStatusCode.Accepted, (await PostAsync(client, WithName(large, n), ct)).Status);
            }
            Assert.Empty(temporary.GetFiles("gateway-*"));
        }
        data.Delete(recursive: true);
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(HttpClient client, byte[] document, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "capture") { Content = new ByteArrayContent(document) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        request.Headers.ExpectContinue = true; // so that who is turned away need not send it all
        using var answer = await client.SendAsync(request, ct);
        Assert.Equal(answer.StatusCode == HttpStatusCode.ServiceUnavailable, answer.Headers.RetryAfter is not null);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(ct));
    }

    private static HttpClient Client(Uri url, string key)
    {
        var client = new HttpClient { BaseAddress = url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    // A sound document of one event and many comments, so that the storm is one of bytes.
    private static byte[] Large(long bytes)
    {
        var comment = Encoding.ASCII.GetBytes($"<!--{new string('x', 1016)}-->\n");
        return [.. Small(0), .. Enumerable.Repeat(comment, (int)(bytes / comment.Length)).SelectMany(c => c)];
    }

    private static byte[] WithName(byte[] document, int n) => [.. document, .. Encoding.ASCII.GetBytes($"<!--{n}-->")];

    private static byte[] Small(int seed)
    {
        using var document = new MemoryStream();
        CommissioningDocument.Write(document, units: 1, perEvent: 1, seed);
        return document.ToArray();
    }
}
