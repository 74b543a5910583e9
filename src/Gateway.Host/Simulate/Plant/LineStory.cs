using System.Security.Cryptography;
using System.Text;

namespace Gateway.Host.Simulate.Plant;

/// <summary>A place on a line where a device stands.</summary>
/// <param name="Code">The end of the device's name.</param>
public sealed record PlantStation(string Code, string Kind, string Station)
{
    public static IReadOnlyList<PlantStation> All { get; } =
        [new("PRN", "printer", "printing"), new("VIS", "camera", "printing"), new("AGG", "aggregator", "packing"), new("PAL", "palletiser", "palletising"), new("PLC", "plc", "line")];

    /// <summary>As the device is called on the wire.</summary>
    public string DeviceOn(string line) => $"{line}-{Code}";
}

/// <summary>A device is cut off: what it posts in the first of these seconds comes and is not answered, and nothing comes until the last.</summary>
public sealed record LinkCut(string Device, long FromSecond, long ToSecond);

/// <summary>What happens on one line from the first carton to the last, and what its devices say of it. Nothing in it hangs on when or how it is played.</summary>
/// <param name="Messages">In order of time.</param>
/// <param name="Injected">How often each fault happened.</param>
/// <param name="Milliseconds">How long it lasts.</param>
public sealed record LineStory(
    PlantLot Lot, IReadOnlyList<StoryMessage> Messages, IReadOnlyList<PlantTruth> Truths, IReadOnlyList<LinkCut> Cuts, IReadOnlyDictionary<string, DeviceClock> Clocks, IReadOnlyDictionary<string, int> Injected, long Milliseconds)
{
    public static LineStory Tell(PlantOptions options, PlantLot lot)
    {
        var told = new TellStory(options, lot);
        told.Tell();
        var disturbed = new DisturbStory(options, lot, told);
        disturbed.Disturb();
        Inherit(told.Truths);
        return new LineStory(lot, disturbed.Messages, [.. told.Truths.Values], disturbed.Cuts, disturbed.Clocks, told.Injected, disturbed.Messages[^1].At);
    }

    /// <summary>Chance of its own for each thing that hangs on it, so that one fault switched on leaves the others as they are.</summary>
    internal static Random Dice(PlantOptions options, PlantLot lot, string what) =>
        new(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{options.Seed}:{lot.Index}:{what}")))));

    // What befell a container befell what is in it.
    private static void Inherit(IReadOnlyDictionary<string, PlantTruth> truths)
    {
        foreach (var truth in truths.Values)
        {
            for (var around = truth.Parent; around is not null; around = truths[around].Parent)
            {
                truth.Faults.UnionWith(truths[around].Faults);
            }
        }
    }
}

/// <summary>What a device's clock is ahead of a clock that is right: at first a little, then by what befell it.</summary>
public sealed class DeviceClock(double aheadMs)
{
    private readonly List<(long From, double Ahead, double PerSecond)> _pieces = [(0, aheadMs, 0)];

    /// <summary>From a moment on it is moved by so much, or runs so much too fast.</summary>
    internal void Change(long at, double stepMs, double? perSecond = null) => _pieces.Add((at, Ahead(at) + stepMs, perSecond ?? _pieces[^1].PerSecond));

    public double Ahead(long at)
    {
        var (from, ahead, perSecond) = _pieces.FindLast(p => p.From <= at);
        return Math.Round(ahead + ((at - from) / 1000.0 * perSecond));
    }
}
