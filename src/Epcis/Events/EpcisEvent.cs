namespace Epcis.Events;

/// <summary>EPCIS 2.0, Action: what happened to the association between the objects and the event.</summary>
public enum EventAction
{
    /// <summary>ADD: the association begins; objects are made or put in.</summary>
    Add,

    /// <summary>OBSERVE: the association is neither begun nor ended.</summary>
    Observe,

    /// <summary>DELETE: the association ends; objects are destroyed or taken out.</summary>
    Delete,
}

/// <summary>
/// One EPCIS event as its document said it. Values are kept in the document's own spelling (CBV URN, Web URI or bare
/// string; EPC URN or Digital Link): translation is a separate, explicit step.
/// </summary>
public abstract record EpcisEvent
{
    /// <summary>Zero-based place among the events of its document.</summary>
    public int Index { get; init; }

    /// <summary>Where the event starts in its document; findings of rules point there.</summary>
    public Place Place { get; init; }

    /// <summary>Where the event's fields stand; <see langword="null"/> for an event that no reader made.</summary>
    internal EventPlaces? Places { get; init; }

    /// <summary>The event's type as EPCIS names it, such as <c>ObjectEvent</c>.</summary>
    public abstract string EventType { get; }

    /// <summary>The instant; <see langword="null"/> when the text is no instant (then a finding says so).</summary>
    public DateTimeOffset? EventTime { get; init; }

    /// <summary>The literal text of eventTime: precision and original offset would be lost otherwise.</summary>
    public string EventTimeText { get; init; } = "";

    /// <summary>The document's own recordTime, ignored on capture.</summary>
    public string? RecordTimeText { get; init; }

    /// <summary><c>+hh:mm</c> or <c>-hh:mm</c>: the local offset at the event, independent of eventTime's.</summary>
    public string EventTimeZoneOffset { get; init; } = "";

    /// <summary>eventID: a URI that names the event, or none.</summary>
    public string? EventId { get; init; }

    /// <summary>Says that an earlier event with the same eventID is in error; <see langword="null"/> for an ordinary event.</summary>
    public ErrorDeclaration? ErrorDeclaration { get; init; }

    /// <summary>URIs of certificates (EPCIS 2.0, certificationInfo).</summary>
    public IReadOnlyList<string> CertificationInfo { get; init; } = [];

    /// <summary><see langword="null"/> only for transformations, which have no action.</summary>
    public EventAction? Action { get; init; }

    /// <summary>The step of the business process, in the document's spelling.</summary>
    public string? BizStep { get; init; }

    /// <summary>The condition of the objects afterwards, in the document's spelling.</summary>
    public string? Disposition { get; init; }

    /// <summary>Conditions that last beyond the next event (EPCIS 2.0).</summary>
    public PersistentDisposition? PersistentDisposition { get; init; }

    /// <summary>Where the event was seen.</summary>
    public Location? ReadPoint { get; init; }

    /// <summary>Where the objects are afterwards, until another event says otherwise.</summary>
    public Location? BizLocation { get; init; }

    /// <summary>bizTransactionList, in document order.</summary>
    public IReadOnlyList<BizTransaction> BizTransactions { get; init; } = [];

    /// <summary>sourceList, in document order.</summary>
    public IReadOnlyList<SourceOrDestination> Sources { get; init; } = [];

    /// <summary>destinationList, in document order.</summary>
    public IReadOnlyList<SourceOrDestination> Destinations { get; init; } = [];

    /// <summary>sensorElementList, in document order (EPCIS 2.0).</summary>
    public IReadOnlyList<SensorElement> SensorElements { get; init; } = [];

    /// <summary>Members outside the standard, in document order, with their namespaces.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

    /// <summary>Attributes of others on the event's own elements.</summary>
    public IReadOnlyList<ElementAttributes> Attributes { get; init; } = [];

    /// <summary>Comments of XML, which say nothing to a machine and something to whoever reads the document.</summary>
    public IReadOnlyList<EventComment> Comments { get; init; } = [];

    /// <summary>Where a field stands, or as near to it as is known.</summary>
    /// <param name="path">Such as <c>epcList/3</c> or <c>bizStep</c>; empty for the event itself.</param>
    public Place PlaceOf(string path) => path.Length == 0 ? Place : Places?.Find(path) ?? Place;

    /// <summary>Every EPC the event names, with its role, in document order.</summary>
    public abstract IEnumerable<(EpcRole Role, string Epc)> Epcs { get; }

    /// <summary>Every class-level quantity the event names, with its role.</summary>
    public abstract IEnumerable<(EpcRole Role, QuantityElement Quantity)> Quantities { get; }
}

/// <summary>The place of an EPC or quantity in its event; the numbers are stored and never change meaning.</summary>
public enum EpcRole : short
{
    /// <summary>epcList, quantityList</summary>
    Epc = 1,

    /// <summary>parentID</summary>
    Parent = 2,

    /// <summary>childEPCs, childQuantityList</summary>
    Child = 3,

    /// <summary>inputEPCList, inputQuantityList</summary>
    Input = 4,

    /// <summary>outputEPCList, outputQuantityList</summary>
    Output = 5,
}

/// <summary>Something happened to objects (EPCIS 2.0, ObjectEvent).</summary>
public sealed record ObjectEvent : EpcisEvent
{
    /// <inheritdoc/>
    public override string EventType => "ObjectEvent";

    /// <summary>epcList: objects named one by one.</summary>
    public IReadOnlyList<string> EpcList { get; init; } = [];

    /// <summary>quantityList: objects named by class.</summary>
    public IReadOnlyList<QuantityElement> QuantityList { get; init; } = [];

    /// <summary>Instance or lot master data, such as lot and expiry.</summary>
    public IReadOnlyList<Extension> Ilmd { get; init; } = [];

    /// <summary>True when a 1.x QuantityEvent said it (1.2, 7.4.4: equivalent to an observation); the way back is not unique.</summary>
    public bool WasQuantityEvent { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, string)> Epcs => EpcList.Select(e => (EpcRole.Epc, e));

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => QuantityList.Select(q => (EpcRole.Epc, q));
}

/// <summary>Objects were put into, seen in, or taken out of a parent (EPCIS 2.0, AggregationEvent).</summary>
public sealed record AggregationEvent : EpcisEvent
{
    /// <inheritdoc/>
    public override string EventType => "AggregationEvent";

    /// <summary>parentID; only observations may lack it.</summary>
    public string? ParentId { get; init; }

    /// <summary>childEPCs. Empty, with no quantities either, means all children of the parent when the action is delete.</summary>
    public IReadOnlyList<string> ChildEpcs { get; init; } = [];

    /// <summary>childQuantityList: children named by class.</summary>
    public IReadOnlyList<QuantityElement> ChildQuantityList { get; init; } = [];

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, string)> Epcs => ParentAndChildren(ParentId, ChildEpcs);

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => ChildQuantityList.Select(q => (EpcRole.Child, q));

    internal static IEnumerable<(EpcRole, string)> ParentAndChildren(string? parent, IReadOnlyList<string> children)
    {
        if (parent is not null)
        {
            yield return (EpcRole.Parent, parent);
        }
        foreach (var child in children)
        {
            yield return (EpcRole.Child, child);
        }
    }
}

/// <summary>Objects were tied to business transactions, or untied (EPCIS 2.0, TransactionEvent).</summary>
public sealed record TransactionEvent : EpcisEvent
{
    /// <inheritdoc/>
    public override string EventType => "TransactionEvent";

    /// <summary>parentID, optional: what holds the objects.</summary>
    public string? ParentId { get; init; }

    /// <summary>epcList: objects named one by one.</summary>
    public IReadOnlyList<string> EpcList { get; init; } = [];

    /// <summary>quantityList: objects named by class.</summary>
    public IReadOnlyList<QuantityElement> QuantityList { get; init; } = [];

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, string)> Epcs =>
        ParentId is null ? EpcList.Select(e => (EpcRole.Epc, e)) : EpcList.Select(e => (EpcRole.Epc, e)).Prepend((EpcRole.Parent, ParentId));

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => QuantityList.Select(q => (EpcRole.Epc, q));
}

/// <summary>Inputs were used up and outputs made (EPCIS 2.0, TransformationEvent).</summary>
public sealed record TransformationEvent : EpcisEvent
{
    /// <inheritdoc/>
    public override string EventType => "TransformationEvent";

    /// <summary>inputEPCList: what was used up, one by one.</summary>
    public IReadOnlyList<string> InputEpcList { get; init; } = [];

    /// <summary>inputQuantityList: what was used up, by class.</summary>
    public IReadOnlyList<QuantityElement> InputQuantityList { get; init; } = [];

    /// <summary>outputEPCList: what was made, one by one.</summary>
    public IReadOnlyList<string> OutputEpcList { get; init; } = [];

    /// <summary>outputQuantityList: what was made, by class.</summary>
    public IReadOnlyList<QuantityElement> OutputQuantityList { get; init; } = [];

    /// <summary>transformationID, which ties several events to one transformation.</summary>
    public string? TransformationId { get; init; }

    /// <summary>Instance or lot master data of the outputs, such as lot and expiry.</summary>
    public IReadOnlyList<Extension> Ilmd { get; init; } = [];

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, string)> Epcs =>
        InputEpcList.Select(e => (EpcRole.Input, e)).Concat(OutputEpcList.Select(e => (EpcRole.Output, e)));

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities =>
        InputQuantityList.Select(q => (EpcRole.Input, q)).Concat(OutputQuantityList.Select(q => (EpcRole.Output, q)));
}

/// <summary>EPCIS 2.0 only.</summary>
public sealed record AssociationEvent : EpcisEvent
{
    /// <inheritdoc/>
    public override string EventType => "AssociationEvent";

    /// <summary>parentID, which is an object or a place; only observations may lack it.</summary>
    public string? ParentId { get; init; }

    /// <summary>childEPCs: what is attached to the parent, one by one.</summary>
    public IReadOnlyList<string> ChildEpcs { get; init; } = [];

    /// <summary>childQuantityList: what is attached to the parent, by class.</summary>
    public IReadOnlyList<QuantityElement> ChildQuantityList { get; init; } = [];

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, string)> Epcs => AggregationEvent.ParentAndChildren(ParentId, ChildEpcs);

    /// <inheritdoc/>
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => ChildQuantityList.Select(q => (EpcRole.Child, q));
}
