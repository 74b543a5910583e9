using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.Delivery;

namespace Gateway.Host.Commands;

/// <summary><c>gateway watch</c>: follows the deliveries of a running gateway, a line for each that is new or stands otherwise, until Ctrl-C.</summary>
public static class WatchCommand
{
    private const int MostOfAPage = 200; // of the API's
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1), AgainAfter = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var partner = new Option<string?>("--partner") { Description = "Only the partner with this GLN." };
        var url = new Option<string?>("--url") { Description = "The gateway; by default the running demonstration of GATEWAY_DATA." };
        var key = new Option<string?>("--key") { Description = "The bearer key; by default GATEWAY_KEY, else the demonstration's officer key." };
        var json = new Option<bool>("--json") { Description = "One JSON object per line." };
        var command = new Command("watch", "Follow the deliveries of a running gateway until Ctrl-C.") { partner, url, key, json };
        command.SetAction(async (parsed, ct) =>
        {
            var (address, token) = Demo.Target(parsed.GetValue(url), parsed.GetValue(key), "officer");
            if (!Uri.TryCreate(address, UriKind.Absolute, out var gateway) || gateway.Scheme is not ("http" or "https"))
            {
                throw new WrongUseException("--url is an address such as https://gateway.example.");
            }
            using var http = new HttpClient { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(30) };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            try
            {
                await FollowAsync(http, parsed.GetValue(partner), parsed.GetValue(json), ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // Ctrl-C is how it ends.
            }
            return 0;
        });
        return command;
    }

    private static async Task FollowAsync(HttpClient http, string? partner, bool json, CancellationToken ct)
    {
        if (partner is not null)
        {
            using var known = await http.GetAsync($"api/partners/{Uri.EscapeDataString(partner)}", ct);
            if (known.StatusCode == HttpStatusCode.NotFound)
            {
                throw new WrongUseException($"There is no partner with the GLN {partner}.");
            }
        }
        // What stands already is not told: whoever wants that asks for the list.
        var since = DateTime.UtcNow;
        var seen = (await ReadAsync(http, partner, since, [], ct)).ToDictionary(d => d.Id);
        await Console.Error.WriteLineAsync($"Following the deliveries of {http.BaseAddress}: a line for each that is new or stands otherwise. Ctrl-C ends.");
        while (true)
        {
            await Task.Delay(Every, ct);
            try
            {
                var now = DateTime.UtcNow;
                var rows = await ReadAsync(http, partner, since, [.. seen.Values.Where(IsOpen).Select(d => d.Id)], ct);
                foreach (var d in rows.Where(d => !seen.TryGetValue(d.Id, out var before) || Told(before) != Told(d)))
                {
                    await Console.Out.WriteLineAsync(json ? JsonSerializer.Serialize(d, JsonSerializerOptions.Web) : $"{now:HH:mm:ss}  {DeliveriesCommand.LineOf(d)}");
                }
                (since, seen) = (now, rows.ToDictionary(d => d.Id));
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is HttpRequestException { StatusCode: null or >= HttpStatusCode.InternalServerError } or TaskCanceledException)
            {
                await Console.Error.WriteLineAsync($"The gateway does not answer: {e.Message} It is asked again every {AgainAfter.TotalSeconds:0} seconds.");
                await Task.Delay(AgainAfter, ct);
            }
        }
    }

    /// <summary>All that may stand otherwise soon, and what has ended since: by the gateway's clock, which is not ours to the second.</summary>
    /// <param name="open">What had not ended when it was seen last.</param>
    private static async Task<IReadOnlyList<DeliveryItem>> ReadAsync(HttpClient http, string? partner, DateTime since, IReadOnlyList<long> open, CancellationToken ct)
    {
        var rows = new Dictionary<long, DeliveryItem>();
        // What ends while the lists are read is in a later one of them.
        foreach (var which in (string[])["state=due", "state=sent", "state=dead", string.Create(CultureInfo.InvariantCulture, $"from={since.AddMinutes(-1):yyyy-MM-dd'T'HH:mm:ss'Z'}")])
        {
            await foreach (var d in ListAsync(http, $"{which}{(partner is null ? "" : $"&partner={Uri.EscapeDataString(partner)}")}", ct))
            {
                rows[d.Id] = d;
            }
        }
        // A partner may tell long after it took a document what became of it; and a person may decide while the lists are read.
        foreach (var id in open.Where(id => !rows.ContainsKey(id)))
        {
            rows[id] = await GetAsync<DeliveryItem>(http, $"api/deliveries/{id}", ct);
        }
        return [.. rows.Values.OrderBy(d => d.Id)];
    }

    private static (string, int, string?, string) Told(DeliveryItem d) => (d.Shown, d.Attempts, d.HeldWhy, d.Receipt);

    private static bool IsOpen(DeliveryItem d) => d.Shown is not ("delivered" or "closed");

    private static async IAsyncEnumerable<DeliveryItem> ListAsync(HttpClient http, string query, [EnumeratorCancellation] CancellationToken ct)
    {
        string? cursor = null;
        do
        {
            var page = await GetAsync<Page>(http, $"api/deliveries?limit={MostOfAPage}&{query}{(cursor is null ? "" : $"&cursor={cursor}")}", ct);
            foreach (var d in page.Items)
            {
                yield return d;
            }
            cursor = page.Next;
        }
        while (cursor is not null);
    }

    private static async Task<T> GetAsync<T>(HttpClient http, string address, CancellationToken ct)
    {
        using var answer = await http.GetAsync(address, ct);
        return answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => throw new WrongUseException("The gateway does not know this key: give another with --key or GATEWAY_KEY."),
            HttpStatusCode.Forbidden => throw new WrongUseException("This key may not read deliveries (deliveries.read)."),
            HttpStatusCode.BadRequest => throw new WrongUseException((await answer.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("detail").GetString()!),
            _ => (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<T>(ct))!,
        };
    }

    private sealed record Page(IReadOnlyList<DeliveryItem> Items, string? Next);
}
