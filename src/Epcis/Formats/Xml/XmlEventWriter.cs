using System.Globalization;
using System.Xml;
using Epcis.Cbv;
using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Formats.Xml;

/// <summary>
/// Writes events, read from whichever form, as EPCIS XML 2.0 or 1.2, in the order of the schemas. What 1.2 does not know is
/// left out with an error finding, or on request carried in an extension (<see cref="Carried"/>) with a warning; what
/// cannot be said at all is an error finding. Nothing is left out silently.
/// </summary>
internal sealed class XmlEventWriter
{
    private const string NotIn12 = "EPCIS-OUT-01";
    private const string NotWritable = "EPCIS-OUT-02";
    private const string NoNamespace = "EPCIS-OUT-04";
    private const string BecameObjectEvent = "EPCIS-OUT-06";

    private readonly bool _is12;
    private readonly bool _carries;
    private readonly XmlElements _xml;
    private readonly XmlSpelling _spelling;
    private readonly XmlEventPartWriter _parts;

    /// <param name="xml">Stands inside an EventList.</param>
    /// <param name="findings">What a form cannot say as it was said.</param>
    /// <param name="carry">Carry what 1.2 does not know in extensions, which its receivers may pass over.</param>
    public XmlEventWriter(XmlWriter xml, DocumentForm form, Findings findings, CbvSpelling cbv = CbvSpelling.Kept, bool carry = false)
    {
        _carries = carry;
        _is12 = form switch
        {
            DocumentForm.Xml12 => true,
            DocumentForm.Xml20 => false,
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "Only the XML forms are written as XML."),
        };
        _xml = new XmlElements(xml, findings);
        _spelling = new XmlSpelling(_xml, _is12, cbv);
        _parts = new XmlEventPartWriter(_xml, _spelling);
    }

    /// <param name="recordTime">When the repository captured the event; the event's own is never repeated.</param>
    /// <param name="namespaces">Prefixes of the event's document, because values such as <c>ex:step</c> may need them.</param>
    public void Write(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces = null) =>
        WriteWith(e, recordTime is { } recorded ? XmlBuffer.Instant(recorded) : null, namespaces);

    /// <summary>Writes with the literal recordTime, of which a conversion changes nothing.</summary>
    /// <param name="isBare">The event stands alone and not in a list.</param>
    internal void WriteWith(EpcisEvent e, string? recordTime, IReadOnlyDictionary<string, string>? namespaces, bool isBare = false)
    {
        _xml.Begin(e);
        _parts.Namespaces = namespaces ?? new Dictionary<string, string>();
        var asQuantityEvent = _is12 && IsQuantityEvent(e);
        if (!asQuantityEvent && e is ObjectEvent { WasQuantityEvent: true })
        {
            _xml.Tell(BecameObjectEvent, Severity.Info, "The QuantityEvent is written as the ObjectEvent that says the same (EPCIS 1.2, 7.4.4).");
        }
        var carried = _is12 && e is AssociationEvent;
        if (carried && !Carries("AssociationEvent"))
        {
            _xml.Finish();
            return;
        }
        // TransformationEvent came with 1.1, which wraps it.
        var isWrapped = _is12 && e is TransformationEvent && !isBare;
        _xml.TellTypes(XmlLosses.In(JsonEventWriter.ExtensionsOf(e)) ?? XmlLosses.In(e.SensorElements));
        _xml.CommentsBefore("Event");
        if (isWrapped)
        {
            _xml.Start("extension");
        }
        _xml.Start(asQuantityEvent ? "QuantityEvent" : e.EventType, carried);
        _xml.Declare(_parts.Namespaces);
        _xml.Attributes("");
        When(e, recordTime);
        What(e, asQuantityEvent);
        _xml.CarryAttributes();
        _xml.Comments();
        _xml.End();
        if (isWrapped)
        {
            _xml.End();
        }
        _xml.Finish();
    }

    private void When(EpcisEvent e, string? recordTime)
    {
        Instant("eventTime", e.EventTimeText);
        _xml.Leaf("eventTime", e.EventTimeText);
        if (recordTime is not null)
        {
            Instant("recordTime", recordTime);
            _xml.Leaf("recordTime", recordTime);
        }
        _xml.Leaf("eventTimeZoneOffset", e.EventTimeZoneOffset);
        if (e.ErrorDeclaration?.DeclarationTimeText is { Length: > 0 } declared)
        {
            Instant("declarationTime", declared);
        }
        if (!_is12 || e is AssociationEvent)
        {
            _xml.Leaf("eventID", e.EventId);
            _parts.Declaration(e.ErrorDeclaration);
            _xml.Leaf("certificationInfo", e.CertificationInfo.FirstOrDefault());
            return;
        }
        if (e.ErrorDeclaration is { DeclarationTimeText: null or "" })
        {
            _xml.Tell(NotWritable, Severity.Error, "EPCIS 1.2 needs the declarationTime of an error declaration, and there is none.");
        }
        if (!string.IsNullOrEmpty(e.EventId) || e.ErrorDeclaration is not null)
        {
            _xml.Start("baseExtension");
            _xml.Attributes("baseExtension");
            _xml.Leaf("eventID", e.EventId);
            _parts.Declaration(e.ErrorDeclaration);
            _xml.End();
        }
    }

    /// <summary>The schema of 1.2 accepts a time without zone; such a time says no instant, and nobody may guess its zone.</summary>
    private void Instant(string field, string text)
    {
        if (XmlInstant.Parse(text) is null)
        {
            _xml.Tell(NotWritable, Severity.Error, $"The {field} is no instant: it needs date, time and zone. It is written as it came, which the schema refuses.", text);
        }
    }

    /// <summary>Everything behind the times. Each type has its own order.</summary>
    private void What(EpcisEvent e, bool asQuantityEvent)
    {
        switch (e)
        {
            case ObjectEvent o when asQuantityEvent:
                _xml.Leaf("epcClass", _spelling.Identifier(o.QuantityList[0].EpcClass));
                _xml.Leaf("quantity", o.QuantityList[0].QuantityText);
                StepAndPlace(e, action: false);
                _parts.BizTransactions(e.BizTransactions);
                Tail(e, isWhole: false);
                break;
            case ObjectEvent o:
                _parts.Epcs("epcList", o.EpcList, evenEmpty: _is12);
                StepAndPlace(e);
                _parts.BizTransactions(e.BizTransactions);
                Since11(e, "quantityList", o.QuantityList, o.Ilmd);
                break;
            case AggregationEvent a:
                _xml.Leaf("parentID", _spelling.Identifier(a.ParentId));
                _parts.Epcs("childEPCs", a.ChildEpcs, evenEmpty: _is12);
                StepAndPlace(e);
                _parts.BizTransactions(e.BizTransactions);
                Since11(e, "childQuantityList", a.ChildQuantityList, []);
                break;
            case TransactionEvent t:
                _parts.BizTransactions(e.BizTransactions);
                _xml.Leaf("parentID", _spelling.Identifier(t.ParentId));
                _parts.Epcs("epcList", t.EpcList, evenEmpty: _is12);
                StepAndPlace(e);
                Since11(e, "quantityList", t.QuantityList, []);
                break;
            case TransformationEvent t:
                _parts.Epcs("inputEPCList", t.InputEpcList);
                _parts.Quantities("inputQuantityList", t.InputQuantityList);
                _parts.Epcs("outputEPCList", t.OutputEpcList);
                _parts.Quantities("outputQuantityList", t.OutputQuantityList);
                _xml.Leaf("transformationID", t.TransformationId);
                StepAndPlace(e);
                _parts.BizTransactions(e.BizTransactions);
                Direct(e, t.Ilmd);
                break;
            case AssociationEvent a:
                _xml.Leaf("parentID", _spelling.Identifier(a.ParentId));
                _parts.Epcs("childEPCs", a.ChildEpcs);
                _parts.Quantities("childQuantityList", a.ChildQuantityList);
                StepAndPlace(e);
                _parts.BizTransactions(e.BizTransactions);
                Direct(e, []);
                break;
            default:
                throw new InvalidOperationException($"{e.EventType} has no XML form.");
        }
    }

    private void StepAndPlace(EpcisEvent e, bool action = true)
    {
        _xml.Leaf("action", action && e is not TransformationEvent ? e.Action?.ToString().ToUpperInvariant() : null);
        _xml.Leaf("bizStep", _spelling.Term(CbvVocabulary.BizStep, e.BizStep));
        _xml.Leaf("disposition", _spelling.Term(CbvVocabulary.Disposition, e.Disposition));
        _parts.Location("readPoint", e.ReadPoint);
        _parts.Location("bizLocation", e.BizLocation);
    }

    /// <summary>What came with 1.1: in the event itself in 2.0, inside <c>extension</c> in 1.2.</summary>
    private void Since11(EpcisEvent e, string list, IReadOnlyList<QuantityElement> quantities, IReadOnlyList<Extension> ilmd)
    {
        if (!_is12)
        {
            _parts.Quantities(list, quantities);
            Direct(e, ilmd);
            return;
        }
        var (local, foreign) = _parts.Split(e.Extensions);
        if (quantities.Count + e.Sources.Count + e.Destinations.Count + ilmd.Count + local.Count > 0)
        {
            _xml.Start("extension");
            _xml.Attributes("extension");
            _parts.Quantities(list, quantities);
            _parts.SourcesAndDestinations(e);
            _parts.Ilmd(ilmd);
            Local(local, carried: false, isInner: true);
            _xml.End();
        }
        _xml.Extensions(foreign);
        CarryAll(e);
    }

    private void Direct(EpcisEvent e, IReadOnlyList<Extension> ilmd)
    {
        _parts.SourcesAndDestinations(e);
        // An AssociationEvent is itself beyond 1.2, so its parts need no other place there.
        var isWhole = !_is12 || e is AssociationEvent;
        if (isWhole)
        {
            _parts.Sensors(e.SensorElements);
            _parts.PersistentDisposition(e.PersistentDisposition);
        }
        _parts.Ilmd(ilmd);
        Tail(e, isWhole);
    }

    /// <summary>Extensions at the end of the event.</summary>
    /// <param name="isWhole">The event is written with all that 2.0 knows.</param>
    private void Tail(EpcisEvent e, bool isWhole)
    {
        var (local, foreign) = _parts.Split(e.Extensions);
        if (isWhole && local.Count > 0)
        {
            _xml.Tell(NoNamespace, Severity.Info, "EPCIS 2.0 has no place for elements without a namespace beside an event's own; they are carried in an extension.", local[0].Name);
        }
        Local(local, carried: isWhole);
        _xml.Extensions(foreign);
        if (isWhole)
        {
            foreach (var more in e.CertificationInfo.Skip(1))
            {
                _xml.Tell(NotIn12, Severity.Info, "EPCIS XML holds one certificationInfo; this one is carried in an extension.", more);
                _xml.Leaf("certificationInfo", more, carried: true);
            }
        }
        else
        {
            CarryAll(e);
        }
    }

    /// <param name="isInner">It stands in the <c>extension</c> of 1.2 itself.</param>
    private void Local(List<Extension> local, bool carried, bool isInner = false)
    {
        if (local.Count > 0)
        {
            _xml.Start(Carried.Local, carried);
            if (!carried)
            {
                _xml.Attributes(isInner ? "extension/extension" : "extension");
            }
            _xml.Extensions(local);
            _xml.End();
        }
    }

    private void CarryAll(EpcisEvent e)
    {
        if (e.CertificationInfo.Count > 0 && Carries("certificationInfo"))
        {
            foreach (var certification in e.CertificationInfo)
            {
                _xml.Leaf("certificationInfo", certification, carried: true);
            }
        }
        if (e.SensorElements.Count > 0 && Carries("sensorElementList"))
        {
            _parts.Sensors(e.SensorElements, carried: true);
        }
        if (e.PersistentDisposition is not null && Carries("persistentDisposition"))
        {
            _parts.PersistentDisposition(e.PersistentDisposition, carried: true);
        }
    }

    private bool Carries(string part)
    {
        _xml.Tell(NotIn12, _carries ? Severity.Warning : Severity.Error,
            $"EPCIS 1.2 has no {part}; it is {(_carries ? "carried in an extension, which receivers may pass over" : "left out")}.", part);
        return _carries;
    }

    /// <summary>Whether a QuantityEvent still says all that the event says.</summary>
    private static bool IsQuantityEvent(EpcisEvent e) =>
        e is ObjectEvent { WasQuantityEvent: true, EpcList: [], Ilmd: [], Sources: [], Destinations: [], QuantityList: [{ Uom: null } quantity] }
        && int.TryParse(quantity.QuantityText, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
