using Epcis.Events;

namespace Epcis.Tests.Rules;

/// <summary>A document of a few events.</summary>
internal sealed record ADocument(DocumentHeader Header, params EpcisEvent[] Events)
{
    public static implicit operator ADocument(EpcisEvent e) => new(new DocumentHeader(), e);

    public ADocument With(Func<DocumentHeader, DocumentHeader> change) => this with { Header = change(Header) };

    public ADocument With<T>(int index, Func<T, EpcisEvent> change) where T : EpcisEvent =>
        this with { Events = [.. Events.Select((e, i) => i == index ? change((T)e) : e)] };

    public ADocument Without(int index) => this with { Events = [.. Events.Where((_, i) => i != index)] };

    public ADocument Then(EpcisEvent next) => this with { Events = [.. Events, next with { Index = Events.Length }] };
}

/// <summary>A sound shipment by the DSCSA guideline, of which a test spoils one part: two units on a pallet.</summary>
internal static class AShipment
{
    public const string Unit = "urn:epc:id:sgtin:030001.0012345.11";
    public const string OtherUnit = "urn:epc:id:sgtin:030001.0012345.12";
    public const string Pallet = "urn:epc:id:sscc:030001.01000000001";
    public const string OtherPallet = "urn:epc:id:sscc:030001.01000000002";
    public const string Seller = "urn:epc:id:sgln:030001.111111.0";
    public const string Buyer = "urn:epc:id:sgln:039999.999999.0";
    public const int CommissioningUnits = 0;
    public const int CommissioningPallet = 1;
    public const int Packing = 2;
    public const int Shipping = 3;

    private const string Gs1Us = "http://epcis.gs1us.org/hc/ns";

    public static Extension Of(string name, string text, params Extension[] children) =>
        new(Gs1Us, "gs1ushc", name) { Text = children.Length == 0 ? text : null, Children = children };

    public static Extension Ilmd(string name, string text) => new("urn:epcglobal:cbv:mda", "cbvmda", name) { Text = text };

    public static Extension Statement(string affirms, string notice) =>
        Of("dscsaTransactionStatement", "", Of("affirmTransactionStatement", affirms), Of("legalNotice", notice));

    public static VocabularyElement Product(string id, string ndc, string typeCode) => Element("EPCClass", id,
        ("additionalTradeItemIdentification", ndc), ("additionalTradeItemIdentificationTypeCode", typeCode), ("regulatedProductName", "Epcistra"),
        ("manufacturerOfTradeItemPartyName", "GS1 Pharma LLC"), ("dosageFormType", "PILL"), ("strengthDescription", "100mg"), ("netContentDescription", "500 pills"));

    public static VocabularyElement Location(string id) => Element("Location", id,
        ("name", "GS1 Pharma"), ("streetAddressOne", "1 Biopharm Ct"), ("city", "Thousand Oaks"), ("state", "CA"), ("postalCode", "91320"), ("countryCode", "US"));

    public static ADocument Of13 { get; } = new(
        new DocumentHeader
        {
            DocumentType = "EPCISDocument",
            CreationDate = "2026-03-01T18:00:00Z",
            Sbdh = new StandardBusinessDocumentHeader
            {
                Senders = [new SbdhParty("GS1", Seller)],
                Receivers = [new SbdhParty("GS1", Buyer)],
                InstanceIdentifier = "1100220001",
                Type = "Events",
                CreationDateAndTime = "2026-03-01T18:00:00Z",
            },
            MasterData = [Product("urn:epc:idpat:sgtin:030001.0012345.*", "0001-0123-45", "US_FDA_NDC"), Location(Seller), Location(Buyer)],
            HeaderExtensions = [Of("guidelineVersion", "GS1 US DSCSA R1.3"), Statement("true", "The seller has complied.")],
        },
        At(CommissioningUnits, new ObjectEvent
        {
            Action = EventAction.Add,
            EpcList = [Unit, OtherUnit],
            BizStep = "commissioning",
            Disposition = "active",
            Ilmd = [Ilmd("lotNumber", "A123"), Ilmd("itemExpirationDate", "2028-03-31")],
        }),
        At(CommissioningPallet, new ObjectEvent { Action = EventAction.Add, EpcList = [Pallet], BizStep = "commissioning", Disposition = "active" }),
        At(Packing, new AggregationEvent { Action = EventAction.Add, ParentId = Pallet, ChildEpcs = [Unit, OtherUnit], BizStep = "packing", Disposition = "in_progress" }),
        At(Shipping, new ObjectEvent
        {
            Action = EventAction.Observe,
            EpcList = [Pallet],
            BizStep = "shipping",
            Disposition = "in_transit",
            BizTransactions = [new BizTransaction("po", "urn:epcglobal:cbv:bt:0399999999991:XYZ567"), new BizTransaction("desadv", "urn:epcglobal:cbv:bt:0300011111116:D1")],
            Sources = [new SourceOrDestination("owning_party", Seller), new SourceOrDestination("location", Seller)],
            Destinations = [new SourceOrDestination("owning_party", Buyer), new SourceOrDestination("location", Buyer)],
        }) with { BizLocation = null });

    public static ADocument Of12 { get; } = Of13.With(h => h with
    {
        MasterData = [Product("urn:epc:idpat:sgtin:030001.0012345.*", "00001012345", "FDA_NDC_11"), Location(Seller), Location(Buyer)],
        HeaderExtensions = [Statement("true", "The seller has complied.")],
    });

    /// <summary>An event of this document, at the place and time of its index.</summary>
    public static T At<T>(int index, T e) where T : EpcisEvent
    {
        var time = new DateTimeOffset(2026, 3, 1, 10 + index, 0, 0, TimeSpan.Zero);
        return e with
        {
            Index = index,
            EventTime = time,
            EventTimeText = time.ToString("yyyy-MM-ddTHH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            EventTimeZoneOffset = "-05:00",
            ReadPoint = new Location(Seller),
            BizLocation = new Location(Seller),
        };
    }

    private static VocabularyElement Element(string type, string id, params (string Name, string Value)[] attributes) =>
        new("urn:epcglobal:epcis:vtype:" + type, id) { Attributes = [.. attributes.Select(a => new VocabularyAttribute("urn:epcglobal:cbv:mda#" + a.Name, a.Value))] };
}
