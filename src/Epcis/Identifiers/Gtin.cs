namespace Epcis.Identifiers;

/// <summary>A Global Trade Item Number, always as 14 digits with its check digit.</summary>
public sealed record Gtin
{
    private Gtin(string digits) => Value = digits;

    /// <summary>14 digits; the first is the indicator.</summary>
    public string Value { get; }

    public char Indicator => Value[0];

    /// <summary>Reads GTIN-8, -12, -13 and -14; shorter ones are the same number behind zeros.</summary>
    public static Parsed<Gtin> Parse(string digits)
    {
        if (digits.Length is not (8 or 12 or 13 or 14))
        {
            return new Refusal($"The GTIN '{digits}' has {digits.Length} characters; a GTIN has 8, 12, 13 or 14 digits.", digits, "14 digits");
        }
        var refusal = Digits.Refuse("GTIN", digits, digits.Length) ?? CheckDigit.Refuse("GTIN", digits);
        return refusal is null ? new Gtin(digits.PadLeft(14, '0')) : refusal;
    }

    /// <summary>Of an EPC URI, whose structure has been checked and which carries no check digit.</summary>
    internal static Gtin Of(EpcUri uri) => new(uri.Key);

    internal string Prefix(int companyPrefixLength) => Value.Substring(1, companyPrefixLength);

    /// <summary>Item reference behind the indicator digit, as EPC URIs write it.</summary>
    internal string IndicatorAndReference(int companyPrefixLength) => Value[0] + Value[(1 + companyPrefixLength)..13];

    public override string ToString() => Value;
}
