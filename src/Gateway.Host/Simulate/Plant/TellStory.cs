using Epcis.Identifiers;

namespace Gateway.Host.Simulate.Plant;

/// <summary>What happens to cartons, cases and pallets, and what each device sees of it.</summary>
internal sealed class TellStory(PlantOptions options, PlantLot lot)
{
    // Between the stations of a line.
    private const int ToCamera = 90, ToBin = 1_500, ToPacker = 1_000, ToPalletiser = 800;

    /// <summary>Milliseconds from the last carton until the line is cleared and what fell off is found.</summary>
    public const int ToClearing = 90_000;

    private const long Range = 100_000_000;
    private const double NaturalRejects = 0.005;

    private readonly SeededNumbers _numbers = new(options.Seed);
    private readonly Random _nature = LineStory.Dice(options, lot, "nature");
    private readonly Dictionary<string, Random> _dice = [];
    private readonly Dictionary<string, PlantTruth> _truths = [];
    private readonly Dictionary<string, int> _injected = PlantFault.All.ToDictionary(f => f.Name, _ => 0);
    private List<PlantTruth> _case = [], _caseBefore = [], _pallet = [];
    private readonly HashSet<PlantTruth> _unread = [], _removed = [];
    private readonly List<PlantTruth> _alsoRead = [];
    private PlantTruth? _fallen;
    private bool _isShort;
    private long _stood;
    private int _infeed, _good, _rejects, _cases, _pallets;

    public List<StoryMessage> Messages { get; } = [];
    public IReadOnlyDictionary<string, PlantTruth> Truths => _truths;
    public Dictionary<string, int> Injected => _injected;

    /// <summary>When each carton was printed.</summary>
    public List<long> Cartons { get; } = [];

    public void Tell()
    {
        foreach (var station in PlantStation.All)
        {
            Say(station.Code, 0, "hello", [("kind", station.Kind)]);
        }
        Say("PLC", 0, "state", [("state", "Execute")]);
        long at = 0, counted = 0;
        for (var n = 0; n < Math.Min(options.Units, lot.Serials?.Count ?? int.MaxValue); n++)
        {
            at = 200 + ((long)n * 60_000 / options.Rate) + _stood;
            if (Hits("pool-dry"))
            {
                Say("PLC", at, "state", [("state", "Suspended")]);
                var stands = 30_000 + _dice["pool-dry"].Next(90_000);
                (_stood, at) = (_stood + stands, at + stands);
                Say("PLC", at, "state", [("state", "Execute")]);
            }
            Carton(n, at);
            if (at - counted >= 10_000)
            {
                counted = at;
                Say("PLC", at, "counters", [("infeed", _infeed), ("good", _good), ("reject", _rejects)]);
            }
        }
        at += 2 * ToBin;
        if (_case.Count > 0)
        {
            CloseCase(at, isPartial: true);
        }
        if (_pallet.Count > 0)
        {
            ClosePallet(at + ToPalletiser, isPartial: true);
        }
        End(at + 3_000);
    }

    public void Happened(string fault, params IEnumerable<string> ids)
    {
        _injected[fault]++;
        Touch(fault, ids);
    }

    public void Touch(string fault, IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            _truths[id].Faults.Add(fault);
        }
    }

    private void Carton(int n, long at)
    {
        Cartons.Add(at);
        var carton = Make(UnitId(n), "unit");
        _infeed++;
        Say("PRN", at, "encode", [("id", carton.Id)], carton.Id);
        if (_nature.NextDouble() < NaturalRejects)
        {
            Reject(carton, at, "OCR");
            return;
        }
        var isUnread = Hits("no-read");
        if (isUnread)
        {
            Happened("no-read", carton.Id);
            if (_dice["no-read"].Next(2) == 0)
            {
                Reject(carton, at, "NOREAD");
                return;
            }
            _unread.Add(carton);
        }
        carton.Lot = lot.Lot;
        List<(string, object)> verified = [("id", carton.Id), ("pass", true), ("grade", "B")];
        if (Hits("wrong-lot"))
        {
            carton.Lot = lot.Lot.Length < 20 ? lot.Lot + "X" : "X" + lot.Lot[1..];
            Happened("wrong-lot", carton.Id);
            verified.Add(("lot", carton.Lot));
        }
        _good++;
        Say("VIS", at + ToCamera, "verify", verified, carton.Id);
        if (n == options.Fallen)
        {
            _fallen = carton;
            return;
        }
        Enter(carton, at + ToPacker);
    }

    private void Reject(PlantTruth carton, long at, string reason)
    {
        _rejects++;
        carton.State = "SCRAPPED";
        Say("VIS", at + ToCamera, "verify", [("id", carton.Id), ("pass", false), ("grade", "F"), ("reason", reason)], carton.Id);
        Say("PLC", at + ToBin, "scrap", [("id", carton.Id), ("reason", reason)], carton.Id);
    }

    private void Enter(PlantTruth carton, long at)
    {
        if (_case.Count == 0)
        {
            _isShort = options.UnitsPerCase > 1 && Hits("short-case");
        }
        _case.Add(carton);
        if (Hits("carton-removed"))
        {
            _removed.Add(carton);
        }
        if (Hits("two-cases") && _caseBefore.Count > 0 && !_unread.Contains(carton))
        {
            var other = _caseBefore[_dice["two-cases"].Next(_caseBefore.Count)];
            if (!_alsoRead.Contains(other))
            {
                _unread.Add(carton);
                _alsoRead.Add(other);
            }
        }
        if (_case.Count == options.UnitsPerCase - (_isShort ? 1 : 0))
        {
            CloseCase(at, isPartial: false);
        }
    }

    private void CloseCase(long at, bool isPartial)
    {
        var box = Make($"01{options.CaseGtin}21{_numbers.Serial((lot.Index * Range) + (Range / 2) + _cases)}", "case");
        _cases++;
        foreach (var carton in _case)
        {
            carton.Parent = box.Id;
        }
        if (_isShort && !isPartial)
        {
            Happened("short-case", [box.Id, .. _case.Select(c => c.Id)]);
        }
        foreach (var other in _alsoRead)
        {
            Happened("two-cases", [box.Id, other.Id, other.Parent ?? box.Id, .. _case.Select(c => c.Id)]);
        }
        Touch("no-read", _case.Exists(c => _unread.Contains(c) && c.Faults.Contains("no-read")) ? [box.Id] : []);
        Pack("AGG", at, box, [.. _case.Where(c => !_unread.Contains(c)).Concat(_alsoRead).Select(c => c.Id)], isPartial);
        foreach (var carton in _case.Where(_removed.Contains))
        {
            Happened("carton-removed", [carton.Id, box.Id]);
            carton.Parent = null;
        }
        (_caseBefore, _case, _isShort) = ([.. _case.Where(c => c.Parent is not null && !_unread.Contains(c))], [], false);
        _alsoRead.Clear();
        _pallet.Add(box);
        if (_pallet.Count == options.CasesPerPallet)
        {
            ClosePallet(at + ToPalletiser, isPartial: false);
        }
    }

    private void ClosePallet(long at, bool isPartial)
    {
        var reference = _numbers.SsccReference((lot.Index * 1_000_000L) + _pallets)[1..];
        var digits = options.SsccPrefix + reference[(reference.Length - (17 - options.SsccPrefix.Length))..];
        var pallet = Make($"00{digits}{CheckDigit.Of(digits)}", "pallet");
        _pallets++;
        foreach (var box in _pallet)
        {
            box.Parent = pallet.Id;
        }
        Pack("PAL", at, pallet, [.. _pallet.Select(c => c.Id)], isPartial);
        _pallet = [];
    }

    private void Pack(string station, long at, PlantTruth container, List<string> children, bool isPartial)
    {
        (string, object)[] flag = isPartial ? [("partial", true)] : [];
        Say(station, at, "label", [("id", container.Id), .. flag], container.Id);
        if (children.Count > 0)
        {
            Say(station, at + 10, "pack", [("parent", container.Id), ("children", children), .. flag], [container.Id, .. children]);
        }
    }

    private void End(long at)
    {
        var left = Enumerable.Range(options.Units, options.Spare).Where(n => lot.Serials is null || n < lot.Serials.Count).Select(n => Make(UnitId(n), "unit")).ToList();
        left.ForEach(l => l.State = "UNUSED");
        if (left.Count > 0)
        {
            Say("PRN", at, "unused", [("ids", left.ConvertAll(l => l.Id))], [.. left.Select(l => l.Id)]);
        }
        Say("PLC", at, "state", [("state", "Complete")]);
        if (_fallen is not null)
        {
            at += ToClearing;
            _fallen.State = "DECOMMISSIONED";
            Say("PLC", at, "decommission", [("id", _fallen.Id), ("reason", "found beside the packer")], _fallen.Id);
        }
        // The last of each device says nothing of units, so that what is lost before it is seen to be missing.
        Say("PRN", at + 100, "counters", [("printed", _infeed)]);
        Say("VIS", at + 100, "counters", [("good", _good), ("reject", _rejects)]);
        Say("AGG", at + 100, "counters", [("cases", _cases)]);
        Say("PAL", at + 100, "counters", [("pallets", _pallets)]);
        Say("PLC", at + 100, "counters", [("infeed", _infeed), ("good", _good), ("reject", _rejects)]);
    }

    private PlantTruth Make(string id, string level) => _truths[id] = new PlantTruth(lot.Line, id, level);

    private string UnitId(int n) => $"01{options.UnitGtin}21{(lot.Serials is { } serials ? serials[n] : _numbers.Serial((lot.Index * Range) + n))}";

    private void Say(string station, long at, string type, IReadOnlyList<(string, object)> members, params IReadOnlyList<string> ids) =>
        Messages.Add(new StoryMessage($"{lot.Line}-{station}", at, type, members, ids));

    /// <summary>Whether a fault comes now; each has its own dice, and they are thrown whether it is switched on or not.</summary>
    private bool Hits(string fault)
    {
        if (!_dice.TryGetValue(fault, out var dice))
        {
            _dice.Add(fault, dice = LineStory.Dice(options, lot, fault));
        }
        var hits = dice.NextDouble() < options.RateOf(fault);
        if (hits && fault == "pool-dry")
        {
            _injected[fault]++;
        }
        return hits;
    }
}
