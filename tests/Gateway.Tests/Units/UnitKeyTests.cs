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
}
