using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

public sealed class KeysOfPrefixesTests
{
    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.107346.2017")]
    [InlineData("urn:epc:id:sgtin:061414.1107346.2017")] // cut elsewhere: the GTIN is 10614141 07346
    [InlineData("URN:epc:id:sgtin:0614141.107346.2017")]
    [InlineData("urn:epc:id:sgtin:0614141.107346.20%2F17")]
    [InlineData("urn:epc:idpat:sgtin:0614141.107346.*")]
    [InlineData("urn:epc:class:lgtin:0614141.107346.LOT")]
    [InlineData("urn:epc:id:sscc:0614141.1234567890")]
    [InlineData("urn:epc:id:grai:0614141.12345.400")]
    [InlineData("urn:epc:id:giai:0614141.12345400")]
    [InlineData("urn:epc:id:sgln:0614141.12345.400")]
    [InlineData("https://id.gs1.org/01/10614141073464/21/2017")]
    [InlineData("https://example.com/some/path/01/10614141073464/10/A/21/2017?17=291231")]
    [InlineData("https://id.gs1.org/01/10614141073464")]
    [InlineData("https://id.gs1.org/00/106141412345678908")]
    [InlineData("https://id.gs1.org/8003/00614141123452400")]
    [InlineData("https://id.gs1.org/414/0614141123452")]
    public void A_key_is_included_by_its_digits_in_every_scheme_and_spelling(string identifier)
    {
        Assert.True(new KeysOfPrefixes(["4012345", "0614141"]).Include(identifier));
        Assert.True(new KeysOfPrefixes(["061414"]).Include(identifier));
        Assert.False(new KeysOfPrefixes(["0614142", "10614141"]).Include(identifier));
        Assert.False(new KeysOfPrefixes([]).Include(identifier));
    }

    [Theory]
    [InlineData("urn:epc:id:gid:0614141.1.2")]
    [InlineData("urn:epc:id:sgtin:0614141.107346")]
    [InlineData("urn:epc:idpat:sgtin:0614141.*.*")]
    [InlineData("urn:uuid:061414106141410614141")]
    [InlineData("https://example.com/0614141")]
    [InlineData("https://id.gs1.org/01/10614141073465/21/1")] // wrong check digit
    [InlineData("0614141")]
    [InlineData("")]
    public void What_holds_no_single_key_is_nobodys(string identifier) => Assert.False(new KeysOfPrefixes(["0614141"]).Include(identifier));

    // What was found out about one identifier must not stand for one that only begins alike.
    [Theory]
    [InlineData("urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614142.107346.1")]
    [InlineData("urn:epc:id:sgtin:061414.1107346.1", "urn:epc:id:sgtin:061414.1207346.1")]
    [InlineData("urn:epc:id:sscc:061414.11234567890", "urn:epc:id:sscc:061414.12234567890")]
    [InlineData("https://id.gs1.org/01/10614141073464/21/1", "https://id.gs1.org/01/10614141073464/21/1/01/04012345111118/21/1")]
    [InlineData("https://id.gs1.org/01/10614141073464/21/1", "https://id.gs1.org/01/04012345111118/21/1")]
    [InlineData("https://id.gs1.org/01/10614141073464", "https://id.gs1.org/01/04012345111118")]
    [InlineData("https://id.gs1.org/00/106141412345678908", "https://id.gs1.org/00/140123451234567891")]
    [InlineData("https://id.gs1.org/414/0614141123452", "https://id.gs1.org/414/4012345123456")]
    [InlineData("https://id.gs1.org/8003/00614141123452400", "https://id.gs1.org/8003/04012345123456400")]
    public void Each_is_told_apart_from_its_neighbour(string own, string foreign)
    {
        var keys = new KeysOfPrefixes(["0614141"]);
        Assert.True(keys.Include(own));
        Assert.False(keys.Include(foreign));
        Assert.True(keys.Include(own));
        Assert.False(keys.Include(foreign));
    }
}
