namespace Gateway.Units;

/// <summary>Which fact may follow which state (LINES.md section 2).</summary>
public static class Lifecycle
{
    // What was unused goes back into its pool, where no event is told of it, and may be granted anew: so more follows on UNUSED than LINES.md's table has.
    // "any" is every state; "not ended" is every state but VOIDED, SCRAPPED, DECOMMISSIONED and DESTROYED; "same" leaves the state as it is.
    private const string Rows = """
        fact          from                            to              provided that

        ALLOCATE      POOL, UNUSED                    ALLOCATED
        UNUSED        ALLOCATED                       UNUSED
        UNUSED        POOL                            UNUSED          allocation is not checked
        VOID          POOL, ALLOCATED, UNUSED         VOIDED
        ENCODE        ALLOCATED, UNUSED               ENCODED
        ENCODE        POOL                            ENCODED         allocation is not checked
        REJECT        ENCODED, COMMISSIONED           REJECTED
        SCRAP         ENCODED                         SCRAPPED
        SCRAP         REJECTED                        SCRAPPED        never commissioned
        COMMISSION    ALLOCATED, ENCODED, UNUSED      COMMISSIONED
        COMMISSION    REJECTED                        COMMISSIONED    never commissioned
        COMMISSION    POOL                            COMMISSIONED    allocation is not checked
        REWORK_OK     REJECTED                        COMMISSIONED    ever commissioned
        REWORK_OK     RETURNED                        COMMISSIONED
        SAMPLE        COMMISSIONED                    SAMPLED
        DECOMMISSION  COMMISSIONED, SAMPLED           DECOMMISSIONED
        DECOMMISSION  REJECTED                        DECOMMISSIONED  ever commissioned
        DESTROY       COMMISSIONED, SAMPLED           DESTROYED
        DESTROY       REJECTED                        DESTROYED       ever commissioned
        DESTROY       DECOMMISSIONED, RETURNED        DESTROYED
        PACK          COMMISSIONED                    same
        UNPACK        COMMISSIONED                    same
        HOLD          not ended                       same
        RELEASE       not ended                       same
        SHIP          COMMISSIONED                    SHIPPED
        VOID_SHIP     SHIPPED                         COMMISSIONED
        RECEIVE       SHIPPED                         COMMISSIONED
        RETURN        SHIPPED                         RETURNED
        OBSERVE       not ended                       same
        """;

    private static readonly Row[] s_rows = [.. Rows.Split('\n').Skip(2).Select(Row.Read)];

    // By fact, state, whether it was ever commissioned, and whether allocation is checked: a unit is asked about in one look.
    private static readonly UnitState?[] s_next = Compile();

    /// <summary>Every state, in the order of their numbers.</summary>
    public static IReadOnlyList<UnitState> States { get; } = Enum.GetValues<UnitState>();

    /// <summary>The rows of the table, for a page that shows them: fact, from, to, provided that.</summary>
    public static IEnumerable<IReadOnlyList<string>> Table => s_rows.Select(r => r.Cells);

    /// <summary>The state after a fact; <see langword="null"/> when the fact may not follow.</summary>
    /// <param name="allocationCheck">Whether a number must have been given out by the gateway before it is used.</param>
    public static UnitState? Next(UnitState state, FactKind fact, bool everCommissioned, bool allocationCheck) =>
        s_next[Index(state, fact, everCommissioned, allocationCheck)];

    /// <summary>As the papers write it, such as <c>REWORK_OK</c>.</summary>
    public static string Word(FactKind fact) => fact switch
    {
        FactKind.ReworkOk => "REWORK_OK",
        FactKind.VoidShip => "VOID_SHIP",
        _ => fact.ToString().ToUpperInvariant(),
    };

    /// <summary>As the papers write it, such as <c>COMMISSIONED</c>.</summary>
    public static string Word(UnitState state) => state.ToString().ToUpperInvariant();

    internal static FactKind FactOf(string word) => Enum.Parse<FactKind>(word.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>Nothing follows, but for the destruction of what was decommissioned.</summary>
    public static bool IsEnded(UnitState state) => state is UnitState.Voided or UnitState.Scrapped or UnitState.Decommissioned or UnitState.Destroyed;

    /// <summary>Facts with which the life of a unit begins. Any other one waits until one of these is told.</summary>
    public static bool MayBeFirst(FactKind fact) =>
        fact is FactKind.Allocate or FactKind.Unused or FactKind.Void or FactKind.Encode or FactKind.Scrap or FactKind.Commission;

    /// <summary>What is packed is unpacked before this can be done to it; else <c>unit.packed</c>.</summary>
    public static bool NeedsUnpacking(FactKind fact) =>
        fact is FactKind.Sample or FactKind.Reject or FactKind.Decommission or FactKind.Destroy;

    /// <summary>
    /// Whoever does this to goods that were shipped to him has received them, whether he says so or not. Who carries them may see
    /// and hold them on their way.
    /// </summary>
    public static bool ImpliesReceipt(FactKind fact) =>
        fact is FactKind.Unpack or FactKind.Pack or FactKind.Ship or FactKind.Reject or FactKind.Sample or FactKind.Decommission or FactKind.Destroy;

    /// <summary>Facts are recorded whatever holds a unit. Only shipping is not taken as done: <c>unit.held</c>; but what is shipped as returned or recalled goes back because it is held.</summary>
    public static bool IsBlockedByHold(UnitFact fact) => fact is { Kind: FactKind.Ship, Reason: not ("returned" or "recalled") };

    private static int Index(UnitState state, FactKind fact, bool everCommissioned, bool allocationCheck) =>
        (((int)fact * 128 + (int)state) * 2 + (everCommissioned ? 1 : 0)) * 2 + (allocationCheck ? 1 : 0);

    private static UnitState?[] Compile()
    {
        var next = new UnitState?[Enum.GetValues<FactKind>().Length * 128 * 4];
        foreach (var row in s_rows)
        {
            foreach (var state in Enum.GetValues<UnitState>().Where(row.IsFrom))
            {
                foreach (var (ever, check) in new[] { (false, false), (false, true), (true, false), (true, true) })
                {
                    if (row.Holds(ever, check))
                    {
                        next[Index(state, row.Fact, ever, check)] = row.To ?? state;
                    }
                }
            }
        }
        return next;
    }

    /// <param name="To">Null leaves the state as it is.</param>
    private sealed record Row(string[] Cells, FactKind Fact, string[] From, UnitState? To, string Condition)
    {
        public static Row Read(string line)
        {
            var cells = (line + new string(' ', 64)) is var wide ? new[] { wide[..14].Trim(), wide[14..46].Trim(), wide[46..62].Trim(), wide[62..].Trim() } : [];
            return new Row(cells, FactOf(cells[0]), cells[1].Split(", "), cells[2] == "same" ? null : Enum.Parse<UnitState>(cells[2], ignoreCase: true), cells[3]);
        }

        public bool IsFrom(UnitState state) => From is ["not ended"] ? !IsEnded(state) : From.Contains(Word(state));

        public bool Holds(bool everCommissioned, bool allocationCheck) => Condition switch
        {
            "" => true,
            "never commissioned" => !everCommissioned,
            "ever commissioned" => everCommissioned,
            "allocation is not checked" => !allocationCheck,
            _ => throw new FormatException($"No rule is called '{Condition}'."),
        };
    }
}
