using System.Globalization;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Identifiers;
using Gateway.Delivery;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Composing;

/// <summary>What stands around the events of a document: who sends it to whom, the master data of all that the events name, and what the guideline demands.</summary>
internal sealed class DocumentFrame(ClaimedComposition of, MasterDataSnapshot known)
{
    private const string CbvMasterData = "urn:epcglobal:cbv:mda";
    private const string ReleaseR13 = "GS1 US DSCSA R1.3";

    // By what the events call them: a GTIN or GLN under each of its spellings.
    private readonly SortedDictionary<string, string> _products = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _places = new(StringComparer.Ordinal);
    private readonly List<ComposeFinding> _findings = [];
    private string _class = "";

    /// <summary>What the regulation demands and the master data do not have.</summary>
    public IReadOnlyList<ComposeFinding> Findings => _findings;

    private bool IsRegulated => of.Regulation == "us-dscsa";

    /// <summary>Notes the products and places that an event names, as it is told.</summary>
    public void See(EpcisEvent e)
    {
        foreach (var (_, epc) in e.Epcs)
        {
            // Those of one list are mostly of one product.
            if ((_class.Length == 0 || !epc.StartsWith(_class, StringComparison.Ordinal)) && Epc.Parse(epc, CompanyPrefixes.None).Value is { } unit && unit.Scheme.KeyAi == "01")
            {
                _class = EpcKey.ClassOf(EpcKey.Normalise(epc)).ToString();
                _products.TryAdd(ClassOf(epc, unit), unit.Key);
            }
        }
        foreach (var (_, quantity) in e.Quantities)
        {
            if (Epc.Parse(quantity.EpcClass, CompanyPrefixes.None).Value is { } product && product.Scheme.KeyAi == "01")
            {
                _products.TryAdd(ClassOf(quantity.EpcClass, product), product.Key);
            }
        }
        foreach (var place in ((string?[])[e.ReadPoint?.Id, e.BizLocation?.Id, .. e.Sources.Select(s => s.Value), .. e.Destinations.Select(d => d.Value)]).OfType<string>())
        {
            if (Gln.TryFromAny(place, out var gln))
            {
                _places.TryAdd(EpcKey.Normalise(place), gln);
            }
        }
    }

    // As its units are spelled: an EPC URI's class is a pattern.
    private static string ClassOf(string epc, Epc unit)
    {
        if (!EpcUri.IsEpcUri(epc))
        {
            return Epc.Create(EpcScheme.Sgtin, unit.Key, CompanyPrefixes.None).Value?.ToDigitalLink() ?? epc;
        }
        return Epc.Create(EpcScheme.Sgtin, unit.Key, CompanyPrefixes.OfLength(unit.CompanyPrefixLength!.Value)).Value?.ToUrn() ?? epc;
    }

    /// <param name="shipment">The first of the document: it says who sends and who gets it.</param>
    /// <param name="statement">The legal notice of the transaction statement; null: none is made.</param>
    public DocumentHeader Header(EpcisEvent shipment, string? statement)
    {
        var at = of.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var extensions = IsRegulated ? GuidelineOf(statement) : [];
        return new DocumentHeader
        {
            DocumentType = "EPCISDocument", SchemaVersion = of.Format == "1.2-xml" ? "1.2" : "2.0", CreationDate = at,
            Sbdh = new StandardBusinessDocumentHeader
            {
                Senders = [PartyOf(SenderOf(shipment))], Receivers = [PartyOf(ReceiverOf(shipment))], InstanceIdentifier = of.MessageId.ToString(), Type = "Events", CreationDateAndTime = at,
            },
            MasterData = [.. _products.Select(p => ProductOf(p.Key, p.Value)).OfType<VocabularyElement>(), .. _places.Select(p => PlaceOf(p.Key, p.Value)).OfType<VocabularyElement>()],
            // 2.0 has no place for elements of others in its header.
            HeaderExtensions = of.Format == "1.2-xml" ? extensions : [], DocumentExtensions = of.Format == "1.2-xml" ? [] : extensions,
            Namespaces = IsRegulated ? new Dictionary<string, string> { ["gs1ushc"] = EventCut.Guideline, ["cbvmda"] = CbvMasterData } : new Dictionary<string, string> { ["cbvmda"] = CbvMasterData },
        };
    }

    private List<Extension> GuidelineOf(string? statement)
    {
        var extensions = new List<Extension>();
        if (of.Release == "R1.3")
        {
            extensions.Add(Element("guidelineVersion", ReleaseR13));
        }
        if (statement is not null)
        {
            extensions.Add(Element("dscsaTransactionStatement", null) with { Children = [Element("affirmTransactionStatement", "true"), Element("legalNotice", statement)] });
        }
        return extensions;

        static Extension Element(string name, string? text) => new(EventCut.Guideline, "gs1ushc", name) { Text = text };
    }

    private string? SenderOf(EpcisEvent shipment) =>
        ShipmentEnds.Of(shipment.Sources, of.Sender == "owner" ? "owning_party" : "location") ?? ShipmentEnds.Of(shipment.Sources, "location") ?? shipment.ReadPoint?.Id;

    // Of a drop shipment both the owner and who gets the goods have a document, each its own.
    private string ReceiverOf(EpcisEvent shipment) =>
        ((string[])["owning_party", "location"]).Select(type => ShipmentEnds.Of(shipment.Destinations, type)).FirstOrDefault(value => value is not null && Gln.TryFromAny(value, out var gln) && of.Glns.Contains(gln))
        ?? of.PartnerGln;

    private SbdhParty PartyOf(string? value)
    {
        if (value is null || !Gln.TryFromAny(value, out var gln))
        {
            _findings.Add(new ComposeFinding("compose.masterdata", value ?? "", "The shipment does not say by a GLN who sends it."));
            return new SbdhParty(of.SbdhAuthority, value ?? "");
        }
        return new SbdhParty(of.SbdhAuthority, of.SbdhForm == "gln" && of.Format == "1.2-xml" ? gln : PlaceUri(value, gln));
    }

    private string PlaceUri(string value, string gln)
    {
        if (EpcUri.Parse(value).Value is { Scheme: "sgln" })
        {
            return value;
        }
        // A party's own URI says how long the company prefix is; else the master data do.
        var prefixes = Epc.Parse(value, known.Prefixes).Value?.CompanyPrefixLength is { } length ? CompanyPrefixes.OfLength(length) : known.Prefixes;
        return known.FindLocation(gln)?.Sgln() is { } sgln && EpcUri.IsEpcUri(sgln) ? sgln : Epc.Create(EpcScheme.Named("sgln")!, gln, prefixes, "0").Value?.ToUrn() ?? gln;
    }

    private VocabularyElement? ProductOf(string id, string gtin)
    {
        if (known.Find(gtin) is not { } p)
        {
            Lacks($"The product {gtin} is not in the master data.", gtin);
            return null;
        }
        var (type, ndc) = of.Release == "R1.2" ? ("FDA_NDC_11", Eleven(p.Ndc)) : ("US_FDA_NDC", p.Ndc.Length == 12 ? p.Ndc : "");
        var element = new VocabularyElement("urn:epcglobal:epcis:vtype:EPCClass", id)
        {
            Attributes =
            [
                .. Attributes(gtin, "The product", ("additionalTradeItemIdentification", ndc, "NDC as its release writes it")),
                .. ndc.Length > 0 ? [Attribute("additionalTradeItemIdentificationTypeCode", type)] : (VocabularyAttribute[])[],
                .. Attributes(gtin, "The product", ("regulatedProductName", p.Name, "name"), ("manufacturerOfTradeItemPartyName", p.Manufacturer, "manufacturer"), ("dosageFormType", p.DosageForm, "dosage form"),
                    ("strengthDescription", p.Strength, "strength"), ("netContentDescription", p.NetContent, "net content")),
            ],
        };
        return element.Attributes.Count > 0 ? element : null;
    }

    // The hyphens part labeler, product and package; in eleven digits they have five, four and two.
    private static string Eleven(string ndc)
    {
        var parts = ndc.Split('-');
        return parts.Length == 3 ? parts[0].PadLeft(5, '0') + parts[1].PadLeft(4, '0') + parts[2].PadLeft(2, '0') : ndc;
    }

    private VocabularyElement? PlaceOf(string id, string gln)
    {
        if (known.FindLocation(gln) is not { } l)
        {
            Lacks($"The party or place {gln} is not in the master data.", gln);
            return null;
        }
        return new VocabularyElement("urn:epcglobal:epcis:vtype:Location", id)
        {
            Attributes =
            [
                .. Attributes(gln, "The party or place", ("name", l.Name, "name"), ("streetAddressOne", l.Street, "street")),
                .. l.Street2.Length > 0 ? [Attribute("streetAddressTwo", l.Street2)] : (VocabularyAttribute[])[],
                .. Attributes(gln, "The party or place", ("city", l.City, "city"), ("state", l.State, "state"), ("postalCode", l.PostalCode, "postal code"), ("countryCode", l.Country, "country")),
            ],
        };
    }

    private IEnumerable<VocabularyAttribute> Attributes(string subject, string what, params (string Name, string Value, string Word)[] attributes)
    {
        foreach (var (name, value, word) in attributes)
        {
            if (value.Length > 0)
            {
                yield return Attribute(name, value);
            }
            else
            {
                Lacks($"{what} {subject} has no {word} in the master data.", subject);
            }
        }
    }

    private static VocabularyAttribute Attribute(string name, string value) => new($"{CbvMasterData}#{name}", value);

    private void Lacks(string sentence, string subject)
    {
        if (IsRegulated && _findings.TrueForAll(f => f.Sentence != sentence))
        {
            _findings.Add(new ComposeFinding("compose.masterdata", subject, sentence));
        }
    }
}
