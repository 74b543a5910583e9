using System.Buffers;
using System.Text;

namespace Epcis.Identifiers;

/// <summary>The percent-escapes of EPC URIs and of Digital Link paths.</summary>
internal static class Escapes
{
    /// <summary>What an EPC URI must escape; <c>#</c> occurs in the part references of CPI only.</summary>
    private static readonly SearchValues<char> EscapedInEpcUri = SearchValues.Create("\"%&/<>?#");

    private static readonly SearchValues<char> LiteralInDigitalLink =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    /// <summary>Whether a component of an EPC URI stands for itself: no escape in it, and nothing that should be one.</summary>
    public static bool IsPlainInEpcUri(ReadOnlySpan<char> component) => component.IndexOfAny(EscapedInEpcUri) < 0;

    public static string ForEpcUri(string text) => text.AsSpan().IndexOfAny(EscapedInEpcUri) < 0 ? text : Escape(text, EscapedInEpcUri.Contains);

    /// <summary>Everything but unreserved characters; readers that accept fewer escapes compare the decoded text.</summary>
    public static string ForDigitalLink(string text) =>
        text.AsSpan().IndexOfAnyExcept(LiteralInDigitalLink) < 0 ? text : Escape(text, c => !LiteralInDigitalLink.Contains(c));

    private static string Escape(string text, Func<char, bool> mustEscape)
    {
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

    /// <summary>Undoes every escape.</summary>
    public static ValueFinding? Decode(ReadOnlySpan<char> text, out string decoded)
    {
        decoded = "";
        if (!text.Contains('%'))
        {
            decoded = text.ToString();
            return null;
        }
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                result.Append(text[i]);
                continue;
            }
            var escape = text[i..Math.Min(i + 3, text.Length)];
            if (escape.Length < 3 || !char.IsAsciiHexDigit(escape[1]) || !char.IsAsciiHexDigit(escape[2]))
            {
                return new ValueFinding(ValueCodes.Escape, $"The '%' of '{ValueFinding.Cut(text)}' is no escape: two hexadecimal digits must follow it.", i + 1)
                {
                    Got = escape.ToString(),
                    Want = "% and two hexadecimal digits",
                    Suggestion = "Write a '%' that stands for itself as %25.",
                };
            }
            var code = Convert.FromHexString(escape[1..])[0];
            if (code is < 0x20 or > 0x7E)
            {
                return new ValueFinding(ValueCodes.Escape, $"The escape {escape} stands for no character that an identifier may hold.", i + 1)
                {
                    Got = escape.ToString(),
                    Want = "%20 to %7E",
                };
            }
            result.Append((char)code);
            i += 2;
        }
        decoded = result.ToString();
        return null;
    }

    /// <summary>Where a character of the decoded text stands in the text as written; both counted from 1.</summary>
    public static int PlaceOf(ReadOnlySpan<char> written, int decodedAt)
    {
        var at = 0;
        for (var decoded = 1; decoded < decodedAt && at < written.Length; decoded++)
        {
            at += written[at] == '%' ? 3 : 1;
        }
        return Math.Min(at, written.Length) + 1;
    }

    /// <summary>The first character of a component of an EPC URI that is bare and must be escaped; -1 when there is none.</summary>
    public static int BareInEpcUri(ReadOnlySpan<char> component)
    {
        for (var i = 0; i < component.Length; i++)
        {
            if (component[i] != '%' && EscapedInEpcUri.Contains(component[i]))
            {
                return i;
            }
        }
        return -1;
    }

    /// <summary>The first escape of a sound component that should be a literal character; -1 when there is none.</summary>
    public static int NeedlessInEpcUri(ReadOnlySpan<char> component)
    {
        for (var i = 0; i < component.Length; i++)
        {
            if (component[i] == '%')
            {
                if (!EscapedInEpcUri.Contains((char)Convert.FromHexString(component.Slice(i + 1, 2))[0]))
                {
                    return i;
                }
                i += 2;
            }
        }
        return -1;
    }
}
