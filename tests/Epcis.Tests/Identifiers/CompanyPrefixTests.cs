using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

public sealed class CompanyPrefixTests
{
    private const string Sgtin = "(01)80614141123458(21)6789";

    private static CompanyPrefixTable Table(params string[] rows) => CompanyPrefixTable.Read(["prefix,gcp_length", .. rows]).Value!;

    private static Epc Read(string value, CompanyPrefixes prefixes) => Epc.Parse(value, prefixes).Value!;

    [Fact]
    public void The_longest_entry_of_the_table_decides()
    {
        var prefixes = CompanyPrefixes.None.With(Table("061,10", "0614141,7", "061414112,12", "8061,9"));
        Assert.Equal(12, Read(Sgtin, prefixes).CompanyPrefixLength);
        Assert.Equal(7, Read("(01)80614141999992(21)6789", prefixes).CompanyPrefixLength);
        Assert.Equal(10, Read("(414)0611234567896", prefixes).CompanyPrefixLength);
    }

    [Theory]
    [InlineData("(01)80614141123458")] // without its indicator
    [InlineData("(00)806141412345678907")] // without its extension digit
    [InlineData("(8003)00614141123452")] // without its filler
    [InlineData("(8004)0614141ABC")]
    [InlineData("https://example.com/01/614141123452")] // a GTIN-12, whose prefix gets a leading zero
    public void The_table_is_applied_to_the_key_as_the_company_prefix_begins_it(string value) =>
        Assert.Equal("0614141", Read(value, CompanyPrefixes.None.With(Table("0614141,7"))).CompanyPrefix);

    [Theory]
    [InlineData("061,0", "no company prefix")]
    [InlineData("061,5", "6 to 12")]
    [InlineData("4,7", "does not list")]
    public void What_the_table_does_not_say_is_not_known_and_the_reason_is(string row, string why)
    {
        var read = Read(Sgtin, CompanyPrefixes.None.With(Table(row)));
        Assert.Null(read.CompanyPrefixLength);
        Assert.Null(read.ToUrn());
        Assert.Contains(why, read.Prefix.Why, StringComparison.Ordinal);
        Assert.Equal("https://id.gs1.org/01/80614141123458/21/6789", read.ToDigitalLink());
    }

    [Fact]
    public void A_list_comes_before_a_known_uri_and_that_before_the_table()
    {
        var table = CompanyPrefixes.None.With(Table("0614141,9"));
        var known = table.With(EpcUri.Parse("urn:epc:id:sscc:06141411.012345678").Value!);
        var listed = known.With("0614141").Value!;
        Assert.Equal([9, 8, 7], new[] { table, known, listed }.Select(p => Read(Sgtin, p).CompanyPrefixLength!.Value));
        Assert.Equal(["table", "URI", "list"], new[] { table, known, listed }.Select(p => Read(Sgtin, p).Prefix.Why).Select(w => new[] { "table", "URI", "list" }.Single(x => w.Contains(x, StringComparison.Ordinal))));
    }

    [Fact]
    public void A_upc_prefix_gets_a_leading_zero() => Assert.Equal("0614141", Read(Sgtin, CompanyPrefixes.None.With("614141", isUpc: true).Value!).CompanyPrefix);

    [Fact]
    public void Two_listed_prefixes_that_fit_decide_nothing()
    {
        var read = Read(Sgtin, CompanyPrefixes.None.With("0614141").Value!.With("06141411").Value!);
        Assert.Null(read.CompanyPrefixLength);
        Assert.Contains("only one can be right", read.Prefix.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("06141")]
    [InlineData("0614141123456")]
    [InlineData("06141a1")]
    public void What_is_no_company_prefix_is_not_listed(string prefix) => Assert.NotNull(CompanyPrefixes.None.With(prefix).Error);

    [Theory]
    [InlineData("0614141;7")]
    [InlineData("0614141,13")]
    [InlineData("06141411234567,7")]
    [InlineData("x,7")]
    public void A_broken_row_of_the_table_is_named(string row) => Assert.Equal(3, CompanyPrefixTable.Read(["prefix,gcp_length", "0614142,7", row]).Finding?.At);

    [Fact]
    public void An_epc_uri_cut_at_another_length_is_told_as_the_same_object()
    {
        var finding = Assert.Single(Identify.Read("urn:epc:id:sgtin:061414.8112345.6789", CompanyPrefixes.None.With("0614141").Value!).Findings);
        Assert.Equal((ValueCodes.CompanyPrefix, Severity.Warning), (finding.Code, finding.Severity));
        Assert.StartsWith("It is the same object as urn:epc:id:sgtin:0614141.812345.6789.", finding.Suggestion, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(13)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void A_length_no_company_prefix_has_is_refused(int length) => Assert.Equal(ValueCodes.CompanyPrefix, Epc.Parse(Sgtin, CompanyPrefixes.OfLength(length)).Finding?.Code);
}
