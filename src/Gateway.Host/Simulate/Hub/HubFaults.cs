namespace Gateway.Host.Simulate.Hub;

/// <summary>What goes wrong, by a test's word or from the start. Each may be switched while the hub runs.</summary>
public sealed class HubFaults
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SerialNumber, (HubFailure Failure, int Times)> _packs = [];
    private readonly Dictionary<string, int> _markets = new(StringComparer.Ordinal);
    private int _answers, _pushes;

    /// <summary>By the hub's own time: until then every request is answered 503.</summary>
    public DateTimeOffset UnavailableUntil { get; set; } = DateTimeOffset.MinValue;

    /// <summary>While it is unavailable, connections are closed without an answer.</summary>
    public bool ClosesConnections { get; set; }

    /// <summary>A message is acknowledged so much later than it was taken.</summary>
    public TimeSpan AcknowledgeAfter { get; set; }

    /// <summary>What failed is told in any order.</summary>
    public bool ShufflesResults { get; set; }

    /// <summary>What is pushed waits until every market has answered, and goes in any order.</summary>
    public bool ShufflesPushes { get; set; }

    /// <summary>What is pushed is pushed twice.</summary>
    public bool DuplicatesPushes { get; set; }

    /// <summary>Takes the next messages and closes their connections without an answer.</summary>
    public void LoseAnswers(int messages = 1) => Interlocked.Exchange(ref _answers, messages);

    /// <summary>Never pushes what it would push next.</summary>
    public void LosePushes(int documents = 1) => Interlocked.Exchange(ref _pushes, documents);

    /// <summary>Packs fail in every market the next times that a message holds them, and the rest of it does not.</summary>
    public void FailPacks(IEnumerable<string> serials, string code, bool temporary, int times = 1)
    {
        lock (_lock)
        {
            foreach (var serial in serials)
            {
                _packs[SerialNumber.Of(serial)] = (new HubFailure(code, temporary), times);
            }
        }
    }

    /// <summary>A market takes nothing of the next messages.</summary>
    public void FailMarket(string country, int messages = 1)
    {
        lock (_lock)
        {
            _markets[country] = messages;
        }
    }

    internal bool LosesAnswer() => Takes(ref _answers);

    internal bool LosesPush() => Takes(ref _pushes);

    internal bool FailsMarket(string country)
    {
        lock (_lock)
        {
            return _markets.TryGetValue(country, out var left) && left > 0 && (_markets[country] = left - 1) >= 0;
        }
    }

    internal HubFailure? FailureOf(SerialNumber serial)
    {
        lock (_lock)
        {
            if (!_packs.TryGetValue(serial, out var fault))
            {
                return null;
            }
            _packs[serial] = fault with { Times = fault.Times - 1 };
            if (fault.Times <= 1)
            {
                _packs.Remove(serial);
            }
            return fault.Failure;
        }
    }

    private static bool Takes(ref int left)
    {
        var now = Volatile.Read(ref left);
        while (now > 0)
        {
            var seen = Interlocked.CompareExchange(ref left, now - 1, now);
            if (seen == now)
            {
                return true;
            }
            now = seen;
        }
        return false;
    }
}
