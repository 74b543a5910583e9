using System.Xml;

namespace Epcis.Formats.Xml;

/// <summary>Passes everything on, and stops at the first node that is too deep, too wide or too long.</summary>
internal sealed class BoundedXmlReader(XmlReader inner, BoundedStream input, ReaderLimits limits) : XmlReader, IXmlLineInfo, IXmlNamespaceResolver
{
    // The parser has no codes, only sentences; tests hold this one.
    private const string DoctypeRefused = "For security reasons DTD is prohibited";

    private readonly IXmlLineInfo _lines = (IXmlLineInfo)inner;
    private readonly IXmlNamespaceResolver _namespaces = (IXmlNamespaceResolver)inner;
    private readonly XmlNodeEnd _end = new(inner);

    public override bool Read()
    {
        input.NextPiece();
        _end.Remember();
        try
        {
            if (!inner.Read())
            {
                return false;
            }
        }
        catch (XmlException e) when (e.LineNumber == 0 && e.Message.StartsWith(DoctypeRefused, StringComparison.Ordinal))
        {
            var (line, column) = _end.Place();
            throw new XmlDoctypeException(line, column, e);
        }
        catch (ArgumentException e)
        {
            // The runtime's parser miscounts where a declaration names an encoding behind characters of several bytes.
            throw new XmlException("The XML declaration cannot be read.", e, _lines.LineNumber, _lines.LinePosition);
        }
        if (inner.NodeType == XmlNodeType.Element)
        {
            CheckElement();
        }
        return true;
    }

    public override string Value
    {
        get
        {
            var value = inner.Value;
            return value.Length <= limits.MaxTextLength ? value : throw Limit($"A text or attribute is longer than {limits.MaxTextLength} characters.");
        }
    }

    private void CheckElement()
    {
        if (inner.Depth >= limits.MaxDepth)
        {
            throw Limit($"Elements are nested deeper than {limits.MaxDepth} levels.");
        }
        CheckName();
        if (inner.AttributeCount > limits.MaxAttributes)
        {
            throw Limit($"An element has more than {limits.MaxAttributes} attributes.");
        }
        if (inner.MoveToFirstAttribute())
        {
            do
            {
                CheckName();
                _ = Value;
            }
            while (inner.MoveToNextAttribute());
            inner.MoveToElement();
        }
    }

    private void CheckName()
    {
        if (inner.LocalName.Length + inner.Prefix.Length > limits.MaxNameLength)
        {
            throw Limit($"A name is longer than {limits.MaxNameLength} characters.");
        }
    }

    private XmlLimitException Limit(string limit) => new(limit, _lines.LineNumber, _lines.LinePosition);

    public override int AttributeCount => inner.AttributeCount;
    public override string BaseURI => inner.BaseURI;
    public override int Depth => inner.Depth;
    public override bool EOF => inner.EOF;
    public override bool HasValue => inner.HasValue;
    public override bool IsDefault => inner.IsDefault;
    public override bool IsEmptyElement => inner.IsEmptyElement;
    public override string LocalName => inner.LocalName;
    public override string Name => inner.Name;
    public override string NamespaceURI => inner.NamespaceURI;
    public override XmlNameTable NameTable => inner.NameTable;
    public override XmlNodeType NodeType => inner.NodeType;
    public override string Prefix => inner.Prefix;
    public override ReadState ReadState => inner.ReadState;
    public override XmlReaderSettings? Settings => inner.Settings;
    public override string XmlLang => inner.XmlLang;
    public override XmlSpace XmlSpace => inner.XmlSpace;
    public override string? GetAttribute(string name) => inner.GetAttribute(name);
    public override string? GetAttribute(string name, string? namespaceURI) => inner.GetAttribute(name, namespaceURI);
    public override string GetAttribute(int i) => inner.GetAttribute(i);
    public override bool MoveToAttribute(string name) => inner.MoveToAttribute(name);
    public override bool MoveToAttribute(string name, string? ns) => inner.MoveToAttribute(name, ns);
    public override void MoveToAttribute(int i) => inner.MoveToAttribute(i);
    public override bool MoveToElement() => inner.MoveToElement();
    public override bool MoveToFirstAttribute() => inner.MoveToFirstAttribute();
    public override bool MoveToNextAttribute() => inner.MoveToNextAttribute();
    public override bool ReadAttributeValue() => inner.ReadAttributeValue();
    public override string? LookupNamespace(string prefix) => inner.LookupNamespace(prefix);
    public override void ResolveEntity() => inner.ResolveEntity();

    public bool HasLineInfo() => _lines.HasLineInfo();
    public int LineNumber => _lines.LineNumber;
    public int LinePosition => _lines.LinePosition;

    IDictionary<string, string> IXmlNamespaceResolver.GetNamespacesInScope(XmlNamespaceScope scope) => _namespaces.GetNamespacesInScope(scope);
    string? IXmlNamespaceResolver.LookupNamespace(string prefix) => _namespaces.LookupNamespace(prefix);
    string? IXmlNamespaceResolver.LookupPrefix(string namespaceName) => _namespaces.LookupPrefix(namespaceName);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
