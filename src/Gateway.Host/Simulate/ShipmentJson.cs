using System.Globalization;
using System.Text.Json;

namespace Gateway.Host.Simulate;

/// <summary>
/// Writes a shipment as EPCIS 2.0 JSON-LD. There is no official JSON form of the US header, so its members stand
/// at document level under their declared prefix.
/// </summary>
sealed class ShipmentJson(Utf8JsonWriter json, Shipment shipment)
{
    readonly ShipmentPlan _plan = shipment.Plan;

    public void Write()
    {
        json.WriteStartObject();
        WriteContext();
        json.WriteString("type", "EPCISDocument");
        json.WriteString("schemaVersion", "2.0");
        json.WriteString("creationDate", EpcisXmlWriter.Instant(_plan.ShippedAt));
        json.WriteString("sender", _plan.Shipper.Owner.Sgln);
        json.WriteString("receiver", _plan.Partner.Owner.Sgln);
        json.WriteString("instanceIdentifier", shipment.InstanceIdentifier);
        json.WriteString("gs1ushc:guidelineVersion", ShipmentXml.GuidelineVersion);
        json.WriteStartObject("gs1ushc:dscsaTransactionStatement");
        json.WriteBoolean("gs1ushc:affirmTransactionStatement", true);
        json.WriteString("gs1ushc:legalNotice", ShipmentXml.LegalNotice);
        json.WriteEndObject();
        WriteMasterData();
        json.WriteStartObject("epcisBody");
        json.WriteStartArray("eventList");
        WriteEvents();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    void WriteContext()
    {
        json.WriteStartArray("@context");
        json.WriteStringValue("https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld");
        json.WriteStartObject();
        json.WriteString("gs1ushc", EpcisXmlWriter.Dscsa);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    void WriteMasterData()
    {
        json.WriteStartObject("epcisHeader");
        json.WriteStartObject("epcisMasterData");
        json.WriteStartArray("vocabularyList");
        StartVocabulary("EPCClass");
        foreach (var (id, attributes) in shipment.ItemClasses)
            WriteElement(id, attributes);
        EndVocabulary();
        StartVocabulary("Location");
        foreach (var place in shipment.Places)
            WriteElement(place.Sgln, place.MasterData);
        EndVocabulary();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    void WriteEvents()
    {
        var at = _plan.ShippedAt;
        Commission("units", at.AddMinutes(-55), shipment.Units, withIlmd: true);
        Commission("cases", at.AddMinutes(-45), shipment.Cases.Select(c => c.Epc), withIlmd: true);
        for (var i = 0; i < shipment.Cases.Count; i++)
            Pack($"case-{i}", at.AddMinutes(-35), _plan.OmitCaseParent ? null : shipment.Cases[i].Epc, shipment.Cases[i].Units);
        Commission("pallet", at.AddMinutes(-25), [shipment.Pallet], withIlmd: false);
        Pack("pallet-load", at.AddMinutes(-20), shipment.Pallet, shipment.Cases.Select(c => c.Epc));
        Ship();
    }

    void Commission(string name, DateTimeOffset time, IEnumerable<string> epcs, bool withIlmd)
    {
        StartEvent("ObjectEvent", time, name);
        WriteEpcs("epcList", epcs);
        WriteWhyAndWhere("ADD", "commissioning", "active", withBizLocation: true);
        if (withIlmd)
        {
            json.WriteStartObject("ilmd");
            json.WriteString("cbvmda:lotNumber", _plan.Lot);
            json.WriteString("cbvmda:itemExpirationDate", _plan.Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    void Pack(string name, DateTimeOffset time, string? parent, IEnumerable<string> children)
    {
        StartEvent("AggregationEvent", time, name);
        if (parent is not null)
            json.WriteString("parentID", parent);
        WriteEpcs("childEPCs", children);
        WriteWhyAndWhere("ADD", "packing", "in_progress", withBizLocation: true);
        json.WriteEndObject();
    }

    void Ship()
    {
        StartEvent("ObjectEvent", _plan.ShippedAt, "ship");
        WriteEpcs("epcList", [shipment.Pallet]);
        WriteWhyAndWhere("OBSERVE", "shipping", "in_transit", withBizLocation: false);
        WriteTyped("bizTransactionList", "bizTransaction", ("po", shipment.PurchaseOrder), ("desadv", shipment.DespatchAdvice));
        WriteTyped("sourceList", "source",
            ("owning_party", _plan.Shipper.Owner.Sgln), ("location", _plan.Shipper.Site.Sgln));
        WriteTyped("destinationList", "destination",
            ("owning_party", _plan.Partner.Owner.Sgln), ("location", _plan.Partner.Site.Sgln));
        json.WriteBoolean("gs1ushc:dropShipment", false);
        json.WriteEndObject();
    }

    void StartEvent(string type, DateTimeOffset at, string name)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("eventID", shipment.EventId(name));
        json.WriteString("eventTime", EpcisXmlWriter.Instant(at));
        json.WriteString("eventTimeZoneOffset", at.ToString("zzz", CultureInfo.InvariantCulture));
    }

    void WriteWhyAndWhere(string action, string bizStep, string disposition, bool withBizLocation)
    {
        json.WriteString("action", action);
        json.WriteString("bizStep", bizStep);
        json.WriteString("disposition", disposition);
        WriteId("readPoint");
        if (withBizLocation)
            WriteId("bizLocation");

        void WriteId(string name)
        {
            json.WriteStartObject(name);
            json.WriteString("id", _plan.Shipper.Site.Sgln);
            json.WriteEndObject();
        }
    }

    void WriteEpcs(string listName, IEnumerable<string> epcs)
    {
        json.WriteStartArray(listName);
        foreach (var epc in epcs)
            json.WriteStringValue(epc);
        json.WriteEndArray();
    }

    void WriteTyped(string listName, string valueName, params ReadOnlySpan<(string Type, string Value)> entries)
    {
        json.WriteStartArray(listName);
        foreach (var (type, value) in entries)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString(valueName, value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    void StartVocabulary(string type)
    {
        json.WriteStartObject();
        json.WriteString("type", $"urn:epcglobal:epcis:vtype:{type}");
        json.WriteStartArray("vocabularyElementList");
    }

    void EndVocabulary()
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }

    void WriteElement(string id, IEnumerable<MasterDataAttribute> attributes)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteStartArray("attributes");
        foreach (var (name, value) in attributes)
        {
            json.WriteStartObject();
            json.WriteString("id", $"urn:epcglobal:cbv:mda#{name}");
            json.WriteString("attribute", value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
