namespace Gateway.Host.Simulate.Plant;

/// <summary>What befalls devices, their clocks, stores and messages; numbers each message.</summary>
internal sealed class DisturbStory(PlantOptions options, PlantLot lot, TellStory told)
{
    private const long Second = 1_000;

    private static readonly (string Fault, Travel Travel)[] s_travels =
        [("loss", Travel.Lost), ("late-gap", Travel.Late), ("conflict", Travel.Contradicted), ("reorder", Travel.Behind), ("duplicate", Travel.Twice)];

    private readonly List<LinkCut> _cuts = [];
    private readonly Dictionary<string, DeviceClock> _clocks = [];
    private readonly Dictionary<string, List<long>> _losses = [];

    public IReadOnlyList<StoryMessage> Messages { get; } = [.. told.Messages.OrderBy(m => m.At)];
    public IReadOnlyList<LinkCut> Cuts => _cuts;
    public IReadOnlyDictionary<string, DeviceClock> Clocks => _clocks;

    public void Disturb()
    {
        var nature = Dice("clocks");
        foreach (var station in PlantStation.All)
        {
            _clocks[station.DeviceOn(lot.Line)] = new DeviceClock(nature.Next(-80, 80));
        }
        DisturbClocks();
        foreach (var cut in options.Cuts.Where(c => _clocks.ContainsKey(c.Device)))
        {
            Cut(cut);
        }
        Each("link-cut", CutOff);
        Each("epoch-lost", LoseStore);
        foreach (var said in Messages.GroupBy(m => m.Device).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            Number([.. said]);
        }
        var dice = s_travels.ToDictionary(t => t.Fault, t => Dice(t.Fault));
        foreach (var said in Messages.GroupBy(m => (m.Device, m.Epoch)).OrderBy(g => g.Key.Device, StringComparer.Ordinal).ThenBy(g => g.Key.Epoch))
        {
            Disturb([.. said], dice);
        }
    }

    private void DisturbClocks()
    {
        var (drift, step) = (Dice("clock-drift"), Dice("clock-step"));
        foreach (var at in told.Cartons)
        {
            if (drift.NextDouble() < options.RateOf("clock-drift"))
            {
                var device = Any(drift);
                _clocks[device].Change(at, 0, (drift.NextDouble() * 10) - 5);
                told.Happened("clock-drift", Said(device, at, at + (10 * Second)));
            }
            if (step.NextDouble() < options.RateOf("clock-step"))
            {
                var device = Any(step);
                _clocks[device].Change(at, (600 + step.Next(4_400)) * (step.Next(2) == 0 ? 1 : -1));
                told.Happened("clock-step", Said(device, at - (10 * Second), at + (10 * Second)));
            }
        }
        foreach (var message in Messages)
        {
            message.ClockError = _clocks[message.Device].Ahead(message.At);
        }
    }

    private void CutOff(string device, long at, Random dice)
    {
        var cut = new LinkCut(device, at / Second, (at / Second) + 60 + dice.Next(7_140));
        if (_cuts.Exists(c => c.Device == device && c.ToSecond >= cut.FromSecond))
        {
            return;
        }
        Cut(cut);
    }

    private void Cut(LinkCut cut)
    {
        _cuts.Add(cut);
        told.Happened("link-cut", Said(cut.Device, cut.FromSecond * Second, (cut.ToSecond + 1) * Second));
    }

    // What was said in the seconds that nothing could be sent in is lost with the store, and so is what is not sent of this second.
    private void LoseStore(string device, long at, Random dice)
    {
        var losses = _losses.TryGetValue(device, out var known) ? known : _losses[device] = [];
        if (at < 2 * Second || losses.Exists(l => Math.Abs(l - at) < 5 * Second))
        {
            return;
        }
        var second = at / Second;
        var since = _cuts.Find(c => c.Device == device && c.FromSecond < second && second < c.ToSecond) is { } cut ? cut.FromSecond + 1 : second;
        var forgotten = Messages.Where(m => m.Device == device && m.At >= since * Second && m.At < at).ToList();
        forgotten.ForEach(m => m.Travel = Travel.Forgotten);
        losses.Add(at);
        told.Happened("epoch-lost", forgotten.SelectMany(m => m.Ids));
    }

    private void Number(List<StoryMessage> said)
    {
        var losses = _losses.GetValueOrDefault(said[0].Device, []);
        var number = 0;
        foreach (var epoch in said.GroupBy(m => losses.Count(l => l <= m.At)))
        {
            long seq = 0;
            foreach (var message in epoch)
            {
                (message.Epoch, message.Seq) = (number, ++seq);
            }
            // An epoch of which nothing is ever sent is none.
            number += epoch.Any(m => m.Travel != Travel.Forgotten) ? 1 : 0;
        }
    }

    private void Disturb(List<StoryMessage> epoch, Dictionary<string, Random> dice)
    {
        var last = epoch.FindLastIndex(m => m.Travel == Travel.Well);
        var ends = _losses.GetValueOrDefault(epoch[0].Device, []).Where(l => l > epoch[^1].At).DefaultIfEmpty(long.MaxValue).Min();
        for (var n = 0; n < epoch.Count; n++)
        {
            foreach (var (fault, travel) in s_travels)
            {
                // Thrown for each, so that one fault more leaves the others where they are.
                var hits = dice[fault].NextDouble() < options.RateOf(fault);
                // Nobody sees that the last of an epoch is missing; and what is kept back must be sent before the store is lost.
                if (hits && n < last && epoch[n].Travel == Travel.Well && (travel is Travel.Lost or Travel.Twice || (ends == long.MaxValue && travel == Travel.Late) || (travel != Travel.Late && ends - epoch[n].At > 3 * Second && !IsCut(epoch[n]))))
                {
                    epoch[n].Travel = travel;
                    told.Happened(fault, epoch[n].Ids);
                }
            }
        }
    }

    private bool IsCut(StoryMessage m) => _cuts.Exists(c => c.Device == m.Device && c.FromSecond * Second <= m.At + (2 * Second) && m.At <= (c.ToSecond + 1) * Second);

    private void Each(string fault, Action<string, long, Random> befall)
    {
        var dice = Dice(fault);
        foreach (var at in told.Cartons)
        {
            if (dice.NextDouble() < options.RateOf(fault))
            {
                befall(Any(dice), at + 450, dice);
            }
        }
    }

    private IEnumerable<string> Said(string device, long from, long to) => Messages.Where(m => m.Device == device && m.At >= from && m.At < to).SelectMany(m => m.Ids);

    private string Any(Random dice) => PlantStation.All[dice.Next(PlantStation.All.Count)].DeviceOn(lot.Line);

    private Random Dice(string what) => LineStory.Dice(options, lot, what);
}
