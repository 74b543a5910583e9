namespace Epcis.Events;

/// <summary>EPCIS 2.0, Action: what happened to the association between the objects and the event.</summary>
public enum EventAction
{
    Add,
    Observe,
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

    public string? EventId { get; init; }
    public ErrorDeclaration? ErrorDeclaration { get; init; }
    public IReadOnlyList<string> CertificationInfo { get; init; } = [];

    /// <summary><see langword="null"/> only for transformations, which have no action.</summary>
    public EventAction? Action { get; init; }

    public string? BizStep { get; init; }
    public string? Disposition { get; init; }
    public PersistentDisposition? PersistentDisposition { get; init; }
    public Location? ReadPoint { get; init; }
    public Location? BizLocation { get; init; }
    public IReadOnlyList<BizTransaction> BizTransactions { get; init; } = [];
    public IReadOnlyList<SourceOrDestination> Sources { get; init; } = [];
    public IReadOnlyList<SourceOrDestination> Destinations { get; init; } = [];
    public IReadOnlyList<SensorElement> SensorElements { get; init; } = [];

    /// <summary>Members outside the standard, in document order, with their namespaces.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

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

public sealed record ObjectEvent : EpcisEvent
{
    public override string EventType => "ObjectEvent";
    public IReadOnlyList<string> EpcList { get; init; } = [];
    public IReadOnlyList<QuantityElement> QuantityList { get; init; } = [];
    public IReadOnlyList<Extension> Ilmd { get; init; } = [];

    /// <summary>True when a 1.x QuantityEvent said it (1.2, 7.4.4: equivalent to an observation); the way back is not unique.</summary>
    public bool WasQuantityEvent { get; init; }

    public override IEnumerable<(EpcRole, string)> Epcs => EpcList.Select(e => (EpcRole.Epc, e));
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => QuantityList.Select(q => (EpcRole.Epc, q));
}

public sealed record AggregationEvent : EpcisEvent
{
    public override string EventType => "AggregationEvent";
    public string? ParentId { get; init; }
    public IReadOnlyList<string> ChildEpcs { get; init; } = [];
    public IReadOnlyList<QuantityElement> ChildQuantityList { get; init; } = [];

    public override IEnumerable<(EpcRole, string)> Epcs => ParentAndChildren(ParentId, ChildEpcs);
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

public sealed record TransactionEvent : EpcisEvent
{
    public override string EventType => "TransactionEvent";
    public string? ParentId { get; init; }
    public IReadOnlyList<string> EpcList { get; init; } = [];
    public IReadOnlyList<QuantityElement> QuantityList { get; init; } = [];

    public override IEnumerable<(EpcRole, string)> Epcs =>
        ParentId is null ? EpcList.Select(e => (EpcRole.Epc, e)) : EpcList.Select(e => (EpcRole.Epc, e)).Prepend((EpcRole.Parent, ParentId));

    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => QuantityList.Select(q => (EpcRole.Epc, q));
}

public sealed record TransformationEvent : EpcisEvent
{
    public override string EventType => "TransformationEvent";
    public IReadOnlyList<string> InputEpcList { get; init; } = [];
    public IReadOnlyList<QuantityElement> InputQuantityList { get; init; } = [];
    public IReadOnlyList<string> OutputEpcList { get; init; } = [];
    public IReadOnlyList<QuantityElement> OutputQuantityList { get; init; } = [];
    public string? TransformationId { get; init; }
    public IReadOnlyList<Extension> Ilmd { get; init; } = [];

    public override IEnumerable<(EpcRole, string)> Epcs =>
        InputEpcList.Select(e => (EpcRole.Input, e)).Concat(OutputEpcList.Select(e => (EpcRole.Output, e)));

    public override IEnumerable<(EpcRole, QuantityElement)> Quantities =>
        InputQuantityList.Select(q => (EpcRole.Input, q)).Concat(OutputQuantityList.Select(q => (EpcRole.Output, q)));
}

/// <summary>EPCIS 2.0 only.</summary>
public sealed record AssociationEvent : EpcisEvent
{
    public override string EventType => "AssociationEvent";
    public string? ParentId { get; init; }
    public IReadOnlyList<string> ChildEpcs { get; init; } = [];
    public IReadOnlyList<QuantityElement> ChildQuantityList { get; init; } = [];

    public override IEnumerable<(EpcRole, string)> Epcs => AggregationEvent.ParentAndChildren(ParentId, ChildEpcs);
    public override IEnumerable<(EpcRole, QuantityElement)> Quantities => ChildQuantityList.Select(q => (EpcRole.Child, q));
}
