using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Gateway.Host.Simulate;

/// <summary>What the simulated contract manufacturer sends, and how often.</summary>
public sealed record CmoSimulatorOptions(Uri Gateway, string BearerKey, int Seed, SimulatedParty Shipper)
{
    /// <summary>Each shipment goes to the next of them.</summary>
    public required IReadOnlyList<SimulatedParty> Partners { get; init; }

    /// <summary>The sequence number of the first document, so that a restart does not repeat identifiers.</summary>
    public long FirstSequence { get; init; } = 1;

    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Each so many documents one lacks the parent of its cases.</summary>
    public int RefusedEvery { get; init; } = 25;

    /// <summary>After so many more it is sent once more, corrected; null: never.</summary>
    public int? CorrectAfter { get; init; }

    /// <summary>Told the key of the one that was refused when the corrected one was taken.</summary>
    public Func<string, CancellationToken, Task>? Corrected { get; init; }

    /// <summary>Wait before the same document is sent again when the gateway names no time itself.</summary>
    public TimeSpan RetryWait { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>A contract manufacturer that ships all day; now and then a document lacks the parent of its cases.</summary>
public sealed class CmoSimulator(HttpClient http, CmoSimulatorOptions options, TimeProvider time)
{
    const int DocumentsPerLot = 50;
    static readonly DateOnly FirstExpiry = new(2029, 1, 1);

    readonly ShipmentGenerator _generator = new(options.Seed);

    /// <summary>Sends until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            for (var sequence = options.FirstSequence; ; sequence++)
            {
                await SendAsync(sequence, ct);
                if (options.CorrectAfter is { } after && sequence - after >= options.FirstSequence && (sequence - after) % options.RefusedEvery == 0)
                    await CorrectAsync(sequence - after, ct);
                await Task.Delay(options.Interval, time, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Being stopped is how this work ends.
        }
    }

    /// <summary>Sends one document until the gateway takes or refuses it; the bytes and the key stay the same.</summary>
    public Task<HttpStatusCode> SendAsync(long sequence, CancellationToken ct) => SendAsync(PlanFor(sequence, time.GetUtcNow()), KeyOf(sequence), ct);

    // The goods are the same and have left again; nothing of the first document was taken.
    async Task CorrectAsync(long sequence, CancellationToken ct)
    {
        if ((int)await SendAsync(PlanFor(sequence, time.GetUtcNow()) with { OmitCaseParent = false }, KeyOf(sequence) + "-corrected", ct) < 300 && options.Corrected is { } corrected)
            await corrected(KeyOf(sequence), ct);
    }

    string KeyOf(long sequence) => string.Create(CultureInfo.InvariantCulture, $"cmo-{options.Seed}-{sequence}");

    async Task<HttpStatusCode> SendAsync(ShipmentPlan plan, string key, CancellationToken ct)
    {
        var document = _generator.Xml(plan);
        while (true)
        {
            var (status, wait) = await TryAsync(document, key, ct);
            if (wait is null)
                return status;
            await Task.Delay(wait.Value, time, ct);
        }
    }

    ShipmentPlan PlanFor(long sequence, DateTimeOffset now)
    {
        var lot = sequence / DocumentsPerLot;
        // The expiry follows from the lot alone, since one lot has one expiry whenever its documents are made.
        var expiry = FirstExpiry.AddDays((int)(lot % 365));
        return new ShipmentPlan(
            sequence, options.Shipper, options.Partners[(int)(sequence % options.Partners.Count)], now,
            string.Create(CultureInfo.InvariantCulture, $"SIM{lot:D5}"), expiry)
        {
            OmitCaseParent = sequence % options.RefusedEvery == 0,
        };
    }

    async Task<(HttpStatusCode Status, TimeSpan? Wait)> TryAsync(byte[] document, string key, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.Gateway, "/capture"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.BearerKey);
        request.Headers.Add("Idempotency-Key", key);
        request.Content = new ByteArrayContent(document);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        try
        {
            using var response = await http.SendAsync(request, ct);
            // 409 means that an earlier attempt with this key is still at work.
            var busy = response.StatusCode
                is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict;
            return (response.StatusCode, busy ? WaitOf(response) : null);
        }
        catch (HttpRequestException)
        {
            // The gateway is starting or restarting; the outcome is unknown, and the key makes a repeat safe.
            return (HttpStatusCode.ServiceUnavailable, options.RetryWait);
        }
        catch (TaskCanceledException) when (!ct.IsCancellationRequested)
        {
            return (HttpStatusCode.RequestTimeout, options.RetryWait); // the client's own time limit
        }
    }

    TimeSpan WaitOf(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => options.RetryWait,
        };
        return asked > TimeSpan.Zero ? asked : TimeSpan.Zero;
    }
}
