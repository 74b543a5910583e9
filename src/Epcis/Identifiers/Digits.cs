namespace Epcis.Identifiers;

/// <summary>Checks of the numeric parts that all GS1 keys share.</summary>
internal static class Digits
{
    public static bool AreAll(string text) => !text.AsSpan().ContainsAnyExceptInRange('0', '9');

    public static Refusal? Refuse(string what, string text, int length)
    {
        if (!AreAll(text))
        {
            return new Refusal($"The {what} '{text}' may hold digits only.", text, $"{length} digits");
        }
        return text.Length == length
            ? null
            : new Refusal($"The {what} '{text}' has {text.Length} digits; it needs {length}.", text, $"{length} digits");
    }

    /// <summary>A GS1 company prefix has 6 to 12 digits. Only an EPC URI says how many; nobody may guess.</summary>
    public static Refusal? RefusePrefixLength(int length) =>
        length is >= 6 and <= 12
            ? null
            : new Refusal($"A GS1 company prefix has 6 to 12 digits, not {length}.", length.ToString(System.Globalization.CultureInfo.InvariantCulture), "6 to 12");
}
