namespace Epcis.Rules;

/// <summary>The National Drug Code in its two written forms. Further formats are announced, so it is text everywhere else.</summary>
internal static class Ndc
{
    /// <summary>4-4-2, 5-3-2 or 5-4-1.</summary>
    public static bool IsHyphenated(string ndc)
    {
        var parts = ndc.Split('-');
        return parts.All(p => p.Length > 0 && p.All(char.IsAsciiDigit))
            && (parts.Select(p => p.Length) is var lengths)
            && (lengths.SequenceEqual([4, 4, 2]) || lengths.SequenceEqual([5, 3, 2]) || lengths.SequenceEqual([5, 4, 1]));
    }

    public static bool IsEleven(string ndc) => ndc.Length == 11 && ndc.All(char.IsAsciiDigit);
}
