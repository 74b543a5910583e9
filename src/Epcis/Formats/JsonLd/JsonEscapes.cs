using System.Globalization;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Escapes that are legal JSON and no text: half a surrogate pair, which no encoding can carry, and NUL, which
/// PostgreSQL cannot store.
/// </summary>
internal static class JsonEscapes
{
    public static void Check(ReadOnlySpan<byte> escaped, string what)
    {
        var high = false;
        for (var i = 0; i < escaped.Length;)
        {
            if (escaped[i] != '\\')
            {
                Demand(!high, what);
                i++;
                continue;
            }
            if (escaped[i + 1] != 'u')
            {
                Demand(!high, what);
                i += 2;
                continue;
            }
            var unit = (char)int.Parse(escaped.Slice(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            Demand(unit != 0, what);
            Demand(char.IsLowSurrogate(unit) == high, what);
            high = char.IsHighSurrogate(unit);
            i += 6;
        }
        Demand(!high, what);
    }

    private static void Demand(bool condition, string what)
    {
        if (!condition)
        {
            throw new JsonRefusal(JsonCodes.Characters, $"{what} holds NUL or half of a surrogate pair.", default);
        }
    }
}
