using Gateway.Devices;

namespace Gateway.Host.Simulate;

/// <summary>What a device has said in one epoch, and what of it a gateway that is played admits to have.</summary>
internal sealed class HeardStream
{
    private readonly Dictionary<long, (byte[] Sha256, long Mono)> _heard = [];
    private readonly HashSet<long> _storedAhead = [];
    private long _heardThrough;

    /// <summary>All up to here is stored.</summary>
    public long Through { get; private set; }

    /// <summary>The highest number that was heard.</summary>
    public long Highest { get; private set; }

    /// <summary>The first number that was never heard though a higher one was; null: none.</summary>
    public long? LeftOut => _heardThrough < Highest ? _heardThrough + 1 : null;

    /// <summary>Ranges that are not stored though something behind them was heard.</summary>
    public IReadOnlyList<long[]> Missing
    {
        get
        {
            var ranges = new List<long[]>();
            for (var seq = Through + 1; seq <= Highest; seq++)
            {
                if (!_storedAhead.Contains(seq))
                {
                    if (ranges.Count > 0 && ranges[^1][1] == seq - 1)
                    {
                        ranges[^1][1] = seq;
                    }
                    else
                    {
                        ranges.Add([seq, seq]);
                    }
                }
            }
            return ranges;
        }
    }

    /// <returns>Whether the number is new; what contradicts what was heard before, as a sentence.</returns>
    public (bool IsFresh, string? OtherBytes, string? ClockWentBack) Hear(DeviceMessage m)
    {
        if (_heard.TryGetValue(m.Seq, out var before))
        {
            return (false, before.Sha256.Length == 0 || before.Sha256.AsSpan().SequenceEqual(m.Sha256) ? null : $"Number {m.Seq} of epoch {m.Epoch} came again with other bytes.", null);
        }
        _heard.Add(m.Seq, (m.Sha256, m.Mono));
        Highest = Math.Max(Highest, m.Seq);
        Advance();
        var fellBehind = _heard.TryGetValue(m.Seq - 1, out var previous) && previous.Mono > m.Mono ? m.Seq : _heard.TryGetValue(m.Seq + 1, out var next) && next.Sha256.Length > 0 && next.Mono < m.Mono ? m.Seq + 1 : 0;
        return (true, null, fellBehind == 0 ? null : $"mono of number {fellBehind} is less than that of the number before it.");
    }

    public void Store(IEnumerable<long> numbers)
    {
        _storedAhead.UnionWith(numbers.Where(n => n > Through));
        while (_storedAhead.Remove(Through + 1))
        {
            Through++;
        }
    }

    /// <summary>What is behind the number is stored no longer.</summary>
    public void Forget(long behind)
    {
        Through = Math.Min(Through, behind);
        _storedAhead.Clear();
    }

    /// <summary>The number is waited for no longer.</summary>
    public void GiveUp(long seq)
    {
        _heard.TryAdd(seq, ([], 0));
        Advance();
        Store([seq]);
    }

    private void Advance()
    {
        while (_heard.ContainsKey(_heardThrough + 1))
        {
            _heardThrough++;
        }
    }
}
