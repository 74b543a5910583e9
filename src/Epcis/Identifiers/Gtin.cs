namespace Epcis.Identifiers;

/// <summary>A Global Trade Item Number, always as 14 digits with its check digit.</summary>
public sealed record Gtin
{
    private Gtin(string digits) => Value = digits;

    /// <summary>14 digits; the first is the indicator.</summary>
    public string Value { get; }

    /// <summary>The first of the 14 digits: 0 for what consumers buy, 1 to 8 for groupings, 9 for variable measure.</summary>
    public char Indicator => Value[0];

    /// <summary>Reads GTIN-8, -12, -13 and -14; shorter ones are the same number behind zeros.</summary>
    public static Parsed<Gtin> Parse(string digits)
    {
        if (digits.Length is not (8 or 12 or 13 or 14))
        {
            return new ValueFinding(ValueCodes.Length, $"The GTIN '{ValueFinding.Cut(digits)}' has {digits.Length} characters; a GTIN has 8, 12, 13 or 14 digits.", Math.Min(digits.Length, 14) + 1)
            {
                Got = $"{digits.Length} characters",
                Want = "8, 12, 13 or 14 digits",
            };
        }
        return (Digits.Refuse("GTIN", digits, digits.Length) ?? CheckDigit.Refuse("GTIN", digits)) is { } finding ? finding : new Gtin(digits.PadLeft(14, '0'));
    }

    /// <summary>The 14 digits.</summary>
    public override string ToString() => Value;
}
