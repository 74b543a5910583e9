using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Host.Simulate.Hub;

/// <summary>A serial number of at most twenty characters in twenty bytes and no object: millions of them are kept. In the order of their characters.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct SerialNumber(ulong First, ulong Second, uint Third) : IComparable<SerialNumber>
{
    public const int Length = 20;

    /// <summary>The schema has let nothing else pass than 1 to 20 characters of ASCII.</summary>
    public static SerialNumber Of(string text)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes.Clear();
        Encoding.ASCII.GetBytes(text, bytes);
        return new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]));
    }

    public int CompareTo(SerialNumber other) =>
        First != other.First ? First.CompareTo(other.First) : Second != other.Second ? Second.CompareTo(other.Second) : Third.CompareTo(other.Third);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, First);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Second);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], Third);
        var end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
