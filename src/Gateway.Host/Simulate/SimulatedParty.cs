namespace Gateway.Host.Simulate;

/// <summary>One attribute of master data, its name without the namespace of CBV.</summary>
public readonly record struct MasterDataAttribute(string Name, string Value);

/// <summary>A place of the demonstration with the address that the header's master data must give.</summary>
/// <param name="CompanyPrefixLength">A GLN does not tell where its company prefix ends, so the SGLN is told.</param>
public sealed record SimulatedPlace(
    string Gln, int CompanyPrefixLength, string Name, string Street, string City, string State, string PostalCode, string CountryCode = "US")
{
    /// <summary>An SGLN has no check digit, so the thirteenth digit stays behind.</summary>
    public string Sgln => $"urn:epc:id:sgln:{Gln[..CompanyPrefixLength]}.{Gln[CompanyPrefixLength..12]}.0";

    public IEnumerable<MasterDataAttribute> MasterData =>
    [
        new("name", Name), new("streetAddressOne", Street), new("city", City), new("state", State),
        new("postalCode", PostalCode), new("countryCode", CountryCode),
    ];
}

/// <summary>A company of the demonstration: who owns the goods, and where they leave or arrive.</summary>
public sealed record SimulatedParty(SimulatedPlace Owner, SimulatedPlace Site)
{
    public static SimulatedParty AtOneAddress(string gln, int companyPrefixLength, string name)
    {
        var place = new SimulatedPlace(gln, companyPrefixLength, name, "1 Demonstration Way", "Springfield", "IL", "62701");
        return new SimulatedParty(place, place);
    }
}

/// <summary>A medicine of the demonstration in its two packaging levels; both share the item reference.</summary>
/// <param name="ItemReference">Without the indicator digit, which is 0 for the unit and 1 for the case.</param>
public sealed record SimulatedProduct(
    string CompanyPrefix, string ItemReference, string Ndc, string Name, string Manufacturer,
    string DosageForm, string Strength, string UnitContent)
{
    /// <summary>The demonstration prefix 952 holds no National Drug Code, so this one is invented.</summary>
    public static SimulatedProduct Default { get; } = new(
        "9521234", "00123", "9521-0123-30", "Demozolam 10 mg tablets", "Example Pharma Manufacturing",
        "TABLET", "10 mg", "30 tablets in a bottle");

    public string UnitClass => $"{CompanyPrefix}.0{ItemReference}";

    public string CaseClass => $"{CompanyPrefix}.1{ItemReference}";

    public IEnumerable<MasterDataAttribute> MasterDataWith(string netContent) =>
    [
        new("additionalTradeItemIdentification", Ndc),
        new("additionalTradeItemIdentificationTypeCode", "US_FDA_NDC"),
        new("regulatedProductName", Name),
        new("manufacturerOfTradeItemPartyName", Manufacturer),
        new("dosageFormType", DosageForm),
        new("strengthDescription", Strength),
        new("netContentDescription", netContent),
    ];
}
