namespace Gateway.Lines;

/// <summary>One side of an equation of LINES.md section 5, and the other.</summary>
/// <param name="Name">allocated, printed, everCommissioned, packed or containers.</param>
/// <param name="Left">What is to be explained.</param>
/// <param name="Right">What explains it.</param>
/// <param name="Unexplained">What is not explained; where single containers count wrongly, each of them by itself, so that two faults never make a right.</param>
public sealed record Equation(string Name, long Left, long Right, long Unexplained);

/// <summary>The balance of one level of a run, exact, without tolerance.</summary>
/// <param name="Gtin">Null for logistic units (SSCC).</param>
/// <param name="Level">unit, bundle, case or pallet.</param>
/// <param name="MustBePacked">Master data say that it is packed: what is loose at the end is an orphan.</param>
/// <param name="HasNumbers">Numbers were given out by the gateway. Otherwise what was seen counts as allocated.</param>
/// <param name="Counts">By term; see <see cref="RunBalance.Terms"/>.</param>
public sealed record LevelBalance(string? Gtin, string Level, bool MustBePacked, bool HasNumbers, IReadOnlyDictionary<string, long> Counts, IReadOnlyList<Equation> Equations)
{
    /// <summary>How it is named in addresses and in accepted differences.</summary>
    public string Key => Gtin ?? RunBalance.LogisticUnits;

    /// <summary>Good, in no container, of what master data say is packed.</summary>
    public long Orphans => MustBePacked ? this["activeLoose"] : 0;

    /// <summary>How many are in a term.</summary>
    public long this[string term] => Counts.GetValueOrDefault(term);

    /// <summary>What all equations together leave unexplained.</summary>
    public long Unexplained => Equations.Sum(e => e.Unexplained);
}

/// <summary>Where every serial of a run is (LINES.md section 5).</summary>
/// <param name="Levels">The saleable packs first.</param>
/// <param name="Elsewhere">Packs of the lot whose first event is of no run; of one run, always 0.</param>
public sealed record RunBalance(IReadOnlyList<LevelBalance> Levels, long Elsewhere)
{
    /// <summary>The level of containers without a GTIN.</summary>
    public const string LogisticUnits = "sscc";

    /// <summary>Terms whose serials the ledger lists, each with the rows that belong to it. A unit is in one place only.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Rows = new Dictionary<string, string>
    {
        ["serialsSeen"] = "true",
        ["unused"] = "place = 'unused'",
        ["voided"] = "place = 'voided'",
        ["openAtDevice"] = "place = 'openAtDevice'",
        ["printed"] = "is_ever or state in (4, 6, 7, 8, 9, 10, 11, 102, 103)",
        ["scrapped"] = "place = 'scrapped'",
        ["rejectedNeverCommissioned"] = "place = 'rejectedNeverCommissioned'",
        ["encodedOpen"] = "place = 'encodedOpen'",
        ["everCommissioned"] = "is_ever",
        ["activePacked"] = "place = 'activePacked'",
        ["activeLoose"] = "place = 'activeLoose'",
        ["sampled"] = "place = 'sampled'",
        ["rejectedAfterCommission"] = "place = 'rejectedAfterCommission'",
        ["decommissionedOrDestroyed"] = "place = 'decommissionedOrDestroyed'",
        ["shipped"] = "place = 'shipped'",
        ["returned"] = "place = 'returned'",
        ["containers"] = "seen > 0 or declared > 0",
        ["full"] = "kind = 'full'",
        ["partial"] = "kind = 'partial'",
        ["short"] = "kind = 'short'",
        ["miscounted"] = "seen <> declared",
        ["held"] = "is_held",
        ["unexplained"] = "place = 'unexplained' or kind = 'short' or seen <> declared",
    };

    /// <summary>What can be asked for, by the names of LINES.md section 5.</summary>
    public static IReadOnlyCollection<string> Terms => (IReadOnlyCollection<string>)Rows.Keys;

    /// <summary>The level of the packs.</summary>
    public LevelBalance Packs => Levels[0];

    /// <summary>What all levels together leave unexplained.</summary>
    public long Unexplained => Levels.Sum(l => l.Unexplained);
}

/// <summary>A serial behind a term.</summary>
/// <param name="Cursor">Its place: the next page asks for those behind it.</param>
/// <param name="State">As in LINES.md section 2; that of its outermost container.</param>
/// <param name="Holds">Why it is held.</param>
/// <param name="LastAt">Null: it is a number out of a pool, and nobody has told of a unit with it.</param>
public sealed record RunSerial(string Cursor, string Epc, string State, string? Parent, IReadOnlyList<string> Holds, DateTime? LastAt);
