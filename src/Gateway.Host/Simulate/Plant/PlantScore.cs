using System.Text;
using System.Text.Json;

namespace Gateway.Host.Simulate.Plant;

/// <summary>Compares what a gateway says of each serial with what truly happened to it.</summary>
public sealed class PlantScore(PlantGateway gateway)
{
    private const int AtOnce = 8, MaxExamples = 20;
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    /// <summary>What a gateway says of a serial.</summary>
    private sealed record Said(string Epc, string State, string? Parent, string? Lot, bool IsHeld);

    private enum Verdict
    {
        Right,
        Known,
        Misstated,
    }

    /// <summary>The messages of a line that are missing, by device, epoch and number.</summary>
    private sealed record Gaps(HashSet<(string Device, int Epoch, long Seq)> Missing);

    /// <param name="settle">How long to wait for what was said to be applied.</param>
    public async Task<PlantSheet> ScoreAsync(IReadOnlyList<PlayedLine> lines, TimeSpan settle, CancellationToken ct)
    {
        await SettleAsync(lines, settle, ct);
        var messages = new MessageScore(0, 0, 0, 0, 0, 0, 0, 0);
        var judged = new List<(PlantTruth Truth, Verdict Verdict, string Says)>();
        var isApplied = false;
        foreach (var line in lines)
        {
            var gaps = await GapsAsync(line, ct);
            var (counted, isLineApplied) = await MessagesAsync(line, gaps, messages, ct);
            (messages, isApplied) = (counted, isApplied || isLineApplied);
            if (isLineApplied)
            {
                judged.AddRange(await JudgeAsync(line, gaps, ct));
            }
        }
        var faults = PlantFault.All.Select(f => new FaultScore(f.Name, lines.Sum(l => l.Story.Injected[f.Name]), f.LeavesTrace, lines.Sum(l => l.Story.Truths.Count(t => t.Faults.Contains(f.Name))),
            Count(Verdict.Known, t => t.Faults.Contains(f.Name)), Count(Verdict.Misstated, t => t.Faults.Contains(f.Name)))).ToList();
        var wrong = judged.FindAll(j => j.Verdict == Verdict.Misstated);
        return new PlantSheet(isApplied, lines.Sum(l => l.Story.Truths.Count), Count(Verdict.Right), Count(Verdict.Known), wrong.Count, faults, messages,
            lines.Aggregate(new PlantTraffic(0, 0, 0, 0), (sum, l) => sum + l.Traffic), gateway.Waits,
            [.. wrong.Take(MaxExamples).Select(j => new Misstatement(j.Truth.Id, Tell(j.Truth), j.Says, [.. j.Truth.Faults]))],
            [.. PlantFault.All.Where(f => !f.LeavesTrace).Select(f => $"{f.Name} ({f.What.TrimEnd('.')})"), .. PlantFault.Traceless])
        {
            MisstatedInSpiteOfTrace = wrong.Count(j => !j.Truth.Faults.Any(f => PlantFault.Find(f) is { LeavesTrace: false })),
        };

        int Count(Verdict verdict, Func<PlantTruth, bool>? of = null) => judged.Count(j => j.Verdict == verdict && of?.Invoke(j.Truth) != false);
    }

    // What waits behind a gap is applied when its minute is over, so the last message says nothing of the others.
    private async Task SettleAsync(IReadOnlyList<PlayedLine> lines, TimeSpan settle, CancellationToken ct)
    {
        var until = DateTime.UtcNow + settle;
        foreach (var device in lines.SelectMany(l => l.FirstEpochs.Keys))
        {
            while (DateTime.UtcNow < until && (await NewestAsync(device, ct)).Any(m => m.GetProperty("state").GetString() is "ready" or "waiting"))
            {
                await Task.Delay(s_look, ct);
            }
        }
        // What is put together is captured a moment later, and a run says how long that lasts.
        foreach (var run in lines.Select(l => l.Run).OfType<Guid>().Distinct())
        {
            while (DateTime.UtcNow < until && PlantGateway.Wanted(await gateway.GetAsync($"api/runs/{run}", ct), $"Run {run}").GetProperty("blockers").EnumerateArray().Any(b => b.GetString()!.Contains("not processed yet", StringComparison.Ordinal)))
            {
                await Task.Delay(s_look, ct);
            }
        }
    }

    private async Task<IEnumerable<JsonElement>> NewestAsync(string device, CancellationToken ct) =>
        PlantGateway.Wanted(await gateway.GetAsync($"api/devices/{device}/messages?limit=200", ct), $"The messages of {device}").GetProperty("items").EnumerateArray();

    private async Task<Gaps> GapsAsync(PlayedLine line, CancellationToken ct)
    {
        var missing = new HashSet<(string, int, long)>();
        foreach (var device in line.FirstEpochs.Keys)
        {
            foreach (var gap in (await gateway.ListAsync($"api/devices/{device}/gaps?limit=200", ct)).Where(g => g.GetProperty("closedAt").ValueKind == JsonValueKind.Null))
            {
                foreach (var range in gap.GetProperty("missing").EnumerateArray().Select(n => n.GetInt64()).Chunk(2))
                {
                    for (var seq = range[0]; seq <= range[1]; seq++)
                    {
                        missing.Add((device, gap.GetProperty("epoch").GetInt32(), seq));
                    }
                }
            }
        }
        return new Gaps(missing);
    }

    private async Task<(MessageScore Score, bool IsApplied)> MessagesAsync(PlayedLine line, Gaps gaps, MessageScore before, CancellationToken ct)
    {
        var score = before;
        var isApplied = false;
        foreach (var (device, firstEpoch) in line.FirstEpochs)
        {
            var stored = new Dictionary<(int Epoch, long Seq), List<string>>();
            foreach (var m in (await gateway.ListAsync($"api/devices/{device}/messages?limit=200", ct)).Where(m => m.GetProperty("epoch").GetInt32() >= firstEpoch))
            {
                var key = (m.GetProperty("epoch").GetInt32(), m.GetProperty("seq").GetInt64());
                (stored.TryGetValue(key, out var bodies) ? bodies : stored[key] = []).Add(m.GetProperty("body").GetString()!);
                isApplied |= m.GetProperty("state").GetString() == "applied";
                score = score with { Unapplied = score.Unapplied + (m.GetProperty("state").GetString() is "ready" or "waiting" ? 1 : 0) };
            }
            foreach (var m in line.Story.Messages.Where(m => m.Device == device && m.Travel != Travel.Forgotten))
            {
                var key = (firstEpoch + m.Epoch, m.Seq);
                if (m.Travel == Travel.Lost)
                {
                    var isSeen = gaps.Missing.Contains((device, key.Item1, m.Seq));
                    score = score with { LostSeen = score.LostSeen + (isSeen ? 1 : 0), LostUnseen = score.LostUnseen + (isSeen ? 0 : 1) };
                    continue;
                }
                var isThere = stored.Remove(key, out var bodies);
                var isRight = isThere && bodies!.Count == 1 && bodies[0] == Encoding.UTF8.GetString(m.Render(line.Start, firstEpoch).Span);
                score = score with { Expected = score.Expected + 1, Stored = score.Stored + (isRight ? 1 : 0), Absent = score.Absent + (isThere ? 0 : 1), Altered = score.Altered + (isThere && !isRight ? 1 : 0) };
            }
            score = score with { Invented = score.Invented + stored.Count };
        }
        return (score, isApplied);
    }

    private async Task<List<(PlantTruth, Verdict, string)>> JudgeAsync(PlayedLine line, Gaps gaps, CancellationToken ct)
    {
        var said = new System.Collections.Concurrent.ConcurrentDictionary<string, Said>();
        await Parallel.ForEachAsync(line.Story.Truths, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (truth, stop) =>
        {
            if (await AskAsync(truth.Id, stop) is { } answer)
            {
                said[truth.Id] = answer;
            }
        });
        var ids = said.ToDictionary(s => s.Value.Epc, s => s.Key);
        var missed = line.Story.Messages.Where(m => line.FirstEpochs.TryGetValue(m.Device, out var first) && gaps.Missing.Contains((m.Device, first + m.Epoch, m.Seq))).SelectMany(m => m.Ids).ToHashSet();
        var judged = new List<(PlantTruth, Verdict, string)>();
        foreach (var truth in line.Story.Truths)
        {
            var it = said.GetValueOrDefault(truth.Id);
            var parent = it?.Parent is null ? null : ids.GetValueOrDefault(it.Parent, it.Parent);
            var isRight = it is null ? truth.State == "UNUSED" : it.State == truth.State && parent == truth.Parent && (truth.Level != "unit" || truth.State != "COMMISSIONED" || it.Lot == truth.Lot);
            // What is still open is not said to be final: the run cannot be closed with it.
            var isOpen = it is not null && (it.State is "POOL" or "ENCODED" or "REJECTED" || (it.State == "COMMISSIONED" && parent is null && truth.Level != "pallet"));
            var verdict = isRight ? Verdict.Right : it?.IsHeld == true || isOpen || missed.Contains(truth.Id) || (it is not null && await HasExceptionAsync(it.Epc, ct)) ? Verdict.Known : Verdict.Misstated;
            judged.Add((truth, verdict, it is null ? "nothing" : $"{it.State}{(parent is null ? "" : $" in {parent}")}{(it.Lot is null ? "" : $", lot {it.Lot}")}"));
        }
        return judged;
    }

    private async Task<Said?> AskAsync(string id, CancellationToken ct)
    {
        var answer = await gateway.GetAsync($"api/units?epc={Uri.EscapeDataString(id)}", ct);
        if (answer.Status == 404)
        {
            return null;
        }
        var unit = PlantGateway.Wanted(answer, $"Unit {id}");
        return new Said(unit.GetProperty("epc").GetString()!, unit.GetProperty("state").GetString()!, unit.GetProperty("parent").GetString(), unit.GetProperty("lot").GetString(),
            unit.GetProperty("holds").GetArrayLength() > 0 || unit.GetProperty("containerHolds").GetArrayLength() > 0);
    }

    private async Task<bool> HasExceptionAsync(string epc, CancellationToken ct) =>
        PlantGateway.Wanted(await gateway.GetAsync($"api/units/history?limit=1&epc={Uri.EscapeDataString(epc)}", ct), $"The history of {epc}")
            .GetProperty("exceptions").EnumerateArray().Any(e => e.GetProperty("state").GetString() == "open");

    private static string Tell(PlantTruth truth) => $"{truth.State}{(truth.Parent is null ? "" : $" in {truth.Parent}")}{(truth.Lot is null ? "" : $", lot {truth.Lot}")}";
}
