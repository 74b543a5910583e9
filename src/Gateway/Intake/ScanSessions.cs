using Epcis.Identifiers;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>
/// What somebody does with a handheld scanner: a container is opened by its label, units are scanned into it, and the label closes it. A
/// scan that fails is set aside and is no child; nothing is guessed.
/// </summary>
internal sealed class ScanSessions(Mapping mapping, IntakeContext context, UnitNames names, LocalTimes times, List<LineFact> facts, List<IntakeFinding> findings)
{
    private static readonly ObjectForm[] s_data = [new ObjectForm { Elements = Source.Parse("data") }];
    private readonly Dictionary<string, Session> _open = new(StringComparer.Ordinal);

    private sealed record Session(UnitName Container, int Row)
    {
        public List<(string Epc, int Row)> Children { get; } = [];
    }

    public void See(SourceRecord record)
    {
        if (record.Fault is { } fault || (fault = Scan(record)) is not null)
        {
            findings.Add(new IntakeFinding(fault.Code, record.Row, fault.Why, Got: fault.Got));
        }
    }

    private IntakeFault? Scan(SourceRecord record)
    {
        var (timeColumn, scannerColumn, modeColumn, dataColumn) = mapping.Form.ScanColumns;
        var (mode, scanner) = (record.Values.GetValueOrDefault(modeColumn, "").Trim(), record.Values.GetValueOrDefault(scannerColumn, ""));
        var zone = mapping.Zone is null ? null : mapping.Zone.Of(record) ?? context.SiteZone;
        if (mapping.Zone is not null && zone is null)
        {
            return new IntakeFault(IntakeCodes.TimeInvalid, "There is no time zone.");
        }
        if (times.Read(record.Values.GetValueOrDefault(timeColumn, "").Trim(), zone, out var fault) is not { } time)
        {
            return fault;
        }
        if (time > context.ReceivedAt + context.FutureTolerance)
        {
            return new IntakeFault(IntakeCodes.TimeFuture, "The scan lies ahead of the gateway's clock.");
        }
        record.Values["data"] = record.Values.GetValueOrDefault(dataColumn, "").Trim(' ', '\r');
        if (names.Read(s_data, record, out fault) is not { } unit)
        {
            return fault ?? new IntakeFault(IntakeCodes.Missing, "Nothing was scanned.");
        }
        var open = _open.GetValueOrDefault(scanner);
        if (mapping.Form.OpenModes.Contains(mode))
        {
            if (open is not null)
            {
                NotClosed(open);
            }
            _open[scanner] = new Session(unit, record.Row);
            return Commission(unit, time, record.Row, scanner);
        }
        if (mapping.Form.AddModes.Contains(mode))
        {
            if (open is null)
            {
                return new IntakeFault(IntakeCodes.ScanNotOpen, "No container is open.", record.Values["data"]);
            }
            open.Children.Add((unit.Epc, record.Row));
            // What is in a container already has its own life; a saleable pack begins here.
            return IsPack(unit) ? Commission(unit, time, record.Row, scanner) : null;
        }
        if (mapping.Form.CloseModes.Contains(mode) || mapping.Form.PartialModes.Contains(mode))
        {
            if (open is null || open.Container.Key != unit.Key)
            {
                return new IntakeFault(IntakeCodes.ScanNotOpen, open is null ? "No container is open." : $"Open is {open.Container.Epc}, and {unit.Epc} was closed.", record.Values["data"]);
            }
            _open.Remove(scanner);
            for (var i = 0; i < open.Children.Count; i++)
            {
                facts.Add(new LineFact(FactKind.Pack, open.Children[i].Epc, time, open.Children[i].Row)
                {
                    Parent = unit.Epc, Device = scanner, IsPartial = mapping.Form.PartialModes.Contains(mode), IsClosing = i == open.Children.Count - 1,
                });
            }
            return null;
        }
        return new IntakeFault(IntakeCodes.Unknown, $"'{mode}' is no mode of the mapping.", mode);
    }

    private IntakeFault? Commission(UnitName unit, DateTimeOffset time, int row, string scanner)
    {
        DateOnly? expiry = unit.Expiry is { } text ? Gs1Date.Read(text, context.ReceivedAt.Year) : null;
        if (unit.Expiry is not null && expiry is null)
        {
            return new IntakeFault(IntakeCodes.DateInvalid, $"'{unit.Expiry}' is no date.", unit.Expiry);
        }
        facts.Add(new LineFact(FactKind.Commission, unit.Epc, time, row) { Lot = unit.Lot, Expiry = expiry, Device = scanner });
        return null;
    }

    private bool IsPack(UnitName unit) =>
        UnitKey.GtinOf(unit.Key) is { IsEmpty: false } gtin && (context.Known.Find(gtin.ToString()) is { Level: { } level } ? level == "unit" : gtin[0] == '0');

    private void NotClosed(Session session) =>
        findings.Add(new IntakeFinding(IntakeCodes.ScanNotClosed, session.Row, $"{session.Container.Epc} was opened and never closed.", session.Container.Epc));

    public void End()
    {
        foreach (var session in _open.Values)
        {
            NotClosed(session);
        }
    }
}
