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

    [Fact]
    public void A_company_prefix_length_is_never_guessed()
    {
        var read = Identify.Read("(01)80614141123458(21)6789", CompanyPrefixes.None);
        Assert.True(read.Valid);
        Assert.Null(read.Urn);
        Assert.Equal("https://id.gs1.org/01/80614141123458/21/6789", read.Epc?.ToDigitalLink());
        Assert.Contains("company prefix", Assert.Single(read.Findings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_check_digit_is_answered_with_its_place_and_the_right_one()
    {
        var finding = Assert.Single(Identify.Read("https://example.com/places/00/006141411234567891", CompanyPrefixes.None).Findings);
        Assert.Equal((ValueCodes.CheckDigit, 48, "1", "0"), (finding.Code, finding.At, finding.Got, finding.Want));
        Assert.Contains("006141411234567890", finding.Suggestion, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.81234A.6789", ValueCodes.Character, 31)]
    [InlineData("urn:epc:id:sgtin:0614141.812345.67 89", ValueCodes.Character, 35)]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A%2FB C", ValueCodes.Character, 38)]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A%2FB%ZZ", ValueCodes.Escape, 38)]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A/B", ValueCodes.Escape, 34)]
    [InlineData("urn:epc:id:sgtin:0614141.812345", ValueCodes.Parts, 32)]
    [InlineData("urn:epc:id:sgtin:0614141.8123456.1", ValueCodes.Length, 32)]
    [InlineData("urn:epc:id:sgtin:06141.8123456789.1", ValueCodes.Length, 18)]
    [InlineData("urn:epc:id:sgtin:0614141.812345.A%21B", ValueCodes.Spelling, 34)]
    [InlineData("urn:epc:id:nonsense:1.2.3", ValueCodes.Scheme, 9)]
    [InlineData("urn:epc:id:cpi:0614141.123ABC.0123", ValueCodes.Value, 31)]
    [InlineData("urn:epc:idpat:sgtin:0614141.*.6789", ValueCodes.Parts, 31)]
    [InlineData("https://id.gs1.org/01/80614141123458/21/AB%20C", ValueCodes.Character, 43)]
    [InlineData("https://id.gs1.org/01/80614141123458/21/A%2FB%20C", ValueCodes.Character, 46)]
    [InlineData("https://id.gs1.org/01/4012345678902/21/A", ValueCodes.CheckDigit, 35)]
    [InlineData("https://id.gs1.org/01/80614141123458/21/A/10/B", ValueCodes.Parts, 43)]
    [InlineData("https://id.gs1.org/01/80614141123458/21/A?17=251301", ValueCodes.Date, 48)]
    [InlineData("https://id.gs1.org/8003/10614141123452400", ValueCodes.Value, 25)]
    [InlineData("(01)80614141123458(17)250230", ValueCodes.Date, 27)]
    [InlineData("]d20180614141123458172512", ValueCodes.Length, 26)]
    [InlineData("]d10180614141123458", ValueCodes.Form, 1)]
    [InlineData("0180614141123458ZZ1", ValueCodes.ApplicationIdentifier, 17)]
    [InlineData("80614141123459", ValueCodes.CheckDigit, 14)]
    [InlineData("SN-1", ValueCodes.Form, 1)]
    [InlineData("", ValueCodes.Form, 1)]
    public void A_fault_is_shown_at_its_character(string value, string code, int at)
    {
        var finding = Assert.Single(Identify.Read(value, CompanyPrefixes.OfLength(7)).Findings, f => f.Severity == Severity.Error);
        Assert.Equal((code, at), (finding.Code, finding.At));
    }

    [Theory]
    [InlineData("0614141123452", "GTIN class", "(01)00614141123452")]
    [InlineData("036000291452", "GTIN class", "(01)00036000291452")]
    [InlineData("96385074", "GTIN class", "(01)00000096385074")]
    [InlineData("006141411234567890", "SSCC", "(00)006141411234567890")]
    public void Bare_digits_are_the_key_of_their_length(string digits, string type, string elements)
    {
        var read = Identify.Read(digits, CompanyPrefixes.None);
        Assert.Equal((type, elements, IdentifierForm.BareKey), (read.Type, read.Epc?.ToPrintedElementString(), read.Form));
        Assert.Equal(digits.Length is 13 or 18, read.Findings.Any(f => f.Code == ValueCodes.Ambiguous));
    }

    [Fact]
    public void A_tag_uri_is_answered_with_its_pure_identity()
    {
        var finding = Assert.Single(Identify.Read("urn:epc:tag:sgtin-96:3.0614141.812345.6789", CompanyPrefixes.None).Findings);
        Assert.Contains("urn:epc:id:sgtin:0614141.812345.6789", finding.Suggestion, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("urn:epc:idpat:sgtin:0614141.*.*", "SGTIN pattern")]
    [InlineData("urn:epc:idpat:sscc:0614141.*", "SSCC pattern")]
    [InlineData("urn:epc:idpat:sscc:*.*", "SSCC pattern")]
    [InlineData("urn:epc:idpat:itip:0614141.012345.*.*.*", "ITIP pattern")]
    [InlineData("urn:epc:idpat:itip:0614141.012345.01.02.*", "ITIP class")]
    public void A_pattern_of_many_keys_is_no_class(string pattern, string type)
    {
        var read = Identify.Read(pattern, CompanyPrefixes.None);
        Assert.True(read.Valid);
        Assert.Equal((type, pattern, type.EndsWith("class", StringComparison.Ordinal)), (read.Type, read.Urn, EpcUri.Parse(pattern).Value!.ToDigitalLink() is not null));
    }

    [Theory]
    [InlineData("061414112345", "2")] // the serial number is no check digit
    [InlineData("06141411234522", "5")]
    public void A_key_is_made_of_its_own_digits_alone(string key, string serial) =>
        Assert.Equal(ValueCodes.Length, Epc.Create(EpcScheme.Named("gdti")!, key, CompanyPrefixes.OfLength(7), serial).Finding?.Code);

    [Fact]
    public void Classes_of_upui_and_sgln_are_written_though_their_links_say_less()
    {
        Assert.Equal("https://id.gs1.org/01/00614141123452", EpcUri.Parse("urn:epc:idpat:upui:0614141.012345.*").Value?.ToDigitalLink());
        Assert.Equal("https://id.gs1.org/414/0614141123452", EpcUri.Parse("urn:epc:idpat:sgln:0614141.12345.*").Value?.ToDigitalLink());
    }

    [Theory]
    [InlineData("https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K")]
    [InlineData("https://id.gs1.org/8018/061414112345678902/8019/0123456789")]
    [InlineData("https://id.gs1.org/414/0614141123452/7040/1ABC")]
    [InlineData("https://id.gs1.org/415/0614141123452/8020/AB1")]
    public void A_key_or_qualifier_without_epc_scheme_is_a_sound_link_and_is_kept(string link)
    {
        Assert.Null(EpcUri.Check(link));
        Assert.Equal(link, EpcKey.Normalise(link, 7));
    }

    [Theory]
    [InlineData("https://example.com/gtin/80614141123458/lot/L1/ser/A?exp=251231", "https://id.gs1.org/01/80614141123458/10/L1/21/A?17=251231")]
    [InlineData("HTTP://user@example.com:8080/a/01/b/01/80614141123458/22/V/10/L1/21/A%2fB?linkType=gs1:pip&17=251231;11=250101&x=1#top", "https://id.gs1.org/01/80614141123458/22/V/10/L1/21/A%2FB?17=251231&11=250101")]
    [InlineData("]d20180614141123458172512311" + "0L1\u001D21A", "https://id.gs1.org/01/80614141123458/10/L1/21/A?17=251231")]
    [InlineData("(01)80614141123458(10)L1(235)T", "https://id.gs1.org/01/80614141123458/235/T?10=L1")]
    public void A_link_or_symbol_keeps_everything_it_says(string value, string full) =>
        Assert.Equal(full, Identify.Read(value, CompanyPrefixes.None).Whole?.ToFullString());

    [Fact]
    public void A_link_becomes_the_symbol_it_stands_for() =>
        Assert.Equal("(01)80614141123458(10)L/1(21)A(17)251231",
            ElementString.Of(DigitalLink.Parse("https://id.gs1.org/01/80614141123458/10/L%2F1/21/A?17=251231").Value!).ToPrinted());

    [Fact]
    public void Keys_spelled_out_in_words_are_read_with_a_warning() =>
        Assert.Equal((ValueCodes.Spelling, Severity.Warning, 21), Identify.Read("https://example.com/gtin/80614141123458", CompanyPrefixes.OfLength(7)).Findings.Select(f => (f.Code, f.Severity, f.At)).Single());

    // Every identifier of every event is looked at more than once while it is captured.
    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.812345.6789")]
    [InlineData("urn:epc:id:sscc:0614141.0123456789")]
    [InlineData("urn:epc:class:lgtin:0614141.812345.LOT-1")]
    [InlineData("urn:epc:idpat:sgtin:0614141.812345.*")]
    public void A_sound_epc_uri_is_checked_and_normalised_without_a_copy(string uri)
    {
        Assert.Same(uri, EpcKey.Normalise(uri));
        Assert.Null(EpcUri.Check(uri));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _ = EpcKey.Normalise(uri);
            _ = EpcUri.Check(uri);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
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
        Assert.Contains(reason, EpcUri.Check(value)?.Message, StringComparison.OrdinalIgnoreCase);

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
