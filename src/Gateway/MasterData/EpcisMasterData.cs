using Epcis;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Identifiers;

namespace Gateway.MasterData;

/// <summary>
/// Master data as EPCIS tells them: the vocabularies of classes and of locations, in a header or in a document of their own. They
/// tell names and addresses and, by an EPC URI, the length of company prefixes; never levels or quantities, which stay as they are.
/// </summary>
internal static class EpcisMasterData
{
    public static void Read(Stream file, WantedMasterData wanted)
    {
        using var reader = EpcisDocument.Open(file, ReaderLimits.Default with { MaxBytes = MasterDataFile.MaxBytes });
        while (reader.Read())
        {
        }
        foreach (var error in reader.Findings.All.Where(f => f.Severity == Severity.Error))
        {
            wanted.Findings.Add(error);
        }
        if (reader.IsBroken || wanted.Findings.HasErrors)
        {
            return;
        }
        // A header may tell the same twice, as a class of EPCs and again as one of lots; what is told of one key is put together.
        var products = new Dictionary<string, Wanted<Product>>();
        var locations = new Dictionary<(string, string), Wanted<Location>>();
        var places = new Place(1, 1);
        foreach (var element in reader.Header.MasterData)
        {
            if (element.VocabularyType.EndsWith("EPCClass", StringComparison.Ordinal) && Epc.Parse(element.Id, CompanyPrefixes.None).Value is { IsClass: true, Parts.Count: 1 } product && product.Scheme.KeyAi == "01")
            {
                var before = products.GetValueOrDefault(product.Key)?.Apply ?? (p => p);
                products[product.Key] = new Wanted<Product>(new Product(product.Key), p => ProductOf(element, product, before(p)), _ => places);
            }
            else if (IsOfPlaces(element.VocabularyType) && Gln.TryFromAny(element.Id, out var gln))
            {
                var place = Epc.Parse(element.Id, CompanyPrefixes.None).Value;
                var extension = place?.Serial is { } serial and not "0" ? serial : "";
                var before = locations.GetValueOrDefault((gln, extension))?.Apply ?? (l => l);
                locations[(gln, extension)] = new Wanted<Location>(new Location(gln, extension), l => LocationOf(element, place, before(l)), _ => places);
            }
            else
            {
                wanted.Findings.Add(new Finding("masterdata.element_passed", Severity.Info, $"{element.Id} of {element.VocabularyType} is no product and no location with a GLN; it is passed over.") { Where = places, Got = element.Id });
            }
        }
        wanted.Products.AddRange(products.Values);
        wanted.Locations.AddRange(locations.Values);
    }

    private static bool IsOfPlaces(string type) =>
        type.EndsWith("Location", StringComparison.Ordinal) || type.EndsWith("ReadPoint", StringComparison.Ordinal) || type.EndsWith("SourceDest", StringComparison.Ordinal);

    private static Product ProductOf(VocabularyElement e, Epc product, Product p) => p with
    {
        Name = Attribute(e, "regulatedProductName") ?? Attribute(e, "functionalName") ?? p.Name,
        // The code says what kind of number it is: other markets number products otherwise.
        Ndc = Attribute(e, "additionalTradeItemIdentificationTypeCode")?.Contains("NDC", StringComparison.Ordinal) == true ? Attribute(e, "additionalTradeItemIdentification") ?? p.Ndc : p.Ndc,
        Manufacturer = Attribute(e, "manufacturerOfTradeItemPartyName") ?? p.Manufacturer,
        DosageForm = Attribute(e, "dosageFormType") ?? p.DosageForm,
        Strength = Attribute(e, "strengthDescription") ?? p.Strength,
        NetContent = Attribute(e, "netContentDescription") ?? p.NetContent,
        CompanyPrefixLength = product.CompanyPrefixLength ?? p.CompanyPrefixLength,
        Withdrawn = false,
    };

    private static Location LocationOf(VocabularyElement e, Epc? place, Location l) => l with
    {
        Name = Attribute(e, "name") ?? l.Name,
        // By its key an SGLN is a place and a PGLN a party; what is known as the other is both.
        Kind = place?.Scheme.Name == "pgln" ? l.Name.Length == 0 || l.Kind == "party" ? "party" : "both" : l.Kind == "party" ? "both" : l.Kind,
        Street = Attribute(e, "streetAddressOne") ?? l.Street,
        Street2 = Attribute(e, "streetAddressTwo") ?? l.Street2,
        City = Attribute(e, "city") ?? l.City,
        State = Attribute(e, "state") ?? l.State,
        PostalCode = Attribute(e, "postalCode") ?? l.PostalCode,
        Country = Attribute(e, "countryCode") ?? l.Country,
        CompanyPrefixLength = place?.CompanyPrefixLength ?? l.CompanyPrefixLength,
        Withdrawn = false,
    };

    /// <summary>By its own name: writers put <c>#</c> or <c>:</c> before it.</summary>
    private static string? Attribute(VocabularyElement element, string name) => element.Attributes
        .FirstOrDefault(a => a.Id.EndsWith(name, StringComparison.Ordinal) && (a.Id.Length == name.Length || a.Id[^(name.Length + 1)] is '#' or ':' or '/'))?.Value.Trim();
}
