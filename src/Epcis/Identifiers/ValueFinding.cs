using System.Diagnostics.CodeAnalysis;

namespace Epcis.Identifiers;

/// <summary>One thing to say about a value that should be an identifier.</summary>
/// <param name="Code">One of <see cref="ValueCodes"/>.</param>
/// <param name="At">The first character it is about, counted from 1; one behind the last where something is missing.</param>
public sealed record ValueFinding(string Code, string Message, int At)
{
    /// <summary>An error unless it says otherwise.</summary>
    public Severity Severity { get; init; } = Severity.Error;

    /// <summary>What stands there.</summary>
    public string? Got { get; init; }

    /// <summary>What should stand there.</summary>
    public string? Want { get; init; }

    /// <summary>What a person can do about it.</summary>
    [AllowNull]
    public string Suggestion
    {
        get => field ?? ValueCodes.Remedy(Code);
        init;
    }

    /// <summary>The same in the value that holds the one it was said of.</summary>
    internal ValueFinding Behind(int characters) => characters == 0 ? this : this with { At = At + characters };

    /// <summary>A text short enough for a sentence: hostile values may be megabytes long.</summary>
    internal static string Cut(ReadOnlySpan<char> text) => text.Length <= 80 ? text.ToString() : string.Concat(text[..80], "…");
}

/// <summary>What can be wrong with a value; the words never change their meaning.</summary>
public static class ValueCodes
{
    /// <summary>It is no spelling of a GS1 key.</summary>
    public const string Form = "gs1.form";

    /// <summary>There is no such EPC scheme, or none for this key.</summary>
    public const string Scheme = "gs1.scheme";

    /// <summary>Parts are missing, too many, or in the wrong order.</summary>
    public const string Parts = "gs1.parts";

    /// <summary>Too short or too long.</summary>
    public const string Length = "gs1.length";

    /// <summary>A character that may not stand there.</summary>
    public const string Character = "gs1.character";

    /// <summary>The check digit does not fit the digits before it.</summary>
    public const string CheckDigit = "gs1.check_digit";

    /// <summary>A percent sign without two hexadecimal digits.</summary>
    public const string Escape = "gs1.escape";

    /// <summary>No application identifier of GS1, or none that may stand there.</summary>
    public const string ApplicationIdentifier = "gs1.ai";

    /// <summary>No day of the calendar.</summary>
    public const string Date = "gs1.date";

    /// <summary>A value its own rules forbid, such as a serial number with a leading zero.</summary>
    public const string Value = "gs1.value";

    /// <summary>Two different values of one application identifier.</summary>
    public const string Twice = "gs1.twice";

    /// <summary>Nobody can tell where a value of variable length ends.</summary>
    public const string SeparatorMissing = "gs1.separator_missing";

    /// <summary>Understood, yet not as the standard writes it today.</summary>
    public const string Spelling = "gs1.spelling";

    /// <summary>The same digits can mean another key.</summary>
    public const string Ambiguous = "gs1.ambiguous";

    /// <summary>An application identifier without those that it needs, or beside one that it excludes.</summary>
    public const string Association = "gs1.association";

    /// <summary>The length of the company prefix is not known, or not as said.</summary>
    public const string CompanyPrefix = "id.gcp_length";

    /// <summary>What helps when nothing more is known than the code.</summary>
    internal static string Remedy(string code) => code switch
    {
        Form => "Write it as an EPC URI, a Digital Link, an element string or the digits of a key.",
        Scheme => "Check the name of the scheme, or the application identifier of the key.",
        Parts => "Compare its parts with those of the key.",
        Length => "Compare it with its source: something is missing there or too much.",
        Character => "Compare it with its source: a scanner's keyboard layout changes characters.",
        Escape => "Write the character as % and its two hexadecimal digits.",
        Date => "A date is written YYMMDD.",
        Twice => "Keep the value that its source says.",
        CompanyPrefix => "Look the company prefix up with GS1 or its owner.",
        _ => "Compare it with its source.",
    };
}
