using System.Globalization;
using System.Text;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Hashing;
using Epcis.Identifiers;

namespace Epcis.Formats;

/// <summary>
/// What an event says, the same for every form and spelling: it decides whether an eventID came again with the same content.
/// It is no event hash of the CBV, and nothing of it leaves the gateway. Left out are eventID and recordTime, which are no
/// content; lists are sets of what they name.
/// </summary>
public sealed class EventContent
{
    private readonly Action<ReadOnlySpan<char>> _text;
    private readonly IReadOnlyDictionary<string, string> _namespaces;

    private EventContent(Action<ReadOnlySpan<char>> text, IReadOnlyDictionary<string, string> namespaces) => (_text, _namespaces) = (text, namespaces);

    /// <summary>The SHA-256 of <see cref="Text"/> in UTF-8.</summary>
    /// <param name="namespaces">Prefixes of the event's document.</param>
    public static byte[] Hash(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces)
    {
        using var digest = new TextDigest();
        new EventContent(digest.Append, namespaces).Event(e);
        return digest.Finish();
    }

    /// <summary>One line for each thing said.</summary>
    /// <param name="namespaces">Prefixes of the event's document.</param>
    public static string Text(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces)
    {
        var text = new StringBuilder(1024);
        new EventContent(piece => text.Append(piece), namespaces).Event(e);
        return text.ToString();
    }

    private void Event(EpcisEvent e)
    {
        Line("type", e.EventType);
        Line("eventTime", Time(e.EventTimeText));
        Line("eventTimeZoneOffset", e.EventTimeZoneOffset);
        if (e.ErrorDeclaration is { } declaration)
        {
            Line("declarationTime", Time(declaration.DeclarationTimeText ?? ""));
            Line("reason", Term(CbvVocabulary.ErrorReason, declaration.Reason));
            Lines("correctiveEventID", declaration.CorrectiveEventIds);
            Extensions("errorDeclaration", declaration.Extensions);
        }
        Lines("certificationInfo", e.CertificationInfo);
        Line("action", e.Action?.ToString());
        Epcs(e);
        Lines("quantity", e.Quantities.Select(x => $"{(int)x.Role} {Identifier(x.Quantity.EpcClass)} {Number(x.Quantity.QuantityText ?? x.Quantity.Quantity?.ToString(CultureInfo.InvariantCulture))} {x.Quantity.Uom}"));
        Line("transformationID", (e as TransformationEvent)?.TransformationId);
        Line("bizStep", Term(CbvVocabulary.BizStep, e.BizStep));
        Line("disposition", Term(CbvVocabulary.Disposition, e.Disposition));
        Lines("set", e.PersistentDisposition?.Set.Select(d => Term(CbvVocabulary.Disposition, d)!) ?? []);
        Lines("unset", e.PersistentDisposition?.Unset.Select(d => Term(CbvVocabulary.Disposition, d)!) ?? []);
        Place("readPoint", e.ReadPoint);
        Place("bizLocation", e.BizLocation);
        Lines("bizTransaction", e.BizTransactions.Select(t => $"{Term(CbvVocabulary.BizTransactionType, t.Type)} {Identifier(t.Value)}"));
        Lines("source", e.Sources.Select(s => $"{Term(CbvVocabulary.SourceDestType, s.Type)} {Identifier(s.Value)}"));
        Lines("destination", e.Destinations.Select(s => $"{Term(CbvVocabulary.SourceDestType, s.Type)} {Identifier(s.Value)}"));
        foreach (var sensor in e.SensorElements)
        {
            Lines("sensorMetadata", sensor.Metadata.Select(Field));
            foreach (var report in sensor.Reports)
            {
                Lines("sensorReport", report.Select(Field));
            }
            Extensions("sensorElement", sensor.Extensions);
        }
        Extensions("ilmd", e switch { ObjectEvent o => o.Ilmd, TransformationEvent t => t.Ilmd, _ => [] });
        Extensions("event", e.Extensions);
        Lines("attribute", e.Attributes.SelectMany(own => own.Attributes.Select(a => $"{own.On}@{{{a.Namespace}}}{a.Name}={a.Value}")));
    }

    /// <summary>Sorted by role and link. The members of a list of one product follow each other, and no link is made for them.</summary>
    private void Epcs(EpcisEvent e)
    {
        foreach (var (role, epcs) in ListsOf(e))
        {
            using var serials = SortedSerials.Of(epcs);
            if (serials is null)
            {
                Lines("epc", epcs.Select(epc => $"{(int)role} {Identifier(epc)}"));
                continue;
            }
            for (var i = 0; i < serials.Count; i++)
            {
                var length = 2 + serials.Link.Length + serials[i].Length;
                _text(string.Create(CultureInfo.InvariantCulture, $"epc {length} {(int)role} "));
                _text(serials.Link);
                _text(serials[i]);
                _text("\n");
            }
        }
    }

    /// <summary>In the order of the roles' numbers, each a single digit.</summary>
    private static (EpcRole Role, IReadOnlyList<string> Epcs)[] ListsOf(EpcisEvent e) => e switch
    {
        ObjectEvent o => [(EpcRole.Epc, o.EpcList)],
        TransactionEvent t => [(EpcRole.Epc, t.EpcList), (EpcRole.Parent, Single(t.ParentId))],
        AggregationEvent a => [(EpcRole.Parent, Single(a.ParentId)), (EpcRole.Child, a.ChildEpcs)],
        AssociationEvent a => [(EpcRole.Parent, Single(a.ParentId)), (EpcRole.Child, a.ChildEpcs)],
        TransformationEvent t => [(EpcRole.Input, t.InputEpcList), (EpcRole.Output, t.OutputEpcList)],
        _ => [],
    };

    private static string[] Single(string? parent) => parent is null ? [] : [parent];

    private void Place(string name, Location? place)
    {
        Line(name, place is null ? null : Identifier(place.Id));
        Extensions(name, place?.Extensions ?? []);
    }

    private void Extensions(string of, IReadOnlyList<Extension> extensions)
    {
        if (extensions.Count > 0)
        {
            Line("extensions of", of);
            Tree(ExtensionTree.Of(extensions, _namespaces));
        }
    }

    // JSON does not order members, so only the order among siblings of one name says something.
    private void Tree(IEnumerable<Extension> siblings)
    {
        foreach (var one in siblings.OrderBy(x => x.Namespace, StringComparer.Ordinal).ThenBy(x => x.Name, StringComparer.Ordinal))
        {
            Line($"{{{one.Namespace}}}{one.Name}", one.Text?.Trim() ?? "");
            Lines("@", one.Attributes.Select(a => $"{{{a.Namespace}}}{a.Name}={a.Value}"));
            if (one.Children.Count > 0)
            {
                _text(">\n");
                Tree(one.Children);
                _text("<\n");
            }
        }
    }

    private string Field(SensorField field)
    {
        var (ns, _, name) = SensorNames.Split(field, _namespaces);
        var value = (ns.Length == 0 ? name : "") switch
        {
            "type" => JsonVocabulary.MeasurementTypes.ToJson(field.Value),
            "exception" => JsonVocabulary.SensorAlertTypes.ToJson(field.Value),
            "component" => JsonVocabulary.Components.ToJson(field.Value),
            "value" or "minValue" or "maxValue" or "meanValue" or "sDev" or "percRank" or "percValue" => Number(field.Value),
            "booleanValue" => field.Value is "1" or "true" ? "true" : "false",
            "time" or "startTime" or "endTime" => Time(field.Value),
            "hexBinaryValue" => field.Value.ToUpperInvariant(),
            _ => field.Value,
        };
        return $"{{{ns}}}{name}={value}";
    }

    /// <summary>The instant, with any digits beyond its 100 ns.</summary>
    private static string Time(string text)
    {
        if (XmlInstant.Parse(text) is not { } instant)
        {
            return text;
        }
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var digits = point < 0 ? "" : text[(point + 1)..text.IndexOfAny(['Z', '+', '-'], point)];
        var beyond = digits.Length > 7 ? digits[7..].TrimEnd('0') : "";
        return instant.UtcTicks.ToString(CultureInfo.InvariantCulture) + (beyond.Length > 0 ? "+" + beyond : "");
    }

    private static string? Number(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) ? (exact / 1.000000000000000000000000000000m).ToString(CultureInfo.InvariantCulture)
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value.ToString("R", CultureInfo.InvariantCulture)
        : text;

    /// <summary>A Digital Link wherever there is one: the way back would need the length of the company prefix.</summary>
    private static string Identifier(string value) =>
        EpcUri.IsEpcUri(value) && EpcUri.Parse(value).Value?.ToDigitalLink() is { } link ? link : EpcKey.Normalise(value);

    private static string? Term(CbvVocabulary vocabulary, string? value) => value is null ? null : CbvTerms.ToBare(vocabulary, value);

    private void Lines(string name, IEnumerable<string> values)
    {
        foreach (var value in values.Order(StringComparer.Ordinal))
        {
            Line(name, value);
        }
    }

    // The length keeps a value from posing as another line.
    private void Line(string name, string? value)
    {
        if (value is not null)
        {
            _text(string.Create(CultureInfo.InvariantCulture, $"{name} {value.Length} "));
            _text(value);
            _text("\n");
        }
    }
}
