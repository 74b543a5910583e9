using System.Collections.Frozen;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>One event of the document: checked as GS1's JSON Schema 2.0.1 does with formats asserted, and made a record.</summary>
internal sealed class JsonEventParser(JsonReport report, JsonContext documentContext, int index)
{
    private const string CommonMembers = "@context type eventTime recordTime eventTimeZoneOffset eventID certificationInfo errorDeclaration "
        + "bizStep disposition persistentDisposition readPoint bizLocation bizTransactionList sourceList destinationList sensorElementList ";

    private static readonly FrozenSet<string> s_objectMembers = Members("action epcList quantityList ilmd");
    private static readonly FrozenSet<string> s_parentedMembers = Members("action parentID childEPCs childQuantityList");
    private static readonly FrozenSet<string> s_transactionMembers = Members("action parentID epcList quantityList");
    private static readonly FrozenSet<string> s_transformationMembers =
        Members("inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID ilmd");

    private readonly JsonContext _context = new(documentContext);
    private readonly JsonEventParts _parts = new(report);

    /// <summary>The prefixes in force within the event.</summary>
    public JsonContext Context => _context;

    /// <returns><see langword="null"/> when the value is no event of the standard; findings say why.</returns>
    public EpcisEvent? Parse(JsonItem e)
    {
        if (!report.Is(e, JsonKind.Object))
        {
            return null;
        }
        if (e.Find("@context") is { } context)
        {
            _context.Read(context, report);
        }
        var type = report.String(report.Require(e, "type"));
        EpcisEvent? parsed = type switch
        {
            "ObjectEvent" => Object(e),
            "AggregationEvent" => Aggregation(e),
            "TransactionEvent" => Transaction(e),
            "TransformationEvent" => Transformation(e),
            "AssociationEvent" => Association(e),
            _ => null,
        };
        var known = parsed switch
        {
            ObjectEvent => s_objectMembers,
            TransactionEvent => s_transactionMembers,
            TransformationEvent => s_transformationMembers,
            AggregationEvent or AssociationEvent => s_parentedMembers,
            _ => null,
        };
        var common = ParseCommon(e);
        if (parsed is null)
        {
            Foreign(e.Find("type"));
            return null;
        }
        var action = parsed is TransformationEvent ? null : report.OneOf(report.Require(e, "action"), "OBSERVE", "ADD", "DELETE");
        CheckIlmd(e, parsed, action);
        var extensions = JsonExtensions.Of(report.Others(e, known!), report, _context);
        if (parsed is ObjectEvent o && extensions.FirstOrDefault(x => Carried.Is(x, Carried.QuantityEvent)) is { } mark)
        {
            parsed = o with { WasQuantityEvent = true };
            extensions = [.. extensions.Where(x => x != mark)];
        }
        var attributes = Carried.LiftAttributes(ref extensions, _context.InForce);
        return parsed with
        {
            Index = index,
            Place = report.Tree.PlaceOf(e),
            Places = new JsonPlaces(report.Tree),
            EventTime = common.Time,
            EventTimeText = common.TimeText,
            RecordTimeText = common.RecordTimeText,
            EventTimeZoneOffset = common.Offset,
            EventId = common.EventId,
            CertificationInfo = common.CertificationInfo,
            ErrorDeclaration = common.ErrorDeclaration,
            Action = action switch
            {
                "ADD" => EventAction.Add,
                "OBSERVE" => EventAction.Observe,
                "DELETE" => EventAction.Delete,
                _ => null,
            },
            BizStep = report.Word(e.Find("bizStep"), JsonVocabulary.BizSteps),
            Disposition = report.Word(e.Find("disposition"), JsonVocabulary.Dispositions),
            PersistentDisposition = PersistentDisposition(e, parsed),
            ReadPoint = _parts.Location(e.Find("readPoint"), _context),
            BizLocation = _parts.Location(e.Find("bizLocation"), _context),
            BizTransactions = _parts.BizTransactions(e.Find("bizTransactionList"), parsed is TransactionEvent ? 1 : 0),
            Sources = _parts.Sources(e.Find("sourceList")),
            Destinations = _parts.Destinations(e.Find("destinationList")),
            SensorElements = new JsonSensors(report, _context).Elements(e.Find("sensorElementList")),
            Extensions = extensions,
            Attributes = attributes,
        };
    }

    /// <summary>An event type outside the standard is legal when a URI names it; there is no record for it.</summary>
    private void Foreign(JsonItem? type)
    {
        if (type is not { Kind: JsonKind.String })
        {
            return;
        }
        if (JsonFormats.IsUri(type.Text))
        {
            report.Warning(JsonCodes.ExtendedEvent, type, "An event type outside the standard is kept only in the document itself.", type.Text);
        }
        else
        {
            report.Error(JsonCodes.Uri, type, "There is no such event type.", type.Text, "an event type of EPCIS 2.0, or prefix:name");
        }
    }

    /// <summary>What every event has, also one of a foreign type.</summary>
    private Common ParseCommon(JsonItem e)
    {
        var (timeText, time) = report.Time(report.Require(e, "eventTime"));
        var (recordTimeText, _) = report.Time(e.Find("recordTime"));
        var offset = report.Matching(report.Require(e, "eventTimeZoneOffset"), JsonFormats.IsOffset, "+hh:mm or -hh:mm, at most 14:00");
        var eventId = report.Uri(e.Find("eventID"));
        var certifications = e.Find("certificationInfo") switch
        {
            null => [],
            { Kind: JsonKind.Array } list => report.Uris(list),
            var one => report.Uri(one) is { } uri ? [uri] : [],
        };
        var declaration = _parts.ErrorDeclaration(e.Find("errorDeclaration"), _context);
        return new Common(time, timeText ?? "", recordTimeText, offset ?? "", eventId, certifications, declaration);
    }

    private ObjectEvent Object(JsonItem e)
    {
        var parsed = new ObjectEvent
        {
            EpcList = report.Uris(e.Find("epcList"), unique: true),
            QuantityList = _parts.Quantities(e.Find("quantityList")),
            Ilmd = Ilmd(e),
        };
        var sensorsAlone = Filled(e, "sensorElementList") && e.Find("readPoint") is not null;
        Demand(e, e.Find("epcList") is not null || Filled(e, "quantityList") || sensorsAlone, "epcList, or a filled quantityList, or sensorElementList with readPoint");
        return parsed;
    }

    private AggregationEvent Aggregation(JsonItem e)
    {
        DemandChildren(e);
        return new AggregationEvent
        {
            ParentId = report.Uri(e.Find("parentID")),
            ChildEpcs = report.Uris(e.Find("childEPCs")),
            ChildQuantityList = _parts.Quantities(e.Find("childQuantityList")),
        };
    }

    private AssociationEvent Association(JsonItem e)
    {
        DemandChildren(e);
        return new AssociationEvent
        {
            ParentId = report.Uri(report.Require(e, "parentID")),
            ChildEpcs = report.Uris(e.Find("childEPCs")),
            ChildQuantityList = _parts.Quantities(e.Find("childQuantityList")),
        };
    }

    private TransactionEvent Transaction(JsonItem e)
    {
        report.Require(e, "bizTransactionList");
        Demand(e, e.Find("epcList") is not null || Filled(e, "quantityList") || MayLackObjects(e), "epcList or a filled quantityList, unless action is DELETE");
        return new TransactionEvent
        {
            ParentId = report.Uri(e.Find("parentID")),
            EpcList = report.Uris(e.Find("epcList")),
            QuantityList = _parts.Quantities(e.Find("quantityList")),
        };
    }

    private TransformationEvent Transformation(JsonItem e)
    {
        var input = Filled(e, "inputEPCList") || Filled(e, "inputQuantityList");
        var output = Filled(e, "outputEPCList") || Filled(e, "outputQuantityList");
        var linked = e.Find("transformationID") is not null && (input || output);
        Demand(e, (input && output) || linked, "inputs and outputs, or a transformationID with either");
        return new TransformationEvent
        {
            InputEpcList = report.Uris(e.Find("inputEPCList"), unique: true),
            InputQuantityList = _parts.Quantities(e.Find("inputQuantityList")),
            OutputEpcList = report.Uris(e.Find("outputEPCList"), unique: true),
            OutputQuantityList = _parts.Quantities(e.Find("outputQuantityList")),
            TransformationId = report.Uri(e.Find("transformationID")),
            Ilmd = Ilmd(e),
        };
    }

    private void DemandChildren(JsonItem e) =>
        Demand(e, Filled(e, "childEPCs") || Filled(e, "childQuantityList") || MayLackObjects(e), "childEPCs or childQuantityList, unless action is DELETE");

    // A missing action is told once, as missing.
    private static bool MayLackObjects(JsonItem e) => e.Find("action") is null or { Text: "DELETE" };

    private static bool Filled(JsonItem e, string list) => e.Find(list) is { Kind: JsonKind.Array, Count: > 0 };

    private void Demand(JsonItem e, bool holds, string want)
    {
        if (!holds)
        {
            report.Error(JsonCodes.Combination, e, $"The event names no objects: it needs {want}.", want: want);
        }
    }

    private IReadOnlyList<Extension> Ilmd(JsonItem e) =>
        e.Find("ilmd") is { } ilmd && report.Is(ilmd, JsonKind.Object)
            ? JsonExtensions.Of(report.Others(ilmd, FrozenSet<string>.Empty), report, _context)
            : [];

    private void CheckIlmd(JsonItem e, EpcisEvent parsed, string? action)
    {
        if (parsed is ObjectEvent && action is not (null or "ADD") && e.Find("ilmd") is { } ilmd)
        {
            report.Error(JsonCodes.Combination, ilmd, "ilmd describes new objects: it needs the action ADD.", action, "ADD");
        }
    }

    /// <summary>
    /// The schema checks the value in two event types and lets any value pass in the other three, where the prose knows
    /// no such field: there everything is said as a warning.
    /// </summary>
    private PersistentDisposition? PersistentDisposition(JsonItem e, EpcisEvent parsed)
    {
        if (e.Find("persistentDisposition") is not { } item)
        {
            return null;
        }
        if (parsed is not (ObjectEvent or TransformationEvent))
        {
            report.Warning(JsonCodes.PersistentDispositionHere, item, $"persistentDisposition is not defined for {parsed.EventType}.");
            report.Severity = Severity.Warning;
        }
        var disposition = _parts.PersistentDisposition(item);
        report.Severity = Severity.Error;
        return disposition;
    }

    private readonly record struct Common(
        DateTimeOffset? Time, string TimeText, string? RecordTimeText, string Offset, string? EventId,
        IReadOnlyList<string> CertificationInfo, ErrorDeclaration? ErrorDeclaration);

    private static FrozenSet<string> Members(string own) => (CommonMembers + own).Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
