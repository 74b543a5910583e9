using System.Globalization;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats.Xml;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Reads EPCIS 2.0 JSON-LD: an EPCISDocument, an EPCISQueryDocument, or one bare event. The stream stays its owner's.
/// A <c>@context</c> after the events is found ahead of them when the stream can seek; otherwise their extensions have no
/// namespace, and a warning says so.
/// </summary>
public sealed class JsonEpcisReader : EpcisReader
{
    private const string QueryResults = "/epcisBody/queryResults";
    private const string ResultsBody = QueryResults + "/resultsBody";

    private readonly Stream _stream;
    private readonly long _origin;
    private readonly ReaderLimits _limits;
    private readonly JsonSource _source;
    private readonly JsonHeaderParser _header;
    private readonly JsonDistinct _distinct = new();
    private readonly IEnumerator<EpcisEvent> _events;
    private DocumentHeader? _bareHeader;
    private IReadOnlyDictionary<string, string>? _ofEvent;
    private int _index;
    private bool _isBroken;

    /// <summary>Reads a document of bounded size and depth.</summary>
    public JsonEpcisReader(Stream stream, ReaderLimits limits)
        : this(stream, limits, isBareEvent: false)
    {
    }

    private JsonEpcisReader(Stream stream, ReaderLimits limits, bool isBareEvent)
    {
        _stream = stream;
        _origin = stream.CanSeek ? stream.Position : 0;
        _limits = limits;
        _source = new JsonSource(stream, limits);
        _header = new JsonHeaderParser(Findings);
        IsBareEvent = isBareEvent;
        _events = (isBareEvent ? BareEvent() : Document()).GetEnumerator();
    }

    /// <summary>A reader of one event that is a document of its own, with its own <c>@context</c>.</summary>
    public static JsonEpcisReader ReadBareEvent(Stream stream, ReaderLimits limits) => new(stream, limits, isBareEvent: true);

    /// <summary>Whether the object's type is an event of EPCIS; moves the stream.</summary>
    internal static bool IsBareEventAhead(Stream stream, ReaderLimits limits)
    {
        try
        {
            using var source = new JsonSource(stream, limits);
            return JsonForesight.Type(source) is { } type && XmlRoot.IsEvent(type);
        }
        catch (JsonRefusal)
        {
            return false; // told by the reader
        }
    }

    /// <inheritdoc/>
    public override DocumentForm Form => DocumentForm.JsonLd20;

    /// <inheritdoc/>
    public override bool IsBareEvent { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Namespaces => _ofEvent ?? (_bareHeader?.Namespaces ?? _header.Context.Declared);

    /// <inheritdoc/>
    public override DocumentHeader Header => _bareHeader ?? _header.Header;

    /// <inheritdoc/>
    public override Findings Findings { get; } = new();

    /// <inheritdoc/>
    public override bool IsBroken => _isBroken;

    /// <inheritdoc/>
    public override EpcisEvent Current => _events.Current;

    /// <inheritdoc/>
    public override bool Read()
    {
        try
        {
            return _events.MoveNext();
        }
        catch (JsonRefusal refusal)
        {
            _isBroken = true;
            Findings.Add(new Finding(refusal.Code, Severity.Error, refusal.Message) { Where = refusal.Place });
            return false;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Leave(_events.Current);
        _events.Dispose();
        _source.Dispose();
    }

    private IEnumerable<EpcisEvent> BareEvent()
    {
        DemandObject("an event");
        var tree = _source.Take()!;
        var report = new JsonReport(Findings, tree, 0, _distinct);
        var context = report.Require(tree.Root, "@context");
        var parser = new JsonEventParser(report, _header.Context, 0);
        var parsed = parser.Parse(tree.Root);
        if (context is not null)
        {
            JsonHeaderParser.TellMissingStandard(context, parser.Context, report);
        }
        _bareHeader = new DocumentHeader { Namespaces = parser.Context.Declared };
        _source.Next();
        if (parsed is not null)
        {
            yield return parsed;
            Leave(parsed);
        }
    }

    private IEnumerable<EpcisEvent> Document()
    {
        var root = DemandObject("a document");
        foreach (var name in Members(""))
        {
            if (name == "epcisBody" && _source.Peek() is JsonTokenType.StartObject)
            {
                if (!_header.HasContext || Header.DocumentType.Length == 0)
                {
                    LookAhead();
                }
                foreach (var e in Body())
                {
                    yield return e;
                }
            }
            else
            {
                Take(name);
            }
        }
        _source.Next();
        _header.End(root, hasEvents: _index > 0);
    }

    private void LookAhead()
    {
        if (!_stream.CanSeek)
        {
            return;
        }
        var here = _stream.Position;
        _stream.Position = _origin;
        try
        {
            using var source = new JsonSource(_stream, _limits);
            JsonForesight.Read(source, _header);
        }
        catch (JsonRefusal)
        {
            // The walk itself meets the same fault later and tells it, after the events before it.
        }
        _stream.Position = here;
    }

    private IEnumerable<EpcisEvent> Body()
    {
        foreach (var name in Members("/epcisBody"))
        {
            // In a stream that cannot seek the type may still be unknown; then either place may hold the events.
            var events = (name, Header.DocumentType) switch
            {
                ("eventList", not JsonHeaderParser.QueryDocument) => EventList(name),
                ("queryResults", not JsonHeaderParser.Document) => Results(name),
                _ => null,
            };
            if (events is null)
            {
                Take(name);
                continue;
            }
            foreach (var e in events)
            {
                yield return e;
            }
        }
    }

    private IEnumerable<EpcisEvent> Results(string own)
    {
        if (_source.Peek() is not JsonTokenType.StartObject)
        {
            Take(own);
            yield break;
        }
        foreach (var name in Members(QueryResults))
        {
            if (name != "resultsBody" || _source.Peek() is not JsonTokenType.StartObject)
            {
                Take(name);
                continue;
            }
            foreach (var member in Members(ResultsBody))
            {
                if (member != "eventList")
                {
                    Take(member);
                    continue;
                }
                foreach (var e in EventList(member))
                {
                    yield return e;
                }
            }
        }
    }

    private IEnumerable<EpcisEvent> EventList(string own)
    {
        if (_source.Peek() is not JsonTokenType.StartArray)
        {
            Take(own);
            yield break;
        }
        var pointer = _source.Pointer;
        _source.Next();
        while (true)
        {
            _source.Pointer = string.Create(CultureInfo.InvariantCulture, $"{pointer}/{_index}");
            if (_source.Take() is not { } tree)
            {
                yield break;
            }
            if (_index >= _limits.MaxEvents)
            {
                throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"The document has more than {_limits.MaxEvents} events."), _source.Here);
            }
            var parser = new JsonEventParser(new JsonReport(Findings, tree, _index, _distinct), _header.Context, _index);
            var parsed = parser.Parse(tree.Root);
            _ofEvent = parser.Context.Declared.Count == 0 ? null : parser.Context.InForce();
            _index++;
            if (parsed is not null)
            {
                yield return parsed;
                Leave(parsed);
            }
        }
    }

    /// <summary>Walks into the object that comes next; whoever gets a name consumes its value.</summary>
    private IEnumerable<string> Members(string pointer)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        _source.Next();
        while (true)
        {
            _source.Pointer = pointer;
            if (_source.Next() is not JsonTokenType.PropertyName)
            {
                yield break;
            }
            var name = _source.Name;
            if (!seen.Add(name))
            {
                throw new JsonRefusal(JsonCodes.DuplicateMember, $"The member '{name}' stands twice in one object.", _source.Here);
            }
            if (seen.Count > _limits.MaxAttributes)
            {
                throw new JsonRefusal(JsonCodes.Limit, FormattableString.Invariant($"An object has more than {_limits.MaxAttributes} members."), _source.Here);
            }
            _source.Pointer = pointer + "/" + JsonTree.Escape(name);
            _header.See(_source.Here);
            yield return name;
        }
    }

    private void Take(string name)
    {
        var pointer = _source.Pointer;
        _header.Member(pointer, name, _source.Take()!);
    }

    /// <summary>The buffer is about to hold something else.</summary>
    private static void Leave(EpcisEvent? e) => (e?.Places as JsonPlaces)?.Close();

    private Place DemandObject(string what)
    {
        var token = _source.Peek();
        return token is JsonTokenType.StartObject
            ? _source.Here
            : throw new JsonRefusal(JsonCodes.NotEpcis, $"This JSON is not {what} of EPCIS, which is an object.", _source.Here);
    }
}
