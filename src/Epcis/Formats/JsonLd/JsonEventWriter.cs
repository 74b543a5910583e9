using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Writes an event, read from whichever form, as EPCIS 2.0 JSON-LD. Its own <c>@context</c> declares its prefixes, so it
/// stands alone as well as in any document.
/// </summary>
public sealed class JsonEventWriter
{
    /// <summary>Times and URIs stay readable: the text is JSON, never embedded in HTML.</summary>
    internal static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Utf8JsonWriter _json;
    private readonly IReadOnlyDictionary<string, string>? _outer;
    private JsonPrefixes _prefixes;
    private JsonExtensionWriter _extensions;

    private JsonEventWriter(Utf8JsonWriter json, IReadOnlyDictionary<string, string>? outer)
    {
        (_json, _outer) = (json, outer);
        _prefixes = new JsonPrefixes(outer);
        _extensions = new JsonExtensionWriter(json, _prefixes);
    }

    /// <param name="recordTime">When the repository captured the event; the event's own is never repeated.</param>
    /// <param name="namespaces">Prefixes of the event's document, because values such as <c>ex:step</c> may need them.</param>
    public static byte[] ToUtf8(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces = null)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            Write(json, e, recordTime, namespaces);
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="ToUtf8"/>
    public static void Write(Utf8JsonWriter json, EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces = null) =>
        WriteWith(json, e, recordTime is { } recorded ? Instant(recorded) : null, namespaces, outer: null);

    /// <summary>Writes with the literal recordTime, of which a conversion changes nothing.</summary>
    /// <param name="outer">Prefixes that the document around the event declares; <see langword="null"/> lets the event stand alone.</param>
    internal static void WriteWith(Utf8JsonWriter json, EpcisEvent e, string? recordTime, IReadOnlyDictionary<string, string>? namespaces, IReadOnlyDictionary<string, string>? outer) =>
        new JsonEventWriter(json, outer).Event(e, recordTime, namespaces, standsAlone: outer is null);

    internal static string Instant(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    internal static void Context(Utf8JsonWriter json, IReadOnlyDictionary<string, string> prefixes, bool standsAlone = true)
    {
        if (!standsAlone && prefixes.Count == 0)
        {
            return;
        }
        json.WriteStartArray("@context");
        if (standsAlone)
        {
            json.WriteStringValue(JsonContext.Standard);
        }
        if (prefixes.Count > 0)
        {
            json.WriteStartObject();
            foreach (var (prefix, ns) in prefixes)
            {
                json.WriteString(prefix, ns);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void Event(EpcisEvent e, string? recordTime, IReadOnlyDictionary<string, string>? namespaces, bool standsAlone)
    {
        Collect(e, namespaces);
        _json.WriteStartObject();
        Context(_json, _prefixes.Declared, standsAlone);
        _json.WriteString("type", e.EventType);
        Text("eventID", e.EventId);
        Text("eventTime", e.EventTimeText);
        Text("recordTime", recordTime);
        Text("eventTimeZoneOffset", e.EventTimeZoneOffset);
        Texts("certificationInfo", e.CertificationInfo);
        Declaration(e.ErrorDeclaration);
        Text("action", e.Action switch
        {
            EventAction.Add => "ADD",
            EventAction.Observe => "OBSERVE",
            EventAction.Delete => "DELETE",
            _ => null,
        });
        Objects(e);
        Word("bizStep", e.BizStep, JsonVocabulary.BizSteps);
        Word("disposition", e.Disposition, JsonVocabulary.Dispositions);
        if (e.PersistentDisposition is { } persistent)
        {
            _json.WriteStartObject("persistentDisposition");
            Texts("set", persistent.Set.Select(JsonVocabulary.Dispositions.ToJson));
            Texts("unset", persistent.Unset.Select(JsonVocabulary.Dispositions.ToJson));
            _json.WriteEndObject();
        }
        Location("readPoint", e.ReadPoint);
        Location("bizLocation", e.BizLocation);
        List("bizTransactionList", e.BizTransactions, t =>
        {
            Word("type", t.Type, JsonVocabulary.BizTransactionTypes);
            _json.WriteString("bizTransaction", t.Value);
        });
        SourcesOrDestinations("sourceList", "source", e.Sources);
        SourcesOrDestinations("destinationList", "destination", e.Destinations);
        List("sensorElementList", e.SensorElements, Sensor);
        Ilmd(e);
        _extensions.Level(e.Attributes.Count == 0 ? e.Extensions : [.. e.Extensions, .. Carried.Of(e.Attributes)]);
        _json.WriteEndObject();
    }

    private void Collect(EpcisEvent e, IReadOnlyDictionary<string, string>? namespaces)
    {
        Declare(e, namespaces);
        // An extension's prefix may be in force for its element only. In the event's context it would be in force for values too.
        if (_prefixes.Declared.Keys.FirstOrDefault(p => namespaces?.ContainsKey(p) != true) is not null
            && PrefixesOfValues(e).Where(p => namespaces?.ContainsKey(p) != true).ToHashSet(StringComparer.Ordinal) is var taken && taken.Overlaps(_prefixes.Declared.Keys))
        {
            _prefixes = new JsonPrefixes(_outer, taken);
            _extensions = new JsonExtensionWriter(_json, _prefixes);
            Declare(e, namespaces);
        }
    }

    private static IEnumerable<string> PrefixesOfValues(EpcisEvent e)
    {
        IEnumerable<string?> values =
        [
            e.BizStep, e.Disposition, e.ReadPoint?.Id, e.BizLocation?.Id, e.ErrorDeclaration?.Reason,
            .. e.Epcs.Select(x => x.Epc), .. e.Quantities.Select(q => q.Quantity.EpcClass),
            .. e.BizTransactions.SelectMany(t => new[] { t.Type, t.Value }), .. e.Sources.Concat(e.Destinations).SelectMany(x => new[] { x.Type, x.Value }),
            .. e.SensorElements.SelectMany(x => x.Reports.Append(x.Metadata)).SelectMany(f => f).Select(f => f.Value),
            .. Texts([.. ExtensionsOf(e), .. Carried.Of(e.Attributes)]),
        ];
        foreach (var value in values)
        {
            if (value?.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
            {
                yield return value[..colon].Trim();
            }
        }
    }

    /// <summary>The extensions of the event and of all its parts.</summary>
    internal static IEnumerable<Extension> ExtensionsOf(EpcisEvent e) =>
        [.. e.Extensions, .. IlmdOf(e), .. e.ErrorDeclaration?.Extensions ?? [], .. e.ReadPoint?.Extensions ?? [], .. e.BizLocation?.Extensions ?? [], .. e.SensorElements.SelectMany(x => x.Extensions)];

    private static IEnumerable<string?> Texts(IEnumerable<Extension> extensions) =>
        extensions.SelectMany(x => Texts(x.Children).Append(x.Text).Concat(x.Attributes.Select(a => a.Value)));

    private void Declare(EpcisEvent e, IReadOnlyDictionary<string, string>? namespaces)
    {
        if (namespaces is not null)
        {
            _prefixes.Declare(namespaces);
        }
        _prefixes.Collect(ExtensionsOf(e));
        _prefixes.Collect(Carried.Of(e.Attributes));
        foreach (var sensor in e.SensorElements)
        {
            _prefixes.Collect(sensor.Metadata);
            _prefixes.Collect(sensor.Reports.SelectMany(r => r));
        }
    }

    private void Objects(EpcisEvent e)
    {
        switch (e)
        {
            case ObjectEvent o:
                var sensorsAlone = o.SensorElements.Count > 0 && o.ReadPoint is not null;
                Texts("epcList", o.EpcList, evenEmpty: o.QuantityList.Count == 0 && !sensorsAlone);
                Quantities("quantityList", o.QuantityList);
                break;
            case AggregationEvent a:
                Family(a.ParentId, a.ChildEpcs, a.ChildQuantityList);
                break;
            case AssociationEvent a:
                Family(a.ParentId, a.ChildEpcs, a.ChildQuantityList);
                break;
            case TransactionEvent t:
                Text("parentID", t.ParentId);
                Texts("epcList", t.EpcList, evenEmpty: t.QuantityList.Count == 0 && t.Action is not EventAction.Delete);
                Quantities("quantityList", t.QuantityList);
                break;
            case TransformationEvent t:
                Texts("inputEPCList", t.InputEpcList);
                Quantities("inputQuantityList", t.InputQuantityList);
                Texts("outputEPCList", t.OutputEpcList);
                Quantities("outputQuantityList", t.OutputQuantityList);
                Text("transformationID", t.TransformationId);
                break;
            default:
                throw new InvalidOperationException($"{e.EventType} has no JSON form.");
        }
    }

    private void Family(string? parent, IReadOnlyList<string> children, IReadOnlyList<QuantityElement> quantities)
    {
        Text("parentID", parent);
        Texts("childEPCs", children);
        Quantities("childQuantityList", quantities);
    }

    private void Declaration(ErrorDeclaration? declaration)
    {
        if (declaration is null)
        {
            return;
        }
        _json.WriteStartObject("errorDeclaration");
        Text("declarationTime", declaration.DeclarationTimeText);
        Word("reason", declaration.Reason, JsonVocabulary.ErrorReasons);
        Texts("correctiveEventIDs", declaration.CorrectiveEventIds);
        _extensions.Level(declaration.Extensions);
        _json.WriteEndObject();
    }

    private void Location(string name, Location? location)
    {
        if (location is null)
        {
            return;
        }
        _json.WriteStartObject(name);
        _json.WriteString("id", location.Id);
        _extensions.Level(location.Extensions, isOpen: true);
        _json.WriteEndObject();
    }

    private void Quantities(string name, IReadOnlyList<QuantityElement> quantities) => List(name, quantities, q =>
    {
        _json.WriteString("epcClass", q.EpcClass);
        if ((q.QuantityText ?? q.Quantity?.ToString(CultureInfo.InvariantCulture)) is { } number)
        {
            _json.WritePropertyName("quantity");
            JsonNumbers.Write(_json, number);
        }
        Text("uom", q.Uom);
    });

    private void SourcesOrDestinations(string list, string member, IReadOnlyList<SourceOrDestination> all) => List(list, all, one =>
    {
        Word("type", one.Type, JsonVocabulary.SourceDestTypes);
        _json.WriteString(member, one.Value);
    });

    private void Sensor(SensorElement sensor)
    {
        if (sensor.Metadata.Count > 0)
        {
            _json.WriteStartObject("sensorMetadata");
            Fields(sensor.Metadata);
            _json.WriteEndObject();
        }
        List("sensorReport", sensor.Reports, Fields);
        _extensions.Level(sensor.Extensions);
    }

    private void Fields(IReadOnlyList<SensorField> fields)
    {
        foreach (var field in fields)
        {
            _json.WritePropertyName(_prefixes.Key(field));
            switch (field.Namespace.Length > 0 || field.Name.Contains(':', StringComparison.Ordinal) ? "" : field.Name)
            {
                case "type":
                    _json.WriteStringValue(JsonVocabulary.MeasurementTypes.ToJson(field.Value));
                    break;
                case "exception":
                    _json.WriteStringValue(JsonVocabulary.SensorAlertTypes.ToJson(field.Value));
                    break;
                case "component":
                    _json.WriteStringValue(JsonVocabulary.Components.ToJson(field.Value));
                    break;
                case "value" or "minValue" or "maxValue" or "meanValue" or "sDev" or "percRank" or "percValue":
                    JsonNumbers.Write(_json, field.Value);
                    break;
                case "booleanValue":
                    // XML also writes 1 and 0.
                    _json.WriteBooleanValue(field.Value is "true" or "1");
                    break;
                default:
                    if (field.IsLiteral)
                    {
                        _json.WriteRawValue(field.Value);
                    }
                    else
                    {
                        _json.WriteStringValue(field.Value);
                    }
                    break;
            }
        }
    }

    private void Ilmd(EpcisEvent e)
    {
        if (IlmdOf(e) is { Count: > 0 } ilmd)
        {
            _json.WriteStartObject("ilmd");
            _extensions.Level(ilmd);
            _json.WriteEndObject();
        }
    }

    private static IReadOnlyList<Extension> IlmdOf(EpcisEvent e) => e switch
    {
        ObjectEvent o => o.Ilmd,
        TransformationEvent t => t.Ilmd,
        _ => [],
    };

    private void Text(string name, string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            _json.WriteString(name, text);
        }
    }

    private void Word(string name, string? value, JsonVocabulary vocabulary) =>
        Text(name, value is null ? null : vocabulary.ToJson(value));

    private void Texts(string name, IEnumerable<string> texts, bool evenEmpty = false)
    {
        var all = texts as IReadOnlyCollection<string> ?? [.. texts];
        if (all.Count == 0 && !evenEmpty)
        {
            return;
        }
        _json.WriteStartArray(name);
        foreach (var text in all)
        {
            _json.WriteStringValue(text);
        }
        _json.WriteEndArray();
    }

    private void List<T>(string name, IReadOnlyList<T> items, Action<T> members)
    {
        if (items.Count == 0)
        {
            return;
        }
        _json.WriteStartArray(name);
        foreach (var item in items)
        {
            _json.WriteStartObject();
            members(item);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }
}
