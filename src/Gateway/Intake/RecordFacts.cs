using Gateway.Units;

namespace Gateway.Intake;

/// <summary>What the records of one file say of units, by the rules of its mapping; and what cannot be taken.</summary>
internal sealed class RecordFacts(Mapping mapping, IntakeContext context)
{
    private readonly UnitNames _names = new(context.Known);
    private readonly LocalTimes _times = new(mapping.TimePatterns);
    private readonly List<Claim> _claims = [];
    private readonly Dictionary<string, DateTimeOffset> _when = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ContainerFlags> _flags = new(StringComparer.Ordinal);

    /// <summary>In the order of the records, until <see cref="End"/>.</summary>
    public List<LineFact> Facts { get; } = [];

    public List<IntakeFinding> Findings { get; } = [];

    private sealed record ContainerFlags(bool IsPartial, bool IsMixed);

    /// <summary>A unit is said to be in a container, whose own time is known at the end.</summary>
    private sealed record Claim(string Child, DateTimeOffset ChildTime, string Parent, int Row, string? Station, string? Device);

    public void See(SourceRecord record)
    {
        if (record.Fault is { } broken)
        {
            SetAside(record, broken);
            return;
        }
        if (mapping.Ignored.Contains(record.Kind) || record.Kind == mapping.Form.ContextType)
        {
            return;
        }
        if (mapping.Rules.FirstOrDefault(r => r.Kind == record.Kind && r.When?.Fits(record) != false) is not { } rule)
        {
            SetAside(record, new IntakeFault(IntakeCodes.Unknown, $"No rule of the mapping fits a record of kind '{record.Kind}'."));
            return;
        }
        if (rule.Each is not { } each)
        {
            Say(rule, record);
            return;
        }
        if (record.Lists?.GetValueOrDefault(each) is not { } items)
        {
            SetAside(record, new IntakeFault(IntakeCodes.Missing, $"There is no list '{each}'."));
            return;
        }
        if (items.Count == 0)
        {
            SetAside(record, new IntakeFault(IntakeCodes.Missing, $"The list '{each}' is empty."));
        }
        foreach (var item in items)
        {
            record.Values["item"] = item;
            Say(rule, record);
        }
    }

    private void Say(RecordRule rule, SourceRecord record)
    {
        var unit = _names.Read(rule.Object, record, out var fault);
        if (unit is null)
        {
            SetAside(record, fault ?? new IntakeFault(IntakeCodes.Missing, "It names no unit."));
            return;
        }
        var own = rule.Sources.Or(mapping.Facts);
        var first = true;
        var said = new List<LineFact>();
        var isClaimOnly = mapping.IsRepeatedAClaim && _seen.Contains(unit.Key);
        foreach (var fact in rule.Say)
        {
            if (fact.When?.Fits(record) == false)
            {
                continue;
            }
            var sources = fact.Sources.Or(own);
            if (TimeOf(record, sources, out fault) is not { } time || ExpiryOf(record, sources, unit, out var expiry, ref fault))
            {
                SetAside(record, fault!, unit.Epc);
                return;
            }
            if (first)
            {
                _when.TryAdd(unit.Epc, time);
                first = false;
            }
            said.Add(new LineFact(fact.Kind, unit.Epc, time, record.Row)
            {
                Lot = fact.Kind == FactKind.Commission ? unit.Lot ?? sources.Lot?.Of(record) : null,
                Expiry = fact.Kind == FactKind.Commission ? expiry : null,
                Reason = LineFact.HasReason(fact.Kind) ? sources.Reason?.Of(record)?.Replace(' ', '_') : null,
                Station = sources.Station?.Of(record),
                Device = sources.Device?.Of(record),
                Person = sources.Person?.Of(record),
            });
        }
        // What packs says it of the container; else it is the container's own record.
        var packs = said.Exists(f => f.Kind is FactKind.Pack);
        if (!packs && (rule.Partial is not null || rule.Mixed is not null))
        {
            _flags[unit.Epc] = new ContainerFlags(rule.Partial?.Fits(record) == true, rule.Mixed?.Fits(record) == true);
        }
        _seen.Add(unit.Key);
        // Packing and unpacking that the record itself says, of the container that it names.
        var findings = Findings.Count;
        var parent = rule.Parent.Count > 0 ? ParentOf(rule, record, unit) : rule.IsInEnclosing ? Enclosing(record) : null;
        if (parent is null && Findings.Count == findings && said.Exists(f => f.Kind == FactKind.Pack || f.Kind == FactKind.Unpack && rule.Parent.Count > 0))
        {
            SetAside(record, new IntakeFault(IntakeCodes.Missing, "It names no container."), unit.Epc);
        }
        if (Facts.Count + Findings.Count > 4L * context.MaxRecords)
        {
            throw new FileRefusedException(IntakeCodes.TooMany, FormattableString.Invariant($"more than {4L * context.MaxRecords} facts"));
        }
        foreach (var fact in said.Where(_ => !isClaimOnly))
        {
            if (fact.Kind is FactKind.Pack or FactKind.Unpack)
            {
                if (parent is not null || fact.Kind == FactKind.Unpack && rule.Parent.Count == 0)
                {
                    Facts.Add(fact with
                    {
                        Parent = parent ?? unit.Epc, Epc = parent is null ? "" : fact.Epc, IsPartial = packs && rule.Partial?.Fits(record) == true, IsMixed = packs && rule.Mixed?.Fits(record) == true,
                    });
                }
            }
            else
            {
                Facts.Add(fact);
            }
        }
        if (parent is not null && said.TrueForAll(f => f.Kind is not (FactKind.Pack or FactKind.Unpack)) && (said.Count > 0 || TimeOf(record, own, out _) is not null))
        {
            var time = said.Count > 0 ? said[0].Time : TimeOf(record, own, out _)!.Value;
            // Where records nest it is the container's record that says what is in it.
            var row = rule.IsInEnclosing && rule.Parent.Count == 0 ? record.Parent!.Row : record.Row;
            _claims.Add(new Claim(unit.Epc, time, parent, row, own.Station?.Of(record), own.Device?.Of(record)));
        }
    }

    private string? Enclosing(SourceRecord record) =>
        record.Parent is { } around && mapping.Rules.FirstOrDefault(r => r.Kind == around.Kind && r.When?.Fits(around) != false) is { } rule ? _names.Read(rule.Object, around, out _)?.Epc : null;

    private string? ParentOf(RecordRule rule, SourceRecord record, UnitName child)
    {
        if (_names.Read(rule.Parent, record, out var fault) is { } parent)
        {
            return parent.Epc;
        }
        if (fault is not null || rule.Parent.Any(p => p.First.Of(record) is not null))
        {
            if (TimeOf(record, rule.Sources.Or(mapping.Facts), out _) is { } time)
            {
                // Nobody knows where it is packed.
                Facts.Add(new LineFact(FactKind.Hold, child.Epc, time, record.Row) { Reason = IntakeCodes.ParentInvalid });
            }
            Findings.Add(new IntakeFinding(IntakeCodes.ParentInvalid, record.Row, "The container cannot be read: " + (fault?.Why ?? "no form of the mapping fits it."), child.Epc, fault?.Got));
        }
        return null;
    }

    private DateTimeOffset? TimeOf(SourceRecord record, FactSources sources, out IntakeFault? fault)
    {
        if (sources.Time?.Of(record) is not { } text)
        {
            fault = new IntakeFault(IntakeCodes.TimeInvalid, "There is no time.");
            return null;
        }
        string? zone = null;
        if (mapping.Zone is { } of && (zone = of.Of(record) ?? context.SiteZone) is null)
        {
            fault = new IntakeFault(IntakeCodes.TimeInvalid, "There is no time zone.");
            return null;
        }
        if (_times.Read(text, zone, out fault) is not { } time)
        {
            return null;
        }
        time -= record.ClockOffset;
        if (time > context.ReceivedAt + context.FutureTolerance)
        {
            fault = new IntakeFault(IntakeCodes.TimeFuture, $"'{text}' lies ahead of the gateway's clock.", text);
            return null;
        }
        return time;
    }

    private bool ExpiryOf(SourceRecord record, FactSources sources, UnitName unit, out DateOnly? expiry, ref IntakeFault? fault)
    {
        var (text, patterns) = unit.Expiry is { } element ? (element, (IReadOnlyList<string>)["yyMMdd"]) : (sources.Expiry?.Of(record), mapping.DatePatterns);
        expiry = text is null ? null : LocalTimes.Date(text, patterns, context.ReceivedAt.Year);
        if (text is null || expiry is not null)
        {
            return false;
        }
        fault = new IntakeFault(IntakeCodes.DateInvalid, $"'{text}' is no date of the form {string.Join(" or ", patterns)}.", text);
        return true;
    }

    /// <summary>A scan session's facts, which no record says alone.</summary>
    public ScanSessions Scans() => new(mapping, context, _names, _times, Facts, Findings);

    private void SetAside(SourceRecord record, IntakeFault fault, string? epc = null) => Findings.Add(new IntakeFinding(fault.Code, record.Row, fault.Why, epc, fault.Got));

    /// <summary>Takes the claims for what they are, once every record is known, and puts all facts in the order of time.</summary>
    public IReadOnlyList<LineFact> End()
    {
        foreach (var claim in _claims)
        {
            // A snapshot does not say when a unit was packed: when its container was made, and never before the unit itself.
            var time = _when.TryGetValue(claim.Parent, out var at) && at > claim.ChildTime ? at : claim.ChildTime;
            Facts.Add(new LineFact(FactKind.Pack, claim.Child, time, claim.Row) { Parent = claim.Parent, Station = claim.Station, Device = claim.Device });
        }
        var ordered = Facts.Select((fact, order) => (fact, order)).OrderBy(f => f.fact.Time.UtcTicks).ThenBy(f => f.fact.Kind).ThenBy(f => f.order).Select(f => f.fact).ToList();
        // EPCIS has a word for the reject of what became a unit, in this document or before.
        var rejected = ordered.Where(f => f.Kind == FactKind.Reject).Select(f => f.Epc).Distinct(StringComparer.Ordinal).ToList();
        var known = context.EverCommissioned(rejected);
        var commissioned = new HashSet<string>(StringComparer.Ordinal);
        var closed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < ordered.Count; i++)
        {
            var fact = ordered[i];
            if (fact.Kind == FactKind.Commission)
            {
                commissioned.Add(fact.Epc);
                if (_flags.TryGetValue(fact.Epc, out var flags))
                {
                    ordered[i] = fact with { IsPartial = flags.IsPartial, IsMixed = flags.IsMixed };
                }
            }
            else if (fact.Kind == FactKind.Reject)
            {
                ordered[i] = fact with { IsOfUnit = commissioned.Contains(fact.Epc) || known.Contains(fact.Epc) };
            }
        }
        for (var i = ordered.Count - 1; i >= 0 && mapping.ClosesContainers; i--)
        {
            if (ordered[i] is { Kind: FactKind.Pack, Parent: { } parent } && closed.Add(parent))
            {
                ordered[i] = ordered[i] with { IsClosing = true };
            }
        }
        return ordered;
    }
}
