using System.Collections.Frozen;
using Epcis.Events;
using Epcis.Formats.Xml;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Everything of a document but its events. Members come in any order, so what depends on the document's type is judged
/// at the end.
/// </summary>
internal sealed class JsonHeaderParser(Findings findings)
{
    public const string Document = "EPCISDocument";
    public const string QueryDocument = "EPCISQueryDocument";

    private static readonly string[] s_documentNeeds = ["/@context", "/schemaVersion", "/creationDate", "/epcisBody", "/epcisBody/eventList"];
    private static readonly string[] s_queryNeeds =
        ["/@context", "/epcisBody", "/epcisBody/queryResults", "/epcisBody/queryResults/queryName",
         "/epcisBody/queryResults/resultsBody", "/epcisBody/queryResults/resultsBody/eventList"];

    private static readonly FrozenSet<string> s_documentKnows = FrozenSet.Create(
        "/@context", "/id", "/type", "/schemaVersion", "/creationDate", "/instanceIdentifier", "/sender", "/receiver", "/epcisHeader", "/epcisBody");

    private static readonly FrozenSet<string> s_queryKnows = FrozenSet.Create(
        "/@context", "/id", "/type", "/schemaVersion", "/creationDate", "/epcisBody", "/epcisBody/queryResults",
        "/epcisBody/queryResults/queryName", "/epcisBody/queryResults/subscriptionID", "/epcisBody/queryResults/resultsBody",
        "/epcisBody/queryResults/resultsBody/eventList", "/epcisBody/queryResults/resultsBody/vocabularyList");

    private static readonly FrozenSet<string> s_headerKnows = FrozenSet.Create("epcisMasterData");
    private static readonly FrozenSet<string> s_vocabularyElementKnows = FrozenSet.Create("id", "attributes", "children");

    private readonly Dictionary<string, Place> _seen = [];
    private readonly Dictionary<string, Place> _places = new(StringComparer.OrdinalIgnoreCase);
    private Extension? _whole;
    private bool _isMasterData;

    public JsonContext Context { get; } = new(null);

    public DocumentHeader Header { get; private set; } = new();

    /// <summary>Whether the prefixes are known, from the walk or from looking ahead.</summary>
    public bool HasContext { get; private set; }

    /// <summary>Learns prefixes or type before their turn; what is wrong with them is told when the walk comes by.</summary>
    public void Foresee(string name, JsonTree tree)
    {
        if (name == "type")
        {
            Header = Header with { DocumentType = new JsonReport(new Findings(), tree).OneOf(tree.Root, Document, QueryDocument) ?? "" };
        }
        else if (!HasContext)
        {
            Context.Read(tree.Root, new JsonReport(new Findings(), tree));
            HasContext = true;
        }
    }

    /// <summary>Notes that a member stands in the document; the walk calls it for every one.</summary>
    public void See(Place place)
    {
        _seen.Add(place.Pointer!, place);
        Note(Unescaped(place.Pointer![(place.Pointer!.LastIndexOf('/') + 1)..]), place);
    }

    // As in XML, by the name without prefix.
    private void Note(string name, Place place) => _places.TryAdd(LocalName(name), place);

    private static string LocalName(string name) => name[(name.LastIndexOfAny([':', '/', '#']) + 1)..];

    private static void NoteSbdh(JsonItem element, string name, JsonReport report, int[] parties, Dictionary<string, Place> found)
    {
        foreach (var member in element.Items.Where(m => m.Name is not null))
        {
            var below = LocalName(member.Name!);
            foreach (var one in member.Kind is JsonKind.Array ? member.Items : [member])
            {
                if (BusinessDocumentHeader.PathOf(name, below, parties) is { } path)
                {
                    found.TryAdd(path, report.Tree.PlaceOf(one));
                }
                NoteSbdh(one, below, report, parties, found);
            }
        }
    }

    /// <summary>A member of the document or of one of the levels above its events.</summary>
    /// <param name="pointer">Its JSON pointer, which also tells the level.</param>
    public void Member(string pointer, string name, JsonTree tree)
    {
        var report = new JsonReport(findings, tree);
        var value = tree.Root;
        // The body of an EPCISDocument is open in the schema: there, a member of this name is anyone's.
        if (Header.DocumentType == Document && pointer.StartsWith("/epcisBody/queryResults", StringComparison.Ordinal))
        {
            PassOver(value, name, report);
            return;
        }
        switch (pointer)
        {
            case "/@context":
                ReadContext(value, report);
                break;
            case "/type":
                Header = Header with { DocumentType = report.OneOf(value, Document, QueryDocument) ?? "" };
                break;
            case "/id":
                Header = Header with { Id = report.Uri(value) };
                break;
            case "/schemaVersion":
                Header = Header with { SchemaVersion = report.Matching(value, JsonFormats.IsVersion, "numbers separated by dots, such as 2.0") };
                break;
            case "/creationDate":
                Header = Header with { CreationDate = report.Time(value).Text };
                break;
            case "/sender" when report.String(value) is { } sender:
                Header = Header with { Sbdh = Sbdh with { Senders = [new SbdhParty(null, sender)] } };
                break;
            case "/receiver" when report.String(value) is { } receiver:
                Header = Header with { Sbdh = Sbdh with { Receivers = [new SbdhParty(null, receiver)] } };
                break;
            case "/instanceIdentifier" when report.String(value) is { } identifier:
                Header = Header with { Sbdh = Sbdh with { InstanceIdentifier = identifier } };
                break;
            case "/epcisHeader":
                ReadHeader(value, report);
                break;
            case "/epcisBody" or "/epcisBody/queryResults" or "/epcisBody/queryResults/resultsBody":
                report.Is(value, JsonKind.Object);
                break;
            case "/epcisBody/eventList" or "/epcisBody/queryResults/resultsBody/eventList":
                report.Is(value, JsonKind.Array);
                break;
            case "/epcisBody/queryResults/queryName":
                Header = Header with { QueryName = report.String(value) };
                break;
            case "/epcisBody/queryResults/subscriptionID":
                Header = Header with { SubscriptionId = report.String(value) };
                break;
            case "/epcisBody/queryResults/resultsBody/vocabularyList":
                Header = Header with { MasterDataAreResults = true };
                ReadVocabularies(value, report);
                break;
            default:
                if (value.Kind is JsonKind.Object && Context.Split(name) is (Carried.Namespace, _, Carried.Header))
                {
                    Header = Header with { HeaderExtensions = [.. Header.HeaderExtensions, .. JsonExtensions.Of(value.Items, report, Context)] };
                }
                else if (Header.DocumentType == Document && pointer.StartsWith("/epcisBody/", StringComparison.Ordinal) && !JsonFormats.IsUri(name))
                {
                    PassOver(value, name, report);
                }
                else if (JsonFormats.IsUri(name))
                {
                    Header = Header with { DocumentExtensions = [.. Header.DocumentExtensions, .. WithoutSbdh(Carried.LiftLocal([JsonExtensions.Of(name, value, report, Context)]))] };
                }
                break;
        }
    }

    public void End(Place root, bool hasEvents)
    {
        _places[""] = root;
        Header = Header with { Places = _places };
        if (_whole is not null)
        {
            Header = Header with { Sbdh = BusinessDocumentHeader.Of(_whole) };
        }
        if (Header is { DocumentType: Document } && Header.DocumentExtensions.FirstOrDefault(x => Carried.Is(x, XmlRoot.MasterDataDocument)) is { } mark)
        {
            _isMasterData = true;
            Header = Header with { DocumentExtensions = [.. Header.DocumentExtensions.Where(x => x != mark)] };
        }
        var extensions = Header.DocumentExtensions;
        var attributes = Carried.LiftAttributes(ref extensions, Context.InForce);
        Header = Header with { DocumentExtensions = extensions, Attributes = attributes };
        if (!_seen.ContainsKey("/type"))
        {
            Add(JsonCodes.Missing, root, "'type' is missing.", "/type");
        }
        if (Header.DocumentType is not (Document or QueryDocument))
        {
            return;
        }
        CheckMembers(root);
        // A master data document has no events: with events it is what it calls itself.
        Header = _isMasterData && !hasEvents ? Header with { DocumentType = XmlRoot.MasterDataDocument } : Header;
    }

    private void CheckMembers(Place root)
    {
        var isQuery = Header.DocumentType == QueryDocument;
        foreach (var needed in isQuery ? s_queryNeeds : s_documentNeeds)
        {
            var owner = needed[..needed.LastIndexOf('/')];
            if (!_seen.ContainsKey(needed) && (owner.Length == 0 || _seen.ContainsKey(owner)))
            {
                Add(JsonCodes.Missing, owner.Length == 0 ? root : _seen[owner], $"'{needed[(owner.Length + 1)..]}' is missing.", needed);
            }
        }
        var known = isQuery ? s_queryKnows : s_documentKnows;
        foreach (var (pointer, place) in _seen)
        {
            // The body of an EPCISDocument is open in the schema, all other levels are closed.
            var isOpen = !isQuery && pointer.StartsWith("/epcisBody/", StringComparison.Ordinal);
            var name = Unescaped(pointer[(pointer.LastIndexOf('/') + 1)..]);
            if (!isOpen && !known.Contains(pointer) && !JsonFormats.IsUri(name))
            {
                Add(JsonCodes.UnknownMember, place, $"There is no member '{name}' here.", "a member of the standard, or prefix:name");
            }
        }
    }

    /// <summary>The stand-ins as far as they came; a whole header says the same and more.</summary>
    private StandardBusinessDocumentHeader Sbdh => Header.Sbdh ?? new StandardBusinessDocumentHeader();

    private IEnumerable<Extension> WithoutSbdh(IReadOnlyList<Extension> extensions)
    {
        foreach (var extension in extensions)
        {
            if (BusinessDocumentHeader.Is(extension) && ExtensionTree.Of([extension], Context.Declared) is [{ Children.Count: > 0 } whole])
            {
                _whole = whole;
            }
            else
            {
                yield return extension;
            }
        }
    }

    private void ReadContext(JsonItem value, JsonReport report)
    {
        Context.Read(value, report);
        if (!HasContext && _seen.ContainsKey("/epcisBody") && Context.Declared.Count > 0)
        {
            report.Warning(JsonCodes.LateContext, value, "@context stands after the events: their extensions were read without namespaces.");
        }
        TellMissingStandard(value, Context, report);
        HasContext = true;
        Header = Header with { Namespaces = Context.Declared };
    }

    /// <summary>Without the standard's context its words mean nothing to a reader that goes by JSON-LD; here they keep their meaning.</summary>
    public static void TellMissingStandard(JsonItem at, JsonContext context, JsonReport report)
    {
        if (!context.NamesAnother)
        {
            report.Warning(JsonCodes.NoStandardContext, at, "@context does not name the standard's context; the document is read as if it did.", want: JsonContext.Standard);
        }
    }

    private void ReadHeader(JsonItem value, JsonReport report)
    {
        if (!report.Is(value, JsonKind.Object))
        {
            return;
        }
        var others = report.Others(value, s_headerKnows);
        foreach (var other in others)
        {
            Note(other.Name!, report.Tree.PlaceOf(other));
            if (LocalName(other.Name!) == BusinessDocumentHeader.Name)
            {
                var found = new Dictionary<string, Place>();
                NoteSbdh(other, BusinessDocumentHeader.Name, report, new int[2], found);
                foreach (var (name, place) in found)
                {
                    _places[name] = place; // rather than JSON's stand-in, and than the document's own type
                }
                foreach (var name in BusinessDocumentHeader.Parts)
                {
                    Note(name, report.Tree.PlaceOf(other)); // of a part that is missing
                }
            }
        }
        var extensions = JsonExtensions.Of(others, report, Context);
        Header = Header with { HeaderExtensions = [.. Header.HeaderExtensions, .. WithoutSbdh(extensions)] };
        if (value.Find("epcisMasterData") is { } masterData && report.Is(masterData, JsonKind.Object))
        {
            ReadVocabularies(masterData.Find("vocabularyList"), report);
            PassOverOthers(masterData, report, "vocabularyList");
        }
    }

    /// <summary>The schema leaves some objects open to any member; there is no place for such a member in another form.</summary>
    private static void PassOverOthers(JsonItem owner, JsonReport report, params ReadOnlySpan<string> known)
    {
        foreach (var member in owner.Items)
        {
            if (!known.Contains(member.Name))
            {
                PassOver(member, member.Name!, report);
            }
        }
    }

    private static void PassOver(JsonItem at, string name, JsonReport report) =>
        report.Warning(JsonCodes.PassedOver, at, $"The member '{name}' says nothing that the standard knows, and is kept only in the document itself.", got: name);

    private void ReadVocabularies(JsonItem? list, JsonReport report)
    {
        var elements = new List<VocabularyElement>();
        foreach (var vocabulary in report.Array(list).Where(v => report.Is(v, JsonKind.Object)))
        {
            var type = report.Uri(report.Require(vocabulary, "type")) ?? "";
            PassOverOthers(vocabulary, report, "type", "vocabularyElementList");
            foreach (var element in report.Array(vocabulary.Find("vocabularyElementList")).Where(e => report.Is(e, JsonKind.Object)))
            {
                elements.Add(new VocabularyElement(type, report.Uri(report.Require(element, "id")) ?? "")
                {
                    Place = report.Tree.PlaceOf(element),
                    Attributes = Attributes(element.Find("attributes"), report),
                    Children = report.Uris(element.Find("children")),
                    Extensions = JsonExtensions.Of(element.Items.Where(m => !s_vocabularyElementKnows.Contains(m.Name!)), report, Context),
                });
            }
        }
        Header = Header with { MasterData = [.. Header.MasterData, .. elements] };
    }

    private List<VocabularyAttribute> Attributes(JsonItem? list, JsonReport report)
    {
        var attributes = new List<VocabularyAttribute>();
        foreach (var item in report.Array(list).Where(a => report.Is(a, JsonKind.Object)))
        {
            var id = report.Uri(report.Require(item, "id")) ?? "";
            PassOverOthers(item, report, "id", "attribute");
            var value = item.Find("attribute");
            if (value is { Kind: JsonKind.Array or JsonKind.True or JsonKind.False or JsonKind.Null })
            {
                report.Error(JsonCodes.WrongType, value, "'attribute' has the wrong type.", report.Tree.Raw(value), "a string, a number or an object");
            }
            attributes.Add(new VocabularyAttribute(id, value switch
            {
                null => "",
                { Kind: JsonKind.String } => value.Text,
                _ => report.Tree.Raw(value),
            })
            {
                Structure = value is null or { Kind: JsonKind.String } ? null : JsonExtensions.Of("attribute", value, report, Context),
            });
        }
        return attributes;
    }

    private void Add(string code, Place place, string message, string want) =>
        findings.Add(new Finding(code, Severity.Error, message) { Where = place, Want = want, Clause = JsonReport.Clause });

    private static string Unescaped(string token) =>
        token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
