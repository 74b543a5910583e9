using Epcis;
using Epcis.Events;
using Epcis.Formats;

namespace Gateway.Intake;

/// <summary>
/// Reads a file by its mapping as if it were an EPCIS document: the records, the facts they say, and the events those make. The file
/// is read whole before its first event, because a refusal is of all of it and facts are in the order of time.
/// </summary>
internal sealed class IntakeReader(Stream bytes, Mapping mapping, IntakeContext context) : EpcisReader
{
    private static readonly DocumentHeader s_header = new() { DocumentType = "EPCISDocument", Namespaces = LineEvents.Namespaces };
    private readonly List<IntakeFinding> _told = [];
    private IEnumerator<EpcisEvent>? _events;
    private int _count;

    /// <inheritdoc/>
    public override DocumentForm Form => DocumentForm.Unknown;

    /// <inheritdoc/>
    public override DocumentHeader Header => _header;

    private DocumentHeader _header = s_header;

    /// <inheritdoc/>
    public override Findings Findings { get; } = new();

    /// <inheritdoc/>
    public override bool IsBroken => Refusal is not null;

    /// <inheritdoc/>
    public override EpcisEvent Current => _events!.Current;

    /// <summary>Why the file is refused as a whole; null when it is not.</summary>
    public (string Code, string Detail)? Refusal { get; private set; }

    /// <summary>What was found of records and of the file; in the order of the file, and of the file as a whole last.</summary>
    public IReadOnlyList<IntakeFinding> Told => _told;

    /// <summary>What machines counted.</summary>
    public IReadOnlyDictionary<string, int> Counters { get; private set; } = new Dictionary<string, int>();

    /// <summary>Reads the file, so that whatever is found of it is told before its first event. Else the first <see cref="Read"/> does.</summary>
    public void Prepare()
    {
        if (_events is not null || IsBroken)
        {
            return;
        }
        try
        {
            _events = Events().GetEnumerator();
        }
        catch (FileRefusedException refused)
        {
            Refuse(refused.Code, refused.Message);
        }
    }

    private void Refuse(string code, string detail)
    {
        Refusal = (code, detail);
        _told.Clear(); // of a file that is refused only that counts
        Findings.Add(new Finding(code, Severity.Error, $"The file is refused: {detail}."));
    }

    /// <inheritdoc/>
    public override bool Read()
    {
        Prepare();
        if (IsBroken || !_events!.MoveNext())
        {
            return false;
        }
        if (++_count > context.MaxEvents)
        {
            Refuse(IntakeCodes.TooMany, FormattableString.Invariant($"more than {context.MaxEvents} events"));
            return false;
        }
        return true;
    }

    private IEnumerable<EpcisEvent> Events()
    {
        if (mapping.Kind == ReaderKind.Epcis)
        {
            var epcis = new EpcisIntake(bytes, mapping, context);
            var events = epcis.Read();
            _header = epcis.Header;
            Tell(epcis.Findings);
            return events;
        }
        var reader = SourceReader.Of(mapping);
        var facts = new RecordFacts(mapping, context);
        var scans = mapping.Kind == ReaderKind.Scans ? facts.Scans() : null;
        string? line = null;
        var count = 0;
        foreach (var record in reader.Read(bytes))
        {
            if (++count > context.MaxRecords)
            {
                throw new FileRefusedException(IntakeCodes.TooMany, FormattableString.Invariant($"more than {context.MaxRecords} records"));
            }
            line ??= mapping.Line?.Of(record);
            if (scans is not null)
            {
                scans.See(record);
            }
            else
            {
                facts.See(record);
            }
        }
        scans?.End();
        Counters = reader.Counters;
        Tell(facts.Findings.Concat(reader.Findings));
        var place = (context.Line ?? line) is { } code ? context.Lines.GetValueOrDefault(code) : null;
        return new LineEvents(context, place).Of(facts.End());
    }

    private void Tell(IEnumerable<IntakeFinding> findings)
    {
        _told.AddRange(findings.OrderBy(f => f.Row ?? int.MaxValue));
        // Of many findings the first are kept: warnings must not crowd out what was set aside, nor that what is of the whole file.
        foreach (var finding in _told.OrderBy(f => f.IsWarning).ThenBy(f => f.Row is not null))
        {
            Findings.Add(new Finding(finding.Code, finding.IsWarning ? Severity.Warning : Severity.Error, finding.Sentence) { Where = new Place(finding.Row ?? 0, 0), Got = finding.Got });
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _events?.Dispose();
}
