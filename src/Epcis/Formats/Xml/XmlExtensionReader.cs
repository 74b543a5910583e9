using System.Globalization;
using System.Text;
using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Keeps what the standard does not know: the element under the cursor with all it holds.</summary>
internal static class XmlExtensionReader
{
    private const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";

    /// <summary>Call on the start tag; ends on its end tag. The depth is bounded by the XML reader.</summary>
    public static Extension Read(XmlCursor xml)
    {
        var reader = xml.Reader;
        var extension = new Extension(reader.NamespaceURI, reader.Prefix, reader.LocalName) { Attributes = Attributes(reader) };
        var depth = xml.Enter();
        if (depth < 0)
        {
            return extension with { Text = "" };
        }
        List<Extension>? children = null;
        List<ExtensionComment>? comments = null;
        var text = "";
        while (xml.Move() && reader.Depth > depth)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    xml.Count();
                    text = xml.Finished(text);
                    (children ??= []).Add(Read(xml));
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace when children is null || !string.IsNullOrWhiteSpace(reader.Value):
                    text = text.Length == 0 ? reader.Value : xml.Join(text, reader.Value);
                    break;
                case XmlNodeType.Comment:
                    (comments ??= []).Add(new ExtensionComment(children?.Count ?? 0, reader.Value));
                    break;
            }
        }
        text = xml.Finished(text);
        return extension with
        {
            // Between elements, white space is layout; other text is kept, and stands before them from now on.
            Text = children is null || !string.IsNullOrWhiteSpace(text) ? text : null,
            Children = children ?? (IReadOnlyList<Extension>)[],
            Comments = comments ?? (IReadOnlyList<ExtensionComment>)[],
        };
    }

    /// <summary>Adds every child of the element under the cursor, one of the standard's own <c>extension</c> wrappers.</summary>
    public static void ReadChildren(XmlCursor xml, List<Extension> into)
    {
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            into.Add(Read(xml));
        }
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
        writer.WriteString(element.Text);
        foreach (var child in element.Children)
        {
            Write(writer, child);
        }
        writer.WriteEndElement();
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
