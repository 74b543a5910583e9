using Epcis.Events;

namespace Gateway.Delivery;

/// <summary>A document whose events have just been stored, in the transaction that stores them.</summary>
/// <param name="PartyId">Who sent it.</param>
/// <param name="FirstEventId">With <paramref name="LastEventId"/>, the range its events lie in.</param>
/// <param name="Period">The year whose partitions hold them.</param>
/// <param name="HasRepeats">It told of events that are stored already, under an earlier capture.</param>
/// <param name="Shipments">Its shipping events, in document order.</param>
public sealed record CapturedDocument(
    long CaptureId, long DocumentId, int PartyId, long FirstEventId, long LastEventId, short Period, bool HasRepeats, DocumentHeader Header, IReadOnlyList<ShippingEvent> Shipments)
{
    /// <summary>Its events that take shipments back, in document order.</summary>
    public IReadOnlyList<ShippingEvent> Voids { get; init; } = [];

    /// <summary>Its events that tell somebody, as their destination, that things were destroyed or are recalled.</summary>
    public IReadOnlyList<ShippingEvent> Evidence { get; init; } = [];

    /// <summary>The numbers of its events by which somebody says what of shipments he has received, or that one told to him was not so.</summary>
    public IReadOnlyList<long> Receipts { get; init; } = [];

    /// <summary>The numbers of its events that may say what has become of packs: ended, held, released, shipped, stolen or recalled.</summary>
    public IReadOnlyList<long> States { get; init; } = [];

    /// <summary>The trace it is stored in, which its deliveries continue.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>An event with the business step shipping: what routing asks of it.</summary>
/// <param name="Epcs">Its EPCs as written (epcList, or the parent), at most <see cref="MaxEpcs"/>.</param>
/// <param name="Sources">Source types as bare CBV words with their 13-digit GLNs; a source without a GLN is left out.</param>
/// <param name="Destinations">The same for destinations.</param>
public sealed record ShippingEvent(
    long EventId, IReadOnlyList<string> Epcs, IReadOnlyList<(string Type, string Gln)> Sources, IReadOnlyList<(string Type, string Gln)> Destinations,
    IReadOnlyList<BizTransaction> BizTransactions)
{
    public const int MaxEpcs = 1000;

    /// <summary>Its eventID, if it has one.</summary>
    public string? EventUri { get; init; }

    /// <summary>It declares the shipment of this eventID to be in error.</summary>
    public bool IsDeclaration { get; init; }
}
