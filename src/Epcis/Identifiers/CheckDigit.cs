namespace Epcis.Identifiers;

/// <summary>The check digit of GTIN, SSCC, GLN, GSRN, GSIN and of the numeric part of GRAI, GDTI and GCN.</summary>
public static class CheckDigit
{
    /// <summary>The digit that completes <paramref name="digits"/>: weights 3, 1, 3 … from the right.</summary>
    public static char Of(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var weight = (digits.Length - i) % 2 == 1 ? 3 : 1;
            sum += weight * (digits[i] - '0');
        }
        return (char)('0' + (10 - sum % 10) % 10);
    }

    /// <summary>Whether the last digit is the check digit of those before it.</summary>
    public static bool Completes(ReadOnlySpan<char> digits) => digits.Length > 1 && Of(digits[..^1]) == digits[^1];

    internal static ValueFinding? Refuse(string what, ReadOnlySpan<char> digits)
    {
        if (Completes(digits))
        {
            return null;
        }
        var right = Of(digits[..^1]);
        return new ValueFinding(ValueCodes.CheckDigit, $"The check digit of {what} {digits} is {digits[^1]} and should be {right}.", digits.Length)
        {
            Got = digits[^1..].ToString(),
            Want = right.ToString(),
            Suggestion = $"Compare the digits with their source; if the others are right, it is {digits[..^1]}{right}.",
        };
    }
}
