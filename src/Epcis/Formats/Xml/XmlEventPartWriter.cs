using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>The parts of an event that have a structure of their own; both editions write them alike.</summary>
internal sealed class XmlEventPartWriter(XmlElements xml, XmlSpelling spelling)
{
    /// <summary>Prefixes of the event being written.</summary>
    public IReadOnlyDictionary<string, string> Namespaces { get; set; } = new Dictionary<string, string>();

    public void Epcs(string list, IReadOnlyList<string> epcs, bool evenEmpty = false)
    {
        if (epcs.Count == 0 && !evenEmpty)
        {
            return;
        }
        xml.Start(list);
        foreach (var epc in epcs)
        {
            xml.Epc(spelling.Identifier(epc));
        }
        xml.End();
    }

    public void Quantities(string list, IReadOnlyList<QuantityElement> quantities)
    {
        if (quantities.Count == 0)
        {
            return;
        }
        xml.Start(list);
        foreach (var quantity in quantities)
        {
            xml.Start("quantityElement");
            xml.Leaf("epcClass", spelling.Identifier(quantity.EpcClass));
            xml.Leaf("quantity", spelling.Quantity(quantity));
            xml.Leaf("uom", quantity.Uom);
            xml.End();
        }
        xml.End();
    }

    public void BizTransactions(IReadOnlyList<BizTransaction> transactions)
    {
        if (transactions.Count == 0)
        {
            return;
        }
        xml.Start("bizTransactionList");
        foreach (var transaction in transactions)
        {
            xml.Start("bizTransaction");
            xml.Attribute("type", spelling.Term(CbvVocabulary.BizTransactionType, transaction.Type));
            xml.Text(transaction.Value);
            xml.End();
        }
        xml.End();
    }

    public void SourcesAndDestinations(EpcisEvent e)
    {
        Ends("sourceList", "source", e.Sources);
        Ends("destinationList", "destination", e.Destinations);
    }

    public void Location(string name, Location? location)
    {
        if (location is null)
        {
            return;
        }
        xml.Start(name);
        xml.Leaf("id", spelling.Identifier(location.Id));
        Extended(location.Extensions, name);
        xml.End();
    }

    public void Ilmd(IReadOnlyList<Extension> ilmd)
    {
        if (ilmd.Count == 0)
        {
            return;
        }
        xml.Start("ilmd");
        xml.Attributes("ilmd");
        Extended(ilmd, "ilmd");
        xml.End();
    }

    public void Declaration(ErrorDeclaration? declaration)
    {
        if (declaration is null)
        {
            return;
        }
        xml.Start("errorDeclaration");
        xml.Attributes("errorDeclaration");
        xml.Leaf("declarationTime", declaration.DeclarationTimeText);
        xml.Leaf("reason", spelling.Term(CbvVocabulary.ErrorReason, declaration.Reason));
        if (declaration.CorrectiveEventIds.Count > 0)
        {
            xml.Start("correctiveEventIDs");
            foreach (var id in declaration.CorrectiveEventIds)
            {
                xml.Leaf("correctiveEventID", id);
            }
            xml.End();
        }
        Extended(declaration.Extensions, "errorDeclaration");
        xml.End();
    }

    public void Sensors(IReadOnlyList<SensorElement> sensors, bool carried = false)
    {
        if (sensors.Count == 0)
        {
            return;
        }
        xml.Start("sensorElementList", carried);
        for (var index = 0; index < sensors.Count; index++)
        {
            var sensor = sensors[index];
            xml.Start("sensorElement");
            if (sensor.Metadata.Count > 0)
            {
                SensorFields("sensorMetadata", sensor.Metadata);
            }
            foreach (var report in sensor.Reports)
            {
                SensorFields("sensorReport", report);
            }
            Extended(sensor.Extensions, FormattableString.Invariant($"sensorElementList/{index}"));
            xml.End();
        }
        xml.End();
    }

    public void PersistentDisposition(PersistentDisposition? disposition, bool carried = false)
    {
        if (disposition is null)
        {
            return;
        }
        xml.Start("persistentDisposition", carried);
        foreach (var unset in disposition.Unset)
        {
            xml.Leaf("unset", spelling.Term(CbvVocabulary.Disposition, unset));
        }
        foreach (var set in disposition.Set)
        {
            xml.Leaf("set", spelling.Term(CbvVocabulary.Disposition, set));
        }
        xml.End();
    }

    /// <summary>The extensions split as the schemas do: names of nobody's go into <c>extension</c>, those of others follow it.</summary>
    public (List<Extension> Local, List<Extension> Foreign) Split(IReadOnlyList<Extension> extensions) => Split(extensions, Namespaces);

    /// <inheritdoc cref="Split(IReadOnlyList{Extension})"/>
    public static (List<Extension> Local, List<Extension> Foreign) Split(IReadOnlyList<Extension> extensions, IReadOnlyDictionary<string, string> namespaces)
    {
        List<Extension> local = [], foreign = [];
        foreach (var extension in ExtensionTree.Of(extensions, namespaces))
        {
            (extension.Namespace.Length == 0 ? local : foreign).Add(extension);
        }
        return (local, foreign);
    }

    /// <param name="path">Of the element that is extended.</param>
    private void Extended(IReadOnlyList<Extension> extensions, string path)
    {
        if (extensions.Count == 0)
        {
            return;
        }
        var (local, foreign) = Split(extensions);
        if (local.Count > 0)
        {
            xml.Start("extension");
            xml.Attributes(path + "/extension");
            xml.Extensions(local);
            xml.End();
        }
        xml.Extensions(foreign);
    }

    private void Ends(string list, string item, IReadOnlyList<SourceOrDestination> ends)
    {
        if (ends.Count == 0)
        {
            return;
        }
        xml.Start(list);
        foreach (var end in ends)
        {
            xml.Start(item);
            xml.Attribute("type", spelling.Term(CbvVocabulary.SourceDestType, end.Type));
            xml.Text(spelling.Identifier(end.Value)!);
            xml.End();
        }
        xml.End();
    }

    private void SensorFields(string element, IReadOnlyList<SensorField> fields)
    {
        xml.Start(element);
        foreach (var field in fields)
        {
            var (ns, prefix, name) = SensorNames.Split(field, Namespaces);
            xml.Foreign(ns, prefix, name, XmlSpelling.SensorValue(field));
        }
        xml.End();
    }
}
