using System.Collections.Frozen;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>
/// OWASP ASVS 5.0.0, chapter 6.2, to level 2: length alone counts (6.2.1 asks for 8, we for 12; 6.2.9 for at least 64, we allow 256),
/// no composition is demanded (6.2.5), nothing is cut off or changed (6.2.8), and common passwords (6.2.4, 6.2.12) and words of the
/// context (6.2.11) are refused, also in their usual disguises, from a list that ships with the program.
/// </summary>
public sealed class PasswordRules(IOptions<SignInOptions> options)
{
    public const int MinLength = 12;
    public const int MaxLength = 256;

    // So much around one common word is decoration: password2026!, !!dragon!!.
    private const int MaxDecoration = 8;

    private static readonly string[] Product = ["serialization", "serialisation", "gateway", "epcis", "dscsa", "medicine", "medicines", "pharma", "demonstration"];
    private static readonly string[] Rows = ["12345678901234567890", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p"];
    private static readonly FrozenSet<string> Common = Load();

    /// <returns>Null, or why the password is refused.</returns>
    public string? Refusal(string password, string userName, string? displayName = null)
    {
        var length = password.EnumerateRunes().Count();
        if (length < MinLength)
        {
            return $"A password has at least {MinLength} characters; this one has {length}. Several words are easy to remember.";
        }
        if (length > MaxLength)
        {
            return $"A password has at most {MaxLength} characters; this one has {length}.";
        }
        var folded = Fold(password);
        if (IsMonotonous(folded))
        {
            return "This password repeats a few characters or follows the keyboard or the alphabet: it is among the first to be tried.";
        }
        if (Variants(folded).Any(IsCommon))
        {
            return "This password is a common one, or a common word with decoration: it is among the first to be tried.";
        }
        string[] context = [.. Product, .. options.Value.ContextWords.SelectMany(Words), .. Words(userName), .. Words(displayName ?? "")];
        var rest = folded;
        foreach (var word in context.Where(w => w.Length >= 4).OrderByDescending(w => w.Length))
        {
            rest = rest.Replace(word, "", StringComparison.Ordinal);
        }
        // What the context does not say must be worth something by itself.
        return rest.Length < folded.Length && (Letters(rest).Length < 6 && rest.Length < MinLength || Variants(rest).Any(IsCommon))
            ? "This password is made of names that belong to you, this gateway or your company: they are among the first to be tried."
            : null;
    }

    private static bool IsCommon(string text)
    {
        var core = text.Trim([.. text.Where(c => !char.IsLetter(c)).Distinct()]);
        return Common.Contains(text) || text.Length - core.Length <= MaxDecoration && Common.Contains(core);
    }

    // As it is, and with the digits and signs that stand for letters read as those.
    private static IEnumerable<string> Variants(string folded)
    {
        yield return folded;
        var core = folded.Trim([.. "0123456789!?.,;:-_*#+/&%()[]{}<>=~^'\"|\\"]);
        yield return string.Concat(core.Select(Plain));
        yield return string.Concat(folded.Select(Plain));
    }

    private static char Plain(char c) => c switch { '0' => 'o', '1' or '!' => 'i', '3' => 'e', '4' or '@' => 'a', '5' or '$' => 's', '7' => 't', '8' => 'b', _ => c };

    private static bool IsMonotonous(string folded)
    {
        if (folded.Distinct().Count() < 5)
        {
            return true;
        }
        for (var period = 1; period <= 8 && period <= folded.Length / 2; period++)
        {
            if (Enumerable.Range(period, folded.Length - period).All(i => folded[i] == folded[i - period]))
            {
                return true;
            }
        }
        var signs = new string([.. folded.Where(char.IsLetterOrDigit)]);
        return signs.Length > 0 && Rows.Any(row => row.Contains(signs, StringComparison.Ordinal) || string.Concat(row.Reverse()).Contains(signs, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Words(string text) =>
        new string([.. Fold(text, keepBlanks: true).Select(c => char.IsLetterOrDigit(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Letters(string text) => new([.. text.Where(char.IsLetter)]);

    // Small letters, full-width signs as plain ones, no blanks: only for comparing, never for hashing.
    private static string Fold(string text, bool keepBlanks = false) =>
        new([.. text.Where(c => keepBlanks || !char.IsWhiteSpace(c)).Select(c => char.ToLowerInvariant(c is >= '！' and <= '～' ? (char)(c - 0xFEE0) : c))]);

    private static FrozenSet<string> Load()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("common-passwords")!);
        var words = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line is not ['#', ..])
            {
                words.Add(line);
            }
        }
        return words.ToFrozenSet(StringComparer.Ordinal);
    }
}
