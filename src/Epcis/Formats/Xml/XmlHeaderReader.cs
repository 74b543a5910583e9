using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Reads what stands around the events: header, master data, and the elements of others.</summary>
internal sealed class XmlHeaderReader(XmlCursor xml, List<VocabularyElement> masterData, List<Extension> inHeader, List<Extension> inDocument, Dictionary<string, Place> places)
{
    // More names than any header has: whoever invents names is not to fill memory with them.
    private const int MaxPlaces = 100;

    // It is read whole, so its parts stand where it stands.
    private static readonly string[] OfSbdh = [BusinessDocumentHeader.Name, "Sender", "Receiver", "DocumentIdentification", "InstanceIdentifier", "Type"];

    public StandardBusinessDocumentHeader? Sbdh { get; private set; }

    /// <summary>Call on EPCISHeader. 1.2 lets foreign elements stand here, and the DSCSA guideline puts its statement here.</summary>
    public void ReadHeader()
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            // Its children are qualified; senders that leave the qualification out do occur.
            if (xml.Name == BusinessDocumentHeader.Name && xml.Namespace is BusinessDocumentHeader.Namespace or "")
            {
                Note(OfSbdh);
                Sbdh = BusinessDocumentHeader.Of(XmlExtensionReader.Read(xml));
            }
            else if (xml.StandardName == "extension")
            {
                ReadHeaderExtension();
            }
            else
            {
                Note(xml.Name);
                inHeader.Add(XmlExtensionReader.Read(xml));
            }
        }
    }

    /// <summary>Call on VocabularyList; it stands in the header, in query results and in master data documents.</summary>
    public void ReadVocabularyList()
    {
        for (var list = xml.Enter(); xml.NextChild(list);)
        {
            if (xml.StandardName == "Vocabulary")
            {
                ReadVocabulary();
            }
            else
            {
                inDocument.Add(XmlExtensionReader.Read(xml));
            }
        }
    }

    /// <summary>An element of somebody else's beside the header or the events.</summary>
    public void ReadForeign(string standardName)
    {
        if (xml.Namespace == Carried.Namespace && xml.Name is Carried.MasterData or "sender" or "receiver" or "instanceIdentifier")
        {
            ReadCarried();
        }
        else
        {
            ReadForeign(standardName, inDocument);
        }
    }

    /// <summary>Master data for which a header of 1.2 had no place, and JSON's stand-ins that make no business document header.</summary>
    private void ReadCarried()
    {
        var known = Sbdh ?? new StandardBusinessDocumentHeader();
        switch (xml.Name)
        {
            case Carried.MasterData: ReadMasterData(); break;
            case "sender": Sbdh = known with { Senders = [.. known.Senders, new SbdhParty(null, xml.Value())] }; break;
            case "receiver": Sbdh = known with { Receivers = [.. known.Receivers, new SbdhParty(null, xml.Value())] }; break;
            default: Sbdh = known with { InstanceIdentifier = xml.Value() }; break;
        }
    }

    private void ReadForeign(string standardName, List<Extension> into)
    {
        if (standardName == "extension")
        {
            XmlExtensionReader.ReadChildren(xml, into);
        }
        else
        {
            Note(xml.Name);
            into.Add(XmlExtensionReader.Read(xml));
        }
    }

    private void Note(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (places.Count < MaxPlaces)
            {
                places.TryAdd(name, xml.Place);
            }
        }
    }

    private void ReadHeaderExtension()
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            if (name == "EPCISMasterData")
            {
                ReadMasterData();
            }
            else
            {
                ReadForeign(name, inHeader);
            }
        }
    }

    private void ReadMasterData()
    {
        for (var inner = xml.Enter(); xml.NextChild(inner);)
        {
            if (xml.StandardName == "VocabularyList")
            {
                ReadVocabularyList();
            }
            else
            {
                ReadForeign(xml.StandardName);
            }
        }
    }

    private void ReadVocabulary()
    {
        var type = xml.Reader.GetAttribute("type") ?? "";
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.StandardName == "VocabularyElementList")
            {
                for (var list = xml.Enter(); xml.NextChild(list);)
                {
                    if (xml.StandardName == "VocabularyElement")
                    {
                        masterData.Add(ReadVocabularyElement(type));
                    }
                    else
                    {
                        ReadForeign(xml.StandardName);
                    }
                }
            }
            else
            {
                ReadForeign(xml.StandardName);
            }
        }
    }

    private VocabularyElement ReadVocabularyElement(string type)
    {
        var place = xml.Place;
        var id = xml.Reader.GetAttribute("id") ?? "";
        var attributes = new List<VocabularyAttribute>();
        var children = new List<string>();
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "attribute":
                    var attribute = XmlExtensionReader.Read(xml);
                    attributes.Add(new VocabularyAttribute(
                        attribute.Attributes.FirstOrDefault(a => a is { Name: "id", Namespace: "" })?.Value ?? "",
                        attribute.Text ?? XmlExtensionReader.ToXml(attribute.Children))
                    {
                        Structure = attribute.Children.Count > 0 ? attribute : null,
                    });
                    break;
                case "children":
                    for (var list = xml.Enter(); xml.NextChild(list);)
                    {
                        children.Add(xml.Value());
                    }
                    break;
                default:
                    ReadForeign(xml.StandardName);
                    break;
            }
        }
        return new VocabularyElement(type, id) { Attributes = attributes, Children = children, Place = place };
    }
}
