using System.Buffers;

namespace Epcis.Identifiers;

/// <summary>The characters that GS1 allows in a value.</summary>
internal sealed class Gs1Characters
{
    public static readonly Gs1Characters Numeric = new("digits", "0123456789");

    /// <summary>
    /// Serial and lot numbers: no space, <c>#</c>, <c>$</c> or <c>@</c>. An EPC URI escapes seven of them and a Digital Link
    /// more, so identifiers hold the decoded text and only their spellings differ.
    /// </summary>
    public static readonly Gs1Characters Set82 = new("the 82 characters GS1 allows", "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    /// <summary>The references of components and parts.</summary>
    public static readonly Gs1Characters Set39 = new("capital letters, digits, '#', '-' and '/'", "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>Digital signatures.</summary>
    public static readonly Gs1Characters Base64Url = new("the characters of base64url", "-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    private readonly SearchValues<char> _members;

    private Gs1Characters(string name, string members) => (Name, _members) = (name, SearchValues.Create(members));

    /// <summary>As it stands in a sentence.</summary>
    public string Name { get; }

    public int IndexOfForeign(ReadOnlySpan<char> text) => text.IndexOfAnyExcept(_members);
}
