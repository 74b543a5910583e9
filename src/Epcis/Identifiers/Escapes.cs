using System.Text;

namespace Epcis.Identifiers;

/// <summary>The percent-escapes of EPC URIs and of Digital Link paths.</summary>
internal static class Escapes
{
    /// <summary>What an EPC URI must escape; <c>#</c> occurs in the part references of CPI only.</summary>
    private const string EscapedInEpcUri = "\"%&/<>?#";

    public static string ForEpcUri(string text) => Escape(text, c => EscapedInEpcUri.Contains(c, StringComparison.Ordinal));

    /// <summary>Everything but unreserved characters; readers that accept fewer escapes compare the decoded text.</summary>
    public static string ForDigitalLink(string text) =>
        Escape(text, c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or '~'));

    private static string Escape(string text, Func<char, bool> mustEscape)
    {
        if (!text.Any(mustEscape))
        {
            return text;
        }
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (mustEscape(c))
            {
                escaped.Append('%').Append(((int)c).ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                escaped.Append(c);
            }
        }
        return escaped.ToString();
    }

    /// <summary>Undoes every escape; <see langword="null"/> when a <c>%</c> is followed by no ASCII character's code.</summary>
    public static string? Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                decoded.Append(text[i]);
                continue;
            }
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                return null;
            }
            var code = Convert.ToByte(text.Substring(i + 1, 2), 16);
            if (code is < 0x20 or > 0x7E)
            {
                return null;
            }
            decoded.Append((char)code);
            i += 2;
        }
        return decoded.ToString();
    }

    /// <summary>Whether a component of an EPC URI leaves a character bare that must be escaped.</summary>
    public static char? BareInEpcUri(string component) =>
        component.FirstOrDefault(c => c != '%' && EscapedInEpcUri.Contains(c, StringComparison.Ordinal)) is var bare and not '\0' ? bare : null;

    /// <summary>An EPC URI that escapes more than it must is understood, yet misspelt: only the hex digits' case is free.</summary>
    public static bool AreCanonicalInEpcUri(string component, string decoded) =>
        string.Equals(component, ForEpcUri(decoded), StringComparison.Ordinal) ||
        (component.Length == ForEpcUri(decoded).Length && Decode(component) == decoded);
}
