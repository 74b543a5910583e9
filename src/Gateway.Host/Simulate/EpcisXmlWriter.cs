using System.Globalization;
using System.Text;
using System.Xml;

namespace Gateway.Host.Simulate;

/// <summary>The parts of an EPCIS 1.2 document that the generators share, in the order of its schema.</summary>
sealed class EpcisXmlWriter : IDisposable
{
    public const string Epcis = "urn:epcglobal:epcis:xsd:1";
    public const string Sbdh = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";
    public const string MasterData = "urn:epcglobal:cbv:mda";
    public const string Dscsa = "http://epcis.gs1us.org/hc/ns";

    readonly XmlWriter _xml;

    public EpcisXmlWriter(Stream to) => _xml = XmlWriter.Create(to, new XmlWriterSettings
    {
        Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        Indent = true,
        NewLineChars = "\n",
        CloseOutput = false,
    });

    public void StartDocument(DateTimeOffset createdAt)
    {
        _xml.WriteStartElement("epcis", "EPCISDocument", Epcis);
        _xml.WriteAttributeString("xmlns", "cbvmda", null, MasterData);
        _xml.WriteAttributeString("xmlns", "gs1ushc", null, Dscsa);
        _xml.WriteAttributeString("xmlns", "sbdh", null, Sbdh);
        _xml.WriteAttributeString("schemaVersion", "1.2");
        _xml.WriteAttributeString("creationDate", Instant(createdAt));
    }

    public void EndDocument() => _xml.WriteEndDocument();

    public void Start(string name) => _xml.WriteStartElement(name);

    public void Start(string prefix, string name, string ns) => _xml.WriteStartElement(prefix, name, ns);

    public void End() => _xml.WriteEndElement();

    public void Attribute(string name, string value) => _xml.WriteAttributeString(name, value);

    public void Text(string value) => _xml.WriteString(value);

    public void Element(string name, string value) => _xml.WriteElementString(name, value);

    public void Element(string prefix, string name, string ns, string value) =>
        _xml.WriteElementString(prefix, name, ns, value);

    /// <summary>Element by element, so that a list of any length is never held.</summary>
    public void Epcs(string listName, IEnumerable<string> epcs)
    {
        Start(listName);
        foreach (var epc in epcs)
            Element("epc", epc);
        End();
    }

    public void EventStart(string type, DateTimeOffset at, string eventId)
    {
        Start(type);
        Element("eventTime", Instant(at));
        Element("eventTimeZoneOffset", at.ToString("zzz", CultureInfo.InvariantCulture));
        Start("baseExtension");
        Element("eventID", eventId);
        End();
    }

    /// <summary>The shipping event has no bizLocation: the goods are nowhere until they arrive.</summary>
    public void WhyAndWhere(string action, string bizStep, string disposition, string readPoint, string? bizLocation)
    {
        Element("action", action);
        Element("bizStep", $"urn:epcglobal:cbv:bizstep:{bizStep}");
        Element("disposition", $"urn:epcglobal:cbv:disp:{disposition}");
        Start("readPoint");
        Element("id", readPoint);
        End();
        if (bizLocation is null)
            return;
        Start("bizLocation");
        Element("id", bizLocation);
        End();
    }

    public void LotAndExpiry(string lot, DateOnly expiry)
    {
        Start("extension");
        Start("ilmd");
        Element("cbvmda", "lotNumber", MasterData, lot);
        Element("cbvmda", "itemExpirationDate", MasterData, expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        End();
        End();
    }

    public static string Instant(DateTimeOffset at) => at.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture);

    public void Dispose() => _xml.Dispose();
}
