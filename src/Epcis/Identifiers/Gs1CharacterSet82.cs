using System.Buffers;

namespace Epcis.Identifiers;

/// <summary>
/// The 82 characters of serial and lot numbers: no space, <c>#</c>, <c>$</c> or <c>@</c>. An EPC URI escapes seven of
/// them and a Digital Link more, so identifiers hold the decoded text and only their spellings differ.
/// </summary>
public static class Gs1CharacterSet82
{
    private const string Characters = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Members = SearchValues.Create(Characters);

    public static bool Contains(char c) => Members.Contains(c);

    /// <summary>Says what is wrong with a serial, lot or extension; <see langword="null"/> when nothing is.</summary>
    internal static Refusal? Refuse(string what, string text, int maxLength)
    {
        if (text.Length == 0 || text.Length > maxLength)
        {
            return new Refusal($"The {what} has {text.Length} characters; it needs 1 to {maxLength}.", text, $"1 to {maxLength} characters");
        }
        var foreign = text.AsSpan().IndexOfAnyExcept(Members);
        return foreign < 0
            ? null
            : new Refusal($"The {what} holds '{text[foreign]}', which is not one of the 82 characters GS1 allows.", text, "GS1 character set 82");
    }
}
