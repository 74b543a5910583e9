namespace Gateway.Host.Simulate;

/// <summary>Writes a shipment as the EPCIS 1.2 document that the US guideline R1.3 describes.</summary>
sealed class ShipmentXml(EpcisXmlWriter xml, Shipment shipment)
{
    public const string GuidelineVersion = "GS1 US DSCSA R1.3";
    public const string LegalNotice = "The seller has complied with each applicable subsection of FD&C Act Sec. 581(27)(A)-(G).";

    readonly ShipmentPlan _plan = shipment.Plan;

    public void Write()
    {
        xml.StartDocument(_plan.ShippedAt);
        WriteHeader();
        xml.Start("EPCISBody");
        xml.Start("EventList");
        WriteEvents();
        xml.EndDocument();
    }

    void WriteHeader()
    {
        xml.Start("EPCISHeader");
        WriteStandardBusinessDocumentHeader();
        WriteMasterData();
        // Direct children of the header and after its extension: anywhere else they are not schema-valid.
        Dscsa("guidelineVersion", GuidelineVersion);
        xml.Start("gs1ushc", "dscsaTransactionStatement", EpcisXmlWriter.Dscsa);
        Dscsa("affirmTransactionStatement", "true");
        Dscsa("legalNotice", LegalNotice);
        xml.End();
        xml.End();
    }

    void WriteStandardBusinessDocumentHeader()
    {
        StartSbdh("StandardBusinessDocumentHeader");
        Sbdh("HeaderVersion", "1.0");
        foreach (var (role, place) in new[] { ("Sender", _plan.Shipper.Owner), ("Receiver", _plan.Partner.Owner) })
        {
            StartSbdh(role);
            StartSbdh("Identifier");
            xml.Attribute("Authority", "GS1");
            xml.Text(place.Sgln);
            xml.End();
            xml.End();
        }
        StartSbdh("DocumentIdentification");
        Sbdh("Standard", "EPCglobal");
        Sbdh("TypeVersion", "1.0");
        Sbdh("InstanceIdentifier", shipment.InstanceIdentifier);
        Sbdh("Type", "Events");
        Sbdh("CreationDateAndTime", EpcisXmlWriter.Instant(_plan.ShippedAt));
        xml.End();
        xml.End();
    }

    void WriteMasterData()
    {
        xml.Start("extension");
        xml.Start("EPCISMasterData");
        xml.Start("VocabularyList");
        StartVocabulary("EPCClass");
        foreach (var (id, attributes) in shipment.ItemClasses)
            WriteElement(id, attributes);
        EndVocabulary();
        StartVocabulary("Location");
        foreach (var place in shipment.Places)
            WriteElement(place.Sgln, place.MasterData);
        EndVocabulary();
        xml.End();
        xml.End();
        xml.End();
    }

    void WriteEvents()
    {
        var site = _plan.Shipper.Site.Sgln;
        var at = _plan.ShippedAt;

        Commission("units", at.AddMinutes(-55), shipment.Units, withIlmd: true);
        Commission("cases", at.AddMinutes(-45), shipment.Cases.Select(c => c.Epc), withIlmd: true);
        for (var i = 0; i < shipment.Cases.Count; i++)
            Pack($"case-{i}", at.AddMinutes(-35), _plan.OmitCaseParent ? null : shipment.Cases[i].Epc, shipment.Cases[i].Units);
        Commission("pallet", at.AddMinutes(-25), [shipment.Pallet], withIlmd: false);
        Pack("pallet-load", at.AddMinutes(-20), shipment.Pallet, shipment.Cases.Select(c => c.Epc));
        Ship();

        void Commission(string name, DateTimeOffset time, IEnumerable<string> epcs, bool withIlmd)
        {
            xml.EventStart("ObjectEvent", time, shipment.EventId(name));
            xml.Epcs("epcList", epcs);
            xml.WhyAndWhere("ADD", "commissioning", "active", site, site);
            if (withIlmd)
                xml.LotAndExpiry(_plan.Lot, _plan.Expiry);
            xml.End();
        }

        void Pack(string name, DateTimeOffset time, string? parent, IEnumerable<string> children)
        {
            xml.EventStart("AggregationEvent", time, shipment.EventId(name));
            if (parent is not null)
                xml.Element("parentID", parent);
            xml.Epcs("childEPCs", children);
            xml.WhyAndWhere("ADD", "packing", "in_progress", site, site);
            xml.End();
        }
    }

    void Ship()
    {
        xml.EventStart("ObjectEvent", _plan.ShippedAt, shipment.EventId("ship"));
        xml.Epcs("epcList", [shipment.Pallet]);
        xml.WhyAndWhere("OBSERVE", "shipping", "in_transit", _plan.Shipper.Site.Sgln, bizLocation: null);
        xml.Start("bizTransactionList");
        Typed("bizTransaction", "urn:epcglobal:cbv:btt:po", shipment.PurchaseOrder);
        Typed("bizTransaction", "urn:epcglobal:cbv:btt:desadv", shipment.DespatchAdvice);
        xml.End();
        xml.Start("extension");
        WriteParty("source", _plan.Shipper);
        WriteParty("destination", _plan.Partner);
        xml.End();
        Dscsa("dropShipment", "false");
        xml.End();
    }

    void WriteParty(string role, SimulatedParty party)
    {
        xml.Start(role + "List");
        Typed(role, "urn:epcglobal:cbv:sdt:owning_party", party.Owner.Sgln);
        Typed(role, "urn:epcglobal:cbv:sdt:location", party.Site.Sgln);
        xml.End();
    }

    void Typed(string name, string type, string value)
    {
        xml.Start(name);
        xml.Attribute("type", type);
        xml.Text(value);
        xml.End();
    }

    void StartVocabulary(string type)
    {
        xml.Start("Vocabulary");
        xml.Attribute("type", $"urn:epcglobal:epcis:vtype:{type}");
        xml.Start("VocabularyElementList");
    }

    void EndVocabulary()
    {
        xml.End();
        xml.End();
    }

    void WriteElement(string id, IEnumerable<MasterDataAttribute> attributes)
    {
        xml.Start("VocabularyElement");
        xml.Attribute("id", id);
        foreach (var (name, value) in attributes)
        {
            xml.Start("attribute");
            xml.Attribute("id", $"urn:epcglobal:cbv:mda#{name}");
            xml.Text(value);
            xml.End();
        }
        xml.End();
    }

    void StartSbdh(string name) => xml.Start("sbdh", name, EpcisXmlWriter.Sbdh);

    void Sbdh(string name, string value) => xml.Element("sbdh", name, EpcisXmlWriter.Sbdh, value);

    void Dscsa(string name, string value) => xml.Element("gs1ushc", name, EpcisXmlWriter.Dscsa, value);
}
