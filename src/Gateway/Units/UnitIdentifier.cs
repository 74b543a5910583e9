using Epcis.Identifiers;

namespace Gateway.Units;

/// <summary>What a person or program has at hand of a unit, read to its key.</summary>
public static class UnitIdentifier
{
    /// <summary>Longer than any identifier of a unit, with whatever a Digital Link or a symbol says besides.</summary>
    public const int MaxLength = 1_000;

    /// <summary>
    /// Reads an EPC URI cut at any length, a Digital Link, an element string as scanned or printed, the 18 digits of an SSCC, or a
    /// GTIN and a serial number with a blank, comma or slash between them.
    /// </summary>
    /// <param name="wrong">A sentence when it is no such thing; otherwise null.</param>
    /// <returns>See <see cref="UnitKey"/>; null when it is no such thing.</returns>
    public static string? Read(string text, out string? wrong)
    {
        wrong = null;
        var value = text.Trim();
        if (value.Length is 0 or > MaxLength)
        {
            wrong = value.Length == 0 ? "There is no identifier." : $"An identifier has at most {MaxLength} characters.";
            return null;
        }
        if (value.Length == 18 && !value.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            value = "(00)" + value;
        }
        else if (value.IndexOfAny([' ', ',', '/']) is var parting and > 0 && Gtin.Parse(value[..parting]).Value is { } gtin)
        {
            // Not by way of the printed form: a serial number may hold brackets.
            var unit = Epc.Create(EpcScheme.Sgtin, gtin.Value, CompanyPrefixes.None, value[(parting + 1)..].TrimStart());
            wrong = unit.Error;
            return unit.Value?.ToElementString();
        }
        if (UnitKey.Of(value) is { } key)
        {
            return key;
        }
        var parsed = Epc.Parse(value, CompanyPrefixes.None);
        wrong = parsed.Value is { } other ? $"It names a {other.Type}; a unit is a GTIN with a serial number, or an SSCC." : parsed.Error ?? "It names no unit.";
        return null;
    }
}
