using System.Buffers;
using System.Text;
using System.Xml;
using System.Xml.Schema;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>Writes elements and attributes; what XML itself cannot hold is told, and never ends the writing.</summary>
internal sealed class XmlElements(XmlWriter xml, Findings findings)
{
    private const string NotIn12 = "EPCIS-OUT-01";
    private const string NotWritable = "EPCIS-OUT-02";
    private const string Renamed = "EPCIS-OUT-05";

    private const int MaxPlain = 200;

    private static readonly SearchValues<char> s_plain = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:.-_%");

    private readonly List<EventComment> _comments = [];
    private readonly List<ElementAttributes> _attributes = [];
    private readonly char[] _plain = new char[MaxPlain + 11];

    /// <summary>The event that findings are about; null between events.</summary>
    public EpcisEvent? Event { get; private set; }

    public void Begin(EpcisEvent e)
    {
        Event = e;
        Begin(e.Comments, e.Attributes);
    }

    /// <summary>What finds its place while the elements are written.</summary>
    public void Begin(IReadOnlyList<EventComment> comments, IReadOnlyList<ElementAttributes> attributes)
    {
        _comments.AddRange(comments);
        _attributes.AddRange(attributes);
    }

    /// <summary>Comments whose field is not written stand at the event's end.</summary>
    public void Comments()
    {
        foreach (var comment in _comments)
        {
            Comment(comment.Target, comment.Text);
        }
        _comments.Clear();
    }

    /// <summary>The attributes of others on the element that was just started.</summary>
    /// <param name="on">Its path, as in <see cref="ElementAttributes"/>.</param>
    public void Attributes(string on)
    {
        for (var i = 0; i < _attributes.Count;)
        {
            if (_attributes[i].On != on)
            {
                i++;
                continue;
            }
            foreach (var attribute in _attributes[i].Attributes)
            {
                Foreign(attribute.Namespace, attribute.Prefix, attribute.Name, attribute.Value);
            }
            _attributes.RemoveAt(i);
        }
    }

    /// <summary>Attributes whose element is not written, or takes none in this form, are carried where extensions stand.</summary>
    public void CarryAttributes()
    {
        foreach (var left in _attributes)
        {
            var name = left.Attributes is [var first, ..] ? first.Name : "";
            Tell(NotIn12, Severity.Info, $"This form has no place for attributes of others on {(left.On.Length > 0 ? left.On : "the event")}; they are carried in an extension.", name);
        }
        Extensions(Carried.Of(_attributes));
        _attributes.Clear();
    }

    public void Finish()
    {
        Event = null;
        _comments.Clear();
        _attributes.Clear();
    }

    public void Start(string name)
    {
        CommentsBefore(name);
        xml.WriteStartElement(name);
    }

    /// <summary>An element that this form has no place for, under the name that says what it is.</summary>
    public void Start(string name, bool carried)
    {
        if (!carried)
        {
            Start(name);
            return;
        }
        CommentsBefore(name);
        xml.WriteStartElement(Carried.Prefix, name, Carried.Namespace);
    }

    public void End() => xml.WriteEndElement();

    public void Leaf(string name, string? value, bool carried = false)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Start(name, carried);
            xml.WriteString(Legal(value));
            xml.WriteEndElement();
        }
    }

    /// <summary>
    /// The members of a list of EPCs. Text in which nothing can need an escape goes to the output as it is: the writer's ways
    /// around an element cost ten times the copying.
    /// </summary>
    public void Epc(string? epc)
    {
        if (string.IsNullOrEmpty(epc) || epc.Length > MaxPlain || epc.AsSpan().ContainsAnyExcept(s_plain))
        {
            Leaf("epc", epc);
            return;
        }
        CommentsBefore("epc");
        "<epc>".CopyTo(_plain);
        epc.CopyTo(_plain.AsSpan(5));
        "</epc>".CopyTo(_plain.AsSpan(5 + epc.Length));
        xml.WriteRaw(_plain, 0, epc.Length + 11);
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

    public void Foreign(string ns, string prefix, string name, string value)
    {
        xml.WriteAttributeString(Prefix(prefix, ns), Name(name), ns, Legal(value));
        // JSON has a prefix of this name for another namespace, so the way through JSON loses the declaration.
        if (ns == XmlSchema.InstanceNamespace && name == "type" && value.Split(':') is [("xsd" or "xs") and var schema, _] && xml.LookupPrefix(XmlSchema.Namespace) != schema)
        {
            xml.WriteAttributeString("xmlns", schema, null, XmlSchema.Namespace);
        }
    }

    /// <summary>Prefixes that values may use, declared where they are in force.</summary>
    public void Declare(IReadOnlyDictionary<string, string> namespaces)
    {
        foreach (var (prefix, ns) in namespaces.OrderBy(n => n.Key, StringComparer.Ordinal))
        {
            if (ns.Length > 0 && prefix is not ("xsi" or "epcis" or "epcisq" or "epcismd") && !XmlRoot.IsEpcisNamespace(ns) && Prefix(prefix, ns) is { Length: > 0 } legal && xml.LookupPrefix(ns) != legal)
            {
                xml.WriteAttributeString("xmlns", legal, null, Legal(ns));
            }
        }
    }

    /// <summary>Types of JSON, which XML has not: as text everything is kept.</summary>
    public void TellTypes(string? lost)
    {
        if (lost is not null)
        {
            Tell("EPCIS-OUT-12", Severity.Info, "XML has text and repetition where JSON has numbers, true, false, null, and lists of one or none: the value is written as text.", lost);
        }
    }

    public void Tell(string code, Severity severity, string message, string? got = null) =>
        findings.Add(new Finding(code, severity, message) { Event = Event?.Index, EventId = Event?.EventId, Where = Event?.Place ?? default, Got = got });

    /// <summary>Comments that stand before the element that is about to be started.</summary>
    public void CommentsBefore(string name)
    {
        for (var i = 0; i < _comments.Count;)
        {
            if (_comments[i].Before == name)
            {
                Comment(_comments[i].Target, _comments[i].Text);
                _comments.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    private void Extension(Extension extension)
    {
        CommentsBefore(extension.Name);
        xml.WriteStartElement(Prefix(extension.Prefix, extension.Namespace), Name(extension.Name), extension.Namespace);
        foreach (var attribute in extension.Attributes)
        {
            Foreign(attribute.Namespace, attribute.Prefix, attribute.Name, attribute.Value);
        }
        Content(extension);
        xml.WriteEndElement();
    }

    /// <summary>What is inside an element of others.</summary>
    public void Content(Extension extension)
    {
        var comments = extension.Comments;
        var written = 0;
        for (var child = 0; child <= extension.Children.Count; child++)
        {
            for (; written < comments.Count && comments[written].Before <= child; written++)
            {
                Comment(comments[written].Target, comments[written].Text);
            }
            foreach (var text in extension.TextsBefore(child))
            {
                xml.WriteString(Legal(text));
            }
            if (child < extension.Children.Count)
            {
                Extension(extension.Children[child]);
            }
        }
    }

    private void Comment(string? target, string text)
    {
        if (target is null)
        {
            xml.WriteComment(Legal(text));
        }
        else
        {
            xml.WriteProcessingInstruction(target, Legal(text));
        }
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
