using System.Text.Json;

namespace Gateway.Host.Simulate.Plant;

/// <summary>What a line is to make.</summary>
/// <param name="Run">Null: the line has none.</param>
/// <param name="StartedAt">When the run was started: nothing is said of a moment before it.</param>
public sealed record PreparedLine(PlantLot Lot, Guid? Run, DateTimeOffset? StartedAt);

/// <summary>What was played on one line.</summary>
/// <param name="Run">Null: the line had none.</param>
/// <param name="FirstEpochs">What the gateway calls the first epoch of each device.</param>
/// <param name="Start">When the story began.</param>
public sealed record PlayedLine(LineStory Story, Guid? Run, IReadOnlyDictionary<string, int> FirstEpochs, DateTimeOffset Start, PlantTraffic Traffic);

/// <summary>Plays a plant against a gateway.</summary>
/// <param name="timeFactor">How many times as fast as it happened; 0: as fast as the gateway takes it. Then it happened in the past, as far as the run goes back, so that no moment is still to come.</param>
/// <param name="say">Takes a sentence for whoever looks on.</param>
public sealed class PlantRun(PlantGateway gateway, PlantOptions options, double timeFactor, Action<string> say)
{
    private const int NumbersAtOnce = 10_000;
    private static readonly TimeSpan s_clearance = TimeSpan.FromMinutes(10), s_again = TimeSpan.FromSeconds(2);

    /// <param name="lines">Their codes.</param>
    /// <param name="run">To be worked on; null: whatever runs on each line.</param>
    /// <param name="lot">Where a line has no run.</param>
    /// <param name="makeRuns">Lines that are missing are made, and runs planned and begun; a person signs the clearance meanwhile.</param>
    public async Task<IReadOnlyList<PreparedLine>> PrepareAsync(IReadOnlyList<string> lines, Guid? run, string lot, bool makeRuns, CancellationToken ct)
    {
        var prepared = new List<PreparedLine>();
        foreach (var (line, index) in lines.Select((l, n) => (l, n)))
        {
            var current = run is { } id ? PlantGateway.Wanted(await gateway.GetAsync($"api/runs/{id}", ct), $"Run {id}").GetProperty("run") : await CurrentAsync(line, ct);
            if (current is null && makeRuns)
            {
                current = await MakeRunAsync(line, lot, ct);
            }
            if (current is { } on && on.GetProperty("gtin").GetString() != options.UnitGtin)
            {
                throw new PlantStoppedException($"{line} runs {on.GetProperty("gtin").GetString()}: give that as --gtin.");
            }
            var (number, runId) = current is { } c ? (c.GetProperty("lot").GetString()!, c.GetProperty("id").GetGuid()) : (lot, (Guid?)null);
            if (runId is null)
            {
                say($"{line} has no run: what its devices say is stored and belongs to no lot.");
            }
            prepared.Add(new PreparedLine(new PlantLot(index, line, number, await NumbersAsync(line, number, runId, ct)), runId, current?.GetProperty("startedAt").GetDateTimeOffset()));
        }
        return prepared;
    }

    /// <summary>Registers the devices of all lines and lets them say their stories.</summary>
    public async Task<IReadOnlyList<PlayedLine>> PlayAsync(IReadOnlyList<PreparedLine> lots, CancellationToken ct)
    {
        var stories = lots.Select(l => (Story: LineStory.Tell(options, l.Lot), Line: l)).ToList();
        var lasts = TimeSpan.FromMilliseconds(stories.Max(s => s.Story.Milliseconds)) + TimeSpan.FromSeconds(2);
        var past = timeFactor == 0 ? lasts : timeFactor > 1 ? lasts * (1 - (1 / timeFactor)) : TimeSpan.Zero;
        return await Task.WhenAll(stories.Select(s => Task.Run(() =>
        {
            var start = DateTimeOffset.UtcNow - past;
            return PlayAsync(s.Story, s.Line.Run, s.Line.StartedAt > start ? s.Line.StartedAt.Value : start, ct);
        }, ct)));
    }

    private async Task<PlayedLine> PlayAsync(LineStory story, Guid? run, DateTimeOffset start, CancellationToken ct)
    {
        var devices = PlantStation.All.Select(s => new PlantDevice(gateway, story, s, start)).ToList();
        foreach (var device in devices)
        {
            await device.RegisterAsync(ct);
        }
        var begun = DateTimeOffset.UtcNow;
        var seconds = (story.Milliseconds / 1_000) + 1;
        for (long second = 0; second <= seconds; second++)
        {
            await UntilAsync(second);
            foreach (var device in devices)
            {
                await device.TickAsync(second, ct);
            }
        }
        // Whoever is cut off still comes back when the cut ends.
        if (timeFactor > 0)
        {
            await UntilAsync(story.Cuts.Select(c => c.ToSecond).DefaultIfEmpty().Max());
        }
        foreach (var device in devices)
        {
            await device.EndAsync(seconds, ct);
        }
        return new PlayedLine(story, run, devices.ToDictionary(d => d.Name, d => d.FirstEpoch), start, devices.Aggregate(new PlantTraffic(0, 0, 0, 0), (sum, d) => sum + d.Traffic));

        async Task UntilAsync(long second)
        {
            // Nothing is said before it has happened, however fast it is told.
            var (due, happened) = (timeFactor > 0 ? begun.AddSeconds((second + 1) / timeFactor) : begun, start.AddSeconds(second + 1));
            if ((due > happened ? due : happened) - DateTimeOffset.UtcNow is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait, ct);
            }
        }
    }

    private async Task<JsonElement?> CurrentAsync(string line, CancellationToken ct)
    {
        var answer = await gateway.GetAsync($"api/lines/{line}/runs?state=running", ct);
        return answer.Status == 404 ? null : PlantGateway.Wanted(answer, $"The runs of {line}").GetProperty("items").EnumerateArray().Select(r => (JsonElement?)r).FirstOrDefault();
    }

    private async Task<JsonElement> MakeRunAsync(string line, string lot, CancellationToken ct)
    {
        if ((await gateway.GetAsync($"api/lines/{line}", ct)).Status == 404)
        {
            PlantGateway.Wanted(await gateway.PutAsync($"api/lines/{line}", new { name = $"Simulated line {line}", site = "9521234000105", readPoint = $"urn:epc:id:sgln:9521234.00010.{line}", timeZone = "UTC", speed = options.Rate, reason = "a simulated plant" }, ct), $"Line {line}");
        }
        var planned = PlantGateway.Wanted(await gateway.PostAsync($"api/lines/{line}/runs", new { gtin = options.UnitGtin, lot, expiry = DateOnly.FromDateTime(DateTime.UtcNow).AddYears(2), quantity = options.Units }, null, ct), $"The run on {line}");
        var id = planned.GetProperty("id").GetGuid();
        var (until, isTold) = (DateTime.UtcNow + s_clearance, false);
        for (PlantAnswer ready; !(ready = await gateway.PostAsync($"api/runs/{id}/ready", new { }, null, ct)).IsWell; isTold = true)
        {
            if (DateTime.UtcNow > until)
            {
                throw new PlantStoppedException($"The run on {line} is not ready: {ready}");
            }
            if (!isTold)
            {
                say($"The run of lot {lot} on {line} waits: {ready} It goes on when that is done on its page, /runs/{id}.");
            }
            await Task.Delay(s_again, ct);
        }
        return PlantGateway.Wanted(await gateway.PostAsync($"api/runs/{id}/start", new { }, null, ct), $"The start of the run on {line}");
    }

    /// <returns>Null where no pool gives numbers for the product.</returns>
    private async Task<IReadOnlyList<string>?> NumbersAsync(string line, string lot, Guid? run, CancellationToken ct)
    {
        var pools = await gateway.GetAsync($"api/serials/pools?gtin={options.UnitGtin}", ct);
        if (!pools.IsWell || !pools.Body.GetProperty("items").EnumerateArray().Any(p => p.GetProperty("state").GetString() == "active"))
        {
            return null;
        }
        var numbers = new List<string>();
        for (var wanted = options.Units + options.Spare; numbers.Count < wanted;)
        {
            // The same plant on the same lot asks for the same numbers.
            var answer = await gateway.PostAsync("api/serials/requests", new
            {
                requestId = FormattableString.Invariant($"plant-{options.Seed}-{line}-{lot}-{numbers.Count}"), gtin = options.UnitGtin, quantity = Math.Min(NumbersAtOnce, wanted - numbers.Count), lot, run, line,
                device = $"{line}-PRN",
            }, null, ct);
            if (!answer.IsWell)
            {
                say($"{line} has {numbers.Count} numbers and gets no more: {answer}");
                break;
            }
            numbers.AddRange(answer.Body.GetProperty("numbers").EnumerateArray().Select(n => n.GetString()!));
            PlantGateway.Wanted(await gateway.PostAsync($"api/serials/grants/{answer.Body.GetProperty("grant").GetGuid()}/acknowledge", new { }, null, ct), "The acknowledgement of numbers");
        }
        return numbers.Count > 0 ? numbers : throw new PlantStoppedException($"{line} has no numbers: the pool is dry.");
    }
}
