using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Gateway.Host.Simulate.Plant;

/// <summary>The plant cannot go on; the message says why and what to do.</summary>
public sealed class PlantStoppedException(string why) : Exception(why);

/// <summary>One answer, read whole.</summary>
public sealed record PlantAnswer(int Status, JsonElement Body)
{
    public bool IsWell => Status is >= 200 and < 300;
    public string Code => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("code", out var code) ? code.GetString() ?? "" : "";

    /// <summary>As people are told of it.</summary>
    public override string ToString() => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("detail", out var detail) ? $"{Status} {Code}: {detail.GetString()}" : $"{Status} {Code}";
}

/// <summary>The gateway as a plant reaches it: what it does not answer, or asks to wait with, is sent again.</summary>
/// <param name="http">Bears the address and the plant's own key.</param>
public sealed class PlantGateway(HttpClient http)
{
    private const int MaxTries = 120;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    /// <summary>How often the gateway asked a device to wait.</summary>
    public int Waits => _waits;

    private int _waits;

    public Task<PlantAnswer> GetAsync(string path, CancellationToken ct) => SendAsync(HttpMethod.Get, path, null, null, ct);

    public Task<PlantAnswer> PostAsync(string path, object body, string? token, CancellationToken ct) => SendAsync(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, JsonSerializerOptions.Web), token, ct);

    public Task<PlantAnswer> PutAsync(string path, object body, CancellationToken ct) => SendAsync(HttpMethod.Put, path, JsonSerializer.SerializeToUtf8Bytes(body, JsonSerializerOptions.Web), null, ct);

    /// <param name="token">A device's; null: the plant's key.</param>
    public async Task<PlantAnswer> SendAsync(HttpMethod method, string path, byte[]? body, string? token, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (token is not null)
                {
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                }
                if (body is not null)
                {
                    request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", Encoding.UTF8.WebName) } };
                }
                using var answer = await http.SendAsync(request, ct);
                if (answer.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable) || tries == MaxTries)
                {
                    return new PlantAnswer((int)answer.StatusCode, Read(await answer.Content.ReadAsByteArrayAsync(ct)));
                }
                Interlocked.Increment(ref _waits);
                var wait = answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1);
                await Task.Delay(wait < s_longest ? wait : s_longest, ct);
            }
            catch (HttpRequestException e) when (tries < MaxTries && e.HttpRequestError is not HttpRequestError.NameResolutionError)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), ct);
            }
            catch (HttpRequestException e)
            {
                throw new PlantStoppedException($"The gateway at {http.BaseAddress} does not answer: {e.Message}");
            }
        }
    }

    /// <summary>All items of a list, page by page.</summary>
    public async Task<List<JsonElement>> ListAsync(string path, CancellationToken ct)
    {
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = Wanted(await GetAsync(cursor is null ? path : $"{path}&cursor={Uri.EscapeDataString(cursor)}", ct), path);
            items.AddRange(page.GetProperty("items").EnumerateArray());
            cursor = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);
        return items;
    }

    /// <exception cref="PlantStoppedException">The answer is a refusal.</exception>
    public static JsonElement Wanted(PlantAnswer answer, string what) => answer.IsWell ? answer.Body : throw new PlantStoppedException($"{what} was answered with {answer}");

    private static JsonElement Read(byte[] body)
    {
        try
        {
            return body.Length == 0 ? default : JsonDocument.Parse(body).RootElement;
        }
        catch (JsonException)
        {
            return default; // a page of a proxy on the way says nothing
        }
    }
}
