using System.Globalization;

namespace Gateway.Access;

/// <summary>How long what people write may be, wherever it comes from: it is stored, audited and shown whole.</summary>
public static class Texts
{
    /// <summary>A reason, a title or a note.</summary>
    public const int MaxReason = 2000;

    /// <summary>A text of a record.</summary>
    public const int MaxText = 20_000;

    /// <summary>Why a text cannot be stored, as a sentence; null when it can.</summary>
    public static string? Refusal(string name, string? text, int max) =>
        text is null ? null
        : text.Length > max ? string.Create(CultureInfo.InvariantCulture, $"{name} has {text.Length:N0} characters: write at most {max:N0}, and put what is longer into a document that you name.")
        : text.Contains('\0', StringComparison.Ordinal) ? $"{name} contains the character U+0000, which cannot be stored: leave it out."
        : null;
}
