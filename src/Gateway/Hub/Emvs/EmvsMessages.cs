using System.Globalization;
using System.Xml;

namespace Gateway.Hub.Emvs;

/// <summary>Messages as <c>schemas/hub/hub.xsd</c> has them.</summary>
internal static class EmvsMessages
{
    public const string Namespace = "urn:open-serialization-gateway:hub:1";

    private static readonly XmlWriterSettings s_settings = new() { CloseOutput = false, Async = false };

    public static void Write(ProductDataMessage message, Stream to)
    {
        using var xml = XmlWriter.Create(to, s_settings);
        Begin(xml, "ProductData", message);
        var p = message.Product;
        xml.WriteStartElement("Product", Namespace);
        Version(xml, p.Gtin!, message.Version);
        foreach (var (name, value) in ((string, string?)[])[("Name", p.Name), ("CommonName", p.CommonName), ("Form", p.Form), ("Strength", p.Strength), ("PackType", p.PackType), ("PackSize", p.PackSize?.ToString(CultureInfo.InvariantCulture))])
        {
            xml.WriteElementString(name, Namespace, value);
        }
        foreach (var atc in p.Atc ?? [])
        {
            xml.WriteElementString("Atc", Namespace, atc);
        }
        xml.WriteEndElement();
        foreach (var market in p.Markets!)
        {
            xml.WriteStartElement("Market", Namespace);
            xml.WriteAttributeString("country", market.Country);
            if (market.NationalCode is { } code)
            {
                xml.WriteElementString("NationalCode", Namespace, code);
            }
            Write(xml, "Holder", market.Holder!);
            foreach (var wholesaler in market.Wholesalers ?? [])
            {
                Write(xml, "Wholesaler", wholesaler);
            }
            xml.WriteEndElement();
        }
        xml.WriteEndDocument();
    }

    public static async Task WriteAsync(PackDataMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct)
    {
        // The writer's own asynchronous calls cost more than what they write; the file below it takes its time in large pieces.
        using var xml = XmlWriter.Create(to, s_settings);
        Begin(xml, "PackData", message);
        Of(xml, message.Product.Gtin!, message.Version, message.Lot, message.Expiry);
        Write(xml, "Manufacturer", message.Product.Manufacturer!);
        await PacksAsync(xml, message.Count, serials, ct);
        xml.WriteEndDocument();
    }

    public static async Task WriteAsync(OrderMessage message, IAsyncEnumerable<string> serials, Stream to, CancellationToken ct)
    {
        using var xml = XmlWriter.Create(to, s_settings);
        var isOfPacks = message.Kind is OrderKinds.StateChange or OrderKinds.Undo;
        Begin(xml, isOfPacks ? "StateChange" : message.Kind == OrderKinds.Recall ? "LotRecall" : "ProductWithdrawal", message);
        Of(xml, message.Gtin, message.Version, message.Lot, message.Expiry);
        if (isOfPacks)
        {
            xml.WriteStartElement("Change", Namespace);
            xml.WriteAttributeString("state", message.State);
            xml.WriteAttributeString("undo", XmlConvert.ToString(message.Kind == OrderKinds.Undo));
            xml.WriteAttributeString("location", message.Location);
            xml.WriteEndElement();
            await PacksAsync(xml, message.Count, serials, ct);
        }
        else
        {
            xml.WriteElementString("Reason", Namespace, message.Reason);
            foreach (var country in message.Markets)
            {
                xml.WriteStartElement("Market", Namespace);
                xml.WriteAttributeString("country", country);
                xml.WriteEndElement();
            }
        }
        xml.WriteEndDocument();
    }

    private static void Of(XmlWriter xml, string gtin, int version, string? lot, DateOnly? expiry)
    {
        xml.WriteStartElement("Product", Namespace);
        Version(xml, gtin, version);
        xml.WriteEndElement();
        if (lot is not null)
        {
            xml.WriteStartElement("Lot", Namespace);
            xml.WriteAttributeString("id", lot);
            xml.WriteAttributeString("expiry", expiry!.Value.ToString("yyMMdd", CultureInfo.InvariantCulture));
            xml.WriteEndElement();
        }
    }

    private static async Task PacksAsync(XmlWriter xml, int count, IAsyncEnumerable<string> serials, CancellationToken ct)
    {
        xml.WriteStartElement("Packs", Namespace);
        xml.WriteAttributeString("count", count.ToString(CultureInfo.InvariantCulture));
        await foreach (var serial in serials.WithCancellation(ct))
        {
            xml.WriteElementString("Sn", Namespace, serial);
        }
        xml.WriteEndElement();
    }

    private static void Begin(XmlWriter xml, string name, HubMessage message)
    {
        xml.WriteStartElement(name, Namespace);
        xml.WriteAttributeString("correlationId", message.CorrelationId.ToString());
        xml.WriteAttributeString("timestamp", XmlConvert.ToString(message.Timestamp, XmlDateTimeSerializationMode.Utc));
    }

    private static void Version(XmlWriter xml, string gtin, int version)
    {
        xml.WriteAttributeString("code", gtin);
        xml.WriteAttributeString("scheme", "GTIN");
        xml.WriteAttributeString("version", version.ToString(CultureInfo.InvariantCulture));
    }

    private static void Write(XmlWriter xml, string name, Company company)
    {
        xml.WriteStartElement(name, Namespace);
        xml.WriteAttributeString("id", company.Id);
        xml.WriteAttributeString("name", company.Name);
        xml.WriteElementString("Street", Namespace, company.Street);
        xml.WriteElementString("City", Namespace, company.City);
        xml.WriteElementString("PostalCode", Namespace, company.PostalCode);
        xml.WriteElementString("Country", Namespace, company.Country);
        xml.WriteEndElement();
    }
}
