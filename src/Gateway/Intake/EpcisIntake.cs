using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>
/// EPCIS as lines and enterprise systems write it, not always as the schema wants it: read without the schema, its own attributes taken for lot, expiry
/// and reason where the mapping says so, its identifiers written as master data know them. The number of a record is the event's place in the document.
/// </summary>
internal sealed class EpcisIntake(Stream bytes, Mapping mapping, IntakeContext context)
{
    private readonly UnitNames _names = new(context.Known);

    public List<IntakeFinding> Findings { get; } = [];
    public DocumentHeader Header { get; private set; } = new();

    /// <summary>In the order of time.</summary>
    public IReadOnlyList<EpcisEvent> Read()
    {
        using var reader = EpcisDocument.Open(bytes, ReaderLimits.Default, static (xml, limits) => new XmlEpcisReader(xml, null, limits));
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            if (events.Count >= context.MaxRecords)
            {
                throw new FileRefusedException(IntakeCodes.TooMany, FormattableString.Invariant($"more than {context.MaxRecords} events"));
            }
            events.Add(reader.Current);
        }
        if (reader.IsBroken)
        {
            throw Refusal(reader.Findings);
        }
        Header = reader.Header with { Namespaces = reader.Header.Namespaces.Where(n => n.Key is not ("gw" or "cbvmda")).Concat(LineEvents.Namespaces).ToDictionary() };
        var faulty = reader.Findings.All.Where(f => f is { Severity: Severity.Error, Event: not null }).ToLookup(f => f.Event!.Value);
        var taken = new List<EpcisEvent>();
        foreach (var e in events)
        {
            if (Fault(e, faulty[e.Index]) is { } fault)
            {
                Findings.Add(new IntakeFinding(fault.Code, e.Index + 1, fault.Why, Got: fault.Got));
            }
            else
            {
                taken.Add(Mapped(e));
            }
        }
        return [.. taken.OrderBy(e => e.EventTime!.Value.UtcTicks).ThenBy(KindOf).ThenBy(e => e.Index)];
    }

    private static FactKind KindOf(EpcisEvent e) => EventFacts.Of(new LedgerEvent(e, 0)) is [var first, ..] ? first.Kind : FactKind.Observe;

    // What keeps an event from being stored at all; what else a schema would want is the reason why it is read without one.
    private IntakeFault? Fault(EpcisEvent e, IEnumerable<Finding> errors)
    {
        if (e.EventTime is not { } time)
        {
            return new IntakeFault(IntakeCodes.TimeInvalid, errors.FirstOrDefault()?.Message ?? "There is no time.", e.EventTimeText);
        }
        if (time > context.ReceivedAt + context.FutureTolerance)
        {
            return new IntakeFault(IntakeCodes.TimeFuture, $"'{e.EventTimeText}' lies ahead of the gateway's clock.", e.EventTimeText);
        }
        return e is ObjectEvent { Action: null } or AggregationEvent { Action: null } ? new IntakeFault(IntakeCodes.Missing, "There is no action.") : null;
    }

    private EpcisEvent Mapped(EpcisEvent e)
    {
        var row = e.Index + 1;
        var record = RecordOf(e);
        var rule = mapping.Rules.FirstOrDefault(r => (r.Kind == "row" || r.Kind == e.EventType) && r.When?.Fits(record) != false);
        var sources = (rule?.Sources ?? new FactSources()).Or(mapping.Facts);
        var extensions = e.Extensions.Append(LineEvents.Word("row", row.ToString(System.Globalization.CultureInfo.InvariantCulture))).ToList();
        if (rule?.Say is [var said, ..])
        {
            e = e with { BizStep = StepOf(said.Kind, e.BizStep) };
        }
        if (sources.Reason?.Of(record) is { } reason)
        {
            extensions.Add(LineEvents.Word("reason", reason.Replace(' ', '_')));
        }
        e = e with { Extensions = extensions };
        return e switch
        {
            ObjectEvent o => o with { EpcList = Named(o.EpcList, row), Ilmd = IlmdOf(o, record, sources) },
            AggregationEvent a => a with { ParentId = a.ParentId is { } parent ? Named([parent], row)[0] : null, ChildEpcs = Named(a.ChildEpcs, row) },
            _ => e,
        };
    }

    private static string? StepOf(FactKind kind, string? step) => kind switch
    {
        FactKind.Sample => "urn:epcglobal:cbv:bizstep:sampling",
        FactKind.Reject or FactKind.ReworkOk => "urn:epcglobal:cbv:bizstep:inspecting",
        FactKind.Decommission => "urn:epcglobal:cbv:bizstep:decommissioning",
        FactKind.Destroy => "urn:epcglobal:cbv:bizstep:destroying",
        _ => step,
    };

    /// <summary>The event's fields, and its extensions by their paths, as rules name them.</summary>
    private static SourceRecord RecordOf(EpcisEvent e)
    {
        var record = new SourceRecord(e.Index + 1, e.EventType, new Dictionary<string, string>());
        record.Values["action"] = e.Action?.ToString().ToUpperInvariant() ?? "";
        record.Values["bizStep"] = e.BizStep is { } step ? Epcis.Cbv.CbvTerms.ToBare(Epcis.Cbv.CbvVocabulary.BizStep, step) : "";
        record.Values["disposition"] = e.Disposition is { } disposition ? Epcis.Cbv.CbvTerms.ToBare(Epcis.Cbv.CbvVocabulary.Disposition, disposition) : "";
        Add(e.Extensions, "");
        if (e is ObjectEvent o)
        {
            Add(o.Ilmd, "ilmd/");
        }
        return record;

        void Add(IReadOnlyList<Extension> extensions, string path)
        {
            foreach (var extension in extensions)
            {
                record.Values[path + extension.Name] = (extension.Text ?? extension.Json?.Trim('"') ?? "").Trim();
                Add(extension.Children, path + extension.Name + "/");
            }
        }
    }

    private IReadOnlyList<string> Named(IReadOnlyList<string> epcs, int row)
    {
        var named = new List<string>(epcs.Count);
        foreach (var epc in epcs)
        {
            if (_names.FromEpc(epc, out _) is not { } unit)
            {
                named.Add(epc); // no unit of the ledger
                continue;
            }
            named.Add(unit.Epc);
            if (unit.Given is { } given)
            {
                Findings.Add(new IntakeFinding(IntakeCodes.PrefixLength, row, $"{given} is {unit.Epc}.", unit.Epc, More: [("given", given)]));
            }
        }
        return named;
    }

    private IReadOnlyList<Extension> IlmdOf(ObjectEvent e, SourceRecord record, FactSources sources)
    {
        if (e.Action != EventAction.Add)
        {
            return e.Ilmd;
        }
        var ilmd = e.Ilmd.ToList();
        Add("lotNumber", sources.Lot?.Of(record));
        Add("itemExpirationDate", sources.Expiry?.Of(record) is { } text && LocalTimes.Date(text, mapping.DatePatterns, context.ReceivedAt.Year) is { } day ? day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) : null);
        return ilmd;

        void Add(string name, string? text)
        {
            if (text is not null && ilmd.TrueForAll(x => x.Name != name))
            {
                ilmd.Add(new Extension("urn:epcglobal:cbv:mda", "cbvmda", name) { Text = text });
            }
        }
    }

    private static FileRefusedException Refusal(Findings findings)
    {
        var first = findings.All.FirstOrDefault(f => f.Severity == Severity.Error);
        var message = first?.Message ?? "it cannot be read";
        return new FileRefusedException(first?.Code switch
        {
            "EPCIS-XML-02" => IntakeCodes.Dtd,
            "EPCIS-XML-04" => IntakeCodes.Encoding,
            _ when message.Contains("end of file", StringComparison.OrdinalIgnoreCase) || message.Contains("not closed", StringComparison.OrdinalIgnoreCase) => IntakeCodes.Truncated,
            _ => IntakeCodes.Malformed,
        }, message.TrimEnd('.'));
    }
}
