using System.Buffers;

namespace Epcis.Identifiers;

/// <summary>
/// The serial numbers of a list of SGTINs of one product, in the order of their characters. With the link of the product before
/// them they are the Digital Links of the list, sorted, and none of them has been made.
/// </summary>
internal sealed class SortedSerials : IDisposable
{
    private readonly string[] _epcs;
    private readonly ulong[] _keys;
    private readonly int _serial;

    private SortedSerials(IReadOnlyList<string> epcs)
    {
        Count = epcs.Count;
        _serial = EpcNeighbours.SerialOf(epcs[0]);
        Link = EpcUri.Parse(epcs[0]).Value!.ToDigitalLink()![..^(epcs[0].Length - _serial)];
        _epcs = ArrayPool<string>.Shared.Rent(Count);
        _keys = ArrayPool<ulong>.Shared.Rent(Count);
        for (var i = 0; i < Count; i++)
        {
            _epcs[i] = epcs[i];
        }
        Sort(_epcs.AsSpan(0, Count), _keys.AsSpan(0, Count), _serial);
    }

    /// <returns>Null for a list of several products, of other things, or with serial numbers that a link would escape.</returns>
    public static SortedSerials? Of(IReadOnlyList<string> epcs)
    {
        for (var i = 0; i < epcs.Count; i++)
        {
            if (!EpcNeighbours.AreOfOneProduct(epcs[0], epcs[i]))
            {
                return null;
            }
        }
        return epcs.Count > 0 && EpcUri.Check(epcs[0]) is null ? new SortedSerials(epcs) : null;
    }

    public int Count { get; }

    /// <summary>The canonical Digital Link of each, up to its serial number.</summary>
    public string Link { get; }

    public ReadOnlySpan<char> this[int i] => _epcs[i].AsSpan(_serial);

    public void Dispose()
    {
        ArrayPool<string>.Shared.Return(_epcs, clearArray: true);
        ArrayPool<ulong>.Shared.Return(_keys);
    }

    /// <summary>Eight characters at a time: as numbers, they sort many times faster than texts.</summary>
    private static void Sort(Span<string> plain, Span<ulong> keys, int from)
    {
        for (var i = 0; i < plain.Length; i++)
        {
            keys[i] = Eight(plain[i], from);
        }
        keys.Sort(plain);
        for (var first = 0; first < plain.Length;)
        {
            var next = first + 1;
            while (next < plain.Length && keys[next] == keys[first])
            {
                next++;
            }
            if (next - first > 1 && (keys[first] & 0xFF) != 0)
            {
                Sort(plain[first..next], keys[first..next], from + 8);
            }
            first = next;
        }
    }

    /// <summary>Characters of ASCII as the bytes of a number; zeros behind the end, so that what is shorter comes first.</summary>
    private static ulong Eight(string text, int from)
    {
        var key = 0UL;
        for (var i = from; i < from + 8; i++)
        {
            key = (key << 8) | (i < text.Length ? text[i] : 0UL);
        }
        return key;
    }
}
