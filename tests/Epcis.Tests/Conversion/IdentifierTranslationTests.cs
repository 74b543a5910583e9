using Epcis.Conversion;
using Epcis.Formats;
using Epcis.Identifiers;

namespace Epcis.Tests.Conversion;

public sealed class IdentifierTranslationTests
{
    private const string Urn = "urn:epc:id:sgtin:4012345.011111.a%2Fb";
    private const string Link = "https://id.gs1.org/01/04012345111118/21/a%2Fb";

    private static readonly CompanyPrefixes s_prefixes = CompanyPrefixes.None.With(CompanyPrefixTable.Read(["prefix,gcp_length", "4012345,7", "0614141,7", "0614142,0"]).Value!);

    [Theory]
    [InlineData(Urn, EpcFormat.AlwaysDigitalLink, Link)]
    [InlineData("urn:epc:idpat:sgtin:4012345.011111.*", EpcFormat.AlwaysDigitalLink, "https://id.gs1.org/01/04012345111118")]
    [InlineData(Link, EpcFormat.AlwaysEpcUrn, Urn)]
    [InlineData("https://example.com/some/01/04012345111118/21/a%2Fb?x=y", EpcFormat.AlwaysEpcUrn, Urn)]
    [InlineData("https://id.gs1.org/00/106141412345678908", EpcFormat.AlwaysEpcUrn, "urn:epc:id:sscc:0614141.1234567890")]
    [InlineData(Link, EpcFormat.NeverTranslates, Link)]
    [InlineData(Link, EpcFormat.NoPreference, Link)]
    [InlineData("urn:example:mine", EpcFormat.AlwaysDigitalLink, "urn:example:mine")]
    [InlineData("https://example.com/mine", EpcFormat.AlwaysEpcUrn, "https://example.com/mine")]
    public void An_identifier_is_spelled_as_asked(string value, EpcFormat format, string written)
    {
        var converted = Convert(value, format);
        Assert.Equal(written, Said.By(converted.Bytes).Events[0].Epcs.First().Epc);
        Assert.Empty(converted.Findings.All);
        Assert.Equal(Said.By(Source(value)).Contents, Said.By(converted.Bytes).Contents);
    }

    [Theory]
    [InlineData("https://id.gs1.org/01/04098765111112/21/1", EpcFormat.AlwaysEpcUrn)] // not in the table
    [InlineData("https://id.gs1.org/00/106141422345678907", EpcFormat.AlwaysEpcUrn)] // in the table as nobody's
    [InlineData("urn:epc:idpat:sgtin:4012345.*.*", EpcFormat.AlwaysDigitalLink)]
    [InlineData("urn:epc:id:sgtin:40123.1.1", EpcFormat.AlwaysDigitalLink)]
    public void An_identifier_that_cannot_be_translated_stays_and_is_told(string value, EpcFormat format)
    {
        var converted = Convert(value, format);
        Assert.Equal(value, Said.By(converted.Bytes).Events[0].Epcs.First().Epc);
        Assert.Equal(("EPCIS-OUT-09", Severity.Warning, value), Assert.Single(converted.Findings.All.Select(f => (f.Code, f.Severity, f.Got))));
    }

    [Fact]
    public void Nothing_is_guessed_without_a_table()
    {
        var converted = Converted.From(Source(Link), new ConversionOptions(DocumentForm.Xml20) { EpcFormat = EpcFormat.AlwaysEpcUrn });
        Assert.Contains(Link, converted.Text, StringComparison.Ordinal);
        Assert.Equal("EPCIS-OUT-09", Assert.Single(converted.Findings.All).Code);
    }

    [Fact]
    public void Edition_1_2_gets_epc_uris_where_the_prefix_is_known_and_a_warning_where_not()
    {
        var known = Converted.From(Source(Link), new ConversionOptions(DocumentForm.Xml12) { CompanyPrefixes = s_prefixes });
        Assert.Contains($"<epc>{Urn}</epc>", known.Text, StringComparison.Ordinal);
        Assert.Empty(known.Findings.All);
        var unknown = Converted.From(Source(Link), new ConversionOptions(DocumentForm.Xml12));
        Assert.Contains($"<epc>{Link}</epc>", unknown.Text, StringComparison.Ordinal);
        Assert.Equal("EPCIS-OUT-03", Assert.Single(unknown.Findings.All).Code);
    }

    private static Converted Convert(string value, EpcFormat format) =>
        Converted.From(Source(value), new ConversionOptions(DocumentForm.JsonLd20) { EpcFormat = format, CompanyPrefixes = s_prefixes });

    private static byte[] Source(string epc) => System.Text.Encoding.UTF8.GetBytes(
        "<epcis:EPCISDocument xmlns:epcis='urn:epcglobal:epcis:xsd:2' schemaVersion='2.0' creationDate='2026-01-31T12:00:00Z'><EPCISBody><EventList><ObjectEvent><eventTime>2026-01-31T12:00:00Z</eventTime>"
        + $"<eventTimeZoneOffset>+01:00</eventTimeZoneOffset><epcList><epc>{epc}</epc></epcList><action>OBSERVE</action></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>");
}
