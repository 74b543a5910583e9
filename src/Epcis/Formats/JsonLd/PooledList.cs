using System.Buffers;
using System.Runtime.CompilerServices;

namespace Epcis.Formats.JsonLd;

/// <summary>A list in an array that the pool lends: one event may list a hundred thousand EPCs, and growing to that would leave twice as much garbage behind.</summary>
internal sealed class PooledList<T> : IDisposable
{
    private T[] _array = [];

    public int Count { get; private set; }

    public ReadOnlySpan<T> Items => _array.AsSpan(0, Count);

    public void Add(T item)
    {
        if (Count == _array.Length)
        {
            var larger = ArrayPool<T>.Shared.Rent(Math.Max(64, Count * 2));
            Items.CopyTo(larger);
            GiveBack();
            _array = larger;
        }
        _array[Count++] = item;
    }

    public void Clear()
    {
        _array.AsSpan(0, Count).Clear(); // what it names must not live on through it
        Count = 0;
    }

    public void Dispose()
    {
        Clear();
        GiveBack();
    }

    private void GiveBack()
    {
        if (_array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(_array, clearArray: RuntimeHelpers.IsReferenceOrContainsReferences<T>());
            _array = [];
        }
    }
}
