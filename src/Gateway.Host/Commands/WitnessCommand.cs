using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Audit;

namespace Gateway.Host.Commands;

/// <summary><c>gateway witness</c>: runs on another host and sees that the audit trail only grows.</summary>
public static class WitnessCommand
{
    // A heartbeat is signed every ten seconds; the gateway may be started anew meanwhile.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("DIR") { Description = "The witness's own folder: its key, the gateway's public key, and what it has witnessed." };
        var url = new Option<string>("--url") { Description = "The gateway.", Required = true };
        var apiKey = new Option<string?>("--key") { Description = "A bearer key with the role witness; by default GATEWAY_KEY." };
        var gatewayKey = new Option<FileInfo?>("--gateway-key") { Description = "The gateway's public key (PEM). Without it the one that it shows at first is kept: compare its number." };
        var every = new Option<int>("--every") { Description = "Look every so many seconds (1 to 3600).", DefaultValueFactory = _ => 60 };
        var once = new Option<bool>("--once") { Description = "Look once. Exit 0: it only grew; 1: it did not, or cannot be seen." };
        var epoch = new Option<int?>("--accept-epoch") { Description = "Follow the new epoch of this number, which somebody has explained." };
        var command = new Command("witness", "See from another host that the audit trail only grows, and sign what was seen with a key of your own. What it records is for \"gateway verify --anchors\".") { directory, url, apiKey, gatewayKey, every, once, epoch };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(every) is < 1 or > 3600)
            {
                throw new WrongUseException("--every is a number from 1 to 3600.");
            }
            if (!Uri.TryCreate(parsed.GetValue(url)!.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw new WrongUseException("--url is an address such as https://gateway.example.");
            }
            var folder = parsed.GetValue(directory)!;
            folder.Create();
            using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", parsed.GetValue(apiKey) ?? Environment.GetEnvironmentVariable("GATEWAY_KEY") ?? "");
            try
            {
                using var own = SealKey.Open(Path.Combine(folder.FullName, "witness-key.pem"));
                var record = new AnchorFile(Path.Combine(folder.FullName, "witnessed.txt"));
                return await WatchAsync(async () => new Witness(http, record, own, await TrustedAsync(http, folder, parsed.GetValue(gatewayKey), ct)), parsed.GetValue(epoch), TimeSpan.FromSeconds(parsed.GetValue(every)), parsed.GetValue(once), ct);
            }
            catch (SealKeyException e)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 1;
            }
        });
        return command;
    }

    private static async Task<int> WatchAsync(Func<Task<Witness>> open, int? epoch, TimeSpan every, bool once, CancellationToken ct)
    {
        Witness? witness = null; // the gateway may not be there yet
        var (isWell, newest, advanced) = (true, DateTime.MinValue, TimeProvider.System.GetTimestamp());
        do
        {
            try
            {
                witness ??= await open();
                var (seen, isNew) = await witness.LookAsync(epoch, ct);
                isWell = true;
                if (seen.Time > newest)
                {
                    (newest, advanced) = (seen.Time, TimeProvider.System.GetTimestamp());
                }
                // Alone in time, one look has nothing but the two clocks to compare.
                if (once ? DateTime.UtcNow - seen.Time > Silence : TimeProvider.System.GetElapsedTime(advanced) > Silence)
                {
                    isWell = false;
                    await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ} SILENT: the gateway has signed nothing since {newest:yyyy-MM-ddTHH:mm:ssZ}"));
                }
                if (isNew || once)
                {
                    await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ} witnessed: epoch {seen.Epoch}, {seen.Size} leaves, root {Convert.ToBase64String(seen.Root)}"));
                }
            }
            catch (NotWitnessedException e)
            {
                isWell = false;
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ} REFUSED: {e.Message}"));
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException || e is TaskCanceledException && !ct.IsCancellationRequested)
            {
                isWell = false;
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ} NOT SEEN: {e.Message}"));
            }
        }
        while (!once && await WaitAsync(every, ct));
        return isWell ? 0 : 1;
    }

    private static async Task<bool> WaitAsync(TimeSpan every, CancellationToken ct)
    {
        try
        {
            await Task.Delay(every, ct);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The gateway's key as it was given, or as it was kept; at first, and when none was given, as the gateway shows it.</summary>
    private static async Task<TrustedKeys> TrustedAsync(HttpClient http, DirectoryInfo folder, FileInfo? given, CancellationToken ct)
    {
        var kept = Path.Combine(folder.FullName, "gateway-key.pem");
        string pem;
        if (given is not null)
        {
            pem = await File.ReadAllTextAsync(given.FullName, ct);
        }
        else if (File.Exists(kept))
        {
            pem = await File.ReadAllTextAsync(kept, ct);
        }
        else
        {
            using var shown = await http.GetAsync(new Uri("api/audit/keys", UriKind.Relative), ct);
            if (shown.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                throw new NotWitnessedException(Witness.KeyRefused);
            }
            using var answer = await JsonDocument.ParseAsync(await shown.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(ct), cancellationToken: ct);
            pem = answer.RootElement.GetProperty("items")[0].GetString()!;
        }
        var trusted = new TrustedKeys();
        if (!trusted.Add(pem))
        {
            throw new SealKeyException("The gateway's key is no public key on the curve P-256.");
        }
        if (!File.Exists(kept))
        {
            await File.WriteAllTextAsync(kept, pem, ct);
            using var key = SealKey.ReadPublic(pem);
            await Console.Out.WriteLineAsync($"trusts the gateway's key {SealKey.IdOf(key!)}{(given is null ? ", as it has shown itself: compare the number with what its people say" : "")}");
        }
        return trusted;
    }
}
