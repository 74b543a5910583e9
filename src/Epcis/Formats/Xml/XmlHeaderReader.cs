using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Reads what stands around the events: header, master data, and the elements of others.</summary>
internal sealed class XmlHeaderReader(XmlCursor xml, List<VocabularyElement> masterData, List<Extension> inHeader, List<Extension> inDocument, List<ElementAttributes> attributes, List<EventComment> comments, Dictionary<string, Place> places)
{
    // More names than any header has: whoever invents names is not to fill memory with them.
    private const int MaxPlaces = 100;

    private readonly int[] _parties = new int[2];

    public StandardBusinessDocumentHeader? Sbdh { get; private set; }

    /// <summary>Notes the comments before the standard's own element under the cursor, and the attributes of others on it.</summary>
    /// <param name="before">The element as comments name it.</param>
    /// <param name="on">Its path, as in <see cref="ElementAttributes"/>.</param>
    /// <param name="own">The standard's own attributes of that element.</param>
    public void Note(string before, string on, params ReadOnlySpan<string> own)
    {
        NoteComments(before);
        xml.KeepAttributes(on, own);
        attributes.AddRange(xml.TakeAttributes());
    }

    /// <inheritdoc cref="EventComment"/>
    public void NoteComments(string before)
    {
        foreach (var (target, text) in xml.TakeComments())
        {
            comments.Add(new EventComment(before, text, target));
        }
    }

    /// <summary>Call on EPCISHeader. 1.2 lets foreign elements stand here, and the DSCSA guideline puts its statement here.</summary>
    public void ReadHeader()
    {
        Note("EPCISHeader", "EPCISHeader");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            // Its children are qualified; senders that leave the qualification out do occur.
            if (xml.Name == BusinessDocumentHeader.Name && xml.Namespace is BusinessDocumentHeader.Namespace or "")
            {
                NoteComments(BusinessDocumentHeader.Name);
                var place = xml.Place;
                Sbdh = BusinessDocumentHeader.Of(XmlExtensionReader.Read(xml, NoteSbdh));
                foreach (var name in BusinessDocumentHeader.Parts)
                {
                    NotePlace(name, place); // of a part that is missing
                }
            }
            else if (xml.StandardName == "extension")
            {
                ReadHeaderExtension();
            }
            else
            {
                NoteComments(xml.Name);
                NotePlace(xml.Name, xml.Place);
                inHeader.Add(XmlExtensionReader.Read(xml));
            }
        }
    }

    /// <summary>Call on VocabularyList; it stands in the header, in query results and in master data documents.</summary>
    public void ReadVocabularyList()
    {
        NoteComments("VocabularyList");
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
        if (xml.Namespace == Carried.Namespace && xml.Name is Carried.MasterData or Carried.Header or Carried.Attributes or "sender" or "receiver" or "instanceIdentifier")
        {
            ReadCarried();
        }
        else
        {
            ReadForeign(standardName, inDocument, "extension");
        }
    }

    /// <summary>Master data for which a header of 1.2 had no place, and JSON's stand-ins that make no business document header.</summary>
    private void ReadCarried()
    {
        var known = Sbdh ?? new StandardBusinessDocumentHeader();
        switch (xml.Name)
        {
            case Carried.MasterData: ReadMasterData(); break;
            case Carried.Header:
                for (var depth = xml.Enter(); xml.NextChild(depth);)
                {
                    NoteComments(xml.Name);
                    inHeader.Add(XmlExtensionReader.Read(xml));
                }
                break;
            case Carried.Attributes:
                XmlExtensionReader.ReadCarried(xml);
                attributes.AddRange(xml.TakeAttributes());
                break;
            case "sender": Sbdh = known with { Senders = [.. known.Senders, new SbdhParty(null, xml.Value())] }; break;
            case "receiver": Sbdh = known with { Receivers = [.. known.Receivers, new SbdhParty(null, xml.Value())] }; break;
            default: Sbdh = known with { InstanceIdentifier = xml.Value() }; break;
        }
    }

    /// <param name="path">Of the <c>extension</c> that holds names of nobody's.</param>
    private void ReadForeign(string standardName, List<Extension> into, string path)
    {
        NoteComments(xml.Name);
        if (standardName == "extension")
        {
            XmlExtensionReader.ReadChildren(xml, path, into);
            attributes.AddRange(xml.TakeAttributes());
        }
        else
        {
            NotePlace(xml.Name, xml.Place);
            into.Add(XmlExtensionReader.Read(xml));
        }
    }

    private void NoteSbdh(string parent, string name)
    {
        if (BusinessDocumentHeader.PathOf(parent, name, _parties) is { } path)
        {
            NotePlace(path, xml.Place);
        }
    }

    private void NotePlace(string name, Place place)
    {
        if (places.Count < MaxPlaces)
        {
            places.TryAdd(name, place);
        }
    }

    private void ReadHeaderExtension()
    {
        Note("extension", "EPCISHeader/extension");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var name = xml.StandardName;
            if (name == "EPCISMasterData")
            {
                ReadMasterData();
            }
            else
            {
                ReadForeign(name, inHeader, "EPCISHeader/extension/extension");
            }
        }
    }

    private void ReadMasterData()
    {
        NoteComments(Carried.MasterData);
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
        Note($"Vocabulary/{type}", $"Vocabulary/{type}", "type");
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
        var extensions = new List<Extension>();
        Note($"VocabularyElement/{id}", $"VocabularyElement/{id}", "id");
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
                        Structure = attribute.Children.Count + attribute.Comments.Count > 0 || attribute.Attributes.Count > 1 ? attribute : null,
                    });
                    break;
                case "children":
                    Note($"VocabularyElement/{id}", $"VocabularyElement/{id}/children");
                    for (var list = xml.Enter(); xml.NextChild(list);)
                    {
                        children.Add(xml.Value());
                    }
                    break;
                default:
                    ReadForeign(xml.StandardName, extensions, $"VocabularyElement/{id}/extension");
                    break;
            }
        }
        NoteComments($"VocabularyElement/{id}");
        return new VocabularyElement(type, id) { Extensions = extensions, Attributes = attributes, Children = children, Place = place };
    }
}
