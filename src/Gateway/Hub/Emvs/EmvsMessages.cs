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
        Version(xml, p, message.Version);
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
        xml.WriteStartElement("Product", Namespace);
        Version(xml, message.Product, message.Version);
        xml.WriteEndElement();
        xml.WriteStartElement("Lot", Namespace);
        xml.WriteAttributeString("id", message.Lot);
        xml.WriteAttributeString("expiry", message.Expiry.ToString("yyMMdd", CultureInfo.InvariantCulture));
        xml.WriteEndElement();
        Write(xml, "Manufacturer", message.Product.Manufacturer!);
        xml.WriteStartElement("Packs", Namespace);
        xml.WriteAttributeString("count", message.Count.ToString(CultureInfo.InvariantCulture));
        await foreach (var serial in serials.WithCancellation(ct))
        {
            xml.WriteElementString("Sn", Namespace, serial);
        }
        xml.WriteEndDocument();
    }

    private static void Begin(XmlWriter xml, string name, HubMessage message)
    {
        xml.WriteStartElement(name, Namespace);
        xml.WriteAttributeString("correlationId", message.CorrelationId.ToString());
        xml.WriteAttributeString("timestamp", XmlConvert.ToString(message.Timestamp, XmlDateTimeSerializationMode.Utc));
    }

    private static void Version(XmlWriter xml, ProductData product, int version)
    {
        xml.WriteAttributeString("code", product.Gtin);
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
