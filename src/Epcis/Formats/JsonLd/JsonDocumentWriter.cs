using System.Buffers;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats.Xml;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Streams an EPCISDocument or an EPCISQueryDocument with results, as the header says: begin, any number of events, end.
/// Memory holds one event and a small buffer. The prefixes of the document are declared once; an event declares what it
/// needs besides. The header must be complete when it begins, so whoever converts reads the source twice.
/// </summary>
public sealed class JsonDocumentWriter(Stream stream, Findings findings) : IAsyncDisposable
{
    private const string NotWritable = "EPCIS-OUT-02";
    private const int FlushAtBytes = 32 << 10;

    // The event came through a reader's limits and grew by a few wrappers at most.
    private static readonly ReaderLimits s_asRead = ReaderLimits.Default with { MaxDepth = 2 * ReaderLimits.Default.MaxDepth, MaxAttributes = int.MaxValue, MaxNameLength = int.MaxValue, MaxTextLength = int.MaxValue / 8, MaxValues = int.MaxValue };

    private readonly Utf8JsonWriter _json = new(stream, JsonEventWriter.Options);
    private readonly JsonPrefixes _prefixes = new();
    private int _open;

    /// <summary>Writes everything that stands before the first event. What JSON cannot say of the header is an error finding.</summary>
    public void Begin(DocumentHeader header)
    {
        var isQuery = header.DocumentType == XmlRoot.QueryDocument;
        _prefixes.Declare(header.Namespaces);
        IReadOnlyList<Extension> all = [.. header.Extensions, .. Whole(header.Sbdh), .. header.MasterDataExtensions];
        _prefixes.Collect(all);
        _prefixes.Collect(Carried.Of(header.Attributes));
        foreach (var lost in JsonLosses.Of(header.Comments, all, "document"))
        {
            findings.Add(lost);
        }
        _json.WriteStartObject();
        JsonEventWriter.Context(_json, _prefixes.Declared);
        Text("id", header.Id);
        _json.WriteString("type", isQuery ? JsonHeaderParser.QueryDocument : JsonHeaderParser.Document);
        _json.WriteString("schemaVersion", "2.0");
        Text("creationDate", header.CreationDate);
        if (!isQuery && header.CreationDate is null)
        {
            Tell(NotWritable, Severity.Error, "An EPCISDocument needs a creationDate, and the document tells none.");
        }
        if (header.DocumentType == XmlRoot.MasterDataDocument)
        {
            Tell("EPCIS-OUT-10", Severity.Info, "JSON has no EPCISMasterDataDocument; the master data stand in the header of an EPCISDocument without events, which is marked.");
        }
        if (isQuery)
        {
            Query(header);
        }
        else
        {
            Document(header);
        }
        _json.WriteStartArray("eventList");
    }

    /// <summary>Writes an event with its own recordTime.</summary>
    public async ValueTask CopyAsync(EpcisEvent e, IReadOnlyDictionary<string, string>? namespaces, CancellationToken ct)
    {
        _json.WriteRawValue(Render(e, namespaces, _prefixes.Declared, findings).Span, skipInputValidation: true);
        if (_json.BytesPending >= FlushAtBytes)
        {
            await _json.FlushAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the document; without it what was written is cut short.</summary>
    public async ValueTask EndAsync(CancellationToken ct)
    {
        _json.WriteEndArray();
        for (; _open > 0; _open--)
        {
            _json.WriteEndObject();
        }
        _json.WriteEndObject();
        await _json.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Lets go of the buffer, and closes nothing of the document. The stream remains the caller's.</summary>
    public ValueTask DisposeAsync() => _json.DisposeAsync();

    /// <summary>
    /// Renders an event and reads it again. JSON demands more than XML does (a zone, URIs, distinct items), and the reader
    /// knows all of it: what it says about the rendering is what the form cannot say as it was said. Of long lists it is shown
    /// a sample.
    /// </summary>
    /// <param name="outer">Prefixes that the document around the event declares; <see langword="null"/> lets the event stand alone.</param>
    internal static ReadOnlyMemory<byte> Render(EpcisEvent e, IReadOnlyDictionary<string, string>? namespaces, IReadOnlyDictionary<string, string>? outer, Findings findings)
    {
        var rendering = Rendering(e);
        var sample = EventSample.Of(e);
        var told = new Findings();
        using var source = new JsonSource(new MemoryStream((ReferenceEquals(sample, e) ? rendering : Rendering(sample)).ToArray()), s_asRead);
        try
        {
            var tree = source.Take()!;
            new JsonEventParser(new JsonReport(told, tree, e.Index), new JsonContext(null), e.Index).Parse(tree.Root);
        }
        catch (JsonRefusal refusal)
        {
            // XML holds more in one event than a reader of JSON takes as one value.
            told.Error(refusal.Code, e, refusal.Message);
        }
        foreach (var finding in told.All.Where(f => f.Severity == Severity.Error))
        {
            findings.Add(finding with { Where = e.Place });
        }
        foreach (var lost in JsonLosses.Of(e.Comments, JsonEventWriter.ExtensionsOf(e), "event"))
        {
            findings.Add(lost with { Event = e.Index, EventId = e.EventId, Where = e.Place });
        }
        return rendering;

        ReadOnlyMemory<byte> Rendering(EpcisEvent content)
        {
            var buffer = new ArrayBufferWriter<byte>(4096);
            using var json = new Utf8JsonWriter(buffer, JsonEventWriter.Options);
            JsonEventWriter.WriteWith(json, content, content.RecordTimeText, namespaces, outer);
            json.Flush();
            return buffer.WrittenMemory;
        }
    }

    private void Document(DocumentHeader header)
    {
        var sbdh = header.Sbdh;
        Text("instanceIdentifier", sbdh?.InstanceIdentifier);
        Text("sender", sbdh?.Senders.FirstOrDefault()?.Identifier);
        Text("receiver", sbdh?.Receivers.FirstOrDefault()?.Identifier);
        var extensions = new JsonExtensionWriter(_json, _prefixes);
        Extension[] mark = header.DocumentType == XmlRoot.MasterDataDocument ? [Carried.Of(XmlRoot.MasterDataDocument) with { Text = "" }] : [];
        extensions.Level([.. header.DocumentExtensions, .. mark, .. Carried.Of(header.Attributes)]);
        IReadOnlyList<Extension> inHeader = [.. Whole(sbdh), .. header.HeaderExtensions];
        if (inHeader.Count > 0 || header.MasterData.Count > 0)
        {
            _json.WriteStartObject("epcisHeader");
            if (header.MasterData.Count > 0)
            {
                _json.WriteStartObject("epcisMasterData");
                Vocabularies(header.MasterData, extensions);
                _json.WriteEndObject();
            }
            extensions.Level(inHeader);
            _json.WriteEndObject();
        }
        Open("epcisBody");
    }

    /// <summary>A query document has neither header nor stand-ins; what stood there stands beside its body.</summary>
    private void Query(DocumentHeader header)
    {
        var extensions = new JsonExtensionWriter(_json, _prefixes);
        Extension[] inHeader = header.HeaderExtensions.Count > 0 ? [Carried.Of(Carried.Header) with { Children = header.HeaderExtensions }] : [];
        extensions.Level([.. Whole(header.Sbdh), .. header.DocumentExtensions, .. inHeader, .. Carried.Of(header.Attributes)]);
        if (header.Sbdh is { Whole: null })
        {
            Tell(NotWritable, Severity.Error, "A query document has no place for sender, receiver and instanceIdentifier; they are left out.");
        }
        Open("epcisBody");
        Open("queryResults");
        _json.WriteString("queryName", header.QueryName ?? "");
        Text("subscriptionID", header.SubscriptionId);
        Open("resultsBody");
        if (header.MasterDataAreResults)
        {
            Vocabularies(header.MasterData, extensions);
        }
        else if (header.MasterData.Count > 0)
        {
            Tell(NotWritable, Severity.Error, "A query document in JSON has no header; its master data are left out.");
        }
    }

    // The stand-ins say three things of many.
    private static Extension[] Whole(StandardBusinessDocumentHeader? sbdh) => sbdh?.Whole is { } whole ? [whole] : [];

    private void Vocabularies(IReadOnlyList<VocabularyElement> elements, JsonExtensionWriter extensions)
    {
        _json.WriteStartArray("vocabularyList");
        foreach (var vocabulary in elements.GroupBy(e => e.VocabularyType))
        {
            _json.WriteStartObject();
            _json.WriteString("type", vocabulary.Key);
            _json.WriteStartArray("vocabularyElementList");
            foreach (var element in vocabulary)
            {
                Element(element, extensions);
            }
            _json.WriteEndArray();
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }

    private void Element(VocabularyElement element, JsonExtensionWriter extensions)
    {
        _json.WriteStartObject();
        _json.WriteString("id", element.Id);
        if (element.Attributes.Count > 0)
        {
            _json.WriteStartArray("attributes");
            foreach (var attribute in element.Attributes)
            {
                _json.WriteStartObject();
                _json.WriteString("id", attribute.Id);
                _json.WritePropertyName("attribute");
                extensions.Value(attribute.Structure is { } structure
                    ? structure with { Attributes = [.. structure.Attributes.Where(a => a is not { Namespace: "", Name: "id" })] }
                    : new Extension("", "", "attribute") { Text = attribute.Value });
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
        }
        if (element.Children.Count > 0)
        {
            _json.WriteStartArray("children");
            foreach (var child in element.Children)
            {
                _json.WriteStringValue(child);
            }
            _json.WriteEndArray();
        }
        extensions.Level(element.Extensions, isOpen: true);
        _json.WriteEndObject();
    }

    private void Open(string name)
    {
        _json.WriteStartObject(name);
        _open++;
    }

    private void Text(string name, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            _json.WriteString(name, text);
        }
    }

    private void Tell(string code, Severity severity, string message) => findings.Add(new Finding(code, severity, message));
}
