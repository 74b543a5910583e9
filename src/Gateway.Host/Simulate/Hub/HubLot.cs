using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Host.Simulate.Hub;

/// <summary>Who made a pack in a market what it is there, and when that was confirmed.</summary>
internal sealed record HubChange(string State, DateTimeOffset At, string Location, string CorrelationId);

/// <summary>
/// A lot and its packs in each market of its version. A serial number is kept once, and four bytes a market say which
/// change made the pack what it is there: a million packs in two markets are some fifty megabytes, and twenty more once they are asked for in order.
/// </summary>
internal sealed class HubLot(string product, string id, int version, string expiry, IReadOnlyList<string> markets)
{
    /// <summary>The change of a pack that a market has not got.</summary>
    public const int Nothing = 0;

    private readonly Dictionary<SerialNumber, int> _places = [];
    private readonly List<HubChange?> _changes = [null]; // the first is Nothing
    private readonly Dictionary<string, List<int>> _packs = markets.ToDictionary(m => m, _ => new List<int>(), StringComparer.Ordinal);
    private SerialNumber[]? _sorted;

    public string Product => product;
    public string Id => id;
    public int Version => version;
    public string Expiry => expiry;
    public IReadOnlyList<string> Markets => markets;

    /// <summary>The day that it says is over.</summary>
    public bool IsExpired(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime) > DateOnly.ParseExact(expiry, "yyMMdd", CultureInfo.InvariantCulture);

    /// <summary>Markets for which a recall came. From then on the sender is held to it.</summary>
    public SortedSet<string> RecallTold { get; } = new(StringComparer.Ordinal);

    /// <summary>Markets in which it is recalled.</summary>
    public SortedSet<string> Recalled { get; } = new(StringComparer.Ordinal);

    /// <summary>What a pack is in a market; <see langword="null"/> when that has not got it.</summary>
    public HubChange? Of(string country, SerialNumber serial) =>
        _places.TryGetValue(serial, out var place) && _packs.TryGetValue(country, out var packs) ? _changes[packs[place]] : null;

    /// <summary>Whether every market has the pack.</summary>
    public bool IsEverywhere(SerialNumber serial) => markets.All(m => Of(m, serial) is not null);

    /// <summary>Keeps a change that <see cref="Set"/> gives to packs.</summary>
    public int Add(HubChange change)
    {
        _changes.Add(change);
        return _changes.Count - 1;
    }

    /// <summary>So many packs come: what grows by doubling would take twice what they need.</summary>
    public void Expect(int packs)
    {
        const int many = 10_000;
        if (packs >= many)
        {
            _places.EnsureCapacity(_places.Count + packs);
            foreach (var of in _packs.Values)
            {
                of.Capacity = Math.Max(of.Capacity, of.Count + packs);
            }
        }
    }

    /// <summary>Gives a pack in a market the change; a pack that is new becomes known.</summary>
    public void Set(string country, SerialNumber serial, int change)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, serial, out var isKnown);
        if (!isKnown)
        {
            place = _places.Count - 1;
            _sorted = null;
            foreach (var packs in _packs.Values)
            {
                packs.Add(0);
            }
        }
        _packs[country][place] = change;
    }

    /// <summary>The packs that a market has, in the order of their serial numbers, behind the given one.</summary>
    public IEnumerable<(SerialNumber Serial, HubChange Change)> Packs(string country, SerialNumber after = default)
    {
        if (!_packs.TryGetValue(country, out var packs))
        {
            yield break;
        }
        if (_sorted is null)
        {
            _sorted = [.. _places.Keys];
            Array.Sort(_sorted);
        }
        var found = Array.BinarySearch(_sorted, after);
        for (var n = found < 0 ? ~found : found + 1; n < _sorted.Length; n++)
        {
            if (_changes[packs[_places[_sorted[n]]]] is { } change)
            {
                yield return (_sorted[n], change);
            }
        }
    }
}
