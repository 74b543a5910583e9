namespace Epcis.Identifiers;

/// <summary>Checks of the numeric parts that all GS1 keys share.</summary>
internal static class Digits
{
    public static bool AreAll(ReadOnlySpan<char> text) => Gs1Characters.Numeric.IndexOfForeign(text) < 0;

    public static ValueFinding? Refuse(string what, ReadOnlySpan<char> text, int length)
    {
        if (text.Length == length && AreAll(text))
        {
            return null;
        }
        var foreign = Gs1Characters.Numeric.IndexOfForeign(text);
        return foreign >= 0
            ? new ValueFinding(ValueCodes.Character, $"The {what} '{ValueFinding.Cut(text)}' may hold digits only.", foreign + 1) { Got = text[foreign].ToString(), Want = $"{length} digits" }
            : new ValueFinding(ValueCodes.Length, $"The {what} '{ValueFinding.Cut(text)}' has {text.Length} digits; it needs {length}.", Math.Min(text.Length, length) + 1) { Got = $"{text.Length} digits", Want = $"{length} digits" };
    }
}
