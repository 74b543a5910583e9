using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.Host.Simulate;

/// <summary>What came of one case.</summary>
/// <param name="Verdict">pass, fail, or skipped: the gateway lacks what the case is about.</param>
public sealed record DeviceCaseOutcome(string Case, string Expected, string Got, string Verdict);

/// <summary>Plays a device against a gateway, case by case, and says of each whether the gateway kept to the contract.</summary>
/// <param name="http">Bears the gateway's address and a key that may speak as devices, register them, and run lines.</param>
/// <param name="line">The code of a line that nobody works on: the cases command it.</param>
/// <param name="device">Of a device of that line; null: one that is new each time, which the first case registers.</param>
public sealed partial class DeviceCheck(HttpClient http, string line, string? device = null)
{
    private readonly string _device = device ?? $"check-{Guid.NewGuid():N}"[..16];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private string? _token;

    /// <summary>A case went no further; its message is what was got.</summary>
    private sealed class NotKeptException(string got) : Exception(got);

    /// <summary>The gateway lacks what the case is about.</summary>
    private sealed class LackingException(string what) : Exception(what);

    private sealed record Case(string Name, string Expected, Func<CancellationToken, Task<string>> Run);

    /// <summary>One answer, read whole.</summary>
    private sealed record Answered(int Status, JsonElement Body)
    {
        public string Code => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("code", out var code) ? code.GetString() ?? "" : "";

        /// <summary>As cases tell it: 200, or 409 seq.conflict.</summary>
        public override string ToString() => Code.Length > 0 ? $"{Status} {Code}" : $"{Status}";
    }

    /// <summary>All cases: registration, messages and clocks, then commands.</summary>
    public IAsyncEnumerable<DeviceCaseOutcome> RunAsync(CancellationToken ct) => RunAsync(MessageCases().Concat(CommandCases()), ct);

    /// <summary>Those of commands only.</summary>
    public IAsyncEnumerable<DeviceCaseOutcome> RunCommandsAsync(CancellationToken ct) => RunAsync(CommandCases(), ct);

    private static async IAsyncEnumerable<DeviceCaseOutcome> RunAsync(IEnumerable<Case> cases, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var c in cases)
        {
            DeviceCaseOutcome outcome;
            try
            {
                var got = await c.Run(ct);
                outcome = new DeviceCaseOutcome(c.Name, c.Expected, got, got == c.Expected ? "pass" : "fail");
            }
            catch (LackingException e)
            {
                outcome = new DeviceCaseOutcome(c.Name, c.Expected, e.Message, "skipped");
            }
            catch (Exception e) when (e is NotKeptException or HttpRequestException or JsonException or IOException or KeyNotFoundException or InvalidOperationException or System.Net.WebSockets.WebSocketException
                || e is OperationCanceledException && !ct.IsCancellationRequested)
            {
                outcome = new DeviceCaseOutcome(c.Name, c.Expected, e is OperationCanceledException ? "nothing in time" : e.Message, "fail");
            }
            yield return outcome;
        }
    }

    // What a device says and hears it does by its own token, once it has one.
    private string Bearer(string path) => _token is not null && path.StartsWith($"api/devices/{_device}/", StringComparison.Ordinal) ? _token : http.DefaultRequestHeaders.Authorization!.Parameter!;

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Bearer(path));
        return request;
    }

    private async Task<Answered> PostAsync(string path, object body, CancellationToken ct)
    {
        using var request = Request(HttpMethod.Post, path);
        request.Content = JsonContent.Create(body);
        using var answer = await http.SendAsync(request, ct);
        var text = await answer.Content.ReadAsStringAsync(ct);
        try
        {
            return new Answered((int)answer.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
        }
        catch (JsonException)
        {
            return new Answered((int)answer.StatusCode, default);
        }
    }
}
