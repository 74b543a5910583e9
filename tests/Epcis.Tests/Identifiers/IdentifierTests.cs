using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

public sealed class IdentifierTests
{
    [Theory]
    [InlineData("urn:epc:id:sgln:0614141.12345.5678", "0614141123452")]
    [InlineData("urn:epc:id:sgln:952432112345..0", "9524321123459")]
    [InlineData("urn:epc:id:pgln:0614141.00000", "0614141000005")]
    [InlineData("https://example.com/places/414/0614141123452/254/5678?x=1", "0614141123452")]
    [InlineData("https://id.gs1.org/417/9524321123459", "9524321123459")]
    [InlineData("(414)0614141123452(254)5678", "0614141123452")]
    [InlineData("0614141123452", "0614141123452")]
    public void A_gln_is_found_in_every_form(string value, string gln)
    {
        Assert.True(Gln.TryFromAny(value, out var found));
        Assert.Equal(gln, found);
    }

    [Theory]
    [InlineData("0614141123453")]
    [InlineData("061414112345")]
    [InlineData("urn:epc:id:sscc:0614141.0123456789")]
    [InlineData("https://id.gs1.org/01/80614141123458")]
    [InlineData("")]
    public void What_holds_no_gln_gives_none(string value) => Assert.False(Gln.TryFromAny(value, out _));

    [Theory]
    [InlineData("]d20180614141123458172512311\u001D")]
    [InlineData("(17)251231")]
    [InlineData("01806141411234")]
    [InlineData("")]
    [InlineData("(01)80614141123458(01)10614141073464(21)1")]
    public void A_broken_element_string_is_refused(string text) => Assert.NotNull(Sgtin.FromElementString(text, 7).Error);

    [Theory]
    [InlineData("]d201806141411234581725123110LOT1\u001D216789")]
    [InlineData("]C10180614141123458216789")]
    [InlineData("\u001D018061414112345821" + "6789\u001D10LOT1\u001D17251231")]
    [InlineData("(01)80614141123458(17)251231(10)LOT1(21)6789")]
    public void A_scanned_or_printed_symbol_gives_its_sgtin(string text) =>
        Assert.Equal("urn:epc:id:sgtin:0614141.812345.6789", Identify.Any(text, 7).Value?.Urn);

    [Fact]
    public void A_company_prefix_length_is_never_guessed()
    {
        var answer = Identify.Any("(01)80614141123458(21)6789");
        Assert.Null(answer.Value);
        Assert.Contains("company prefix", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_check_digit_is_answered_with_the_right_one()
    {
        var answer = Sscc.Create("006141411234567891", 7);
        Assert.Equal("006141411234567891", answer.Got);
        Assert.Equal("006141411234567890", answer.Want);
    }

    [Theory]
    [InlineData("4012345678901", "04012345678901")]
    [InlineData("96385074", "00000096385074")]
    [InlineData("036000291452", "00036000291452")]
    public void Shorter_gtins_are_padded(string digits, string gtin) => Assert.Equal(gtin, Gtin.Parse(digits).Value?.Value);

    [Theory]
    [InlineData("urn:epc:tag:sgtin-96:3.0614141.812345.6789", "tag")]
    [InlineData("urn:epc:raw:96.x0123", "raw")]
    [InlineData("urn:epc:id:sgtin:0614141.12345.6789", "digits")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.", "1 to 20")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A/B", "escapes")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A%21B", "literally")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A#B", "#")]
    [InlineData("urn:epc:id:nonsense:1.2.3", "no EPC scheme")]
    [InlineData("urn:epc:idpat:sgtin:0614141.*.6789", "pattern")]
    [InlineData("https://id.gs1.org/00/006141411234567891", "check digit")]
    [InlineData("https://id.gs1.org/nothing", "no GS1 key")]
    public void A_malformed_identifier_is_explained(string value, string reason) =>
        Assert.Contains(reason, EpcUri.Check(value), StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.812345.6789%2f")]
    [InlineData("urn:epc:idpat:sgtin:0614141.*.*")]
    [InlineData("urn:epc:id:gid:1.2.3")]
    [InlineData("urn:uuid:9f9f1a42-7d3e-4c0c-8f0e-2f5d3a1f0f6a")]
    [InlineData("https://example.com/01/summer")]
    [InlineData("urn:epcglobal:cbv:bt:0614141000005:PO-1")]
    public void A_sound_or_private_identifier_is_left_in_peace(string value) => Assert.Null(EpcUri.Check(value));

    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A%2fB%21", null, "urn:epc:id:sgtin:0614141.812345.A%2FB!")]
    [InlineData("http://example.com/x/01/80614141123458/10/L/21/A?17=251231", null, "https://id.gs1.org/01/80614141123458/21/A")]
    [InlineData("http://example.com/x/01/80614141123458/10/L/21/A?17=251231", 7, "urn:epc:id:sgtin:0614141.812345.A")]
    [InlineData("https://id.gs1.org/01/80614141123458/22/2A", null, "https://id.gs1.org/01/80614141123458")]
    [InlineData("https://id.gs1.org/414/0614141123452", 7, "urn:epc:id:sgln:0614141.12345.0")]
    [InlineData("urn:example:pallet:7", 7, "urn:example:pallet:7")]
    public void Spellings_of_one_identifier_share_a_key(string value, int? gcpLength, string key) =>
        Assert.Equal(key, EpcKey.Normalise(value, gcpLength));
}
