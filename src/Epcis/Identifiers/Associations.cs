namespace Epcis.Identifiers;

/// <summary>
/// Which application identifiers need or exclude each other (GS1 General Specifications, as the GS1 Barcode Syntax
/// Dictionary lists them). They are about everything marked on an object, of which a symbol is a part: so a breach in one is
/// a warning.
/// </summary>
internal static class Associations
{
    /// <summary>One finding for each element that lacks its companions, or that stands beside one it may not.</summary>
    public static IEnumerable<ValueFinding> Check(IReadOnlyList<Gs1Element> elements)
    {
        foreach (var element in elements.DistinctBy(e => e.Ai))
        {
            var ai = ApplicationIdentifier.Find(element.Ai)!;
            foreach (var groups in ai.Requires)
            {
                if (!groups.Any(group => group.All(IsThere)))
                {
                    var want = string.Join(" or ", groups.Select(g => string.Join(" with ", g.Select(Bracketed))));
                    yield return new ValueFinding(ValueCodes.Association, $"{ai.Name} needs {want} on the same object.", element.At)
                    {
                        Severity = Severity.Warning,
                        Got = Bracketed(element.Ai),
                        Want = want,
                        Suggestion = "Look whether another symbol on the same object holds it.",
                    };
                }
            }
            foreach (var other in elements.Where(o => o.Ai != element.Ai && ai.Excludes.Any(x => Fits(x, o.Ai))).DistinctBy(o => o.Ai))
            {
                yield return new ValueFinding(ValueCodes.Association, $"{ai.Name} may not be told of the same object as ({other.Ai}).", element.At)
                {
                    Severity = Severity.Warning,
                    Got = $"{Bracketed(element.Ai)} and {Bracketed(other.Ai)}",
                    Want = "one of them",
                    Suggestion = "Correct whatever prints or prepares the symbol.",
                };
            }
        }

        bool IsThere(string pattern) => elements.Any(e => Fits(pattern, e.Ai));
    }

    private static string Bracketed(string ai) => $"({ai})";

    /// <param name="pattern">Such as <c>8111</c> or <c>31nn</c>, where n is any digit.</param>
    private static bool Fits(string pattern, string ai)
    {
        if (pattern.Length != ai.Length)
        {
            return false;
        }
        for (var i = 0; i < ai.Length; i++)
        {
            if (pattern[i] != 'n' && pattern[i] != ai[i])
            {
                return false;
            }
        }
        return true;
    }
}
