using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Writes what stands around the events: business document header, master data and the elements of others.</summary>
internal sealed class XmlHeaderWriter(XmlWriter writer, XmlElements xml, bool is12, bool carries)
{
    private const string NotIn12 = "EPCIS-OUT-01";
    private const string NotWritable = "EPCIS-OUT-02";

    /// <summary>
    /// GS1 US Healthcare: the guideline for DSCSA puts its elements in the header of 1.2, and 2.0 XML took that place away. Their
    /// receivers look for them behind the body; what others put in a header is carried there under the header's name.
    /// </summary>
    private const string Dscsa = "http://epcis.gs1us.org/hc/ns";

    private readonly List<Extension> _local = [];
    private readonly List<Extension> _foreign = [];
    private IReadOnlyList<VocabularyElement> _carriedMasterData = [];
    private IReadOnlyDictionary<string, string> _namespaces = new Dictionary<string, string>();

    /// <summary>Writes EPCISHeader when there is something to say in it, and keeps the rest for <see cref="End"/>.</summary>
    /// <param name="masterData">Those that do not stand in the body.</param>
    public void Begin(DocumentHeader header, IReadOnlyList<VocabularyElement> masterData)
    {
        _namespaces = header.Namespaces;
        xml.TellTypes(XmlLosses.In([.. header.Extensions, .. header.MasterDataExtensions]));
        var (localInHeader, foreignInHeader) = XmlEventPartWriter.Split(header.HeaderExtensions, _namespaces);
        var (local, foreign) = XmlEventPartWriter.Split(header.DocumentExtensions, _namespaces);
        var sbdh = Complete(header);
        if (is12 && sbdh is null)
        {
            // The header of 1.2 begins with the business document header: without one there is no header.
            _carriedMasterData = CarriedOrRefused(masterData);
            masterData = [];
            local.AddRange(localInHeader);
            localInHeader = [];
        }
        if (is12 && sbdh is not null)
        {
            foreignInHeader.AddRange(foreign.Where(x => x.Namespace == Dscsa));
            foreign.RemoveAll(x => x.Namespace == Dscsa);
        }
        else
        {
            foreign.InsertRange(0, foreignInHeader.Where(x => x.Namespace == Dscsa));
            foreignInHeader.RemoveAll(x => x.Namespace == Dscsa);
            if (foreignInHeader.Count > 0)
            {
                xml.Tell(NotIn12, Severity.Info, "This header has no place for elements of others; they are carried in an extension behind the body.", foreignInHeader[0].Name);
                foreign.Add(Carried.Of(Carried.Header) with { Children = foreignInHeader });
                foreignInHeader = [];
            }
        }
        _local.AddRange(local);
        _foreign.AddRange(foreign);
        if (sbdh is null && masterData.Count == 0 && localInHeader.Count == 0)
        {
            return;
        }
        xml.Start("EPCISHeader");
        xml.Attributes("EPCISHeader");
        if (sbdh is not null)
        {
            Sbdh(sbdh);
        }
        if (masterData.Count > 0 || localInHeader.Count > 0)
        {
            xml.Start("extension");
            xml.Attributes("EPCISHeader/extension");
            MasterData(masterData, carried: false);
            Wrapped(localInHeader, "EPCISHeader/extension/extension");
            xml.End();
        }
        xml.Extensions(foreignInHeader);
        xml.End();
    }

    /// <summary>Writes what stands behind the body.</summary>
    public void End()
    {
        Wrapped(_local, "extension");
        xml.Extensions(_foreign);
        MasterData(_carriedMasterData, carried: true);
    }

    public void VocabularyList(IReadOnlyList<VocabularyElement> elements)
    {
        xml.Start("VocabularyList");
        foreach (var vocabulary in elements.GroupBy(e => e.VocabularyType))
        {
            xml.CommentsBefore($"Vocabulary/{vocabulary.Key}");
            xml.Start("Vocabulary");
            xml.Attributes($"Vocabulary/{vocabulary.Key}");
            xml.Attribute("type", vocabulary.Key);
            xml.Start("VocabularyElementList");
            foreach (var element in vocabulary)
            {
                Element(element);
            }
            xml.End();
            xml.End();
        }
        xml.End();
    }

    private IReadOnlyList<VocabularyElement> CarriedOrRefused(IReadOnlyList<VocabularyElement> masterData)
    {
        if (masterData.Count == 0)
        {
            return [];
        }
        xml.Tell(NotIn12, carries ? Severity.Warning : Severity.Error,
            $"The header of EPCIS 1.2 needs a business document header; without it the master data are {(carries ? "carried in an extension, which receivers may pass over" : "left out")}.");
        return carries ? masterData : [];
    }

    private StandardBusinessDocumentHeader? Complete(DocumentHeader header)
    {
        if (header.Sbdh is not { Whole: null } sbdh)
        {
            return header.Sbdh;
        }
        // The stand-ins of JSON tell no date of their own.
        sbdh = sbdh with { CreationDateAndTime = sbdh.CreationDateAndTime ?? header.CreationDate };
        if (sbdh is { Senders.Count: > 0, Receivers.Count: > 0, InstanceIdentifier: not null, CreationDateAndTime: not null })
        {
            return sbdh;
        }
        var carried = carries || !is12;
        xml.Tell(carried ? NotIn12 : NotWritable, carried ? Severity.Info : Severity.Error,
            $"A business document header needs sender, receiver, InstanceIdentifier and CreationDateAndTime; the incomplete one is {(carried ? "carried in extensions" : "left out")}.",
            string.Join(", ", [.. sbdh.Senders.Select(s => s.Identifier), .. sbdh.Receivers.Select(r => r.Identifier), sbdh.InstanceIdentifier]));
        if (carried)
        {
            _foreign.AddRange(sbdh.Senders.Select(s => Carried.Of("sender") with { Text = s.Identifier }));
            _foreign.AddRange(sbdh.Receivers.Select(r => Carried.Of("receiver") with { Text = r.Identifier }));
            _foreign.AddRange(sbdh.InstanceIdentifier is { } id ? [Carried.Of("instanceIdentifier") with { Text = id }] : []);
        }
        return null;
    }

    /// <summary>The order and the fixed values of EPCIS 1.2, 9.2, unless XML said the whole of it.</summary>
    private void Sbdh(StandardBusinessDocumentHeader sbdh)
    {
        if (sbdh.Whole is { } whole)
        {
            xml.Extensions([whole]);
            return;
        }
        StartSbdh(BusinessDocumentHeader.Name);
        LeafSbdh("HeaderVersion", "1.0");
        Parties("Sender", sbdh.Senders);
        Parties("Receiver", sbdh.Receivers);
        StartSbdh("DocumentIdentification");
        LeafSbdh("Standard", "EPCglobal");
        LeafSbdh("TypeVersion", "1.0");
        LeafSbdh("InstanceIdentifier", sbdh.InstanceIdentifier!);
        LeafSbdh("Type", sbdh.Type ?? "Events");
        LeafSbdh("CreationDateAndTime", sbdh.CreationDateAndTime!);
        xml.End();
        xml.End();
    }

    private void Parties(string name, IReadOnlyList<SbdhParty> parties)
    {
        foreach (var party in parties)
        {
            StartSbdh(name);
            StartSbdh("Identifier");
            xml.Attribute("Authority", party.Authority);
            xml.Text(party.Identifier);
            xml.End();
            xml.End();
        }
    }

    private void StartSbdh(string name) => writer.WriteStartElement(BusinessDocumentHeader.Prefix, name, BusinessDocumentHeader.Namespace);

    private void LeafSbdh(string name, string value)
    {
        StartSbdh(name);
        xml.Text(value);
        xml.End();
    }

    private void Wrapped(List<Extension> local, string path)
    {
        if (local.Count > 0)
        {
            xml.Start("extension");
            xml.Attributes(path);
            xml.Extensions(local);
            xml.End();
        }
    }

    private void MasterData(IReadOnlyList<VocabularyElement> elements, bool carried)
    {
        if (elements.Count > 0)
        {
            xml.Start(Carried.MasterData, carried);
            VocabularyList(elements);
            xml.End();
        }
    }

    private void Element(VocabularyElement element)
    {
        xml.CommentsBefore($"VocabularyElement/{element.Id}");
        xml.Start("VocabularyElement");
        xml.Attributes($"VocabularyElement/{element.Id}");
        xml.Attribute("id", element.Id);
        foreach (var attribute in element.Attributes)
        {
            xml.Start("attribute");
            xml.Attribute("id", attribute.Id);
            if (attribute.Structure is { } structure && ExtensionTree.Of([structure], _namespaces) is [var tree])
            {
                foreach (var more in tree.Attributes.Where(a => a is not { Namespace: "", Name: "id" }))
                {
                    xml.Foreign(more.Namespace, more.Prefix, more.Name, more.Value);
                }
                xml.Content(tree);
            }
            else
            {
                xml.Text(attribute.Value);
            }
            xml.End();
        }
        if (element.Children.Count > 0)
        {
            xml.Start("children");
            xml.Attributes($"VocabularyElement/{element.Id}/children");
            foreach (var child in element.Children)
            {
                xml.Leaf("id", child);
            }
            xml.End();
        }
        if (element.Extensions.Count > 0)
        {
            var (local, foreign) = XmlEventPartWriter.Split(element.Extensions, _namespaces);
            Wrapped(local, $"VocabularyElement/{element.Id}/extension");
            xml.Extensions(foreign);
        }
        xml.End();
    }
}
