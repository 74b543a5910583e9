using System.Text.RegularExpressions;

namespace Epcis.Rules;

/// <summary>The lexical form of an instant in EPCIS: seconds and zone are required, offsets reach to 14 hours.</summary>
internal static partial class ZonedTime
{
    public static bool Has(string text) => Form().IsMatch(text);

    public static bool IsOffset(string text) => Offset().IsMatch(text);

    [GeneratedRegex(@"^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))\z")]
    private static partial Regex Form();

    [GeneratedRegex(@"^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)\z")]
    private static partial Regex Offset();
}
