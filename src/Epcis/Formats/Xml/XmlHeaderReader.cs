using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Reads what stands around the events: header, master data, and the elements of others.</summary>
internal sealed class XmlHeaderReader(XmlCursor xml, List<VocabularyElement> masterData, List<Extension> extensions)
{
    private const string SbdhNamespace = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

    public StandardBusinessDocumentHeader? Sbdh { get; private set; }

    /// <summary>Call on EPCISHeader. 1.2 lets foreign elements stand here, and the DSCSA guideline puts its statement here.</summary>
    public void ReadHeader()
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            // Its children are qualified; senders that leave the qualification out do occur.
            if (xml.Name == "StandardBusinessDocumentHeader" && xml.Namespace is SbdhNamespace or "")
            {
                Sbdh = ReadSbdh();
            }
            else if (xml.StandardName == "extension")
            {
                ReadHeaderExtension();
            }
            else
            {
                extensions.Add(XmlExtensionReader.Read(xml));
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
                extensions.Add(XmlExtensionReader.Read(xml));
            }
        }
    }

    /// <summary>An element of somebody else's beside the header or the events.</summary>
    public void ReadForeign(string standardName)
    {
        if (standardName == "extension")
        {
            XmlExtensionReader.ReadChildren(xml, extensions);
        }
        else
        {
            extensions.Add(XmlExtensionReader.Read(xml));
        }
    }

    private void ReadHeaderExtension()
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            if (name == "EPCISMasterData")
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
            else
            {
                ReadForeign(name);
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
                        attribute.Text ?? XmlExtensionReader.ToXml(attribute.Children)));
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
        return new VocabularyElement(type, id) { Attributes = attributes, Children = children };
    }

    private StandardBusinessDocumentHeader ReadSbdh()
    {
        List<SbdhParty> senders = [], receivers = [];
        string? instance = null, type = null, created = null;
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.Name)
            {
                case "Sender": ReadParty(senders); break;
                case "Receiver": ReadParty(receivers); break;
                case "DocumentIdentification":
                    for (var inner = xml.Enter(); xml.NextChild(inner);)
                    {
                        switch (xml.Name)
                        {
                            case "InstanceIdentifier": instance = xml.Value(); break;
                            case "Type": type = xml.Value(); break;
                            case "CreationDateAndTime": created = xml.Value(); break;
                            default: xml.Skip(); break;
                        }
                    }
                    break;
                default: xml.Skip(); break;
            }
        }
        return new StandardBusinessDocumentHeader { Senders = senders, Receivers = receivers, InstanceIdentifier = instance, Type = type, CreationDateAndTime = created };
    }

    private void ReadParty(List<SbdhParty> parties)
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            if (xml.Name == "Identifier")
            {
                var authority = xml.Reader.GetAttribute("Authority");
                parties.Add(new SbdhParty(authority, xml.Value()));
            }
            else
            {
                xml.Skip();
            }
        }
    }
}
