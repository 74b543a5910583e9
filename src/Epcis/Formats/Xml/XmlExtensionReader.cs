using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Schema;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Keeps what the standard does not know: the element under the cursor with all it holds.</summary>
internal static class XmlExtensionReader
{
    private const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";

    /// <summary>Call on the start tag; ends on its end tag. The depth is bounded by the XML reader.</summary>
    /// <param name="seen">Is told the local names of each element's parent and of the element, while the cursor stands on it.</param>
    public static Extension Read(XmlCursor xml, Action<string, string>? seen = null, string parent = "")
    {
        var reader = xml.Reader;
        seen?.Invoke(parent, reader.LocalName);
        var extension = new Extension(reader.NamespaceURI, reader.Prefix, reader.LocalName) { Attributes = Attributes(reader) };
        var depth = xml.Enter();
        if (depth < 0)
        {
            return extension with { Text = "" };
        }
        List<Extension>? children = null;
        List<ExtensionComment>? comments = null;
        List<ExtensionText>? texts = null;
        var text = "";
        while (xml.Move() && reader.Depth > depth)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    xml.Count();
                    text = xml.Finished(text);
                    (children ??= []).Add(Read(xml, seen, extension.Name));
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace when children is null || !string.IsNullOrWhiteSpace(reader.Value):
                    if (children is not null)
                    {
                        xml.Count();
                        (texts ??= [.. text.Length > 0 ? [new ExtensionText(0, text)] : Array.Empty<ExtensionText>()]).Add(new ExtensionText(children.Count, reader.Value));
                    }
                    text = text.Length == 0 ? reader.Value : xml.Join(text, reader.Value);
                    break;
                case XmlNodeType.Comment or XmlNodeType.ProcessingInstruction:
                    xml.Count();
                    (comments ??= []).Add(new ExtensionComment(children?.Count ?? 0, reader.Value, reader.NodeType == XmlNodeType.Comment ? null : reader.Name));
                    break;
            }
        }
        text = xml.Finished(text);
        return extension with
        {
            // Between elements, white space is layout.
            Text = children is null || !string.IsNullOrWhiteSpace(text) ? text : null,
            Texts = texts ?? (IReadOnlyList<ExtensionText>)[],
            Children = children ?? (IReadOnlyList<Extension>)[],
            Comments = comments ?? (IReadOnlyList<ExtensionComment>)[],
        };
    }

    /// <summary>Adds every child of the element under the cursor, one of the standard's own <c>extension</c> wrappers.</summary>
    /// <param name="path">The wrapper's, for its attributes.</param>
    public static void ReadChildren(XmlCursor xml, string path, List<Extension> into)
    {
        xml.KeepAttributes(path);
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            into.Add(Read(xml));
        }
    }

    /// <summary>Attributes for which a form had no place.</summary>
    public static void ReadCarried(XmlCursor xml)
    {
        var carried = Read(xml);
        xml.Keep(new ElementAttributes(carried.Text ?? "", carried.Attributes));
    }

    /// <summary>The declarations of prefixes on the element under the reader.</summary>
    public static void CollectNamespaces(XmlReader reader, Dictionary<string, string> namespaces, int limit)
    {
        if (!reader.MoveToFirstAttribute())
        {
            return;
        }
        do
        {
            if (IsDeclaration(reader) && namespaces.Count < limit)
            {
                namespaces.TryAdd(reader.Prefix.Length == 0 ? "" : reader.LocalName, reader.Value);
            }
        }
        while (reader.MoveToNextAttribute());
        reader.MoveToElement();
    }

    public static bool IsDeclaration(XmlReader reader) => reader.NamespaceURI == XmlnsNamespace;

    /// <summary>The XML of elements that were kept as a tree.</summary>
    public static string ToXml(IEnumerable<Extension> elements)
    {
        var xml = new StringBuilder();
        using (var writer = XmlWriter.Create(new StringWriter(xml, CultureInfo.InvariantCulture), new XmlWriterSettings { ConformanceLevel = ConformanceLevel.Fragment, OmitXmlDeclaration = true }))
        {
            foreach (var element in elements)
            {
                Write(writer, element);
            }
        }
        return xml.ToString();
    }

    private static void Write(XmlWriter writer, Extension element)
    {
        writer.WriteStartElement(element.Prefix, element.Name, element.Namespace);
        foreach (var attribute in element.Attributes)
        {
            writer.WriteAttributeString(attribute.Prefix, attribute.Name, attribute.Namespace, attribute.Value);
        }
        for (var child = 0; child <= element.Children.Count; child++)
        {
            foreach (var text in element.TextsBefore(child))
            {
                writer.WriteString(text);
            }
            if (child < element.Children.Count)
            {
                Write(writer, element.Children[child]);
            }
        }
        writer.WriteEndElement();
    }

    /// <summary>The attributes of the element under the reader but the standard's own and those that speak to a validator about this form.</summary>
    public static List<ExtensionAttribute> AttributesOfOthers(XmlReader reader, ReadOnlySpan<string> own)
    {
        var others = new List<ExtensionAttribute>();
        foreach (var attribute in Attributes(reader))
        {
            if (attribute.Namespace != XmlSchema.InstanceNamespace && !(attribute.Namespace.Length == 0 && own.Contains(attribute.Name)))
            {
                others.Add(attribute);
            }
        }
        return others;
    }

    private static IReadOnlyList<ExtensionAttribute> Attributes(XmlReader reader)
    {
        if (!reader.MoveToFirstAttribute())
        {
            return [];
        }
        List<ExtensionAttribute>? attributes = null;
        do
        {
            if (!IsDeclaration(reader))
            {
                (attributes ??= []).Add(new ExtensionAttribute(reader.NamespaceURI, reader.Prefix, reader.LocalName, reader.Value));
            }
        }
        while (reader.MoveToNextAttribute());
        reader.MoveToElement();
        return attributes ?? (IReadOnlyList<ExtensionAttribute>)[];
    }
}
