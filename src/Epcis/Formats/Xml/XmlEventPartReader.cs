using System.Globalization;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>The parts of an event that have a structure of their own. Each method is called on the part's start tag.</summary>
internal sealed class XmlEventPartReader(XmlCursor xml, XmlPlaces.Recorder places)
{
    private const string SchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

    /// <summary>A list of plain values, such as the <c>epc</c> of an epcList.</summary>
    public List<string> Values(string item)
    {
        var values = new List<string>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == item)
            {
                places.Item(xml.Place);
                values.Add(xml.Value());
            }
            else
            {
                xml.Skip();
            }
        }
        return values;
    }

    public List<QuantityElement> Quantities()
    {
        var quantities = new List<QuantityElement>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == "quantityElement")
            {
                places.Item(xml.Place);
                quantities.Add(QuantityElement());
            }
            else
            {
                xml.Skip();
            }
        }
        return quantities;
    }

    /// <summary>A number that is no decimal, such as <c>INF</c>, keeps only its text; an empty one (xsi:nil) was not given.</summary>
    public static QuantityElement Quantity(string epcClass, string? quantity, string? uom)
    {
        var text = string.IsNullOrEmpty(quantity) ? null : quantity;
        decimal? number = decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        return new QuantityElement(epcClass, number, text, uom);
    }

    private QuantityElement QuantityElement()
    {
        var epcClass = "";
        string? quantity = null, uom = null;
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "epcClass": epcClass = xml.Value(); break;
                case "quantity": quantity = xml.Value(); break;
                case "uom": uom = xml.Value(); break;
                default: xml.Skip(); break;
            }
        }
        return Quantity(epcClass, quantity, uom);
    }

    public List<BizTransaction> BizTransactions()
    {
        var transactions = new List<BizTransaction>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == "bizTransaction")
            {
                places.Item(xml.Place);
                var type = xml.Reader.GetAttribute("type")?.Trim();
                transactions.Add(new BizTransaction(type, xml.Value()));
            }
            else
            {
                xml.Skip();
            }
        }
        return transactions;
    }

    public List<SourceOrDestination> SourcesOrDestinations(string item)
    {
        var list = new List<SourceOrDestination>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == item)
            {
                places.Item(xml.Place);
                var type = xml.Reader.GetAttribute("type")?.Trim() ?? "";
                list.Add(new SourceOrDestination(type, xml.Value()));
            }
            else
            {
                xml.Skip();
            }
        }
        return list;
    }

    /// <param name="name">readPoint or bizLocation.</param>
    public Location Location(string name)
    {
        var id = "";
        var extensions = new List<Extension>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "id": id = xml.Value(); break;
                case "extension": XmlExtensionReader.ReadChildren(xml, name + "/extension", extensions); break;
                default: extensions.Add(XmlExtensionReader.Read(xml)); break;
            }
        }
        return new Location(id) { Extensions = OrNone(extensions) };
    }

    public List<Extension> Ilmd()
    {
        var ilmd = new List<Extension>();
        xml.KeepAttributes("ilmd");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == "extension")
            {
                XmlExtensionReader.ReadChildren(xml, "ilmd/extension", ilmd);
            }
            else
            {
                ilmd.Add(XmlExtensionReader.Read(xml));
            }
        }
        return ilmd;
    }

    public ErrorDeclaration ErrorDeclaration()
    {
        string? time = null, reason = null;
        xml.KeepAttributes("errorDeclaration");
        IReadOnlyList<string> corrective = [];
        var extensions = new List<Extension>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            places.Field($"errorDeclaration/{name}", xml.Place);
            switch (name)
            {
                case "declarationTime": time = xml.Value(); break;
                case "reason": reason = xml.Value(); break;
                case "correctiveEventIDs": corrective = [.. corrective, .. Values("correctiveEventID")]; break; // 2.0 lets it repeat
                case "extension": XmlExtensionReader.ReadChildren(xml, "errorDeclaration/extension", extensions); break;
                default: extensions.Add(XmlExtensionReader.Read(xml)); break;
            }
        }
        return new ErrorDeclaration
        {
            DeclarationTime = XmlInstant.Parse(time),
            DeclarationTimeText = time,
            Reason = reason,
            CorrectiveEventIds = corrective,
            Extensions = OrNone(extensions),
        };
    }

    public PersistentDisposition PersistentDisposition()
    {
        List<string> set = [], unset = [];
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            places.Part("persistentDisposition", name, xml.Place);
            switch (name)
            {
                case "set": set.Add(xml.Value()); break;
                case "unset": unset.Add(xml.Value()); break;
                default: xml.Skip(); break;
            }
        }
        return new PersistentDisposition(set, unset);
    }

    /// <param name="besides">The event's extensions: the list's own <c>extension</c> belongs to no sensor element.</param>
    public List<SensorElement> SensorElements(List<Extension> besides)
    {
        var elements = new List<SensorElement>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            if (name == "sensorElement")
            {
                places.Item(xml.Place);
            }
            switch (name)
            {
                case "sensorElement": elements.Add(SensorElement(elements.Count)); break;
                case "extension": XmlExtensionReader.ReadChildren(xml, "sensorElementList/extension", besides); break;
                default: besides.Add(XmlExtensionReader.Read(xml)); break;
            }
        }
        return elements;
    }

    private SensorElement SensorElement(int index)
    {
        IReadOnlyList<SensorField> metadata = [];
        var reports = new List<IReadOnlyList<SensorField>>();
        var extensions = new List<Extension>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "sensorMetadata":
                    SensorPart(index, "sensorMetadata", 0);
                    metadata = SensorFields();
                    break;
                case "sensorReport":
                    SensorPart(index, "sensorReport", reports.Count);
                    reports.Add(SensorFields());
                    break;
                case "extension": XmlExtensionReader.ReadChildren(xml, FormattableString.Invariant($"sensorElementList/{index}/extension"), extensions); break;
                default: extensions.Add(XmlExtensionReader.Read(xml)); break;
            }
        }
        return new SensorElement { Metadata = metadata, Reports = reports, Extensions = OrNone(extensions) };
    }

    private void SensorPart(int element, string name, int index)
    {
        if (places.HasRoom)
        {
            places.Inner(FormattableString.Invariant($"sensorElementList/{element}/{name}"), index, xml.Place);
        }
    }

    private List<SensorField> SensorFields()
    {
        var reader = xml.Reader;
        var fields = new List<SensorField>(reader.AttributeCount);
        while (reader.MoveToNextAttribute())
        {
            if (!XmlExtensionReader.IsDeclaration(reader) && reader.NamespaceURI != SchemaInstance)
            {
                fields.Add(new SensorField(reader.NamespaceURI, reader.Name, reader.Value, IsLiteral(reader.Name)));
            }
        }
        reader.MoveToElement();
        xml.Skip();
        return fields;
    }

    private static bool IsLiteral(string name) => name is
        "value" or "minValue" or "maxValue" or "meanValue" or "sDev" or "percRank" or "percValue" or "booleanValue";

    private static IReadOnlyList<Extension> OrNone(List<Extension> extensions) => extensions.Count == 0 ? [] : extensions;
}
