using System.Collections.Frozen;

namespace Epcis.Cbv;

/// <summary>The vocabularies of the CBV 2.0 whose terms an event may hold.</summary>
public enum CbvVocabulary
{
    /// <summary>Steps of a business process, such as <c>shipping</c>.</summary>
    BizStep,

    /// <summary>Also of persistentDisposition.</summary>
    Disposition,

    /// <summary>Types of business transactions, such as <c>po</c>.</summary>
    BizTransactionType,

    /// <summary>Types of sources and destinations, such as <c>owning_party</c>.</summary>
    SourceDestType,

    /// <summary>Reasons of error declarations, such as <c>did_not_occur</c>.</summary>
    ErrorReason,
}

/// <summary>What the CBV says about a value.</summary>
public enum CbvStanding
{
    /// <summary>A term of CBV 2.0.</summary>
    Listed,

    /// <summary>A term of an earlier CBV, withdrawn since.</summary>
    Withdrawn,

    /// <summary>Spelled as a CBV term, but no version has it: a mistake.</summary>
    Unknown,

    /// <summary>Another URI: a legal value of someone's own vocabulary.</summary>
    Private,
}

/// <summary>
/// The three spellings of a CBV term and the way between them. Translation changes the spelling only, so it also carries
/// terms of other CBV versions; whether the CBV lists a term is a question for <see cref="StandingOf"/>.
/// </summary>
public static class CbvTerms
{
    private const string WebHost = "https://ref.gs1.org/cbv/";

    // The host before ratification; early 2.0 documents carry it.
    private const string FormerWebHost = "https://ns.gs1.org/cbv/";

    /// <summary>The terms that CBV 2.0 lists, as bare words.</summary>
    public static FrozenSet<string> Listed(CbvVocabulary vocabulary) => vocabulary switch
    {
        CbvVocabulary.BizStep => CbvTables.BizSteps,
        CbvVocabulary.Disposition => CbvTables.Dispositions,
        CbvVocabulary.BizTransactionType => CbvTables.BizTransactionTypes,
        CbvVocabulary.SourceDestType => CbvTables.SourceDestTypes,
        _ => CbvTables.ErrorReasons,
    };

    /// <summary><c>urn:epcglobal:cbv:bizstep:shipping</c>; other URIs stay as they are.</summary>
    public static string ToUrn(CbvVocabulary vocabulary, string value) =>
        BareOrNull(vocabulary, value) is { } bare ? UrnPrefix(vocabulary) + bare : value;

    /// <summary><c>https://ref.gs1.org/cbv/BizStep-shipping</c>; other URIs stay as they are.</summary>
    public static string ToWebUri(CbvVocabulary vocabulary, string value) =>
        BareOrNull(vocabulary, value) is { } bare ? $"{WebHost}{WebName(vocabulary)}-{bare}" : value;

    /// <summary><c>shipping</c>, as JSON writes it; other URIs stay as they are.</summary>
    public static string ToBare(CbvVocabulary vocabulary, string value) => BareOrNull(vocabulary, value) ?? value;

    /// <summary>The term behind any of the spellings, a CURIE <c>cbv:BizStep-shipping</c> included; <see langword="null"/> for private values.</summary>
    public static string? BareOrNull(CbvVocabulary vocabulary, string value)
    {
        var webName = WebName(vocabulary) + "-";
        return After(value, UrnPrefix(vocabulary))
            ?? After(value, WebHost + webName)
            ?? After(value, FormerWebHost + webName)
            ?? After(value, "cbv:" + webName)
            ?? (IsWord(value) ? value : null);
    }

    /// <summary>What the CBV says about a value in any of its spellings. A text that is neither a word nor a URI is <see cref="CbvStanding.Unknown"/>.</summary>
    public static CbvStanding StandingOf(CbvVocabulary vocabulary, string value)
    {
        if (BareOrNull(vocabulary, value) is { } bare)
        {
            return Listed(vocabulary).Contains(bare) ? CbvStanding.Listed
                : Withdrawn(vocabulary).Contains(bare) ? CbvStanding.Withdrawn
                : CbvStanding.Unknown;
        }
        var claimsCbv = value.StartsWith("urn:epcglobal:cbv:", StringComparison.OrdinalIgnoreCase)
            || value.StartsWith(WebHost, StringComparison.OrdinalIgnoreCase)
            || value.StartsWith("cbv:", StringComparison.Ordinal);
        return claimsCbv || !Uri.TryCreate(value, UriKind.Absolute, out _) ? CbvStanding.Unknown : CbvStanding.Private;
    }

    /// <summary>The listed term nearest to a mistaken one in spelling, to suggest it; <see langword="null"/> when none is near.</summary>
    public static string? Nearest(CbvVocabulary vocabulary, string value)
    {
        var word = value[(value.LastIndexOfAny([':', '/', '-']) + 1)..].ToLowerInvariant().Replace(' ', '_');
        var nearest = Listed(vocabulary).Order(StringComparer.Ordinal).MinBy(term => Distance(term, word));
        return nearest is not null && Distance(nearest, word) <= 3 ? nearest : null;
    }

    private static FrozenSet<string> Withdrawn(CbvVocabulary vocabulary) => vocabulary switch
    {
        CbvVocabulary.BizStep => CbvTables.FormerBizSteps,
        CbvVocabulary.Disposition => CbvTables.FormerDispositions,
        _ => CbvTables.None,
    };

    private static string UrnPrefix(CbvVocabulary vocabulary) => vocabulary switch
    {
        CbvVocabulary.BizStep => "urn:epcglobal:cbv:bizstep:",
        CbvVocabulary.Disposition => "urn:epcglobal:cbv:disp:",
        CbvVocabulary.BizTransactionType => "urn:epcglobal:cbv:btt:",
        CbvVocabulary.SourceDestType => "urn:epcglobal:cbv:sdt:",
        _ => "urn:epcglobal:cbv:er:",
    };

    private static string WebName(CbvVocabulary vocabulary) => vocabulary switch
    {
        CbvVocabulary.BizStep => "BizStep",
        CbvVocabulary.Disposition => "Disp",
        CbvVocabulary.BizTransactionType => "BTT",
        CbvVocabulary.SourceDestType => "SDT",
        _ => "ER",
    };

    private static string? After(string value, string prefix) =>
        value.StartsWith(prefix, StringComparison.Ordinal) && IsWord(value[prefix.Length..]) ? value[prefix.Length..] : null;

    private static bool IsWord(string value) => value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
