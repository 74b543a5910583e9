using Epcis.Cbv;

namespace Epcis.Tests.Cbv;

public sealed class CbvTermsTests
{
    [Theory]
    [InlineData(CbvVocabulary.BizStep, 41)]
    [InlineData(CbvVocabulary.Disposition, 33)]
    [InlineData(CbvVocabulary.BizTransactionType, 13)]
    [InlineData(CbvVocabulary.SourceDestType, 3)]
    [InlineData(CbvVocabulary.ErrorReason, 2)]
    public void Cbv_two_has_this_many_terms(CbvVocabulary vocabulary, int count) =>
        Assert.Equal(count, CbvTerms.Listed(vocabulary).Count);

    [Fact]
    public void Every_published_term_is_listed_in_its_three_spellings()
    {
        var rows = CsvTable.Read(SharedFiles.Require("standards/epcis-2.0/vocabulary/cbv-2.0-terms.csv"))
            .Where(r => VocabularyOf(r["vocabulary"]) is not null).ToList();
        Assert.Equal(92, rows.Count);
        Assert.All(rows, r =>
        {
            var vocabulary = VocabularyOf(r["vocabulary"])!.Value;
            string[] spellings = [r["bare_string"], r["urn"], r["web_uri"], "cbv:" + r["web_uri"].Split('/')[^1]];
            Assert.All(spellings, s =>
            {
                Assert.Equal(CbvStanding.Listed, CbvTerms.StandingOf(vocabulary, s));
                Assert.Equal(r["bare_string"], CbvTerms.ToBare(vocabulary, s));
                Assert.Equal(r["urn"], CbvTerms.ToUrn(vocabulary, s));
                Assert.Equal(r["web_uri"], CbvTerms.ToWebUri(vocabulary, s));
            });
        });
    }

    [Fact]
    public void Published_translations_agree()
    {
        var rows = CsvTable.Read(SharedFiles.Require("standards/examples/identifiers/cbv-vocabulary-pairs.csv"))
            .Where(r => r["operation"] == "toCbvVocabulary").ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, r =>
        {
            var argument = r["argument"].Replace("\"", "", StringComparison.Ordinal).Split(',', StringSplitOptions.TrimEntries);
            var translated = (VocabularyOfField(argument[0]), argument[1].ToUpperInvariant()) switch
            {
                ({ } v, "URN") => CbvTerms.ToUrn(v, r["input"]),
                ({ } v, "WEBURI") => CbvTerms.ToWebUri(v, r["input"]),
                _ => r["input"],
            };
            Assert.Equal(r["expected"], translated);
        });
    }

    [Theory]
    [InlineData(CbvVocabulary.BizStep, "urn:epcglobal:cbv:bizstep:foo", CbvStanding.Unknown)]
    [InlineData(CbvVocabulary.BizStep, "foo", CbvStanding.Unknown)]
    [InlineData(CbvVocabulary.BizStep, "foo bar", CbvStanding.Unknown)]
    [InlineData(CbvVocabulary.BizStep, "urn:epcglobal:cbv:disp:in_transit", CbvStanding.Unknown)]
    [InlineData(CbvVocabulary.BizStep, "urn:epcglobal:cbv:bizstep:transforming", CbvStanding.Withdrawn)]
    [InlineData(CbvVocabulary.Disposition, "non_sellable_expired", CbvStanding.Withdrawn)]
    [InlineData(CbvVocabulary.BizStep, "https://example.com/steps/painting", CbvStanding.Private)]
    [InlineData(CbvVocabulary.BizStep, "ex:painting", CbvStanding.Private)]
    public void A_value_has_its_standing(CbvVocabulary vocabulary, string value, CbvStanding standing) =>
        Assert.Equal(standing, CbvTerms.StandingOf(vocabulary, value));

    [Fact]
    public void A_misspelt_term_is_answered_with_the_nearest_one()
    {
        Assert.Equal("shipping", CbvTerms.Nearest(CbvVocabulary.BizStep, "urn:epcglobal:cbv:bizstep:shiping"));
        Assert.Equal("in_transit", CbvTerms.Nearest(CbvVocabulary.Disposition, "In Transit"));
        Assert.Null(CbvTerms.Nearest(CbvVocabulary.BizStep, "urn:epcglobal:cbv:bizstep:photosynthesis"));
    }

    private static CbvVocabulary? VocabularyOf(string name) => name switch
    {
        "bizStep" => CbvVocabulary.BizStep,
        "disposition" => CbvVocabulary.Disposition,
        "bizTransaction type" => CbvVocabulary.BizTransactionType,
        "source/destination type" => CbvVocabulary.SourceDestType,
        "error reason" => CbvVocabulary.ErrorReason,
        _ => null,
    };

    private static CbvVocabulary? VocabularyOfField(string field) => field.ToUpperInvariant() switch
    {
        "BIZSTEP" => CbvVocabulary.BizStep,
        "DISPOSITION" or "PERSISTENTDISPOSITION" => CbvVocabulary.Disposition,
        "BIZTRANSACTION" or "BIZTRANSACTIONLIST" => CbvVocabulary.BizTransactionType,
        "SOURCE" or "SOURCELIST" or "DESTINATION" or "DESTINATIONLIST" => CbvVocabulary.SourceDestType,
        "REASON" or "ERRORDECLARATION" => CbvVocabulary.ErrorReason,
        _ => null,
    };
}
