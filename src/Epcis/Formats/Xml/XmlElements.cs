using System.Text;
using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Writes elements and attributes; what XML itself cannot hold is told, and never ends the writing.</summary>
internal sealed class XmlElements(XmlWriter xml, Findings findings)
{
    private const string NotWritable = "EPCIS-OUT-02";
    private const string Renamed = "EPCIS-OUT-05";

    /// <summary>The event that findings are about; null between events.</summary>
    public EpcisEvent? Event { get; set; }

    public void Start(string name) => xml.WriteStartElement(name);

    public void End() => xml.WriteEndElement();

    public void Leaf(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            xml.WriteStartElement(name);
            xml.WriteString(Legal(value));
            xml.WriteEndElement();
        }
    }

    public void Attribute(string name, string? value)
    {
        if (value is not null)
        {
            xml.WriteAttributeString(name, Legal(value));
        }
    }

    public void Text(string value) => xml.WriteString(Legal(value));

    /// <summary>Elements of others, those with a namespace or those without.</summary>
    public void Extensions(IEnumerable<Extension> tree)
    {
        foreach (var extension in tree)
        {
            Extension(extension);
        }
    }

    public void Foreign(string ns, string prefix, string name, string value) =>
        xml.WriteAttributeString(Prefix(prefix, ns), Name(name), ns, Legal(value));

    /// <summary>Prefixes that values may use, declared where they are in force.</summary>
    public void Declare(IReadOnlyDictionary<string, string> namespaces)
    {
        foreach (var (prefix, ns) in namespaces.OrderBy(n => n.Key, StringComparer.Ordinal))
        {
            if (ns.Length > 0 && prefix != "xsi" && !XmlRoot.IsEpcisNamespace(ns) && Prefix(prefix, ns) is { Length: > 0 } legal && xml.LookupPrefix(ns) != legal)
            {
                xml.WriteAttributeString("xmlns", legal, null, Legal(ns));
            }
        }
    }

    public void Tell(string code, Severity severity, string message, string? got = null) =>
        findings.Add(new Finding(code, severity, message) { Event = Event?.Index, EventId = Event?.EventId, Where = Event?.Place ?? default, Got = got });

    private void Extension(Extension extension)
    {
        xml.WriteStartElement(Prefix(extension.Prefix, extension.Namespace), Name(extension.Name), extension.Namespace);
        foreach (var attribute in extension.Attributes)
        {
            Foreign(attribute.Namespace, attribute.Prefix, attribute.Name, attribute.Value);
        }
        xml.WriteString(Legal(extension.Text ?? ""));
        Extensions(extension.Children);
        xml.WriteEndElement();
    }

    /// <summary>JSON allows any member name; the escape is the usual one of .NET and can be undone.</summary>
    private string Name(string name)
    {
        if (IsNCName(name))
        {
            return name;
        }
        var escaped = XmlConvert.EncodeLocalName(name.Length == 0 ? "_" : name);
        Tell(Renamed, Severity.Warning, $"'{name}' is no name in XML; it is written as {escaped}.", name);
        return escaped;
    }

    // A prefix is only a spelling: one that XML cannot have is left to the writer.
    private static string? Prefix(string prefix, string ns) =>
        ns.Length == 0 ? "" : prefix.Length == 0 ? "" : IsNCName(prefix) && (prefix != "xml" || ns == "http://www.w3.org/XML/1998/namespace") && prefix != "xmlns" ? prefix : null;

    private static bool IsNCName(string name) =>
        name.Length > 0 && XmlConvert.IsStartNCNameChar(name[0]) && name.All(XmlConvert.IsNCNameChar);

    private string Legal(string text)
    {
        var isLegal = true;
        for (var i = 0; i < text.Length && isLegal; i++)
        {
            var isPair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            isLegal = isPair || XmlConvert.IsXmlChar(text[i]);
            i += isPair ? 1 : 0;
        }
        if (isLegal)
        {
            return text;
        }
        Tell(NotWritable, Severity.Error, "A text holds characters that XML cannot have; each is written as U+FFFD.", text);
        var legal = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // the lone half of a pair comes as U+FFFD
        {
            legal.Append(IsLegal(rune) ? rune.ToString() : "\uFFFD");
        }
        return legal.ToString();
    }

    private static bool IsLegal(Rune rune) => rune.Value > 0xFFFF || XmlConvert.IsXmlChar((char)rune.Value);
}
