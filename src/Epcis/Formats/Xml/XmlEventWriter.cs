using System.Globalization;
using System.Xml;
using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Formats.Xml;

/// <summary>
/// Writes events, read from whichever form, as EPCIS XML 2.0 or 1.2, in the order of the schemas. What 1.2 does not know is
/// carried where its schema lets later editions extend it, and a finding names it; what cannot be said at all is an error
/// finding. Nothing is left out silently.
/// </summary>
public sealed class XmlEventWriter
{
    private const string Carried = "EPCIS-OUT-01";
    private const string NotWritable = "EPCIS-OUT-02";
    private const string OutsideSchema = "EPCIS-OUT-04";
    private const string BecameObjectEvent = "EPCIS-OUT-06";

    private readonly bool _is12;
    private readonly XmlElements _xml;
    private readonly XmlSpelling _spelling;
    private readonly XmlEventPartWriter _parts;

    /// <param name="xml">Stands inside an EventList.</param>
    /// <param name="findings">What a form cannot say as it was said.</param>
    public XmlEventWriter(XmlWriter xml, DocumentForm form, Findings findings, CbvSpelling cbv = CbvSpelling.Kept)
    {
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
    public void Write(EpcisEvent e, DateTimeOffset? recordTime, IReadOnlyDictionary<string, string>? namespaces = null)
    {
        _xml.Event = e;
        _parts.Namespaces = namespaces ?? new Dictionary<string, string>();
        var asQuantityEvent = _is12 && IsQuantityEvent(e);
        if (!asQuantityEvent && e is ObjectEvent { WasQuantityEvent: true })
        {
            _xml.Tell(BecameObjectEvent, Severity.Info, "The QuantityEvent is written as the ObjectEvent that says the same (EPCIS 1.2, 7.4.4).");
        }
        // Each is wrapped: TransformationEvent came with 1.1, and AssociationEvent after 1.2, whose schema reserves the inner place.
        var wrappers = _is12 ? e switch { TransformationEvent => 1, AssociationEvent => 2, _ => 0 } : 0;
        for (var i = 0; i < wrappers; i++)
        {
            _xml.Start("extension");
        }
        if (wrappers == 2)
        {
            _xml.Tell(Carried, Severity.Warning, "EPCIS 1.2 has no AssociationEvent; it is carried in extension/extension, which receivers may pass over.");
        }
        _xml.Start(asQuantityEvent ? "QuantityEvent" : e.EventType);
        _xml.Declare(_parts.Namespaces);
        When(e, recordTime);
        What(e, asQuantityEvent);
        for (var i = 0; i <= wrappers; i++)
        {
            _xml.End();
        }
        _xml.Event = null;
    }

    private void When(EpcisEvent e, DateTimeOffset? recordTime)
    {
        if (e.EventTime is null)
        {
            _xml.Tell(NotWritable, Severity.Error, "The eventTime is no instant; it is written as it came, which the schema refuses.", e.EventTimeText);
        }
        _xml.Leaf("eventTime", e.EventTimeText);
        _xml.Leaf("recordTime", recordTime is { } recorded ? XmlBuffer.Instant(recorded) : null);
        _xml.Leaf("eventTimeZoneOffset", e.EventTimeZoneOffset);
        if (!_is12 || e is AssociationEvent)
        {
            _xml.Leaf("eventID", e.EventId);
            _parts.Declaration(e.ErrorDeclaration);
            Certification(e);
            return;
        }
        if (e.ErrorDeclaration is { DeclarationTimeText: null or "" })
        {
            _xml.Tell(NotWritable, Severity.Error, "EPCIS 1.2 needs the declarationTime of an error declaration, and there is none.");
        }
        if (!string.IsNullOrEmpty(e.EventId) || e.ErrorDeclaration is not null)
        {
            _xml.Start("baseExtension");
            _xml.Leaf("eventID", e.EventId);
            _parts.Declaration(e.ErrorDeclaration);
            _xml.End();
        }
    }

    private void Certification(EpcisEvent e)
    {
        _xml.Leaf("certificationInfo", e.CertificationInfo.FirstOrDefault());
        foreach (var more in e.CertificationInfo.Skip(1))
        {
            _xml.Tell(NotWritable, Severity.Error, "EPCIS XML holds one certificationInfo; this one is left out.", more);
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
                Tail(e, youngerThanWrapped: true);
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
        if (quantities.Count + e.Sources.Count + e.Destinations.Count + ilmd.Count + local.Count > 0 || HasPartsOf20(e))
        {
            _xml.Start("extension");
            _parts.Quantities(list, quantities);
            _parts.SourcesAndDestinations(e);
            _parts.Ilmd(ilmd);
            Reserved(e, local);
            _xml.End();
        }
        _xml.Extensions(foreign);
    }

    private void Direct(EpcisEvent e, IReadOnlyList<Extension> ilmd)
    {
        _parts.SourcesAndDestinations(e);
        // An AssociationEvent is itself beyond 1.2, so its parts need no other place there.
        var whole = !_is12 || e is AssociationEvent;
        if (whole)
        {
            _parts.Sensors(e.SensorElements);
            _parts.PersistentDisposition(e.PersistentDisposition);
        }
        _parts.Ilmd(ilmd);
        Tail(e, youngerThanWrapped: !whole);
    }

    /// <summary>Extensions at the end of the event.</summary>
    /// <param name="youngerThanWrapped">A 1.2 type whose <c>extension</c> is itself the reserved place.</param>
    private void Tail(EpcisEvent e, bool youngerThanWrapped)
    {
        var (local, foreign) = _parts.Split(e.Extensions);
        if (youngerThanWrapped)
        {
            Reserved(e, local);
        }
        else if (local.Count > 0)
        {
            if (!_is12)
            {
                _xml.Tell(OutsideSchema, Severity.Warning, "EPCIS 2.0 XML has no place for elements without a namespace; they are kept in extension, which the schema refuses.", local[0].Name);
            }
            _xml.Start("extension");
            _xml.Extensions(local);
            _xml.End();
        }
        _xml.Extensions(foreign);
    }

    /// <summary>The place that 1.2 reserves for later editions; parts of 2.0 go back and forth through it unharmed.</summary>
    private void Reserved(EpcisEvent e, List<Extension> local)
    {
        if (local.Count == 0 && !HasPartsOf20(e))
        {
            return;
        }
        _xml.Start("extension");
        Carry("certificationInfo", e.CertificationInfo.Count > 0, () =>
        {
            foreach (var certification in e.CertificationInfo)
            {
                _xml.Leaf("certificationInfo", certification);
            }
        });
        Carry("sensorElementList", e.SensorElements.Count > 0, () => _parts.Sensors(e.SensorElements));
        Carry("persistentDisposition", e.PersistentDisposition is not null, () => _parts.PersistentDisposition(e.PersistentDisposition));
        _xml.Extensions(local);
        _xml.End();
    }

    private void Carry(string part, bool isThere, Action write)
    {
        if (isThere)
        {
            _xml.Tell(Carried, Severity.Warning, $"EPCIS 1.2 has no {part}; it is carried in extension, which receivers may pass over.", part);
            write();
        }
    }

    private static bool HasPartsOf20(EpcisEvent e) =>
        e.SensorElements.Count > 0 || e.PersistentDisposition is not null || e.CertificationInfo.Count > 0;

    /// <summary>Whether a QuantityEvent still says all that the event says.</summary>
    private static bool IsQuantityEvent(EpcisEvent e) =>
        e is ObjectEvent { WasQuantityEvent: true, EpcList: [], Ilmd: [], Sources: [], Destinations: [], QuantityList: [{ Uom: null } quantity] }
        && int.TryParse(quantity.QuantityText, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
}
