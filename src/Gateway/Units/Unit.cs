namespace Gateway.Units;

/// <summary>What is known of a unit besides its state. The numbers are stored and never change meaning.</summary>
[Flags]
public enum UnitFlags : short
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It was COMMISSIONED once.</summary>
    EverCommissioned = 1,

    /// <summary>Something was told of how it came to be, be it that it was refused.</summary>
    HeardOf = 2,

    /// <summary>Something else was told of it before that.</summary>
    Waiting = 4,

    /// <summary>Nobody told its receipt: it follows from what somebody else did with it. Gone when it is seen.</summary>
    ReceiptInferred = 8,

    /// <summary>Shipped, and seen elsewhere than where it was shipped from.</summary>
    SeenElsewhere = 16,

    /// <summary>A container that is meant to hold less than it could.</summary>
    Partial = 32,

    /// <summary>A container that is meant to hold several lots.</summary>
    Mixed = 64,

    /// <summary>A container that was packed away or shipped since it was last empty.</summary>
    Closed = 128,
}

/// <summary>
/// One unit of the ledger: a saleable pack, case or pallet. What is packed stays as it was when it was packed; its place in the
/// world is that of <see cref="Top"/>, its outermost container, and it takes that over when it leaves.
/// </summary>
public sealed class Unit
{
    /// <param name="key">See <see cref="UnitKey"/>.</param>
    /// <param name="prefixLength">Digits of the company prefix; 0: nobody said.</param>
    public Unit(string key, byte prefixLength) => (Key, PrefixLength) = (key, prefixLength);

    /// <summary>See <see cref="UnitKey"/>.</summary>
    public string Key { get; }

    /// <summary>Digits of the company prefix as the unit was first written; 0: nobody said.</summary>
    public byte PrefixLength { get; }

    /// <summary>The EPC URI; the Digital Link of a unit whose company prefix nobody parted from the rest.</summary>
    public string Epc => UnitKey.ToEpc(Key, PrefixLength);

    /// <summary>Its own state. That of what is packed is <c>Top.State</c>.</summary>
    public UnitState State { get; set; } = UnitState.Pool;

    /// <summary>Its level in the pack specification, 1 for the saleable pack; 0 when that is not known.</summary>
    public byte Level { get; set; }

    /// <summary>What else is known of it.</summary>
    public UnitFlags Flags { get; set; }

    /// <summary>Its lot, of a container only where it was given.</summary>
    public string? Lot { get; set; }

    /// <summary>The day on which it expires.</summary>
    public DateOnly? Expiry { get; set; }

    /// <summary>Who has it in hand, as written; <see langword="null"/> when nobody said.</summary>
    public string? Holder { get; set; }

    /// <summary>Where it was seen last, as written; <see langword="null"/> when nobody said.</summary>
    public string? Location { get; set; }

    /// <summary>Why it is in its state, as one word such as <c>dispensed</c>; <see langword="null"/> when there is nothing to say.</summary>
    public string? Reason { get; set; }

    /// <summary>Why it is held: the codes of findings, and the dispositions of events; each once.</summary>
    public IReadOnlyList<string> Holds { get; set; } = [];

    /// <summary>How many units it holds directly.</summary>
    public int Children { get; set; }

    /// <summary>How many of the units in it, at any depth, are held.</summary>
    public int HeldBelow { get; set; }

    /// <summary>The lot of what was first put into it since it was empty.</summary>
    public string? ContentLot { get; set; }

    /// <summary>The number of the first event that named it.</summary>
    public long? FirstEvent { get; set; }

    /// <summary>The last event that named it, or something in it.</summary>
    public EventStamp Last { get; set; }

    /// <summary>The container that it is in.</summary>
    public Unit? Parent { get; private set; }

    /// <summary>The outermost container; itself when it is in none.</summary>
    public Unit Top
    {
        get
        {
            var top = this;
            while (top.Parent is { } parent)
            {
                top = parent;
            }
            return top;
        }
    }

    /// <summary>Whether it may not be shipped: it, or something in it, is held.</summary>
    public bool IsHeld => Holds.Count > 0 || HeldBelow > 0;

    /// <summary>Whether it was COMMISSIONED once.</summary>
    public bool EverCommissioned => Has(UnitFlags.EverCommissioned);

    /// <summary>Whether a flag is set.</summary>
    public bool Has(UnitFlags flag) => (Flags & flag) != 0;

    /// <summary>What it holds directly, as far as it is loaded, the last that was put in first.</summary>
    public IEnumerable<Unit> Contents
    {
        get
        {
            for (var child = _firstChild; child is not null; child = child._next)
            {
                yield return child;
            }
        }
    }

    // The children of a container hang on it as a chain, so that a link costs no more than four references.
    private Unit? _firstChild, _next, _previous;

    internal int NamedIn, ChangedIn;

    /// <summary>The row's number; 0 as long as it has none.</summary>
    internal long Id;

    /// <summary>Whose the row is; 0 for a new one.</summary>
    internal int PartyId;

    internal bool IsStored, IsDirty;

    internal bool IsUnheardOf => (Flags & (UnitFlags.HeardOf | UnitFlags.EverCommissioned)) == 0 && State == UnitState.Pool;

    internal void Set(UnitFlags flag, bool on) => Flags = on ? Flags | flag : Flags & ~flag;

    /// <summary>Ties a unit to its container as it was stored: the container's numbers count it already.</summary>
    internal void Attach(Unit parent)
    {
        Parent = parent;
        (_next, _previous) = (parent._firstChild, null);
        if (_next is not null)
        {
            _next._previous = this;
        }
        parent._firstChild = this;
    }

    internal void Enter(Unit parent)
    {
        Attach(parent);
        parent.Children++;
        CountHeld(parent, (Holds.Count > 0 ? 1 : 0) + HeldBelow);
    }

    internal void Leave()
    {
        var parent = Parent!;
        CountHeld(parent, -((Holds.Count > 0 ? 1 : 0) + HeldBelow));
        parent.Children--;
        if (_next is not null)
        {
            _next._previous = _previous;
        }
        if (_previous is not null)
        {
            _previous._next = _next;
        }
        else
        {
            parent._firstChild = _next;
        }
        (Parent, _next, _previous) = (null, null, null);
    }

    internal void Hold(string reason)
    {
        if (Holds.Contains(reason))
        {
            return;
        }
        if (Holds.Count == 0)
        {
            CountHeld(Parent, 1);
        }
        Holds = [.. Holds, reason];
    }

    internal void Release()
    {
        if (Holds.Count > 0)
        {
            CountHeld(Parent, -1);
            Holds = [];
        }
    }

    private static void CountHeld(Unit? container, int held)
    {
        for (; held != 0 && container is not null; container = container.Parent)
        {
            container.HeldBelow += held;
        }
    }
}
