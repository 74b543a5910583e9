using System.Collections.Frozen;

namespace Epcis.Identifiers;

internal enum EpcFieldKind
{
    Digits,

    /// <summary>GS1 character set 82.</summary>
    Text,

    /// <summary>Part references of CPI: capital letters, digits, <c>#</c>, <c>-</c> and <c>/</c>.</summary>
    PartReference,
}

/// <summary>A component of an EPC URI behind company prefix and reference.</summary>
internal sealed record EpcField(string Name, EpcFieldKind Kind, int MinLength, int MaxLength)
{
    public Refusal? Refuse(string text) => Kind switch
    {
        EpcFieldKind.Text => Gs1CharacterSet82.Refuse(Name, text, MaxLength),
        EpcFieldKind.Digits when MinLength == MaxLength => Digits.Refuse(Name, text, MaxLength),
        EpcFieldKind.Digits => LengthOf(text) ?? (Digits.AreAll(text) ? null : new Refusal($"The {Name} '{text}' may hold digits only.", text, "digits")),
        _ => LengthOf(text) ?? (text.All(IsPartReference) ? null : new Refusal($"The {Name} '{text}' may hold capital letters, digits, '#', '-' and '/' only.", text)),
    };

    private Refusal? LengthOf(string text) =>
        text.Length >= MinLength && text.Length <= MaxLength
            ? null
            : new Refusal($"The {Name} '{text}' has {text.Length} characters; it needs {MinLength} to {MaxLength}.", text, $"{MinLength} to {MaxLength} characters");

    private static bool IsPartReference(char c) => char.IsAsciiDigit(c) || char.IsAsciiLetterUpper(c) || c is '#' or '-' or '/';
}

/// <summary>
/// What EPCIS needs to know of an EPC scheme: company prefix and reference together have <see cref="KeyLength"/>
/// digits (or, where the reference is text, at most that many characters), then come the <see cref="Tail"/> fields.
/// </summary>
internal sealed record EpcScheme(string Name, int KeyLength, params EpcField[] Tail)
{
    public EpcFieldKind Reference { get; init; } = EpcFieldKind.Digits;

    /// <summary>The application identifier of the key.</summary>
    public required string Ai { get; init; }

    /// <summary>The application identifier of the last field; <see langword="null"/> when the fields follow the key directly.</summary>
    public string? QualifierAi { get; init; }

    /// <summary>The indicator or extension digit leads the key, but stands behind the dot in the EPC URI.</summary>
    public bool LeadingDigitMoves { get; init; }

    public bool HasCheckDigit { get; init; } = true;

    /// <summary>GRAI's element string begins with a zero that says nothing.</summary>
    public string Filler { get; init; } = "";

    private static EpcField Serial(int maxLength = 20) => new("serial number", EpcFieldKind.Text, 1, maxLength);

    private static EpcField Number(string name, int min, int max) => new(name, EpcFieldKind.Digits, min, max);

    private static readonly FrozenDictionary<string, EpcScheme> ByName = new EpcScheme[]
    {
        new("sgtin", 13, Serial()) { Ai = "01", QualifierAi = "21", LeadingDigitMoves = true },
        new("lgtin", 13, new EpcField("lot number", EpcFieldKind.Text, 1, 20)) { Ai = "01", QualifierAi = "10", LeadingDigitMoves = true },
        new("upui", 13, new EpcField("third-party serial number", EpcFieldKind.Text, 1, 28)) { Ai = "01", QualifierAi = "235", LeadingDigitMoves = true },
        new("itip", 13, Number("piece number", 2, 2), Number("total of pieces", 2, 2), Serial()) { Ai = "8006", QualifierAi = "21", LeadingDigitMoves = true },
        new("sscc", 17) { Ai = "00", LeadingDigitMoves = true },
        new("sgln", 12, new EpcField("extension", EpcFieldKind.Text, 1, 20)) { Ai = "414", QualifierAi = "254" },
        new("pgln", 12) { Ai = "417" },
        new("grai", 12, Serial(16)) { Ai = "8003", Filler = "0" },
        new("gdti", 12, Serial(17)) { Ai = "253" },
        new("sgcn", 12, Number("serial number", 1, 12)) { Ai = "255" },
        new("gsrn", 17) { Ai = "8018" },
        new("gsrnp", 17) { Ai = "8017" },
        new("gsin", 16) { Ai = "402" },
        new("giai", 30) { Ai = "8004", Reference = EpcFieldKind.Text, HasCheckDigit = false },
        new("ginc", 30) { Ai = "401", Reference = EpcFieldKind.Text, HasCheckDigit = false },
        new("cpi", 30, Number("serial number", 1, 12)) { Ai = "8010", QualifierAi = "8011", Reference = EpcFieldKind.PartReference, HasCheckDigit = false },
    }.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal);

    public static EpcScheme? Named(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Components of the whole EPC URI: prefix, reference and the tail.</summary>
    public int Components => 2 + Tail.Length;

    public Refusal? RefusePrefix(string prefix) =>
        !Digits.AreAll(prefix)
            ? new Refusal($"The company prefix '{prefix}' may hold digits only.", prefix, "6 to 12 digits")
            : Digits.RefusePrefixLength(prefix.Length);

    public Refusal? RefuseReference(string prefix, string reference) =>
        Reference == EpcFieldKind.Digits
            ? Digits.Refuse("reference", reference, KeyLength - prefix.Length)
            : new EpcField("reference", Reference, 1, KeyLength - prefix.Length).Refuse(reference);

    /// <summary>The key as element strings and Digital Links write it.</summary>
    public string KeyOf(string prefix, string reference)
    {
        var digits = LeadingDigitMoves ? reference[0] + prefix + reference[1..] : prefix + reference;
        return HasCheckDigit ? Filler + digits + CheckDigit.Of(digits) : digits;
    }
}
