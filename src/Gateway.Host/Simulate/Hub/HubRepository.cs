namespace Gateway.Host.Simulate.Hub;

/// <summary>What becomes of a message when it comes.</summary>
internal enum HubArrival
{
    /// <summary>It will be answered.</summary>
    Taken,

    /// <summary>It was taken before; nothing happens twice.</summary>
    Known,

    /// <summary>Another message has its number.</summary>
    Conflict,
}

/// <summary>
/// The hub and the national repositories behind it, in memory. A message is looked at when it comes, and then by one market
/// after the other, each at its time: what is due happens before anything is asked or told, as if it had happened by itself.
/// </summary>
internal sealed partial class HubRepository(HubSimulatorOptions options, Func<DateTimeOffset> clock)
{
    public const int AlertsAtOnce = 500, PacksAtOnce = 50_000;

    // A national system raises one for each pack; of a message whose every pack fails, so many tell the same.
    private const int MaxAlertsOfMessage = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, HubMessage> _messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HubProduct> _products = new(StringComparer.Ordinal);
    private readonly PriorityQueue<Action<DateTimeOffset>, (DateTimeOffset Due, long Order)> _steps = new();
    private readonly Dictionary<string, DateTimeOffset> _lastDue = new(StringComparer.Ordinal);
    private readonly List<HubViolation> _violations = [];
    private readonly List<HubAlert> _alerts = [];
    private long _order;

    /// <summary>Told, in the order of time, of every message of which something new is known.</summary>
    public Action<HubMessage, DateTimeOffset>? Changed { get; set; }

    /// <summary>Nothing is under way.</summary>
    public bool IsIdle => Now(_ => _steps.Count == 0);

    public IReadOnlyList<HubViolation> Violations => Now<IReadOnlyList<HubViolation>>(_ => [.. _violations]);

    public IReadOnlyList<HubVersion> Versions => Now<IReadOnlyList<HubVersion>>(_ =>
        [.. _products.Values.SelectMany(p => p.Versions.Values.Select(v => new HubVersion(p.Code, v.Number, [.. v.Markets], [.. v.Distributed])))]);

    public IReadOnlyList<HubLotState> Lots => Now<IReadOnlyList<HubLotState>>(_ =>
        [.. _products.Values.SelectMany(p => p.Lots.Values.Select(l => new HubLotState(p.Code, l.Id, l.Version, l.Expiry, [.. l.Recalled])))]);

    public IReadOnlyList<string> WithdrawnIn(string product) => Now<IReadOnlyList<string>>(_ => _products.TryGetValue(product, out var known) ? [.. known.Withdrawn] : []);

    public HubArrival Take(HubMessage message) => Now(now =>
    {
        if (_messages.TryGetValue(message.CorrelationId, out var known))
        {
            if (known.Sha256 == message.Sha256)
            {
                return HubArrival.Known;
            }
            Violate(message, "wire", "The message has the number of another one.", now);
            return HubArrival.Conflict;
        }
        _messages.Add(message.CorrelationId, message);
        Arrive(message, now);
        return HubArrival.Taken;
    });

    /// <summary>The result as far as it is known; <see langword="null"/> when there is no such message.</summary>
    public byte[]? ResultOf(string correlationId) => Now(now => _messages.TryGetValue(correlationId, out var message) ? HubAnswers.Result(message, now, options.Faults.ShufflesResults) : null);

    public IReadOnlyList<HubAlert> AlertsAfter(long number) => Now<IReadOnlyList<HubAlert>>(_ => [.. _alerts.Skip((int)Math.Clamp(number, 0, _alerts.Count)).Take(AlertsAtOnce)]);

    /// <summary>What a market has of a lot behind a serial number, at most <paramref name="most"/>, and whether there is more.</summary>
    public (IReadOnlyList<(SerialNumber Serial, HubChange Change)> Packs, bool More) Holding(string country, string product, string lot, string? after, int most) => Now(_ =>
    {
        if (!_products.TryGetValue(product, out var known) || !known.Lots.TryGetValue(lot, out var packs))
        {
            return ([], false);
        }
        var page = packs.Packs(country, after is null ? default : SerialNumber.Of(after)).Take(most == int.MaxValue ? most : most + 1).ToList();
        var more = page.Count > most;
        if (more)
        {
            page.RemoveAt(most);
        }
        return ((IReadOnlyList<(SerialNumber, HubChange)>)page, more);
    });

    public HubAlert Raise(string country, string code, string product, string? lot, string? expiry, string? serial, string? user, string text) => Now(now => Add(country, code, now, product, lot, expiry, serial, user, text));

    /// <param name="state">Null: it is forgotten.</param>
    public void Alter(string country, string product, string lot, string serial, string? state) => Now(now =>
    {
        var of = _products[product].Lots[lot];
        of.Set(country, SerialNumber.Of(serial), state is null ? HubLot.Nothing : of.Add(new HubChange(state, now, "", "")));
        return true;
    });

    public void Violate(HubMessage message, string rule, string text) => Now(now =>
    {
        Violate(message, rule, text, now);
        return true;
    });

    /// <summary>What is due happens, then what is asked.</summary>
    private T Now<T>(Func<DateTimeOffset, T> ask)
    {
        lock (_lock)
        {
            var now = clock();
            while (_steps.TryPeek(out _, out var at) && at.Due <= now)
            {
                _steps.Dequeue()(at.Due);
            }
            return ask(now);
        }
    }

    /// <summary>A market answers at its time, and never before it has answered what came earlier.</summary>
    /// <param name="step">What happens in a market.</param>
    /// <param name="failed">Instead of it, where the market takes nothing.</param>
    private void Schedule(HubMessage message, DateTimeOffset now, Action<string, DateTimeOffset> step, Action<string>? failed = null)
    {
        var due = now + options.ResultAfter;
        foreach (var country in message.Markets)
        {
            due = _lastDue.TryGetValue(country, out var last) && last > due ? last : due;
            _lastDue[country] = due;
            _steps.Enqueue(at => Answer(message, country, at, step, failed), (due, _order++));
            due += options.MarketAfter;
        }
    }

    private void Answer(HubMessage message, string country, DateTimeOffset at, Action<string, DateTimeOffset> step, Action<string>? failed)
    {
        message.IsDecided = true;
        if (message.Barred.TryGetValue(country, out var why))
        {
            message.Fail(country, at, why.Code, why.Text);
        }
        else if (options.Faults.FailsMarket(country))
        {
            failed?.Invoke(country);
            message.Fail(country, at, "A99", $"The repository of {country} took nothing of it.");
        }
        else
        {
            message.Answers[country] = (false, at);
            step(country, at);
        }
        if (message.IsFinal)
        {
            message.Serials = [];
            message.Skipped.Clear();
        }
        Changed?.Invoke(message, at);
    }

    private void Refuse(HubMessage message, string? rule, string code, string text, DateTimeOffset now)
    {
        if (rule is not null)
        {
            Violate(message, rule, text, now);
        }
        _steps.Enqueue(at =>
        {
            (message.IsRefused, message.Code, message.Text, message.Serials) = (true, code, text, []);
            Changed?.Invoke(message, at);
        }, (now + options.ResultAfter, _order++));
    }

    /// <summary>Once for a message and a rule: a hundred thousand packs of it break it no more often.</summary>
    private void Violate(HubMessage message, string rule, string text, DateTimeOffset now)
    {
        if (message.CorrelationId.Length == 0 || !_violations.Exists(v => v.CorrelationId == message.CorrelationId && v.Rule == rule && rule != "wire"))
        {
            _violations.Add(new HubViolation(rule, text, message.CorrelationId.Length == 0 ? null : message.CorrelationId, now));
        }
    }

    /// <summary>None of a lot that has expired: its packs are not expected to be good for anything.</summary>
    private void Alert(HubMessage message, HubLot? lot, string country, string code, SerialNumber serial, DateTimeOffset at)
    {
        if (lot?.IsExpired(at) is not true && message.Alerts++ < MaxAlertsOfMessage)
        {
            Add(country, code, at, message.Product, message.Lot, message.Expiry, serial.ToString(), "OBP", MeaningOf(code));
        }
    }

    private HubAlert Add(string country, string code, DateTimeOffset at, string product, string? lot, string? expiry, string? serial, string? user, string text)
    {
        var alert = new HubAlert(_alerts.Count + 1, $"{country}-{Guid.NewGuid():N}", code, country, at, product, lot, expiry, serial, user, text);
        _alerts.Add(alert);
        return alert;
    }

    private static string MeaningOf(string code) => code switch
    {
        "A2" => "The lot is not found.",
        "A3" => "The serial number is not found.",
        "A7" => "The pack is in the requested state already.",
        "A24" => "The change of state could not be made.",
        "A52" => "The expiry differs from the recorded one.",
        "A68" => "The lot differs from the one recorded for the serial number.",
        _ => "The repository raised an alert.",
    };
}
