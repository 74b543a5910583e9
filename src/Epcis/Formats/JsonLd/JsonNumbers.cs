using System.Globalization;
using System.Text.Json;

namespace Epcis.Formats.JsonLd;

/// <summary>Numbers keep the digits they were written with; XML's other spellings of a number are rewritten.</summary>
internal static class JsonNumbers
{
    public static void Write(Utf8JsonWriter json, string text)
    {
        if (IsJsonNumber(text))
        {
            json.WriteRawValue(text);
        }
        else if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
        {
            json.WriteNumberValue(exact);
        }
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            // INF and NaN have no JSON number: the text is kept, and the schema refuses it where it is read.
            json.WriteStringValue(text);
        }
    }

    /// <summary>RFC 8259, 6.</summary>
    private static bool IsJsonNumber(ReadOnlySpan<char> text)
    {
        text = text.StartsWith("-") ? text[1..] : text;
        var whole = Digits(text);
        if (whole == 0 || (whole > 1 && text[0] == '0'))
        {
            return false;
        }
        text = text[whole..];
        if (text.StartsWith("."))
        {
            var fraction = Digits(text[1..]);
            if (fraction == 0)
            {
                return false;
            }
            text = text[(1 + fraction)..];
        }
        if (text is not ['e' or 'E', .. var exponent])
        {
            return text.IsEmpty;
        }
        exponent = exponent is ['+' or '-', .. var unsigned] ? unsigned : exponent;
        return exponent.Length > 0 && Digits(exponent) == exponent.Length;
    }

    private static int Digits(ReadOnlySpan<char> text) =>
        text.IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
}
