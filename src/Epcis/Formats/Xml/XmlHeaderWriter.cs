using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Writes EPCISHeader: business document header, master data and, in 1.2, the elements of others.</summary>
internal sealed class XmlHeaderWriter(XmlWriter writer, XmlElements xml, bool is12)
{
    private const string NotWritable = "EPCIS-OUT-02";
    private const string AsText = "EPCIS-OUT-07";
    private const string SbdhNamespace = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

    /// <returns>The extensions that stand after the body instead.</returns>
    public (List<Extension> Local, List<Extension> Foreign) Write(DocumentHeader header)
    {
        List<Extension> local = [], foreign = [];
        foreach (var extension in ExtensionTree.Of(header.Extensions, header.Namespaces))
        {
            (extension.Namespace.Length == 0 ? local : foreign).Add(extension);
        }
        var sbdh = Complete(header.Sbdh);
        var masterData = header.MasterData;
        if (is12 && sbdh is null && masterData.Count > 0)
        {
            xml.Tell(NotWritable, Severity.Error, "The header of EPCIS 1.2 needs a business document header; without it the master data are left out.");
            masterData = [];
        }
        // 2.0 took the elements of others out of the header, so those of DSCSA move behind the body there.
        var inHeader = is12 && sbdh is not null;
        if (sbdh is not null || masterData.Count > 0)
        {
            xml.Start("EPCISHeader");
            if (sbdh is not null)
            {
                Sbdh(sbdh);
            }
            MasterData(masterData);
            if (inHeader)
            {
                xml.Extensions(foreign);
            }
            xml.End();
        }
        return (local, inHeader ? [] : foreign);
    }

    private StandardBusinessDocumentHeader? Complete(StandardBusinessDocumentHeader? sbdh)
    {
        if (sbdh is null or { Senders.Count: > 0, Receivers.Count: > 0, InstanceIdentifier: not null, CreationDateAndTime: not null })
        {
            return sbdh;
        }
        xml.Tell(NotWritable, Severity.Error, "A business document header needs sender, receiver, InstanceIdentifier and CreationDateAndTime; the incomplete one is left out.",
            string.Join(", ", [.. sbdh.Senders.Select(s => s.Identifier), .. sbdh.Receivers.Select(r => r.Identifier), sbdh.InstanceIdentifier]));
        return null;
    }

    /// <summary>The order and the fixed values of EPCIS 1.2, 9.2.</summary>
    private void Sbdh(StandardBusinessDocumentHeader sbdh)
    {
        StartSbdh("StandardBusinessDocumentHeader");
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

    private void StartSbdh(string name) => writer.WriteStartElement("sbdh", name, SbdhNamespace);

    private void LeafSbdh(string name, string value)
    {
        StartSbdh(name);
        xml.Text(value);
        xml.End();
    }

    private void MasterData(IReadOnlyList<VocabularyElement> elements)
    {
        if (elements.Count == 0)
        {
            return;
        }
        xml.Start("extension");
        xml.Start("EPCISMasterData");
        xml.Start("VocabularyList");
        foreach (var vocabulary in elements.GroupBy(e => e.VocabularyType))
        {
            xml.Start("Vocabulary");
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
        xml.End();
        xml.End();
    }

    private void Element(VocabularyElement element)
    {
        xml.Start("VocabularyElement");
        xml.Attribute("id", element.Id);
        foreach (var attribute in element.Attributes)
        {
            if (attribute.Value is ['<' or '{' or '[', ..])
            {
                xml.Tell(AsText, Severity.Warning, $"The structured value of {attribute.Id} is written as text.", attribute.Value);
            }
            xml.Start("attribute");
            xml.Attribute("id", attribute.Id);
            xml.Text(attribute.Value);
            xml.End();
        }
        if (element.Children.Count > 0)
        {
            xml.Start("children");
            foreach (var child in element.Children)
            {
                xml.Leaf("id", child);
            }
            xml.End();
        }
        xml.End();
    }
}
