namespace Gateway.Units;

/// <summary>Gathers what the rules say of one fact: a finding for each code, with all its units.</summary>
internal sealed class Tellings
{
    private readonly List<Telling> _all = [];

    /// <param name="other">Of packing: the container.</param>
    public void Add(string code, Unit unit, UnitFact fact, Unit? other)
    {
        var telling = _all.Find(t => t.Code == code && ReferenceEquals(t.Fact, fact));
        if (telling is null)
        {
            _all.Add(telling = new Telling(code, fact, unit.Top.State, other));
        }
        telling.Epcs.Add(unit.Epc);
        telling.Lots.Add(unit.Lot ?? fact.Lot ?? unit.ContentLot ?? "");
    }

    public void MoveTo(List<UnitFinding> findings)
    {
        foreach (var telling in _all)
        {
            findings.Add(new UnitFinding(telling.Code, telling.Epcs, telling.Why, telling.Fact.Number) { Container = telling.Other?.Epc, Lot = telling.Lots is { Count: 1 } lots && lots.First() is { Length: > 0 } lot ? lot : null });
        }
        _all.Clear();
    }

    private sealed record Telling(string Code, UnitFact Fact, UnitState State, Unit? Other)
    {
        public List<string> Epcs { get; } = [];

        public HashSet<string> Lots { get; } = [];

        public string Why => Code switch
        {
            UnitCodes.DuplicateCommission => "it was commissioned before.",
            UnitCodes.NotAllocated => $"{Lifecycle.Word(Fact.Kind)} of a number that was not given out.",
            UnitCodes.Packed => $"{Lifecycle.Word(Fact.Kind)} while it is in {Other?.Epc}; it would have to be unpacked first.",
            UnitCodes.Held => "it, or something in it, is on hold and was shipped.",
            UnitCodes.Waiting => $"{Lifecycle.Word(Fact.Kind)} was told before its commissioning.",
            UnitCodes.Missing => "its shipment is void, and its container went without it.",
            UnitCodes.LotMissing => "it was commissioned without a lot.",
            UnitCodes.LotExpired => FormattableString.Invariant($"it was commissioned on {Fact.Time:yyyy-MM-dd} and expires on {Fact.Expiry:yyyy-MM-dd}."),
            UnitCodes.ParentUnknown => $"it was packed into while {Lifecycle.Word(State)}; a container has to be COMMISSIONED.",
            UnitCodes.ChildNotActive => $"it was packed into {Other?.Epc} while {Lifecycle.Word(State)}; what is packed has to be COMMISSIONED.",
            UnitCodes.SecondParent => $"it was packed into {Other?.Epc} while it is in another container.",
            UnitCodes.Cycle => $"it was packed into {Other?.Epc}, which is within it.",
            UnitCodes.Level => $"it was packed into {Other?.Epc}, for which the pack specification says otherwise.",
            UnitCodes.OverCapacity => $"it was packed into {Other?.Epc}, which was full.",
            UnitCodes.LotMixed => $"it was packed into {Other?.Epc}, which holds another lot.",
            UnitCodes.ShortNotFlagged => "it was closed with less than it holds when full, and is not flagged as partial.",
            UnitCodes.NotChild => $"it was unpacked from {Other?.Epc} and was not in it.",
            _ => $"{Lifecycle.Word(Fact.Kind)} may not follow {Lifecycle.Word(State)}.",
        };
    }
}
