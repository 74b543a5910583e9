using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Gateway.Serials;

/// <summary>The values that a serial number can have, and the EU's rule on guessing (2016/161, Article 4): at most one in 10,000 of them is issued.</summary>
public static partial class SerialSpace
{
    /// <summary>At most one issued number for so many possible values.</summary>
    public const int PossibleForEach = 10_000;

    /// <summary>Digits and capital letters but for those that people take for digits or for each other.</summary>
    public const string DefaultAlphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

    public const int DefaultLength = 12;

    // GS1 General Specifications, figure 7.11-1: what a serial number may be written with.
    private const string Set82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    /// <summary>How many different numbers of that length the alphabet writes.</summary>
    public static BigInteger Possible(string alphabet, int length) => BigInteger.Pow(alphabet.Length, length);

    /// <summary>The most that may be issued out of so many.</summary>
    public static long Most(BigInteger possible) => (long)BigInteger.Min(possible / PossibleForEach, long.MaxValue);

    /// <summary>How likely a guess is right, as it is shown: <c>1 in 3,656,158,440,062</c>.</summary>
    public static string Guess(BigInteger possible, long issued) =>
        issued == 0 ? "nothing is issued yet" : string.Create(CultureInfo.InvariantCulture, $"1 in {possible / issued:N0}");

    /// <returns>Why no pool can have this alphabet and length; null when one can.</returns>
    public static string? Refuse(string alphabet, int length) =>
        length is < 1 or > 20 ? "A serial number has 1 to 20 characters."
        : alphabet.Length == 0 || alphabet.Distinct().Count() != alphabet.Length ? "An alphabet has at least one character, and each once."
        : alphabet.FirstOrDefault(c => !Set82.Contains(c, StringComparison.Ordinal)) is var foreign && foreign != '\0' ? $"GS1 allows no '{foreign}' in a serial number."
        : null;

    /// <summary>Reads the alphabet and length out of a product's serial pattern, where it is one class of characters so many times, such as <c>^[0-9A-Z]{12}$</c>.</summary>
    /// <returns>Null for a pattern that says more, or less.</returns>
    public static (string Alphabet, int Length)? OfPattern(string pattern)
    {
        if (OneClass().Match(pattern) is not { Success: true } one || !int.TryParse(one.Groups["length"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return null;
        }
        // Whatever the class is written like, its members are those that match it.
        var member = new Regex($"^{one.Groups["class"].Value}$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        var alphabet = string.Concat(Set82.Where(c => member.IsMatch(c.ToString())));
        return Refuse(alphabet, length) is null ? (alphabet, length) : null;
    }

    [GeneratedRegex(@"^\^?(?<class>\[[^\]\[\\^]+\]|\\d)\{(?:[0-9]+,)?(?<length>[0-9]{1,2})\}\$?$", RegexOptions.ExplicitCapture)]
    private static partial Regex OneClass();
}
