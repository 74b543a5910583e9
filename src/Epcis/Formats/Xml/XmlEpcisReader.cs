using System.Globalization;
using System.Xml;
using System.Xml.Schema;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Reads EPCIS 1.2 and 2.0 XML, validating in the same pass. The form is known after construction, which reads up to the
/// root element. The stream remains the caller's.
/// </summary>
public sealed class XmlEpcisReader : EpcisReader
{
    private readonly ReaderLimits _limits;
    private readonly XmlFindings _findings = new();
    private readonly Dictionary<string, string> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Place> _places = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<VocabularyElement> _masterData = [];
    private readonly List<Extension> _inHeader = [];
    private readonly List<Extension> _inDocument = [];
    private readonly List<ElementAttributes> _attributes = [];
    private readonly List<EventComment> _comments = [];
    private XmlReader? _plain;
    private XmlValidation? _validation;
    private IEnumerator<EpcisEvent>? _events;
    private XmlEventReader? _event;
    private bool _insideEvent;
    private int _nextIndex;
    private EpcisEvent? _current;
    private DocumentForm _form;
    private DocumentHeader _header = new();

    /// <param name="schemasFor">Compiled schemas of a form; <see langword="null"/> reads without validating.</param>
    public XmlEpcisReader(Stream input, Func<DocumentForm, XmlSchemaSet?>? schemasFor = null, ReaderLimits? limits = null)
        : this(input, schemasFor, limits, isBareEvent: false)
    {
    }

    private XmlEpcisReader(Stream input, Func<DocumentForm, XmlSchemaSet?>? schemasFor, ReaderLimits? limits, bool isBareEvent)
    {
        _limits = limits ?? ReaderLimits.Default;
        IsBareEvent = isBareEvent;
        Guarded(() => Open(_plain = XmlReading.Create(input, _limits), schemasFor));
    }

    /// <summary>
    /// A reader of one event that is a document of its own, as <c>POST /events</c> takes it, validated as in a document. The
    /// edition does not show, and only 2.0 has a use for bare events.
    /// </summary>
    public static XmlEpcisReader ReadBareEvent(Stream input, ReaderLimits limits) => new(input, EpcisSchemas.For, limits, isBareEvent: true);

    /// <inheritdoc/>
    public override bool IsBareEvent { get; }

    /// <summary>Whether the root is an event of EPCIS; moves the stream.</summary>
    internal static bool IsBareEventAhead(Stream input, ReaderLimits limits)
    {
        using var reader = new XmlEpcisReader(input, null, limits, isBareEvent: true);
        return reader.Form != DocumentForm.Unknown;
    }

    /// <inheritdoc/>
    public override DocumentForm Form => _form;

    /// <inheritdoc/>
    public override DocumentHeader Header => _header;

    /// <inheritdoc/>
    public override Findings Findings => _findings.All;

    /// <inheritdoc/>
    public override bool IsBroken => _findings.IsBroken;

    /// <inheritdoc/>
    public override EpcisEvent Current => _current ?? throw new InvalidOperationException("There is no event: Read has not returned true.");

    /// <inheritdoc/>
    public override bool Read()
    {
        _current = null;
        if (_events is not null && !IsBroken && Guarded(() => _events.MoveNext()))
        {
            _current = _events.Current;
        }
        return _current is not null;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _events?.Dispose();
        _plain?.Dispose();
    }

    /// <summary>The one place where what the XML parser throws becomes a finding.</summary>
    private bool Guarded(Func<bool> read)
    {
        try
        {
            return read();
        }
        catch (XmlException e)
        {
            _findings.Broken(e);
        }
        catch (NotSupportedException e) when (_form == DocumentForm.Unknown)
        {
            // The runtime's refusal of an encoding such as UTF-7, named by the XML declaration.
            _findings.UnsupportedEncoding(e);
        }
        catch (FormatException) when (_validation is not null && _plain?.GetAttribute("nil", XmlSchema.InstanceNamespace) is { } nil)
        {
            // The runtime's validator reports every wrong value but this one, which it throws, and cannot go on behind it.
            _findings.WrongNil(nil, PlaceOf(_plain), EventUnderway(_plain));
        }
        return false;
    }

    private bool Open(XmlReader plain, Func<DocumentForm, XmlSchemaSet?>? schemasFor)
    {
        var before = new List<(string?, string)>();
        while (plain.Read() && plain.NodeType != XmlNodeType.Element)
        {
            if (plain.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
            {
                before.Add(XmlCursor.CommentOf(plain));
            }
        }
        var place = PlaceOf(plain);
        _form = !IsBareEvent ? XmlRoot.FormOf(plain.LocalName, plain.NamespaceURI)
            : XmlRoot.IsEvent(plain.LocalName) && plain.LocalName != "QuantityEvent" && plain.NamespaceURI.Length == 0 ? DocumentForm.Xml20
            : DocumentForm.Unknown;
        if (_form == DocumentForm.Unknown)
        {
            _findings.UnknownRoot(plain.LocalName, plain.NamespaceURI, place);
            return false;
        }
        _findings.Form = _form;
        XmlExtensionReader.CollectNamespaces(plain, _namespaces, _limits.MaxAttributes);
        _header = new DocumentHeader
        {
            DocumentType = IsBareEvent ? "" : plain.LocalName,
            SchemaVersion = IsBareEvent ? null : plain.GetAttribute("schemaVersion"),
            CreationDate = IsBareEvent ? null : plain.GetAttribute("creationDate"),
            MasterData = _masterData,
            Places = _places,
            HeaderExtensions = _inHeader,
            DocumentExtensions = _inDocument,
            Attributes = _attributes,
            Comments = _comments,
            Namespaces = _namespaces,
        };
        _places[""] = place;
        CheckVersion(plain.NamespaceURI, place);
        if (schemasFor?.Invoke(_form) is { } schemas)
        {
            _validation = new XmlValidation(plain, schemas, (_, violation) => OnSchemaViolation(plain, violation.Exception), IsBareEvent);
        }
        var xml = new XmlCursor(plain, _validation, _limits, cursor => _findings.Misqualified(cursor.Name, cursor.Namespace, cursor.Place, EventUnderway(plain)));
        before.ForEach(xml.Pass);
        _event = new XmlEventReader(xml);
        _events = (IsBareEvent ? BareEvent(xml) : Document(xml)).GetEnumerator();
        return true;
    }

    private void CheckVersion(string ns, Place place)
    {
        var major = _form == DocumentForm.Xml20 ? 2 : 1;
        if (decimal.TryParse(_header.SchemaVersion, NumberStyles.Number, CultureInfo.InvariantCulture, out var version) && decimal.Truncate(version) != major)
        {
            _findings.VersionClash(_header.SchemaVersion, ns, place);
        }
    }

    private IEnumerable<EpcisEvent> BareEvent(XmlCursor xml)
    {
        var e = Event(xml);
        ReadToEnd(xml);
        yield return e with { Comments = [.. e.Comments, .. xml.TakeComments().Select(c => new EventComment("", c.Text, c.Target))] };
    }

    /// <summary>What follows the root must be well-formed, too.</summary>
    private static void ReadToEnd(XmlCursor xml)
    {
        while (xml.Move())
        {
            if (xml.Reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
            {
                xml.PassComment();
            }
        }
    }

    private IEnumerable<EpcisEvent> Document(XmlCursor xml)
    {
        var header = new XmlHeaderReader(xml, _masterData, _inHeader, _inDocument, _attributes, _comments, _places);
        header.Note("Document", "", "schemaVersion", "creationDate");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "EPCISHeader":
                    _places.TryAdd("EPCISHeader", xml.Place);
                    header.ReadHeader();
                    _header = _header with { Sbdh = header.Sbdh };
                    break;
                case "EPCISBody":
                    foreach (var e in Body(xml, header))
                    {
                        yield return e;
                    }
                    break;
                case var name:
                    header.ReadForeign(name);
                    break;
            }
        }
        _header = _header with { Sbdh = header.Sbdh };
        ReadToEnd(xml);
        header.NoteComments("");
    }

    private IEnumerable<EpcisEvent> Body(XmlCursor xml, XmlHeaderReader header)
    {
        XmlExtensionReader.CollectNamespaces(xml.Reader, _namespaces, _limits.MaxAttributes);
        header.Note(xml.Name, xml.Name);
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            // The query operations are the only qualified elements below a root; senders that do not qualify them occur.
            if (_header.DocumentType == XmlRoot.QueryDocument && (XmlRoot.IsQueryNamespace(xml.Namespace) || xml.Name == "QueryResults"))
            {
                if (xml.Name == "QueryResults")
                {
                    foreach (var e in QueryResults(xml, header))
                    {
                        yield return e;
                    }
                }
                else
                {
                    _findings.NoResults(xml.Name, xml.Place);
                    xml.Skip();
                }
                continue;
            }
            switch (xml.StandardName)
            {
                case "EventList":
                    header.Note("EventList", "EventList");
                    foreach (var e in EventList(xml))
                    {
                        yield return e;
                    }
                    break;
                case "VocabularyList":
                    _header = _header with { MasterDataAreResults = _header.DocumentType == XmlRoot.QueryDocument };
                    header.ReadVocabularyList();
                    break;
                case var name:
                    header.ReadForeign(name);
                    break;
            }
        }
    }

    private IEnumerable<EpcisEvent> QueryResults(XmlCursor xml, XmlHeaderReader header)
    {
        header.Note(xml.Name, xml.Name);
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            switch (xml.StandardName)
            {
                case "resultsBody":
                    foreach (var e in Body(xml, header))
                    {
                        yield return e;
                    }
                    break;
                case "queryName":
                    header.NoteComments("queryName");
                    _header = _header with { QueryName = xml.Value() };
                    break;
                case "subscriptionID":
                    _header = _header with { SubscriptionId = xml.Value() };
                    break;
                case var name:
                    header.ReadForeign(name);
                    break;
            }
        }
    }

    /// <summary>An EventList, or the <c>extension</c> in which 1.2 wraps each TransformationEvent.</summary>
    private IEnumerable<EpcisEvent> EventList(XmlCursor xml)
    {
        XmlExtensionReader.CollectNamespaces(xml.Reader, _namespaces, _limits.MaxAttributes);
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            xml.BeginEvent();
            // 1.2 has no AssociationEvent; its list lets elements of others stand among the events, and one of them carries it.
            var name = xml.Namespace == Carried.Namespace ? xml.Name : xml.StandardName;
            if (XmlRoot.IsEvent(name))
            {
                yield return Event(xml);
            }
            else if (name == "extension")
            {
                foreach (var e in EventList(xml))
                {
                    yield return e;
                }
            }
            else
            {
                _findings.NotAnEvent(xml.Name, xml.Place);
                xml.Skip();
            }
        }
    }

    private EpcisEvent Event(XmlCursor xml)
    {
        if (_nextIndex == _limits.MaxEvents)
        {
            throw new XmlLimitException($"The document has more than {_limits.MaxEvents} events.", xml.Place.Line, xml.Place.Column);
        }
        XmlExtensionReader.CollectNamespaces(xml.Reader, _namespaces, _limits.MaxAttributes);
        _insideEvent = true;
        var e = _event!.Read(_nextIndex);
        _insideEvent = false;
        _nextIndex++;
        return e;
    }

    /// <summary>Called while a node is validated; the reader stands on it.</summary>
    private void OnSchemaViolation(XmlReader plain, XmlSchemaException violation)
    {
        if (plain.NodeType == XmlNodeType.Element && plain.Depth > 0 && XmlRoot.IsEpcisNamespace(plain.NamespaceURI) && !IsQueryOperation(plain))
        {
            _findings.Misqualified(plain.LocalName, plain.NamespaceURI, PlaceOf(plain), EventUnderway(plain));
        }
        _findings.SchemaViolation(violation, EventUnderway(plain), _insideEvent ? _event?.EventId : null);
    }

    private bool IsQueryOperation(XmlReader plain) =>
        _header.DocumentType == XmlRoot.QueryDocument && plain.Depth == 2 && XmlRoot.IsQueryNamespace(plain.NamespaceURI);

    /// <summary>The index of the event that the parser is in, or on whose start tag it stands.</summary>
    private int? EventUnderway(XmlReader plain) =>
        _insideEvent || (plain.NodeType == XmlNodeType.Element && XmlRoot.IsEvent(plain.LocalName)) ? _nextIndex : null;

    private static Place PlaceOf(XmlReader reader) => reader is IXmlLineInfo lines ? new Place(lines.LineNumber, lines.LinePosition) : default;
}
