using System.Net;
using System.Text.RegularExpressions;
using Epcis.Cbv;
using Epcis.Identifiers;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>What the official samples say must pass: a rule that refuses them is wrong.</summary>
public sealed partial class OfficialSampleTests
{
    private static IEnumerable<(string File, string Text)> Samples(string folder) =>
        Directory.EnumerateFiles(SharedFiles.Require("standards/examples/" + folder), "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".xml" or ".json" or ".jsonld" && !f.Contains("nvalid", StringComparison.Ordinal))
            .Select(f => (f, WebUtility.HtmlDecode(File.ReadAllText(f))));

    private static void RefusesNothing(Regex pattern, Func<string, bool> isRefused)
    {
        var refused = Values("gs1-epcis", pattern).FindAll(v => isRefused(v));
        Assert.Empty(refused);
    }

    private static List<string> Values(string folder, Regex pattern) =>
        [.. Samples(folder).SelectMany(s => pattern.Matches(s.Text).Select(m => $"{m.Groups[1].Value}")).Distinct().Order(StringComparer.Ordinal)];

    [Fact]
    public void No_identifier_of_an_official_sample_is_refused()
    {
        var identifiers = Values("gs1-epcis", Identifier());
        Assert.True(identifiers.Count > 80, $"Only {identifiers.Count} identifiers were found.");
        Assert.Empty(identifiers.Select(EpcUri.Check).OfType<ValueFinding>());
    }

    [Fact]
    public void No_time_zone_offset_of_an_official_sample_is_refused() =>
        RefusesNothing(Offset(), o => !ZonedTime.IsOffset(o));

    [Fact]
    public void No_event_time_of_an_official_sample_is_refused() =>
        RefusesNothing(EventTime(), t => !ZonedTime.Has(t));

    [Fact]
    public void No_term_of_an_official_sample_is_refused()
    {
        RefusesNothing(BizStep(), v => CbvTerms.StandingOf(CbvVocabulary.BizStep, v) == CbvStanding.Unknown);
        RefusesNothing(Disposition(), v => CbvTerms.StandingOf(CbvVocabulary.Disposition, v) == CbvStanding.Unknown);
        RefusesNothing(TransactionType(), v => CbvTerms.StandingOf(CbvVocabulary.BizTransactionType, v) == CbvStanding.Unknown);
        RefusesNothing(SourceDestType(), v => CbvTerms.StandingOf(CbvVocabulary.SourceDestType, v) == CbvStanding.Unknown);
    }

    [GeneratedRegex("[\">]\\s*((?:urn:epc:(?:id|idpat|class|tag|raw):|https://id\\.gs1\\.org/)[^\\s\"<]+)\\s*[\"<]")]
    private static partial Regex Identifier();

    [GeneratedRegex("eventTimeZoneOffset\"?\\s*[:>]\\s*\"?([^\\s\"<][^\"<]*)")]
    private static partial Regex Offset();

    [GeneratedRegex("eventTime\"?\\s*[:>]\\s*\"?([^\\s\"<][^\"<]*)")]
    private static partial Regex EventTime();

    [GeneratedRegex("bizStep\"?\\s*[:>]\\s*\"?([^\\s\"<{\\[][^\"<]*)[\"<]")]
    private static partial Regex BizStep();

    [GeneratedRegex("[\"<]disposition\"?\\s*[:>]\\s*\"?([^\\s\"<{\\[][^\"<]*)[\"<]")]
    private static partial Regex Disposition();

    [GeneratedRegex("<bizTransaction type=\"([^\"]*)\"")]
    private static partial Regex TransactionType();

    [GeneratedRegex("<(?:source|destination) type=\"([^\"]*)\"")]
    private static partial Regex SourceDestType();
}
