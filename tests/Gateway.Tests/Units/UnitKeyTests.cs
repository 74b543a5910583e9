using Epcis.Identifiers;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Units;

namespace Gateway.Tests.Units;

public sealed class UnitKeyTests
{
    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.812345.6789", "0180614141123458216789")]
    [InlineData("urn:epc:id:sgtin:06141411.82345.6789", "0180614141123458216789")] // cut at another length
    [InlineData("https://id.gs1.org/01/80614141123458/21/6789", "0180614141123458216789")]
    [InlineData("https://example.org/path/01/80614141123458/10/LOT/21/6789?17=280200", "0180614141123458216789")]
    [InlineData("(01)80614141123458(21)6789", "0180614141123458216789")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.a%2Fb", "018061414112345821a/b")]
    [InlineData("https://id.gs1.org/01/80614141123458/21/a%2Fb", "018061414112345821a/b")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.0123", "0180614141123458210123")] // leading zeros are significant
    [InlineData("urn:epc:id:sgtin:0614141.812345.ab", "018061414112345821ab")] // so is the case
    [InlineData("urn:epc:id:sscc:0614141.1234567890", "00106141412345678908")]
    [InlineData("https://id.gs1.org/00/106141412345678908", "00106141412345678908")]
    public void Every_spelling_of_a_unit_has_one_key(string epc, string key) => Assert.Equal(key, UnitKey.Of(epc));

    [Theory]
    [InlineData("urn:epc:id:grai:0614141.12345.400")]
    [InlineData("urn:epc:id:sgln:0614141.00777.0")]
    [InlineData("urn:epc:class:lgtin:0614141.812345.LOT")]
    [InlineData("urn:epc:idpat:sgtin:0614141.812345.*")]
    [InlineData("https://id.gs1.org/01/80614141123458")]
    [InlineData("https://id.gs1.org/01/80614141123459/21/6789")] // a wrong check digit
    [InlineData("urn:epc:id:sgtin:0614141.81234.6789")]
    [InlineData("urn:epc:id:sgtin:06141.41812345.6789")]
    [InlineData("urn:epc:id:sgtin:06141x1.812345.6789")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.")]
    [InlineData("urn:epc:id:sgtin:0614141.812345.123456789012345678901")]
    [InlineData("urn:epc:id:sscc:0614141.123456789")]
    [InlineData("tag:example.org,2026:thing")]
    [InlineData("")]
    public void Whatever_else_an_event_names_is_no_unit(string epc) => Assert.Null(UnitKey.Of(epc));

    [Fact]
    public void The_quick_way_to_a_key_and_the_library_agree()
    {
        const string characters = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        var sgtins = from digits in Gen.ArrayOf(Gen.Elements("0123456789".ToCharArray()), 13)
                     from length in Gen.Choose(6, 12)
                     from size in Gen.Choose(1, 20)
                     from serial in Gen.ArrayOf(Gen.Elements(characters.ToCharArray()), size)
                     let body = new string(digits)
                     select Epc.Create(EpcScheme.Sgtin, body + CheckDigit.Of(body), CompanyPrefixes.OfLength(length), new string(serial)).Value!;
        Prop.ForAll(sgtins.ToArbitrary(), epc => UnitKey.Of(epc.ToUrn()!) == epc.ToElementString() && UnitKey.Of(epc.ToDigitalLink()) == epc.ToElementString()).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("0180614141123458216789", 7, "urn:epc:id:sgtin:0614141.812345.6789")]
    [InlineData("0180614141123458216789", 12, "urn:epc:id:sgtin:061414112345.8.6789")]
    [InlineData("018061414112345821a/b", 8, "urn:epc:id:sgtin:06141411.82345.a%2Fb")]
    [InlineData("018061414112345821a/b", 0, "https://id.gs1.org/01/80614141123458/21/a%2Fb")]
    [InlineData("00106141412345678908", 7, "urn:epc:id:sscc:0614141.1234567890")]
    [InlineData("00106141412345678908", 0, "https://id.gs1.org/00/106141412345678908")]
    public void A_key_is_written_as_EPC_URI_of_any_cut_or_as_link(string key, int prefix, string epc)
    {
        Assert.Equal(epc, UnitKey.ToEpc(key, prefix));
        Assert.Contains(epc, UnitKey.Spellings(key));
        Assert.Equal(8, UnitKey.Spellings(key).Distinct().Count());
        Assert.All(UnitKey.Spellings(key), s => Assert.Equal((key, s), (UnitKey.Of(s), EpcKey.Normalise(s))));
    }

    // Stored, so the numbers must never change.
    [Theory]
    [InlineData("0180614141123458216789", "01806141411234582167")]
    [InlineData("00106141412345678908", "0010614141")]
    public void Whatever_begins_alike_has_one_head(string key, string beginning)
    {
        Assert.Equal(UnitKey.Head(beginning), UnitKey.Head(key));
        Assert.NotEqual(UnitKey.Head(beginning[..^1] + "x"), UnitKey.Head(key));
    }

    [Fact]
    public void A_head_is_FNV_1a() => Assert.Equal(unchecked((int)0xbf9cf968), UnitKey.Head("foobar")); // its published test vector

    [Theory]
    [InlineData("(01)80614141123458(17)280200(10)A(21)6789", "0180614141123458216789")]
    [InlineData("01806141411234581728020010A\u001d216789", "0180614141123458216789")]
    [InlineData("]d20180614141123458216789", "0180614141123458216789")]
    [InlineData(" 106141412345678908 ", "00106141412345678908")]
    [InlineData("80614141123458 6789", "0180614141123458216789")]
    [InlineData("80614141123458/a(10)b", "018061414112345821a(10)b")]
    [InlineData("614141123452, 67", "01006141411234522167")]
    [InlineData("urn:epc:id:sscc:06141412.134567890", "00106141412345678908")]
    public void What_a_person_has_at_hand_is_read_to_a_key(string text, string key) => Assert.Equal((key, null), (UnitIdentifier.Read(text, out var wrong), wrong));

    [Theory]
    [InlineData("", "There is no identifier.")]
    [InlineData("106141412345678909", "check digit")]
    [InlineData("80614141123458", "no application identifier")]
    [InlineData("80614141123458 a b", "serial number")]
    [InlineData("(01)80614141123458", "It names a GTIN class; a unit is a GTIN with a serial number, or an SSCC.")]
    [InlineData("(414)0614141000012", "It names a ")]
    public void What_names_no_unit_is_refused_with_a_sentence(string text, string wrong)
    {
        Assert.Null(UnitIdentifier.Read(text, out var told));
        Assert.Contains(wrong, told, StringComparison.OrdinalIgnoreCase);
    }
}
