using System.Globalization;
using System.Text.Json;

namespace Gateway.Host.Simulate;

/// <summary>Makes DSCSA shipments. The same seed and plan give the same bytes, on any machine.</summary>
public sealed class ShipmentGenerator(int seed)
{
    readonly SeededNumbers _numbers = new(seed);

    /// <summary>EPCIS 1.2 XML, the form of the US guideline R1.3.</summary>
    public byte[] Xml(ShipmentPlan plan)
    {
        using var bytes = new MemoryStream();
        using (var xml = new EpcisXmlWriter(bytes))
            new ShipmentXml(xml, new Shipment(_numbers, plan)).Write();
        return bytes.ToArray();
    }

    /// <summary>What a receiver says of shipments, as EPCIS 1.2 XML.</summary>
    public byte[] Receipt(PlannedReceipt receipt)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"receipt:{receipt.Partner.Party.Owner.Gln}:{receipt.At:yyyyMMddHH}");
        var document = new ReceiptDocument(receipt.Partner.Party, new DateTimeOffset(receipt.At, TimeSpan.Zero));
        document.Add(_numbers.Uuid(name), receipt.Whole.Select(Of), "in_progress");
        if (receipt.Part is { } part)
        {
            document.Add(_numbers.Uuid(name + ":part"), new Shipment(_numbers, part).Cases.Skip(1).Select(c => c.Epc), "in_progress");
        }
        if (receipt.Damaged is { } damaged)
        {
            document.Add(_numbers.Uuid(name + ":damaged"), [Of(damaged)], "damaged");
        }
        return document.ToBytes();

        string Of(ShipmentPlan plan) => new Shipment(_numbers, plan).Pallet;
    }

    /// <summary>EPCIS 2.0 JSON-LD with the same identifiers and events.</summary>
    public byte[] Json(ShipmentPlan plan)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
            new ShipmentJson(json, new Shipment(_numbers, plan)).Write();
        return bytes.ToArray();
    }
}
