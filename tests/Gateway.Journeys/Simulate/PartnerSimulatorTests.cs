using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Host.Simulate;

namespace Gateway.Journeys.Simulate;

public sealed class PartnerSimulatorTests : IAsyncLifetime
{
    PartnerSimulator _partner = null!;
    HttpClient _http = null!;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _partner = await PartnerSimulator.StartAsync(TimeProvider.System, Ct);
        _http = new HttpClient { BaseAddress = _partner.BaseAddress };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _partner.DisposeAsync();
    }

    [Fact]
    public async Task A_well_partner_accepts_and_remembers_what_came()
    {
        Assert.True(_partner.BaseAddress.IsLoopback);
        using var response = await PostAsync("well/acme", "key-1", "document");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        var message = Assert.Single(_partner.Received);
        Assert.Equal("/well/acme", message.Path);
        Assert.Equal("key-1", message.IdempotencyKey);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("document"))), message.Sha256);
        Assert.Equal((1, 200), (message.Attempt, message.Status));
    }

    [Fact]
    public async Task A_partner_that_fails_twice_takes_each_key_at_its_third_attempt()
    {
        foreach (var key in new[] { "a", "b" })
        {
            var statuses = new List<int>();
            for (var attempt = 0; attempt < 3; attempt++)
            {
                using var response = await PostAsync("fails-twice", key, "document " + key);
                statuses.Add((int)response.StatusCode);
            }
            Assert.Equal([503, 503, 200], statuses);
            Assert.Equal(1, _partner.EffectsOf(key));
        }
        Assert.Equal([1, 2, 3, 1, 2, 3], _partner.Received.Select(m => m.Attempt));
    }

    [Fact]
    public async Task A_slow_partner_answers_after_a_second_and_a_half()
    {
        var started = TimeProvider.System.GetTimestamp();
        using var response = await PostAsync("slow", "key", "document");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromSeconds(1.4));
    }

    [Fact]
    public async Task A_refusing_partner_says_why_in_a_problem_document()
    {
        using var response = await PostAsync("refuses", "key", "document");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Document refused", (await response.Content.ReadFromJsonAsync<JsonElement>(Ct)).GetProperty("title").GetString());
        Assert.Equal(0, _partner.EffectsOf("key"));
    }

    [Fact]
    public async Task A_silent_partner_receives_and_never_answers()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _http.PostAsync("silent", new StringContent("document"), patience.Token));
        Assert.Null(Assert.Single(_partner.Received).Status);
    }

    [Fact]
    public async Task The_end_of_the_simulator_does_not_wait_for_its_silent_partner()
    {
        var unanswered = _http.PostAsync("silent", new StringContent("document"), Ct);
        while (_partner.Received.Count == 0)
            await Task.Delay(10, Ct);

        await _partner.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(3), Ct);
        await Assert.ThrowsAsync<HttpRequestException>(() => unanswered);
    }

    [Fact]
    public async Task A_capture_job_runs_for_a_second_and_then_has_succeeded()
    {
        using var accepted = await PostAsync("epcis/capture", "key", "{}");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);

        var job = await _http.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Ct);
        Assert.Equal((true, true), Outcome(job));
        await Task.Delay(TimeSpan.FromSeconds(1.1), Ct);
        job = await _http.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Ct);
        Assert.Equal((false, true), Outcome(job));
        Assert.True(job.TryGetProperty("finishedAt", out _));

        using var unknown = await _http.GetAsync("epcis/capture/no-such-job", Ct);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task An_unfinished_job_runs_for_ever()
    {
        using var accepted = await PostAsync("unfinished/capture", "key", "{}");
        var job = await _http.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Ct);
        Assert.Equal((true, true), Outcome(job));
        job = await _http.GetFromJsonAsync<JsonElement>("unfinished/capture/of-an-earlier-run", Ct);
        Assert.Equal((true, true), Outcome(job));
    }

    [Fact]
    public async Task Who_refuses_seldom_refuses_the_same_message_each_time()
    {
        foreach (var (key, status) in new[] { ("0e0", 422), ("0e0", 422), ("a1", 200), ("e3", 200) })
        {
            using var answer = await PostAsync("refuses-seldom/west", key, "{}");
            Assert.Equal(status, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Behind_the_expired_certificate_nobody_is_reached()
    {
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => _http.PostAsync(new Uri(_partner.ExpiredAddress, "well/island"), new StringContent("{}"), Ct));
        Assert.Equal(HttpRequestError.SecureConnectionError, failure.HttpRequestError);
        Assert.Empty(_partner.Received);
    }

    [Fact]
    public async Task A_repeat_of_the_same_bytes_is_one_effect_and_other_bytes_are_another()
    {
        foreach (var body in new[] { "same", "same", "other" })
            (await PostAsync("well", "key", body)).Dispose();
        Assert.Equal(2, _partner.EffectsOf("key"));
    }

    [Fact]
    public async Task Only_the_latest_thousand_messages_are_remembered()
    {
        for (var i = 0; i < 1_005; i++)
            (await PostAsync("well", $"key-{i}", "document")).Dispose();
        Assert.Equal(1_000, _partner.Received.Count);
        Assert.Equal("key-5", _partner.Received[0].IdempotencyKey);
    }

    static (bool Running, bool Success) Outcome(JsonElement job) =>
        (job.GetProperty("running").GetBoolean(), job.GetProperty("success").GetBoolean());

    async Task<HttpResponseMessage> PostAsync(string path, string key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        request.Headers.Add("Idempotency-Key", key);
        return await _http.SendAsync(request, Ct);
    }
}
