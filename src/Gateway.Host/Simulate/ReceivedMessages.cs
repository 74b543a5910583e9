namespace Gateway.Host.Simulate;

/// <summary>What a simulated partner remembers: the latest thousand messages and the history of the latest thousand keys.</summary>
sealed class ReceivedMessages
{
    const int Remembered = 1_000;

    readonly Lock _lock = new();
    readonly Queue<ReceivedMessage> _messages = new();
    readonly Dictionary<MessageName, History> _histories = [];
    readonly Queue<MessageName> _oldestFirst = new();

    public IReadOnlyList<ReceivedMessage> All()
    {
        lock (_lock)
            return [.. _messages];
    }

    /// <summary>Counts this attempt, lets <paramref name="answer"/> see its number, and records both.</summary>
    public ReceivedMessage Add(string path, string? idempotencyKey, string sha256, DateTimeOffset at, Func<int, int?> answer)
    {
        lock (_lock)
        {
            var history = HistoryOf(new MessageName(path, idempotencyKey ?? sha256));
            var attempt = ++history.Attempts;
            var status = answer(attempt);
            if (status is >= 200 and < 300)
                history.AcceptedBodies.Add(sha256);

            var message = new ReceivedMessage(path, idempotencyKey, sha256, attempt, status, at);
            _messages.Enqueue(message);
            if (_messages.Count > Remembered)
                _messages.Dequeue();
            return message;
        }
    }

    public int EffectsOf(string idempotencyKey)
    {
        lock (_lock)
            return _histories.Where(h => h.Key.Key == idempotencyKey).Sum(h => h.Value.AcceptedBodies.Count);
    }

    History HistoryOf(MessageName name)
    {
        if (_histories.TryGetValue(name, out var known))
            return known;
        if (_histories.Count == Remembered)
            _histories.Remove(_oldestFirst.Dequeue());
        _oldestFirst.Enqueue(name);
        return _histories[name] = new History();
    }

    /// <summary>A message without a key is known by its bytes.</summary>
    readonly record struct MessageName(string Path, string Key);

    sealed class History
    {
        public int Attempts { get; set; }

        /// <summary>A repeat of accepted bytes changes nothing at the partner; other bytes under the same key do.</summary>
        public HashSet<string> AcceptedBodies { get; } = [];
    }
}
