using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Builds one event of either version. The order of elements is the schema's business; here each is taken where it stands,
/// so an event that violates the schema is still built as far as it goes.
/// </summary>
internal sealed class XmlEventReader(XmlCursor xml)
{
    private readonly XmlPlaces.Recorder _places = new();
    private readonly List<Extension> _extensions = [];
    private readonly List<EventComment> _comments = [];
    private XmlEventPartReader? _partReader;
    private Fields _f = new();

    private XmlEventPartReader Parts => _partReader ??= new XmlEventPartReader(xml, _places);

    /// <summary>The eventID of the event being read, once it was seen.</summary>
    public string? EventId => _f.EventId;

    /// <summary>Call on the event's start tag; ends on its end tag.</summary>
    public EpcisEvent Read(int index)
    {
        var type = xml.Name;
        var place = xml.Place;
        _f = new Fields();
        Comments("Event");
        xml.KeepAttributes("");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var (local, name) = (xml.Name, xml.StandardName);
            _places.Field(name, xml.Place);
            if (!ReadCommon(name) && !ReadOwn(name) && !ReadCarried())
            {
                ReadExtension();
            }
            Comments(local);
        }
        Comments("");
        var e = Build(type, index, place);
        _f = new Fields();
        return e;
    }

    private bool ReadCommon(string name)
    {
        switch (name)
        {
            case "eventTime": _f.EventTime = xml.Value(); break;
            case "recordTime": _f.RecordTime = xml.Value(); break;
            case "eventTimeZoneOffset": _f.Offset = xml.Value(); break;
            case "eventID": _f.EventId = xml.Value(); break;
            case "errorDeclaration": _f.ErrorDeclaration = Parts.ErrorDeclaration(); break;
            case "action": _f.Action = Action(xml.Value()); break;
            case "bizStep": _f.BizStep = xml.Value(); break;
            case "disposition": _f.Disposition = xml.Value(); break;
            case "readPoint": _f.ReadPoint = Parts.Location(name); break;
            case "bizLocation": _f.BizLocation = Parts.Location(name); break;
            case "bizTransactionList": _f.BizTransactions = Parts.BizTransactions(); break;
            case "baseExtension": ReadBaseExtension(); break;
            default: return ReadSince11(name);
        }
        return true;
    }

    /// <summary>What 1.2 keeps inside <c>extension</c> and 2.0 directly in the event (EPCIS 1.2, 9.5).</summary>
    private bool ReadSince11(string name)
    {
        switch (name)
        {
            case "quantityList": _f.Quantities = Parts.Quantities(); break;
            case "childQuantityList": _f.ChildQuantities = Parts.Quantities(); break;
            case "sourceList": _f.Sources = Parts.SourcesOrDestinations("source"); break;
            case "destinationList": _f.Destinations = Parts.SourcesOrDestinations("destination"); break;
            case "ilmd": _f.Ilmd = Parts.Ilmd(); break;
            case "extension": ReadExtensionWrapper(innermost: false); break;
            default: return ReadSince20(name);
        }
        return true;
    }

    /// <summary>New in 2.0; 1.2 documents carry them back-ported in <c>extension/extension</c>.</summary>
    private bool ReadSince20(string name)
    {
        switch (name)
        {
            case "sensorElementList": _f.Sensors = Parts.SensorElements(_extensions); break;
            case "persistentDisposition": _f.PersistentDisposition = Parts.PersistentDisposition(); break;
            case "certificationInfo": (_f.CertificationInfo ??= []).Add(xml.Value()); break;
            default: return false;
        }
        return true;
    }

    /// <summary>What the writer carried because a form has no place for it.</summary>
    private bool ReadCarried()
    {
        if (xml.Namespace != Carried.Namespace)
        {
            return false;
        }
        switch (xml.Name)
        {
            case Carried.Local:
                XmlExtensionReader.ReadChildren(xml, Carried.Local, _extensions);
                return true;
            case Carried.Attributes:
                XmlExtensionReader.ReadCarried(xml);
                return true;
            case Carried.QuantityEvent:
                _f.WasQuantityEvent = true;
                xml.Skip();
                return true;
            default:
                return ReadSince20(xml.Name);
        }
    }

    private void Comments(string before)
    {
        foreach (var comment in xml.TakeComments())
        {
            _comments.Add(new EventComment(before, comment.Text, comment.Target));
        }
    }

    private bool ReadOwn(string name)
    {
        switch (name)
        {
            case "epcList": _f.Epcs = Parts.Values("epc"); break;
            case "parentID": _f.ParentId = xml.Value(); break;
            case "childEPCs": _f.ChildEpcs = Parts.Values("epc"); break;
            case "inputEPCList": _f.InputEpcs = Parts.Values("epc"); break;
            case "outputEPCList": _f.OutputEpcs = Parts.Values("epc"); break;
            case "inputQuantityList": _f.InputQuantities = Parts.Quantities(); break;
            case "outputQuantityList": _f.OutputQuantities = Parts.Quantities(); break;
            case "transformationID": _f.TransformationId = xml.Value(); break;
            case "epcClass": _f.EpcClass = xml.Value(); break;
            case "quantity": _f.Quantity = xml.Value(); break;
            default: return false;
        }
        return true;
    }

    private void ReadBaseExtension()
    {
        xml.KeepAttributes("baseExtension");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var (local, name) = (xml.Name, xml.StandardName);
            _places.Field(name, xml.Place);
            switch (name)
            {
                case "eventID": _f.EventId = xml.Value(); break;
                case "errorDeclaration": _f.ErrorDeclaration = Parts.ErrorDeclaration(); break;
                case "extension": XmlExtensionReader.ReadChildren(xml, "baseExtension/extension", _extensions); break;
                default: ReadExtension(); break;
            }
            Comments(local);
        }
    }

    /// <summary>
    /// <c>extension</c> and, one level down, <c>extension/extension</c>. A name that does not belong there is somebody's own,
    /// even when it sounds like a field: it must not overwrite the field.
    /// </summary>
    private void ReadExtensionWrapper(bool innermost)
    {
        xml.KeepAttributes(innermost ? "extension/extension" : "extension");
        for (var depth = xml.Enter(); xml.NextChild(depth);)
        {
            var (local, name) = (xml.Name, xml.StandardName);
            _places.Field(name, xml.Place);
            if (!innermost && name == "extension")
            {
                ReadExtensionWrapper(innermost: true);
            }
            else if (!(innermost ? ReadSince20(name) : ReadSince11(name)))
            {
                ReadExtension();
            }
            Comments(local);
        }
    }

    private void ReadExtension() => _extensions.Add(XmlExtensionReader.Read(xml));

    private EpcisEvent Build(string type, int index, Place place)
    {
        EpcisEvent e = type switch
        {
            "AggregationEvent" => new AggregationEvent { ParentId = _f.ParentId, ChildEpcs = _f.ChildEpcs ?? [], ChildQuantityList = _f.ChildQuantities ?? [] },
            "AssociationEvent" => new AssociationEvent { ParentId = _f.ParentId, ChildEpcs = _f.ChildEpcs ?? [], ChildQuantityList = _f.ChildQuantities ?? [] },
            "TransactionEvent" => new TransactionEvent { ParentId = _f.ParentId, EpcList = _f.Epcs ?? [], QuantityList = _f.Quantities ?? [] },
            "TransformationEvent" => new TransformationEvent
            {
                InputEpcList = _f.InputEpcs ?? [],
                InputQuantityList = _f.InputQuantities ?? [],
                OutputEpcList = _f.OutputEpcs ?? [],
                OutputQuantityList = _f.OutputQuantities ?? [],
                TransformationId = _f.TransformationId,
                Ilmd = _f.Ilmd ?? [],
            },
            // EPCIS 1.2, 7.4.4: equivalent to an ObjectEvent that observes one quantity.
            "QuantityEvent" => new ObjectEvent { WasQuantityEvent = true, QuantityList = [XmlEventPartReader.Quantity(_f.EpcClass ?? "", _f.Quantity, uom: null)] },
            _ => new ObjectEvent { WasQuantityEvent = _f.WasQuantityEvent, EpcList = _f.Epcs ?? [], QuantityList = _f.Quantities ?? [], Ilmd = _f.Ilmd ?? [] },
        };
        e = e with
        {
            Index = index,
            Place = place,
            Places = _places.Take(),
            EventTime = XmlInstant.Parse(_f.EventTime),
            EventTimeText = _f.EventTime,
            RecordTimeText = _f.RecordTime,
            EventTimeZoneOffset = _f.Offset,
            EventId = _f.EventId,
            ErrorDeclaration = _f.ErrorDeclaration,
            CertificationInfo = _f.CertificationInfo ?? [],
            Action = type == "QuantityEvent" ? EventAction.Observe : _f.Action,
            BizStep = _f.BizStep,
            Disposition = _f.Disposition,
            PersistentDisposition = _f.PersistentDisposition,
            ReadPoint = _f.ReadPoint,
            BizLocation = _f.BizLocation,
            BizTransactions = _f.BizTransactions ?? [],
            Sources = _f.Sources ?? [],
            Destinations = _f.Destinations ?? [],
            SensorElements = _f.Sensors ?? [],
            Extensions = _extensions.Count == 0 ? [] : [.. _extensions],
            Attributes = xml.TakeAttributes(),
            Comments = _comments.Count == 0 ? [] : [.. _comments],
        };
        _extensions.Clear();
        _comments.Clear();
        return e;
    }

    private static EventAction? Action(string text) => text switch
    {
        "ADD" => EventAction.Add,
        "OBSERVE" => EventAction.Observe,
        "DELETE" => EventAction.Delete,
        _ => null,
    };

    /// <summary>What was seen of the event so far; all types together, for a field may stand in a type that has none.</summary>
    private struct Fields()
    {
        public string EventTime = "";
        public string Offset = "";
        public string? RecordTime, EventId, BizStep, Disposition, ParentId, TransformationId, EpcClass, Quantity;
        public EventAction? Action;
        public bool WasQuantityEvent;
        public ErrorDeclaration? ErrorDeclaration;
        public PersistentDisposition? PersistentDisposition;
        public Location? ReadPoint, BizLocation;
        public List<string>? CertificationInfo, Epcs, ChildEpcs, InputEpcs, OutputEpcs;
        public List<QuantityElement>? Quantities, ChildQuantities, InputQuantities, OutputQuantities;
        public List<BizTransaction>? BizTransactions;
        public List<SourceOrDestination>? Sources, Destinations;
        public List<SensorElement>? Sensors;
        public List<Extension>? Ilmd;
    }
}
