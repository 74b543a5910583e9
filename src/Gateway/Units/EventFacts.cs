using System.Globalization;
using Epcis.Cbv;
using Epcis.Events;

namespace Gateway.Units;

/// <summary>What an event says of units, as facts (LINES.md section 2, last column; DSCSA.md section 3; and what others send).</summary>
public static class EventFacts
{
    /// <summary>
    /// The namespace of what lines say and EPCIS has no word for (docs/decisions/0027): of a container <c>partial</c>, <c>mixed</c> and
    /// <c>closed</c>, each <c>true</c>; <c>reason</c>; and <c>at</c>, how many milliseconds after the event time each object of the list had its turn.
    /// </summary>
    public const string LineNamespace = "urn:gateway:line";

    /// <summary>A bizStep that begins so is internal to a line: its event is stored with the others and given to nobody.</summary>
    public const string InternalStep = LineNamespace + ":";

    private const string StepRoot = "urn:gateway:";

    // The first row that fits decides. A fact with a question mark is meant only where it fits the unit's state. Whatever no row
    // fits is an observation: it moves no state and may tell a place.
    private const string Rows = """
        event           action   bizStep          disposition         fact

        Object          any      dispensing       partially_dispensed OBSERVE
        Object          any      void_shipping    any                 VOID_SHIP
        Object          any      encoding         any                 ENCODE
        Object          any      line:allocate    any                 ALLOCATE
        Object          any      line:unused      any                 UNUSED
        Object          any      line:void        any                 VOID
        Object          any      line:encode      any                 ENCODE
        Object          any      line:scrap       any                 SCRAP
        Object          any      line:reject      any                 REJECT
        Object          ADD      any              any                 COMMISSION
        Object          any      destroying       any                 DESTROY
        Object          DELETE   any              destroyed           DESTROY
        Object          DELETE   any              any                 DECOMMISSION
        Object          OBSERVE  decommissioning  any                 DECOMMISSION
        Object          OBSERVE  dispensing       any                 DECOMMISSION
        Object          OBSERVE  retail_selling   any                 DECOMMISSION
        Object          OBSERVE  shipping         any                 SHIP
        Object          OBSERVE  receiving        returned            RETURN
        Object          OBSERVE  receiving        any                 RECEIVE
        Object          OBSERVE  sampling         any                 SAMPLE
        Object          OBSERVE  inspecting       non_sellable_other  REJECT
        Object          OBSERVE  inspecting       active              REWORK_OK? RELEASE
        Object          OBSERVE  holding          any                 HOLD
        Aggregation     ADD      any              any                 PACK
        Aggregation     DELETE   any              any                 UNPACK
        Transformation  input    any              any                 DECOMMISSION
        Transformation  output   any              any                 COMMISSION
        """;

    private static readonly Row[] s_rows = [.. Rows.Split('\n').Skip(2).Select(Row.Read)];

    private static readonly (FactKind, bool)[] s_observe = [(FactKind.Observe, false)];

    /// <summary>The rows of the table, for a page that shows them: event, action, bizStep, disposition, fact.</summary>
    public static IEnumerable<IReadOnlyList<string>> Table => s_rows.Select(r => r.Cells);

    /// <summary>
    /// The facts of an event, in the order in which they are taken. An event without a time says none, and neither does an
    /// error declaration: it takes facts back, which is for <see cref="UnitBook.Replay"/>.
    /// </summary>
    public static IReadOnlyList<UnitFact> Of(LedgerEvent said)
    {
        var e = said.Event;
        if (e.EventTime is not { } time || e.ErrorDeclaration is not null)
        {
            return [];
        }
        var facts = new List<UnitFact>(2);
        switch (e)
        {
            case ObjectEvent o:
                Add(e.Action, o.EpcList, null, o.Ilmd);
                break;
            // Children that are named by class only are no units, and are not all children either.
            case AggregationEvent { ParentId: { } parent, Action: not EventAction.Observe } a when a.ChildEpcs.Count > 0 || a.ChildQuantityList.Count == 0:
                Add(e.Action, a.ChildEpcs, parent, []);
                break;
            case TransformationEvent t:
                AddOf("Transformation", "input", t.InputEpcList, null, []);
                AddOf("Transformation", "output", t.OutputEpcList, null, t.Ilmd);
                break;
            default:
                var seen = new List<string>();
                foreach (var (_, epc) in e.Epcs)
                {
                    seen.Add(epc);
                }
                AddOf("", "", seen, null, []);
                break;
        }
        return facts;

        void Add(EventAction? action, IReadOnlyList<string> epcs, string? parent, IReadOnlyList<Extension> ilmd) =>
            AddOf(e.EventType[..^"Event".Length], action?.ToString().ToUpperInvariant() ?? "", epcs, parent, ilmd);

        void AddOf(string type, string action, IReadOnlyList<string> epcs, string? parent, IReadOnlyList<Extension> ilmd)
        {
            if (epcs.Count == 0 && parent is null)
            {
                return;
            }
            var (step, disposition) = (IsInternal(e) ? e.BizStep![StepRoot.Length..] : Bare(CbvVocabulary.BizStep, e.BizStep), Bare(CbvVocabulary.Disposition, e.Disposition));
            var reason = Text(e.Extensions, "reason", LineNamespace) is { Length: > 0 } word ? Word(word)
                : disposition is null or "active" or "in_progress" or "in_transit" or "inactive" ? null : Word(disposition);
            foreach (var (kind, onlyIfItFits) in Array.Find(s_rows, r => r.Fits(type, action, step, disposition))?.Facts ?? s_observe)
            {
                var fact = new UnitFact(kind, time, said.Number, epcs)
                {
                    Parent = parent,
                    Lot = Text(ilmd, "lotNumber") is { Length: > 0 } lot ? Storable(lot) : null,
                    Expiry = Day(Text(ilmd, "itemExpirationDate")),
                    Place = Storable(PlaceOf(kind, e)),
                    Holder = Storable(HolderOf(kind, e)),
                    Reason = reason,
                    IsPartial = IsSaid("partial"),
                    IsMixed = IsSaid("mixed"),
                    IsClosing = IsSaid("closed"),
                    IsOnlyIfItFits = onlyIfItFits,
                    RecordedAt = said.RecordedAt,
                };
                facts.AddRange(EachAtItsTime(fact, Text(e.Extensions, "at", LineNamespace)));
            }

            bool IsSaid(string name) => Text(e.Extensions, name, LineNamespace) == "true" || Text(ilmd, name, LineNamespace) == "true";
        }
    }

    /// <summary>Whether an event is internal to a line.</summary>
    public static bool IsInternal(EpcisEvent e) => e.BizStep?.StartsWith(InternalStep, StringComparison.Ordinal) == true;

    /// <summary>What happened one after another and is one event: a fact for each moment. A list that does not fit the objects says nothing.</summary>
    private static IEnumerable<UnitFact> EachAtItsTime(UnitFact fact, string? at)
    {
        if (at is null || fact.Time.Year > 9000 || at.Split(' ') is not { } texts || texts.Length != fact.Epcs.Count)
        {
            return [fact];
        }
        var facts = new List<UnitFact>();
        var (start, since) = (0, 0);
        for (var i = 0; i < texts.Length; i++)
        {
            if (!int.TryParse(texts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
            {
                return [fact];
            }
            if (i > 0 && milliseconds != since)
            {
                facts.Add(Some(start, i, since));
                start = i;
            }
            since = milliseconds;
        }
        facts.Add(Some(start, texts.Length, since));
        return facts;

        UnitFact Some(int from, int to, int milliseconds) => fact with { Time = fact.Time.AddMilliseconds(milliseconds), Epcs = [.. fact.Epcs.Skip(from).Take(to - from)] };
    }

    /// <summary>The container that an event empties without naming what leaves it: then its contents are needed too.</summary>
    public static string? Emptied(EpcisEvent e) =>
        e is AggregationEvent { Action: EventAction.Delete, ParentId: { } parent, ChildEpcs.Count: 0, ChildQuantityList.Count: 0 } ? parent : null;

    // What is shipped is afterwards nowhere that could be named; the last that is known is where it was seen leaving.
    private static string? PlaceOf(FactKind kind, EpcisEvent e) =>
        kind == FactKind.Ship ? e.ReadPoint?.Id ?? e.BizLocation?.Id : e.BizLocation?.Id ?? e.ReadPoint?.Id;

    // The owner may be somebody who never sees the goods (a drop shipment), so only who possesses them, or their place, tells.
    private static string? HolderOf(FactKind kind, EpcisEvent e) => kind switch
    {
        FactKind.Ship => End(e.Sources, "possessing_party"),
        FactKind.Receive or FactKind.Return => End(e.Destinations, "possessing_party") ?? End(e.Destinations, "location"),
        _ => null,
    };

    /// <summary>Where an event says that its objects go.</summary>
    /// <param name="type">A bare CBV word such as <c>location</c>.</param>
    internal static string? DestinationOf(EpcisEvent e, string type) => End(e.Destinations, type);

    private static string? End(IReadOnlyList<SourceOrDestination> ends, string type)
    {
        foreach (var end in ends)
        {
            if (CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, end.Type) == type)
            {
                return end.Value;
            }
        }
        return null;
    }

    private static string? Bare(CbvVocabulary vocabulary, string? value) => value is null ? null : CbvTerms.ToBare(vocabulary, value);

    private static string? Text(IReadOnlyList<Extension> extensions, string name, string? @namespace = null)
    {
        foreach (var extension in extensions)
        {
            if (extension.Name == name && (@namespace is null || extension.Namespace == @namespace))
            {
                return (extension.Text ?? extension.Json?.Trim('"'))?.Trim();
            }
        }
        return null;
    }

    // PostgreSQL's text has no U+0000.
    private static string? Storable(string? text) => text?.Replace('\0', '\uFFFD');

    // Reasons stand beside each other, apart by blanks.
    private static string Word(string text) => Storable(text)!.Replace(' ', '_');

    private static DateOnly? Day(string? text) =>
        text is { Length: >= 10 } && DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    private sealed record Row(string[] Cells, (FactKind Kind, bool OnlyIfItFits)[] Facts)
    {
        public static Row Read(string line)
        {
            var cells = new[] { line[..16].Trim(), line[16..25].Trim(), line[25..42].Trim(), line[42..62].Trim(), line[62..].Trim() };
            return new Row(cells, [.. cells[4].Split(' ').Select(word => (Lifecycle.FactOf(word.TrimEnd('?')), word.EndsWith('?')))]);
        }

        public bool Fits(string type, string action, string? step, string? disposition) =>
            Cells[0] == type && Fits(Cells[1], action) && Fits(Cells[2], step) && Fits(Cells[3], disposition);

        private static bool Fits(string cell, string? word) => cell == "any" || cell == word;
    }
}
