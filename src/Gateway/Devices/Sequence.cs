namespace Gateway.Devices;

/// <summary>A range of numbers that a device left out, and what of it is still missing.</summary>
/// <param name="id">0: not stored yet.</param>
/// <param name="missing">From, to, from, to.</param>
/// <param name="isOpened">What came after it waits no longer.</param>
internal sealed class Gap(long id, long first, long last, IReadOnlyList<long> missing, bool isOpened)
{
    private readonly List<(long From, long To)> _missing = [.. missing.Chunk(2).Select(r => (r[0], r[1]))];

    public long Id { get; } = id;
    public long First { get; } = first;
    public long Last { get; } = last;
    public bool IsOpened { get; } = isOpened;
    public bool HasChanged { get; private set; }
    public IReadOnlyList<(long From, long To)> Missing => _missing;
    public bool IsClosed => _missing.Count == 0;

    /// <summary>As it is stored.</summary>
    public long[] Flat => [.. _missing.SelectMany(r => (long[])[r.From, r.To])];

    /// <returns>Whether the number was missing here.</returns>
    public bool Fill(long seq)
    {
        var n = _missing.FindIndex(r => r.From <= seq && seq <= r.To);
        if (n < 0)
        {
            return false;
        }
        var (from, to) = _missing[n];
        _missing.RemoveAt(n);
        if (seq < to)
        {
            _missing.Insert(n, (seq + 1, to));
        }
        if (from < seq)
        {
            _missing.Insert(n, (from, seq - 1));
        }
        return HasChanged = true;
    }
}

/// <summary>LINES.md section 6: the numbers of one epoch of a device, which begin at 1 and rise by 1; what is missing of them, and what waits for it.</summary>
/// <param name="last">The highest that has come.</param>
/// <param name="gaps">Those that are not closed.</param>
internal sealed class Sequence(long last, IEnumerable<Gap> gaps)
{
    private readonly List<Gap> _gaps = [.. gaps.OrderBy(g => g.First)];

    public long Last { get; private set; } = last;
    public IReadOnlyList<Gap> Gaps => _gaps;

    /// <summary>Everything up to here has been dealt with: the device may delete it.</summary>
    public long AckedThrough => _gaps.Find(g => !g.IsClosed)?.Missing[0].From - 1 ?? Last;

    /// <summary>What is behind the first number that is missing and not given up yet waits; null: nothing waits.</summary>
    public long? WaitsAfter => _gaps.Find(g => !g.IsClosed && !g.IsOpened)?.Missing[0].From;

    public IEnumerable<(long From, long To)> Missing => _gaps.SelectMany(g => g.Missing);

    /// <summary>A number that had not come before.</summary>
    public void Take(long seq)
    {
        if (seq <= Last)
        {
            _ = _gaps.Exists(g => g.Fill(seq));
            return;
        }
        if (seq > Last + 1)
        {
            _gaps.Add(new Gap(0, Last + 1, seq - 1, [Last + 1, seq - 1], isOpened: false));
        }
        Last = seq;
    }
}
