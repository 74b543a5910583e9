using System.Collections.Frozen;

namespace Epcis.Identifiers;

/// <summary>
/// What a GS1 application identifier such as (01) announces. Lengths, characters, check digits, dates and times are checked;
/// lists of countries, currencies and the like are not judged.
/// </summary>
public sealed partial class ApplicationIdentifier
{
    private static readonly FrozenDictionary<string, ApplicationIdentifier> s_all = ReadTable().ToFrozenDictionary(ai => ai.Ai, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, ApplicationIdentifier>.AlternateLookup<ReadOnlySpan<char>> s_byText =
        s_all.GetAlternateLookup<ReadOnlySpan<char>>();

    private readonly Component[] _components;
    private readonly EpcField _whole;

    private ApplicationIdentifier(string ai, string flags, Component[] components, string[][]? qualifiers, string title)
    {
        (Ai, Title, _components, IsKey, Qualifiers) = (ai, title, components, qualifiers is not null, qualifiers ?? []);
        HasPredefinedLength = flags.Contains('*', StringComparison.Ordinal);
        MayBeAttribute = flags.Contains('?', StringComparison.Ordinal);
        Name = title.Length == 0 ? $"({ai})" : $"({ai}) {title}";
        var minLength = components.Sum(c => c.IsOptional ? 0 : c.Field.MinLength);
        _whole = new EpcField(Name, ai, components[0].Field.Characters, minLength, components.Sum(c => c.Field.MaxLength));
    }

    /// <summary>Two to four digits.</summary>
    public string Ai { get; }

    /// <summary>As printed on labels, such as <c>BATCH/LOT</c>.</summary>
    public string Title { get; }

    /// <summary>Needs no separator behind its value.</summary>
    public bool HasPredefinedLength { get; }

    /// <summary>Whether it may stand in the query of a Digital Link.</summary>
    public bool MayBeAttribute { get; }

    /// <summary>Whether a Digital Link can begin with it.</summary>
    public bool IsKey { get; }

    /// <summary>The most characters that a value may have.</summary>
    public int MaxLength => _whole.MaxLength;

    /// <summary>How it is called in a sentence.</summary>
    internal string Name { get; }

    /// <summary>What may follow the key in a Digital Link's path: alternatives, each in the order of the path.</summary>
    internal string[][] Qualifiers { get; }

    /// <summary>Of each list one group must be there whole; identifiers or patterns such as <c>31nn</c>.</summary>
    internal string[][][] Requires { get; private init; } = [];

    /// <summary>Identifiers or patterns that may not be told of the same object.</summary>
    internal string[] Excludes { get; private init; } = [];

    internal static IEnumerable<ApplicationIdentifier> All => s_all.Values;

    /// <summary>The application identifier of these digits; <see langword="null"/> when GS1 has none.</summary>
    public static ApplicationIdentifier? Find(ReadOnlySpan<char> ai) => s_byText.TryGetValue(ai, out var found) ? found : null;

    /// <summary>The one that some data begin with; none is the beginning of another.</summary>
    internal static ApplicationIdentifier? AtStartOf(ReadOnlySpan<char> data)
    {
        for (var length = 2; length <= 4 && length <= data.Length; length++)
        {
            if (Find(data[..length]) is { } found)
            {
                return found;
            }
        }
        return null;
    }

    /// <summary>Says what is wrong with a value; <see langword="null"/> when nothing is.</summary>
    public ValueFinding? Refuse(ReadOnlySpan<char> value)
    {
        if (value.Length < _whole.MinLength || value.Length > _whole.MaxLength)
        {
            return _whole.Refuse(value);
        }
        var at = 0;
        foreach (var component in _components)
        {
            if (at == value.Length && component.IsOptional)
            {
                break;
            }
            var part = value.Slice(at, Math.Min(component.Field.MaxLength, value.Length - at));
            var finding = component.Field.Refuse(part);
            for (var i = 0; finding is null && i < component.Checks.Length; i++)
            {
                finding = Refuse(component.Checks[i], part);
            }
            if (finding is not null)
            {
                return finding.Behind(at);
            }
            at += part.Length;
        }
        return null;
    }

    private ValueFinding? Refuse(string check, ReadOnlySpan<char> part) => check switch
    {
        "csum" => CheckDigit.Refuse(Name, part),
        "yymmd0" => Gs1Date.Refuse(Name, part, dayMayBeZero: true),
        "yymmdd" => Gs1Date.Refuse(Name, part, dayMayBeZero: false),
        "yyyymmdd" => Gs1Date.Refuse(Name, part[2..], dayMayBeZero: false)?.Behind(2),
        "hh" => UpTo(23, part),
        "mi" or "ss" => UpTo(59, part),
        "hhmi" => UpTo(23, part[..2]) ?? UpTo(59, part[2..])?.Behind(2),
        "zero" => part.ContainsAnyExcept('0') ? Wrong(part, "0") : null,
        "nonzero" => part.ContainsAnyExcept('0') ? null : Wrong(part, "not only zeros"),
        "nozeroprefix" => part[0] == '0' ? Wrong(part, "1 to 9 first") : null,
        "yesno" => part is "0" or "1" ? null : Wrong(part, "0 or 1"),
        // The company prefix has six digits at least, and somebody's reference follows it.
        "gcppos1" => part.Length > 6 && Digits.AreAll(part[..6]) ? null : Wrong(part, "a company prefix of 6 to 12 digits, and a reference"),
        _ => null,
    };

    private ValueFinding? UpTo(int most, ReadOnlySpan<char> digits) =>
        Gs1Date.Number(digits) <= most ? null : new ValueFinding(ValueCodes.Date, $"The {Name} names no time: {digits} is more than {most}.", 1) { Got = digits.ToString(), Want = $"00 to {most}" };

    private ValueFinding Wrong(ReadOnlySpan<char> part, string want) =>
        new(ValueCodes.Value, $"The {Name} '{ValueFinding.Cut(part)}' needs {want}.", 1) { Got = ValueFinding.Cut(part), Want = want };

    private static IEnumerable<ApplicationIdentifier> ReadTable()
    {
        foreach (var line in Table.Split('\n'))
        {
            var (row, title) = line.Split(" # ", 2) is [var r, var t] ? (r, t) : (line, "");
            var words = row.Split(' ');
            var components = words[2..].Where(w => !IsOf(w, "dlpkey") && !IsOf(w, "req=") && !IsOf(w, "ex=")).Select(w => Component.Read(w, words[0], title)).ToArray();
            var key = words[2..].FirstOrDefault(w => IsOf(w, "dlpkey"));
            var qualifiers = key is null ? null : key.Length == 6 ? [] : key[7..].Split('|').Select(q => q.Split(',')).ToArray();
            var requires = words[2..].Where(w => IsOf(w, "req=")).Select(w => w[4..].Split(',').Select(g => g.Split('+')).ToArray()).ToArray();
            var excludes = words[2..].Where(w => IsOf(w, "ex=")).SelectMany(w => w[3..].Split(',')).ToArray();
            var range = words[0].Split('-');
            for (var ai = Gs1Date.Number(range[0]); ai <= Gs1Date.Number(range[^1]); ai++)
            {
                yield return new ApplicationIdentifier(ai.ToString("D" + range[0].Length, System.Globalization.CultureInfo.InvariantCulture), words[1], components, qualifiers, title) { Requires = requires, Excludes = excludes };
            }
        }

        static bool IsOf(string word, string attribute) => word.StartsWith(attribute, StringComparison.Ordinal);
    }

    /// <summary>Such as <c>N13,csum</c> or <c>[X..17]</c>.</summary>
    private sealed record Component(EpcField Field, bool IsOptional, string[] Checks)
    {
        public static Component Read(string word, string ai, string title)
        {
            var parts = word.Split(',');
            var isOptional = parts[0][0] == '[';
            var spec = parts[0].Trim('[', ']');
            var characters = spec[0] switch
            {
                'N' => Gs1Characters.Numeric,
                'Y' => Gs1Characters.Set39,
                'Z' => Gs1Characters.Base64Url,
                _ => Gs1Characters.Set82,
            };
            var isVariable = spec[1] == '.';
            var length = Gs1Date.Number(spec.AsSpan(isVariable ? 3 : 1));
            var checks = parts[1..].Where(c => characters != Gs1Characters.Numeric || !c.StartsWith("gcppos", StringComparison.Ordinal)).ToArray();
            return new Component(new EpcField(title.Length == 0 ? $"({ai})" : $"({ai}) {title}", ai, characters, isVariable ? 1 : length, length), isOptional, checks);
        }
    }
}
