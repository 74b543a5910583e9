using System.Globalization;
using System.Text;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Identifiers;

namespace Epcis.Hashing;

/// <summary>
/// The event hash of CBV 2.0: an eventID made from what the event says, the same for XML and JSON and for every spelling of
/// its identifiers and terms. Left out are eventID, recordTime, the error declaration, comments and empty elements; so an
/// event and its retraction have one hash. Somebody else's hash that differs proves nothing: generators disagree
/// (<see cref="EventHashProfile"/>).
/// </summary>
public sealed class EventHash
{
    private const string Gs1Voc = "https://gs1.org/voc/";
    private const string InstanceNamespace = "http://www.w3.org/2001/XMLSchema-instance";
    private const string Comment = "http://www.w3.org/2000/01/rdf-schema#";

    // Sensor fields in the standard's order; others follow, sorted.
    private static readonly string[] s_metadata = ["time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"];

    private static readonly string[] s_report =
    [
        "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time", "microorganism", "chemicalSubstance", "value", "component",
        "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem",
    ];

    private readonly Action<ReadOnlySpan<char>> _text;
    private readonly IReadOnlyDictionary<string, string> _namespaces;
    private readonly bool _isReference;

    /// <param name="text">Takes the text in pieces: that of an event with many objects is megabytes.</param>
    private EventHash(Action<ReadOnlySpan<char>> text, IReadOnlyDictionary<string, string> namespaces, EventHashProfile profile) =>
        (_text, _namespaces, _isReference) = (text, namespaces, profile == EventHashProfile.Reference);

    /// <summary><c>ni:///sha-256;HEX?ver=CBV2.0</c>, the hash in lower-case hexadecimal digits as the CBV writes it.</summary>
    /// <param name="namespaces">Prefixes of the event's document, prefix to namespace.</param>
    public static string Of(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces, EventHashProfile profile = EventHashProfile.Reference)
    {
        using var digest = new TextDigest();
        new EventHash(digest.Append, namespaces, profile).Event(e);
        return $"ni:///sha-256;{Convert.ToHexStringLower(digest.Finish())}?ver=CBV2.0";
    }

    /// <summary>What is hashed: names and values without separators, lists sorted by code unit.</summary>
    /// <param name="namespaces">Prefixes of the event's document, prefix to namespace.</param>
    public static string PreHash(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces, EventHashProfile profile = EventHashProfile.Reference)
    {
        var text = new StringBuilder(1024);
        new EventHash(piece => text.Append(piece), namespaces, profile).Event(e);
        return text.ToString();
    }

    private void Event(EpcisEvent e)
    {
        Field("eventType", e.EventType);
        Field("eventTime", Time(e.EventTimeText));
        Field("eventTimeZoneOffset", e.EventTimeZoneOffset.Trim());
        if (_isReference)
        {
            Sorted("", e.CertificationInfo, c => "certificationInfo=" + Value(c));
            Parent(e);
        }
        Objects(e);
        Field("action", e.Action?.ToString().ToUpperInvariant());
        Field("transformationID", Value((e as TransformationEvent)?.TransformationId));
        Field("bizStep", Term(CbvVocabulary.BizStep, e.BizStep));
        Field("disposition", Term(CbvVocabulary.Disposition, e.Disposition));
        if (e.PersistentDisposition is { } persistent && persistent.Set.Count + persistent.Unset.Count > 0)
        {
            _text("persistentDisposition");
            Sorted("", persistent.Set, d => "set=" + Term(CbvVocabulary.Disposition, d));
            Sorted("", persistent.Unset, d => "unset=" + Term(CbvVocabulary.Disposition, d));
        }
        Place("readPoint", e.ReadPoint);
        Place("bizLocation", e.BizLocation);
        var transactions = List("bizTransactionList", e.BizTransactions, t => Typed("bizTransaction", CbvVocabulary.BizTransactionType, t.Type, t.Value));
        var sources = List("sourceList", e.Sources, s => Typed("source", CbvVocabulary.SourceDestType, s.Type, s.Value));
        var destinations = List("destinationList", e.Destinations, d => Typed("destination", CbvVocabulary.SourceDestType, d.Type, d.Value));
        IReadOnlyList<Extension> ilmd = e switch { ObjectEvent o => o.Ilmd, TransformationEvent t => t.Ilmd, _ => [] };
        var master = Extensions(ilmd) is { Count: > 0 } things ? "ilmd" + string.Concat(things) : "";
        if (_isReference)
        {
            Sensors(e.SensorElements);
            Append(Extensions(e.Extensions).Concat([transactions, sources, destinations, master]).Order(StringComparer.Ordinal));
            return;
        }
        Append([transactions, sources, destinations]);
        Sensors(e.SensorElements);
        Append(Extensions(e.Extensions).Prepend(master));
    }

    private void Objects(EpcisEvent e)
    {
        switch (e)
        {
            case ObjectEvent o:
                Epcs("epcList", o.EpcList);
                Quantities("quantityList", o.QuantityList);
                break;
            case AggregationEvent or AssociationEvent:
                ParentUnlessSaid(e);
                Epcs("childEPCs", e is AggregationEvent a ? a.ChildEpcs : ((AssociationEvent)e).ChildEpcs);
                Quantities("childQuantityList", e is AggregationEvent g ? g.ChildQuantityList : ((AssociationEvent)e).ChildQuantityList);
                break;
            case TransactionEvent t:
                Epcs("epcList", t.EpcList);
                ParentUnlessSaid(e);
                Quantities("quantityList", t.QuantityList);
                break;
            case TransformationEvent t:
                Epcs("inputEPCList", t.InputEpcList);
                Quantities("inputQuantityList", t.InputQuantityList);
                Epcs("outputEPCList", t.OutputEpcList);
                Quantities("outputQuantityList", t.OutputQuantityList);
                break;
        }
    }

    private void ParentUnlessSaid(EpcisEvent e)
    {
        if (!_isReference)
        {
            Parent(e);
        }
    }

    private void Parent(EpcisEvent e) =>
        Field("parentID", Value(e switch { AggregationEvent a => a.ParentId, AssociationEvent a => a.ParentId, TransactionEvent t => t.ParentId, _ => null }));

    private void Epcs(string list, IReadOnlyList<string> epcs)
    {
        using var serials = SortedSerials.Of(epcs);
        if (serials is null)
        {
            Sorted(list, epcs, epc => "epc=" + Value(epc));
            return;
        }
        _text(list);
        var before = "epc=" + serials.Link;
        for (var i = 0; i < serials.Count; i++)
        {
            _text(before);
            _text(serials[i]);
        }
    }

    private void Quantities(string list, IReadOnlyList<QuantityElement> quantities) => Sorted(list, quantities, q =>
        "quantityElement" + Pair("epcClass", Value(q.EpcClass)) + Pair("quantity", Number(q.QuantityText ?? q.Quantity?.ToString(CultureInfo.InvariantCulture))) + Pair("uom", q.Uom?.Trim()));

    private void Place(string name, Location? place)
    {
        if (place is not null)
        {
            _text(name);
            _text(Pair("id", Value(place.Id)));
            Append(Extensions(place.Extensions));
        }
    }

    private string Typed(string name, CbvVocabulary vocabulary, string? type, string value) =>
        _isReference ? Pair("type", Term(vocabulary, type)) + Pair(name, Value(value)) : Pair(name, Value(value)) + Pair("type", Term(vocabulary, type));

    private void Sensors(IReadOnlyList<SensorElement> elements) => Sorted("sensorElementList", elements, e =>
        "sensorElement"
        + (e.Metadata.Count > 0 ? "sensorMetadata" + Fields(e.Metadata, s_metadata) : "")
        + string.Concat(e.Reports.Select(r => "sensorReport" + Fields(r, s_report)).Order(StringComparer.Ordinal))
        + string.Concat(Extensions(e.Extensions)));

    private string Fields(IReadOnlyList<SensorField> fields, string[] order)
    {
        var own = new List<(int Place, string Text)>();
        var others = new List<string>();
        foreach (var field in fields)
        {
            var (ns, _, name) = SensorNames.Split(field, _namespaces);
            var place = ns.Length == 0 ? Array.IndexOf(order, name) : -1;
            if (place >= 0)
            {
                own.Add((place, Pair(name, SensorValue(name, field.Value))));
            }
            else
            {
                others.Add(Pair(ns.Length == 0 ? name : $"{{{ns}}}{name}", Value(field.Value)));
            }
        }
        return string.Concat(own.OrderBy(f => f.Place).Select(f => f.Text)) + string.Concat(others.Order(StringComparer.Ordinal));
    }

    private string? SensorValue(string name, string value) => name switch
    {
        "time" or "startTime" or "endTime" => Time(value),
        "type" when JsonVocabulary.MeasurementTypes.ToJson(value) is var type && JsonVocabulary.MeasurementTypes.IsWord(type) => Gs1Voc + type,
        "exception" when JsonVocabulary.SensorAlertTypes.ToJson(value) is var alert && JsonVocabulary.SensorAlertTypes.IsWord(alert) => Gs1Voc + alert,
        "component" when JsonVocabulary.Components.ToJson(value) is var component && JsonVocabulary.Components.IsWord(component) => "https://ref.gs1.org/cbv/Comp-" + component,
        "booleanValue" => value.Trim() is "1" or "true" ? "true" : "false",
        "stringValue" => value.Trim(),
        _ => Value(value),
    };

    /// <summary>Each extension as its text, sorted: JSON does not order members.</summary>
    private List<string> Extensions(IReadOnlyList<Extension> extensions)
    {
        if (extensions.Count == 0)
        {
            return [];
        }
        return Tree(ExtensionTree.Of(extensions, _namespaces));
    }

    private List<string> Tree(IReadOnlyList<Extension> siblings)
    {
        var texts = new List<string>(siblings.Count);
        foreach (var one in siblings)
        {
            if (one is { Namespace: Comment, Name: "comment" })
            {
                continue;
            }
            var below = Tree(one.Children);
            below.AddRange(one.Attributes.Where(a => a.Namespace != InstanceNamespace).Select(a => Pair(Name(a.Namespace, a.Name), Value(a.Value))));
            below.Sort(StringComparer.Ordinal);
            if (Pair("", one.Children.Count > 0 ? null : Value(one.Text)) + string.Concat(below) is { Length: > 0 } content)
            {
                texts.Add(Name(one.Namespace, one.Name) + content);
            }
        }
        texts.Sort(StringComparer.Ordinal);
        return texts;
    }

    private static string Name(string ns, string name) => ns.Length == 0 ? name : $"{{{ns}}}{name}";

    private static string List<T>(string name, IReadOnlyList<T> items, Func<T, string> text) =>
        items.Count == 0 ? "" : name + string.Concat(items.Select(text).Order(StringComparer.Ordinal));

    private void Sorted<T>(string name, IReadOnlyList<T> items, Func<T, string> text)
    {
        if (items.Count == 0)
        {
            return;
        }
        _text(name);
        var texts = new string[items.Count];
        for (var i = 0; i < texts.Length; i++)
        {
            texts[i] = text(items[i]);
        }
        Array.Sort(texts, StringComparer.Ordinal);
        Append(texts);
    }

    private void Append(IEnumerable<string> texts)
    {
        foreach (var text in texts)
        {
            _text(text);
        }
    }

    private void Field(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _text(name);
            _text("=");
            _text(value);
        }
    }

    private static string Pair(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"{name}={value}";

    private string? Term(CbvVocabulary vocabulary, string? value) =>
        value is null ? null : CbvTerms.ToWebUri(vocabulary, value.Trim()) is var uri && uri != value ? uri : Value(value);

    /// <summary>Any value: an identifier as its canonical Digital Link, a number without idle digits, a prefixed name spelled out.</summary>
    private string? Value(string? value)
    {
        if (value is null)
        {
            return null;
        }
        value = value.Trim();
        return Identifier(value) ?? Number(Expand(Web(value)));
    }

    // A CBV URN stands for its Web URI wherever it is written.
    private static string Web(string value)
    {
        if (value.StartsWith("urn:epcglobal:cbv:", StringComparison.Ordinal))
        {
            foreach (var vocabulary in Enum.GetValues<CbvVocabulary>())
            {
                if (CbvTerms.ToWebUri(vocabulary, value) is var uri && uri != value)
                {
                    return uri;
                }
            }
        }
        return value;
    }

    private string Expand(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        // What two slashes follow is the scheme of a URI, whatever somebody declared (JSON-LD 1.1, IRI expansion).
        if (colon < 1 || value.AsSpan(colon + 1).StartsWith("//") || value.StartsWith("urn:", StringComparison.Ordinal))
        {
            return value;
        }
        var prefix = value[..colon];
        return (JsonContext.StandardPrefixes.GetValueOrDefault(prefix) ?? _namespaces.GetValueOrDefault(prefix)) is { } ns ? ns + value[(colon + 1)..] : value;
    }

    /// <summary>The canonical Digital Link, at its finest level; <see langword="null"/> when the value names no GS1 key.</summary>
    private static string? Identifier(string value) =>
        (EpcUri.IsEpcUri(value) ? EpcUri.Parse(value).Value?.ToDigitalLink() : DigitalLink.Parse(value).Value?.ToString()) is { } link ? Unescaped(link) : null;

    // The vectors leave these three literal, which canonical Digital Links escape.
    private static string Unescaped(string link) =>
        link.Contains('%', StringComparison.Ordinal) ? link.Replace("%27", "'", StringComparison.Ordinal).Replace("%3B", ";", StringComparison.Ordinal).Replace("%3D", "=", StringComparison.Ordinal) : link;

    /// <summary>UTC in milliseconds, the fourth decimal rounded; text that is no instant stays.</summary>
    private static string Time(string text)
    {
        if (XmlInstant.Parse(text.Trim()) is not { } instant)
        {
            return text.Trim();
        }
        var ticks = (instant.UtcTicks + TimeSpan.TicksPerMillisecond / 2) / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond;
        return new DateTime(Math.Min(ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
    }

    private static string? Number(string? text)
    {
        if (text is not [(>= '0' and <= '9') or '+' or '-' or '.', ..] || !decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number))
        {
            return text;
        }
        return (number / 1.000000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);
    }
}
