using System.Text;
using System.Xml;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Walks elements. Whoever is called on a start tag leaves the cursor on the matching end tag (or on the same tag when it is
/// empty), so the loops of the readers nest: <c>for (var d = xml.Enter(); xml.NextChild(d);)</c>.
/// </summary>
internal sealed class XmlCursor(XmlReader reader, XmlValidation? validation, ReaderLimits limits, Action<XmlCursor> misqualified)
{
    private const int NothingInside = -1;

    private readonly IXmlLineInfo _lines = (IXmlLineInfo)reader;
    private StringBuilder? _pieces;
    private int _values;
    private List<(string? Target, string Text)>? _comments;
    private List<ElementAttributes>? _attributes;

    public XmlReader Reader => reader;
    public string Name => reader.LocalName;
    public string Namespace => reader.NamespaceURI;

    /// <summary>Line and column of the tag's name.</summary>
    public Place Place => new(_lines.LineNumber, _lines.LinePosition);

    /// <summary>
    /// The name when the element is one of the standard's, else the empty string. The standard's children have no namespace;
    /// one that a default xmlns moved into EPCIS' own is reported, and read as what was meant.
    /// </summary>
    public string StandardName
    {
        get
        {
            var ns = reader.NamespaceURI;
            if (ns.Length == 0)
            {
                return reader.LocalName;
            }
            if (!XmlRoot.IsEpcisNamespace(ns))
            {
                return "";
            }
            misqualified(this);
            return reader.LocalName;
        }
    }

    /// <summary>Moves to the next node, whatever it is, and validates it; false at the document's end.</summary>
    public bool Move()
    {
        if (!reader.Read())
        {
            validation?.Finish();
            return false;
        }
        validation?.See();
        return true;
    }

    /// <summary>An event begins, or what stands in its place: what it holds is counted anew.</summary>
    public void BeginEvent() => _values = 0;

    /// <summary>Counts the node under the cursor and its attributes against the bound on one event.</summary>
    public void Count()
    {
        _values += 1 + reader.AttributeCount;
        if (_values > limits.MaxValues)
        {
            throw new XmlLimitException($"An event, or the header, has more than {limits.MaxValues} elements and attributes.", _lines.LineNumber, _lines.LinePosition);
        }
    }

    /// <summary>The comments and processing instructions passed since the last call, in their order.</summary>
    public IReadOnlyList<(string? Target, string Text)> TakeComments()
    {
        if (_comments is not { Count: > 0 } passed)
        {
            return [];
        }
        _comments = null;
        return passed;
    }

    /// <summary>Notes the comment or processing instruction under the reader.</summary>
    public void PassComment()
    {
        Count();
        Pass(CommentOf(reader));
    }

    public static (string? Target, string Text) CommentOf(XmlReader reader) => (reader.NodeType == XmlNodeType.Comment ? null : reader.Name, reader.Value);

    /// <summary>Notes a comment or processing instruction that stands before the cursor's beginning.</summary>
    public void Pass((string? Target, string Text) comment) => (_comments ??= []).Add(comment);

    /// <summary>Notes the attributes of others on the standard's own element under the cursor.</summary>
    /// <param name="on">The element's path, as in <see cref="ElementAttributes"/>.</param>
    /// <param name="own">The standard's own attributes of that element.</param>
    public void KeepAttributes(string on, params ReadOnlySpan<string> own)
    {
        if (reader.AttributeCount > 0 && XmlExtensionReader.AttributesOfOthers(reader, own) is { Count: > 0 } attributes)
        {
            Keep(new ElementAttributes(on, attributes));
        }
    }

    public void Keep(ElementAttributes attributes) => (_attributes ??= []).Add(attributes);

    /// <summary>The attributes kept since the last call, in their order.</summary>
    public IReadOnlyList<ElementAttributes> TakeAttributes()
    {
        if (_attributes is not { } kept)
        {
            return [];
        }
        _attributes = null;
        return kept;
    }

    public int Enter() => reader.IsEmptyElement ? NothingInside : reader.Depth;

    /// <summary>Moves to the next child element; false on the parent's end tag.</summary>
    public bool NextChild(int parentDepth)
    {
        if (parentDepth == NothingInside)
        {
            return false;
        }
        while (Move())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    Count();
                    return true;
                case XmlNodeType.EndElement when reader.Depth == parentDepth:
                    return false;
                case XmlNodeType.Comment or XmlNodeType.ProcessingInstruction:
                    PassComment();
                    break;
            }
        }
        return false;
    }

    public void Skip()
    {
        for (var depth = Enter(); NextChild(depth);)
        {
            Skip();
        }
    }

    /// <summary>The value of a standard field; white space around it has no meaning in any of them.</summary>
    public string Value() => Text().Trim();

    /// <summary>The element's text as written. Elements inside it are passed over: the schema speaks about them.</summary>
    public string Text()
    {
        var depth = Enter();
        if (depth == NothingInside)
        {
            return "";
        }
        var text = "";
        while (Move())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    text = text.Length == 0 ? reader.Value : Join(text, reader.Value);
                    break;
                case XmlNodeType.Element:
                    Skip();
                    break;
                case XmlNodeType.Comment or XmlNodeType.ProcessingInstruction:
                    PassComment();
                    break;
                case XmlNodeType.EndElement when reader.Depth == depth:
                    return Finished(text);
            }
        }
        return Finished(text);
    }

    /// <summary>A text in several pieces, cut by comments or CDATA; collected so that many pieces cost no more than one.</summary>
    internal string Join(string first, string next)
    {
        _pieces ??= new StringBuilder();
        if (_pieces.Length == 0)
        {
            _pieces.Append(first);
        }
        _pieces.Append(next);
        return _pieces.Length <= limits.MaxTextLength
            ? first
            : throw new XmlLimitException($"A text or attribute is longer than {limits.MaxTextLength} characters.", _lines.LineNumber, _lines.LinePosition);
    }

    internal string Finished(string text)
    {
        if (_pieces is not { Length: > 0 })
        {
            return text;
        }
        var whole = _pieces.ToString();
        _pieces.Clear();
        return whole;
    }
}
