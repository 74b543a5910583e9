using System.Security.Cryptography;
using System.Text;
using Dapper;
using Epcis;
using Epcis.Cbv;
using Epcis.Conversion;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Rules;
using Gateway.Access;
using Gateway.Database;
using Gateway.Delivery;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Composing;

/// <summary>What came of composing: a document, or why there is none, or what it is to be divided into.</summary>
internal sealed record Composition
{
    public ComposedContent? Content { get; init; }
    public byte[] Sha256 { get; init; } = [];
    public IReadOnlyList<ComposeFinding> Findings { get; init; } = [];
    public IReadOnlyList<string[]> Parts { get; init; } = [];

    /// <summary>A correction of which nothing concerns what it corrects; the findings say so, where that is told to nobody else.</summary>
    public bool IsNothing { get; init; }
}

/// <summary>
/// Composes the document that a partner must have of a shipment: the history of exactly what is shipped to it, and the shipment. Memory holds a few
/// events, and some bytes for each unit; the document goes to a file, and is stored only when our own reader, the schema and the rules pass it.
/// </summary>
internal sealed class ComposeDocument(GatewayDatabase database, ComposeQueue queue, KnownMasterData masterData, StatementAuthorisations statements)
{
    private const int EventsAtOnce = 20, MaxFindings = 50;

    // A unit is commissioned, and packed or shipped: in each form its EPC is told twice, and no SGTIN or SSCC is shorter than this with what stands around it.
    private const int LeastBytesOfUnit = 64;
    private static readonly Actor Gateway = Actor.System("composing");

    /// <param name="spool">Empty, seekable; afterwards it holds the document, at its beginning.</param>
    public async Task<Composition> ComposeAsync(ClaimedComposition of, Stream spool, CancellationToken ct)
    {
        var known = await masterData.ReadAsync(ct);
        var plan = await PlanAsync(of, known, ct);
        if (plan.Findings.Count > 0)
        {
            return new Composition { Findings = plan.Findings };
        }
        if (plan.Shipments.Count == 0)
        {
            return new Composition
            {
                IsNothing = of.Kind != "shipment",
                Findings = [of.Kind == "shipment"
                    ? new ComposeFinding("compose.invalid", "", "The shipment names no unit by its serial number, and what is told by quantities alone has no history to tell.")
                    : new ComposeFinding("compose.invalid", "", "Nothing of what is taken back was in the document that is to be corrected.")],
            };
        }
        var frame = new DocumentFrame(of, known);
        var form = of.Format switch { "1.2-xml" => DocumentForm.Xml12, "2.0-xml" => DocumentForm.Xml20, _ => DocumentForm.JsonLd20 };
        var told = new Findings();
        var translation = new IdentifierTranslation(
            new ConversionOptions(form) { EpcFormat = of.Ids == "epc" ? EpcFormat.AlwaysEpcUrn : EpcFormat.AlwaysDigitalLink, CompanyPrefixes = known.Prefixes }, told);
        // The header is written first, and is known when every event was seen.
        var lacks = new LotLacks();
        await foreach (var (e, _) in EventsAsync(plan, isFirst: true, ct))
        {
            frame.See(translation.Of(e));
            lacks.See(e);
        }
        var (statement, unsaid) = await StatementAsync(plan, of, ct);
        var header = frame.Header(plan.Shipments[0].Event, statement);
        List<ComposeFinding> findings = [.. of.Regulation == "us-dscsa" ? lacks.Findings : [], .. frame.Findings, .. unsaid];
        if (findings.Count > 0)
        {
            return new Composition { Findings = [.. findings.Take(MaxFindings)] };
        }
        var events = await WriteAsync(plan, header, translation, form, spool, told, ct);
        if (events > (of.MaxEvents ?? int.MaxValue) || spool.Length > (of.MaxBytes ?? long.MaxValue))
        {
            var timesTooLarge = Math.Max((double)events / (of.MaxEvents ?? int.MaxValue), (double)spool.Length / (of.MaxBytes ?? long.MaxValue));
            return Divide(of, plan, timesTooLarge * plan.Tops.Count / plan.Seen);
        }
        spool.Position = 0;
        Check(spool, of, told, ct);
        if (told.HasErrors)
        {
            return new Composition { Findings = [.. told.All.Where(f => f.Severity == Severity.Error).Take(MaxFindings).Select(f => new ComposeFinding("compose.invalid", f.Code, f.Message))] };
        }
        spool.Position = 0;
        var sha256 = await SHA256.HashDataAsync(spool, ct);
        spool.Position = 0;
        return new Composition
        {
            Sha256 = sha256,
            Content = new ComposedContent(of.Format, events, plan.Shipped.Count, spool.Length, plan.Cut.Count, statement is not null,
                [.. plan.Shipped.LeftOut().Concat(plan.Cut.LeftOut).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => new LeftOut(l.Key, l.Value.Count, l.Value.Samples))]),
        };
    }

    /// <summary>What goes into the document.</summary>
    /// <param name="Shipments">The shipping events, or what takes them back, as they are told.</param>
    private sealed record Plan(ShippedUnits Shipped, EventCut Cut, IReadOnlyList<(EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces)> Shipments, IReadOnlyList<string> Tops, bool HasHistory)
    {
        public IReadOnlyList<ComposeFinding> Findings { get; init; } = [];

        /// <summary>How many of the tops were looked into: fewer than there are, where these alone are more than a document may hold.</summary>
        public int Seen { get; init; } = Tops.Count;
    }

    private async Task<Plan> PlanAsync(ClaimedComposition of, MasterDataSnapshot known, CancellationToken ct)
    {
        var own = (await ReadAsync(of.ShipmentEvents, ct)).OrderBy(e => e.Event.EventTime).ThenBy(e => e.Number).ToList();
        var (sent, sentEpcs, sentAs) = (own, of.ShipmentEpcs, of.MessageId);
        if (of.Corrects is { } corrects)
        {
            var (numbers, epcs, document) = await queue.CorrectedAsync(corrects, ct);
            (sent, sentEpcs, sentAs) = (await ReadAsync(numbers, ct), epcs, document);
        }
        var only = sentEpcs?.Select(e => UnitKey.Of(e) ?? e).ToHashSet(StringComparer.Ordinal);
        var tops = new List<string>();
        // One transaction sees one state of the events and of the ledger.
        await using var work = await database.BeginAsync(Gateway, ct, System.Data.IsolationLevel.RepeatableRead);
        var shipped = new ShippedUnits(work, gtin => known.Find(gtin)?.Holds is not null);
        var seen = 0;
        foreach (var (e, number, _) in sent)
        {
            List<string> named = [.. e.Epcs.Where(x => x.Role is EpcRole.Epc or EpcRole.Parent).Select(x => x.Epc).Where(epc => only is null || only.Contains(UnitKey.Of(epc) ?? epc))];
            tops.AddRange(named);
            // What is to be divided is not looked into to its end: whatever is shipped, memory holds little more than one part of it.
            for (var (at, some) = (0, of.MaxEvents is null && of.MaxBytes is null || of.Kind != "shipment" ? named.Count : 1); at < named.Count && !IsTooLarge(of, shipped); at += some, some *= 2)
            {
                var next = named[at..Math.Min(at + some, named.Count)];
                await shipped.AddAsync(next, e.EventTime!.Value.UtcDateTime, [.. sent.Select(s => s.Number), .. of.ShipmentEvents], ct);
                seen += next.Count;
            }
        }
        var cut = new EventCut(shipped, of);
        return of.Kind switch
        {
            "shipment" => new Plan(shipped, cut, [.. own.Select(Told).Where(IsSaid)], tops, HasHistory: true) { Findings = [.. Findings(shipped)], Seen = seen },
            // Whoever agreed that it is destroyed knows what it was.
            "evidence" => new Plan(shipped, cut, [.. own.Select(Told)], tops, HasHistory: false),
            _ => new Plan(shipped, cut, [.. Corrections.Of(of, own[0], sent, cut, sentEpcs is null ? null : sentAs).Where(IsSaid)], tops, HasHistory: false),
        };

        (EpcisEvent, long, IReadOnlyDictionary<string, string>?) Told((EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces) s) => (cut.OfShipment(s.Event, s.Number), s.Number, s.Namespaces);

        bool IsSaid((EpcisEvent Event, long, IReadOnlyDictionary<string, string>?) e) => e.Event.Epcs.Any() || of.Regulation == "none" && e.Event.Quantities.Any();
    }

    /// <summary>Whatever else is added, it does not fit into one document.</summary>
    private static bool IsTooLarge(ClaimedComposition of, ShippedUnits shipped) =>
        of.Kind == "shipment" && (shipped.EventCount > (of.MaxEvents ?? int.MaxValue) || (long)shipped.Count * LeastBytesOfUnit > (of.MaxBytes ?? long.MaxValue));

    private static IEnumerable<ComposeFinding> Findings(ShippedUnits shipped)
    {
        foreach (var (lack, (count, units)) in shipped.Lacks.OrderBy(l => l.Key))
        {
            var more = count > units.Count ? FormattableString.Invariant($" There are {count} such units.") : "";
            foreach (var unit in units)
            {
                yield return lack switch
                {
                    UnitLack.Held => new ComposeFinding("compose.held", unit, $"{unit} is held.{more}"),
                    UnitLack.Empty => new ComposeFinding("compose.path", unit, $"Nothing is known to be in {unit}.{more}"),
                    UnitLack.NotCommissioned => new ComposeFinding("compose.path", unit, $"No event tells how {unit} was commissioned.{more}"),
                    _ => new ComposeFinding("compose.path", unit, $"{unit} is no SGTIN or SSCC, so what it holds is not known.{more}"),
                };
            }
        }
    }

    /// <summary>The events as they are told, in their order.</summary>
    private async IAsyncEnumerable<(EpcisEvent Event, IReadOnlyDictionary<string, string>? Namespaces)> EventsAsync(Plan plan, bool isFirst, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var shipments = new Queue<(EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces)>(plan.Shipments);
        foreach (var some in (plan.HasHistory ? plan.Shipped.History : []).Chunk(EventsAtOnce))
        {
            var read = (await ReadAsync([.. some.Select(s => s.EventId)], ct)).ToDictionary(e => e.Number);
            foreach (var mark in some)
            {
                while (shipments.TryPeek(out var shipment) && shipment.Event.EventTime!.Value.UtcDateTime < mark.Time)
                {
                    yield return (shipment.Event, shipment.Namespaces);
                    shipments.Dequeue();
                }
                var e = plan.Cut.OfHistory(read[mark.EventId].Event, mark, isFirst);
                if (e.Epcs.Any(x => x.Role != EpcRole.Parent))
                {
                    yield return (e, read[mark.EventId].Namespaces);
                }
            }
        }
        foreach (var shipment in shipments)
        {
            yield return (shipment.Event, shipment.Namespaces);
        }
    }

    private async Task<List<(EpcisEvent Event, long Number, IReadOnlyDictionary<string, string>? Namespaces)>> ReadAsync(long[] numbers, CancellationToken ct)
    {
        var events = new List<(EpcisEvent, long, IReadOnlyDictionary<string, string>?)>();
        foreach (var (number, body) in await database.ReadAsync<(long, string)>(Gateway, "select event_id, body from event where event_id = any(@numbers) order by event_id", new { numbers }, ct))
        {
            using var reader = JsonEpcisReader.ReadBareEvent(new MemoryStream(Encoding.UTF8.GetBytes(body)), StoredEvents.Limits);
            // What is stored was rendered here from a checked event, so it is one.
            events.Add(reader.Read() ? (reader.Current, number, reader.Header.Namespaces) : throw new InvalidOperationException($"Event {number} cannot be read back."));
        }
        return events;
    }

    /// <summary>Only where the owner changes, and the one who was authorised it. What nobody said is not said.</summary>
    private async Task<(string? LegalNotice, IEnumerable<ComposeFinding> Unsaid)> StatementAsync(Plan plan, ClaimedComposition of, CancellationToken ct)
    {
        string? notice = null;
        if (of.Regulation != "us-dscsa" || of.Kind != "shipment")
        {
            return (null, []);
        }
        foreach (var (e, _, _) in plan.Shipments)
        {
            if (ShipmentEnds.GlnOf(e.Sources, "owning_party") is { } from && ShipmentEnds.GlnOf(e.Destinations, "owning_party") is { } to && from != to)
            {
                var said = notice;
                notice = await statements.NoticeAsync(from, e.EventTime!.Value.UtcDateTime, ct);
                if (notice is not null && said is not null && said != notice)
                {
                    return (null, [new ComposeFinding("compose.statement", from, "Owners with different statements ship in one document, which has room for one.")]);
                }
                if (notice is null)
                {
                    return (null, [new ComposeFinding("compose.statement", from, $"The ownership changes, and nobody has recorded that {from} may make the transaction statement.")]);
                }
            }
        }
        return (notice, []);
    }

    private async Task<int> WriteAsync(Plan plan, DocumentHeader header, IdentifierTranslation translation, DocumentForm form, Stream spool, Findings told, CancellationToken ct)
    {
        var count = 0;
        if (form == DocumentForm.JsonLd20)
        {
            await using var json = new JsonDocumentWriter(spool, told);
            json.Begin(translation.Of(header));
            await foreach (var (e, namespaces) in EventsAsync(plan, isFirst: false, ct))
            {
                await json.CopyAsync(translation.Of(e), namespaces, ct);
                count++;
            }
            await json.EndAsync(ct);
            return count;
        }
        await using var xml = new XmlDocumentWriter(spool, form, told);
        xml.Begin(translation.Of(header));
        await foreach (var (e, namespaces) in EventsAsync(plan, isFirst: false, ct))
        {
            await xml.CopyAsync(translation.Of(e), namespaces, ct);
            count++;
        }
        await xml.EndAsync(ct);
        return count;
    }

    /// <summary>As a stranger's document is: by our own reader, the schema, and the rules of the regulation.</summary>
    private static void Check(Stream document, ClaimedComposition of, Findings told, CancellationToken ct)
    {
        using var reader = EpcisDocument.Open(document, ReaderLimits.Default with { MaxEvents = int.MaxValue, MaxBytes = long.MaxValue });
        var profile = of.Regulation != "us-dscsa" ? RuleProfile.None : of.Release == "R1.2" ? RuleProfile.Dscsa12 : RuleProfile.Dscsa13;
        var rules = new RuleSet(RuleSeverities.Of(profile)).Begin(reader.Findings);
        while (reader.Read())
        {
            ct.ThrowIfCancellationRequested();
            rules.See(reader.Current);
        }
        if (!reader.IsBroken)
        {
            rules.End(reader.Header);
        }
        foreach (var finding in reader.Findings.All)
        {
            told.Add(finding);
        }
    }

    /// <summary>Containers are not opened for it: each part has whole ones.</summary>
    private static Composition Divide(ClaimedComposition of, Plan plan, double timesTooLarge)
    {
        if (of.Kind != "shipment" || plan.Tops.Count < 2)
        {
            return new Composition { Findings = [new ComposeFinding("compose.limit", plan.Tops.FirstOrDefault() ?? "", "What is shipped as one container is more than the partner takes in a document.")] };
        }
        // Halved as often as it takes, in one step, so that the parts stay in order.
        var parts = (int)Math.Min(plan.Tops.Count, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Ceiling(Math.Min(timesTooLarge, plan.Tops.Count))));
        return new Composition { Parts = [.. plan.Tops.Chunk((plan.Tops.Count + parts - 1) / parts)] };
    }
}
