using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Epcis.Events;
using Gateway.Units;

namespace Gateway.Intake;

/// <summary>What a file came to, in the words of LINES.md: the same for a dry run, for a file that was taken in, and on the command line.</summary>
public sealed record IntakeResult
{
    /// <summary>How it is written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required string File { get; init; }

    /// <summary><c>accepted</c>, <c>accepted_with_exceptions</c> or <c>rejected</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>The gateway's clock when it came, UTC.</summary>
    public required string ReceivedAt { get; init; }

    public IReadOnlyList<Dictionary<string, object?>> FileErrors { get; init; } = [];

    /// <summary>What was applied, a fact for each unit.</summary>
    public IReadOnlyList<Dictionary<string, object?>> Facts { get; init; } = [];
    public IReadOnlyList<Dictionary<string, object?>> Exceptions { get; init; } = [];
    public IReadOnlyList<Dictionary<string, object?>> Warnings { get; init; } = [];

    /// <summary>Reasons by EPC.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Holds { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>States by EPC.</summary>
    public IReadOnlyDictionary<string, string> FinalState { get; init; } = new Dictionary<string, string>();

    /// <summary>Containers by EPC.</summary>
    public IReadOnlyDictionary<string, string> ParentOf { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> PartialContainers { get; init; } = [];

    /// <summary>The saleable packs by where each is in its life, as <see cref="UnitBalance"/> names the terms; empty for a file that is refused.</summary>
    public IReadOnlyDictionary<string, object> Reconciliation { get; init; } = new Dictionary<string, object>();
}

/// <summary>Replays what a file says on what is known, and tells what came of it.</summary>
internal sealed class IntakeReplay(IntakeReader reader, Mapping mapping, string file, DateTimeOffset receivedAt)
{
    private const string TimeForm = "yyyy-MM-ddTHH:mm:ss.fffZ";
    private readonly List<Dictionary<string, object?>> _facts = [];
    private readonly List<(int Order, int Row, Dictionary<string, object?> Exception)> _exceptions = [];

    /// <param name="events">Those of the file, and those that the ledger knows of the same units; in any order.</param>
    /// <param name="isOfFile">Whether an event is one of the file's.</param>
    /// <param name="book">An empty one, with the pack specifications.</param>
    public IntakeResult Run(IReadOnlyList<LedgerEvent> events, Func<long, bool> isOfFile, UnitBook book)
    {
        var own = events.Where(e => isOfFile(e.Number)).ToDictionary(e => e.Number, e => e.Event);
        if (reader.Refusal is var (code, detail))
        {
            return Result("rejected") with { FileErrors = [new() { ["code"] = code, ["detail"] = detail }] };
        }
        foreach (var finding in reader.Told.Where(f => !f.IsWarning))
        {
            _exceptions.Add((finding.Row is null ? 1 : 0, finding.Row ?? 0, Members(finding)));
        }
        foreach (var fact in events.SelectMany(EventFacts.Of).OrderBy(f => f.Stamp))
        {
            IReadOnlyList<string> before = fact is { Kind: FactKind.Unpack, Epcs.Count: 0, Parent: { } emptied } && book[emptied] is { } container ? [.. container.Contents.Select(c => c.Epc).Reverse()] : [];
            var findings = book.Apply([fact]).Findings;
            if (own.ContainsKey(fact.Number))
            {
                Tell(fact, before, findings, book);
            }
            foreach (var finding in findings.Where(f => f.Code != UnitCodes.Waiting && own.ContainsKey(f.Number)))
            {
                Tell(finding, own[finding.Number]);
            }
        }
        var touched = Touched(own.Values, book);
        // Numbers of which something was told and nothing came have no state to tell; they may be held.
        var units = touched.Where(u => u.State != UnitState.Pool).ToList();
        var balance = UnitBalance.Of(units, u => IsPack(u));
        CompareCounters(balance);
        var warnings = reader.Told.Where(f => f.IsWarning).Select(Members).ToList();
        return Result(_exceptions.Count == 0 ? "accepted" : "accepted_with_exceptions") with
        {
            Facts = _facts,
            Exceptions = [.. _exceptions.OrderBy(e => e.Order).ThenBy(e => e.Row).Select(e => e.Exception)],
            Warnings = warnings,
            Holds = touched.Where(u => u.Holds.Count > 0).ToDictionary(u => u.Epc, u => (IReadOnlyList<string>)[.. u.Holds.Order(StringComparer.Ordinal)]),
            FinalState = units.ToDictionary(u => u.Epc, u => Lifecycle.Word(u.Top.State)),
            ParentOf = units.Where(u => u.Parent is not null).ToDictionary(u => u.Epc, u => u.Parent!.Epc),
            PartialContainers = [.. units.Where(u => u.Has(UnitFlags.Partial)).Select(u => u.Epc)],
            Reconciliation = Reconciled(balance),
        };
    }

    private IntakeResult Result(string outcome) => new() { File = file, Outcome = outcome, ReceivedAt = receivedAt.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture) };

    private static List<Unit> Touched(IEnumerable<EpcisEvent> events, UnitBook book)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var units = new List<Unit>();
        foreach (var epc in events.SelectMany(e => e.Epcs).Select(e => e.Epc))
        {
            if (book[epc] is { } unit && seen.Add(unit.Key))
            {
                units.Add(unit);
            }
        }
        return units;
    }

    private static bool IsPack(Unit unit) => !UnitKey.GtinOf(unit.Key).IsEmpty && (unit.Level > 0 ? unit.Level == 1 : UnitKey.GtinOf(unit.Key)[0] == '0');

    private void Tell(UnitFact fact, IReadOnlyList<string> emptied, IReadOnlyList<UnitFinding> findings, UnitBook book)
    {
        if (fact.Kind is FactKind.Observe || fact.IsOnlyIfItFits && findings.Count > 0)
        {
            return;
        }
        var refused = findings.Where(f => f.Number == fact.Number && f.Code != UnitCodes.ShortNotFlagged).SelectMany(f => f.Code == UnitCodes.ParentUnknown ? fact.Epcs : f.Units).Select(UnitKey.Of).ToHashSet();
        foreach (var epc in fact.Epcs.Count > 0 ? fact.Epcs : emptied)
        {
            if (refused.Contains(UnitKey.Of(epc)) || fact.IsOnlyIfItFits && !HasHappened(fact, book[epc]))
            {
                continue;
            }
            var members = new Dictionary<string, object?> { ["type"] = Lifecycle.Word(fact.Kind), ["epc"] = book[epc]?.Epc ?? epc, ["time"] = fact.Time.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture) };
            if (fact.Parent is { } parent)
            {
                members["parent"] = book[parent]?.Epc ?? parent;
            }
            if (fact.Kind == FactKind.Commission && book[epc] is { } unit && IsPack(unit))
            {
                members["lot"] = fact.Lot;
                if (fact.Expiry is { } expiry)
                {
                    members["expiry"] = expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                }
            }
            if (fact.Reason is { } reason && LineFact.HasReason(fact.Kind) && !reason.StartsWith("non_sellable", StringComparison.Ordinal) && reason is not "destroyed")
            {
                members["reason"] = reason;
            }
            _facts.Add(members);
        }
    }

    // What an event may have meant is told when it came about.
    private static bool HasHappened(UnitFact fact, Unit? unit) => fact.Kind != FactKind.ReworkOk || unit is { State: UnitState.Commissioned } && unit.Last == fact.Stamp;

    private void Tell(UnitFinding finding, EpcisEvent e)
    {
        foreach (var epc in finding.Units)
        {
            var isOfContainer = finding.Code == UnitCodes.ShortNotFlagged;
            var members = new Dictionary<string, object?> { ["code"] = finding.Code, ["line"] = isOfContainer ? null : RowOf(e, epc), ["epc"] = epc };
            if (finding.Container is { } container)
            {
                members["parent"] = container;
            }
            _exceptions.Add((isOfContainer ? 3 : 2, RowOf(e, epc) ?? 0, members));
        }
    }

    /// <summary>Where in the file an event says a thing of a unit.</summary>
    internal static int? RowOf(EpcisEvent e, string epc)
    {
        var rows = e.Extensions.FirstOrDefault(x => x is { Namespace: EventFacts.LineNamespace, Name: "row" }) is { } row ? (row.Text ?? row.Json?.Trim('"') ?? "").Split(' ') : [];
        var place = 0;
        if (rows.Length > 1)
        {
            var key = UnitKey.Of(epc);
            var epcs = e switch { ObjectEvent o => o.EpcList, AggregationEvent a => a.ChildEpcs, _ => [] };
            for (place = epcs.Count - 1; place > 0 && UnitKey.Of(epcs[place]) != key; place--)
            {
            }
        }
        return place < rows.Length && int.TryParse(rows[place], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private void CompareCounters(UnitBalance balance)
    {
        foreach (var (counter, terms) in mapping.Counters)
        {
            if (reader.Counters.TryGetValue(counter, out var reported) && terms.Sum(t => balance[t]) is var derived && derived != reported)
            {
                _exceptions.Add((4, 0, new() { ["code"] = IntakeCodes.Mismatch, ["line"] = null, ["counter"] = counter, ["reported"] = reported, ["derived"] = derived }));
            }
        }
    }

    private Dictionary<string, object> Reconciled(UnitBalance balance)
    {
        string[] terms = ["serialsSeen", "unused", "printed", "scrapped", "rejectedNeverCommissioned", "encodedOpen", "everCommissioned", "sampled", "decommissionedOrDestroyed", "rejectedAfterCommission", "activePacked", "activeLoose"];
        var reconciled = terms.ToDictionary(t => t, t => (object)balance[t]);
        if (reader.Counters.Count > 0)
        {
            reconciled["reportedCounters"] = reader.Counters;
        }
        return reconciled;
    }

    private static Dictionary<string, object?> Members(IntakeFinding finding)
    {
        var members = new Dictionary<string, object?> { ["code"] = finding.Code, ["line"] = finding.Row };
        foreach (var (name, value) in finding.More ?? [])
        {
            members[name] = value;
        }
        if (finding.Epc is { } epc)
        {
            members["epc"] = epc;
        }
        return members;
    }
}
