using System.Buffers.Binary;
using System.Security.Cryptography;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Delivery;
using Gateway.Units;

namespace Gateway.Composing;

/// <summary>
/// Events as one partner may see them: of every list only what was shipped to it, and nothing besides that would tell of the rest. An event that is
/// told with less than was captured is another event, and has an eventID of its own, the same in each try.
/// </summary>
internal sealed class EventCut(ShippedUnits shipped, ClaimedComposition of)
{
    /// <summary>GS1 US Healthcare: the elements of the guideline for DSCSA.</summary>
    public const string Guideline = "http://epcis.gs1us.org/hc/ns";

    private readonly Dictionary<string, (int Count, List<string> Samples)> _leftOut = new(StringComparer.Ordinal);
    private readonly HashSet<long> _cut = [];

    /// <summary>Events that were cut.</summary>
    public int Count => _cut.Count;

    /// <summary>What was left out of the events, by reason.</summary>
    public IReadOnlyDictionary<string, (int Count, List<string> Samples)> LeftOut => _leftOut;

    /// <summary>An event of the history.</summary>
    /// <param name="counts">What is left out is counted: it is looked at for the first time.</param>
    public EpcisEvent OfHistory(EpcisEvent e, ShippedEvent mark, bool counts)
    {
        var (listed, kept) = e switch
        {
            ObjectEvent o => (o.EpcList, o.EpcList.Where(epc => shipped.IsMadeBy(epc, mark.EventId)).ToList()),
            AggregationEvent a => (a.ChildEpcs, a.ChildEpcs.Where(epc => shipped.IsPackedBy(epc, mark.EventId)).ToList()),
            _ => throw new InvalidOperationException($"{e.EventType} is no history of a shipment."),
        };
        var isCut = kept.Count < listed.Count;
        if (isCut && counts)
        {
            _cut.Add(mark.EventId);
            var isThere = kept.ToHashSet(StringComparer.Ordinal);
            Note(e is ObjectEvent ? "commissioned with it, and not shipped" : "packed with it, and not shipped in it", listed.Where(epc => !isThere.Contains(epc)));
        }
        var bare = Bare(e, isCut);
        return bare switch
        {
            ObjectEvent o => o with { EpcList = kept, QuantityList = isCut ? [] : o.QuantityList, Ilmd = kept.TrueForAll(IsLogisticUnit) ? [] : Told(o.Ilmd, isCut: false), EventId = IdOf(e, mark.EventId, isCut) },
            AggregationEvent a => a with { ChildEpcs = kept, ChildQuantityList = isCut ? [] : a.ChildQuantityList, EventId = IdOf(e, mark.EventId, isCut) },
            _ => bare,
        };
    }

    /// <summary>A shipping event: what it ships is afterwards nowhere (DSCSA.md section 3), so it has no bizLocation; what is destroyed was destroyed somewhere.</summary>
    public EpcisEvent OfShipment(EpcisEvent e, long number)
    {
        var isCut = e.Epcs.Any(x => !shipped.Holds(x.Epc));
        if (isCut)
        {
            _cut.Add(number);
        }
        List<string> Kept(IReadOnlyList<string> epcs) => isCut ? [.. epcs.Where(shipped.Holds)] : [.. epcs];
        var bare = Bare(e, isCut) with { BizLocation = of.Kind == "evidence" ? e.BizLocation : null, BizTransactions = e.BizTransactions, Sources = e.Sources, Destinations = e.Destinations };
        EpcisEvent own = bare switch
        {
            ObjectEvent o => o with { EpcList = Kept(o.EpcList), QuantityList = isCut ? [] : o.QuantityList, Ilmd = [] },
            AggregationEvent a => a with { ChildEpcs = Kept(a.ChildEpcs), ChildQuantityList = isCut ? [] : a.ChildQuantityList },
            TransactionEvent t => t with { EpcList = Kept(t.EpcList), QuantityList = isCut ? [] : t.QuantityList },
            _ => throw new InvalidOperationException($"A {e.EventType} ships nothing."),
        };
        return WithDropShipment(own with { EventId = IdOf(e, number, isCut) });
    }

    /// <summary>The eventID of an event in this document, or in another of that name.</summary>
    public static string IdOf(long number, Guid document)
    {
        Span<byte> named = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(named, number);
        document.TryWriteBytes(named[8..], bigEndian: true, out _);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(named, hash);
        // RFC 9562: version 8, made of what we like.
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return $"urn:uuid:{new Guid(hash[..16], bigEndian: true)}";
    }

    // A container is neither of a lot nor does it expire (DSCSA.md section 3).
    private static bool IsLogisticUnit(string epc) => UnitKey.Of(epc) is { } key && UnitKey.GtinOf(key).IsEmpty;

    private string? IdOf(EpcisEvent e, long number, bool isCut) => isCut ? IdOf(number, of.MessageId) : e.EventId;

    // Comments and whatever a line adds are its sender's own. A cut event keeps only what is known to say nothing of other units or orders.
    private EpcisEvent Bare(EpcisEvent e, bool isCut) => e with
    {
        Comments = [], Attributes = isCut ? [] : e.Attributes, Extensions = Told(e.Extensions, isCut), SensorElements = isCut ? [] : e.SensorElements,
        BizTransactions = isCut ? [] : e.BizTransactions, Sources = isCut ? [] : e.Sources, Destinations = isCut ? [] : e.Destinations,
    };

    private List<Extension> Told(IReadOnlyList<Extension> extensions, bool isCut)
    {
        var told = new List<Extension>();
        foreach (var x in extensions.Where(x => x.Namespace != EventFacts.LineNamespace && (!isCut || x.Namespace == Guideline)))
        {
            if (x.Namespace != Guideline || of.Regulation == "none" || IsOfRelease(x))
            {
                told.Add(x.Namespace == Guideline ? Cut(x) : x);
            }
            else
            {
                Note($"{x.Name} in the form of another release", [x.Name]);
            }
        }
        return told;
    }

    /// <summary>dropShipment came with R1.3; a statement on the purchase is a boolean in R1.2, and has a qualifier in R1.3. Neither follows from the other.</summary>
    private bool IsOfRelease(Extension x) => (of.Release, x.Name) switch
    {
        ("R1.2", "dropShipment" or "transactionDate") => false,
        (_, "directPurchase" or "receivedDirectPurchaseFromPrevWhlsDist") => x.Attributes.Any(a => a.Name == "qualifier") || x.Children.Any(c => c.Name == "qualifier") ? of.Release == "R1.3" : of.Release == "R1.2",
        _ => true,
    };

    // indirectPurchaseEPCs names units.
    private Extension Cut(Extension x) => x.Children.Count == 0 ? x : x with
    {
        Json = null,
        Children = [.. x.Children.Where(c => c.Name != "epc" || shipped.Holds((c.Text ?? c.Json?.Trim('"') ?? "").Trim())).Select(Cut)],
    };

    /// <summary>Goods that go to their new owner himself are no drop shipment, also where nobody said so.</summary>
    private EpcisEvent WithDropShipment(EpcisEvent e)
    {
        var goesToOwner = ShipmentEnds.GlnOf(e.Destinations, "owning_party") is { } owner && ShipmentEnds.GlnOf(e.Destinations, "location") is { } place && of.Glns.Contains(owner) && of.Glns.Contains(place);
        return of.Regulation != "us-dscsa" || of.Release != "R1.3" || !goesToOwner || e.BizStep is null || CbvTerms.ToBare(CbvVocabulary.BizStep, e.BizStep) != "shipping" || e.Extensions.Any(x => x is { Namespace: Guideline, Name: "dropShipment" })
            ? e
            : e with { Extensions = [.. e.Extensions, new Extension(Guideline, "gs1ushc", "dropShipment") { Text = "false" }] };
    }

    private void Note(string reason, IEnumerable<string> what)
    {
        var (count, samples) = _leftOut.TryGetValue(reason, out var known) ? known : (0, []);
        foreach (var one in what)
        {
            count++;
            if (samples.Count < ShippedUnits.MaxSamples)
            {
                samples.Add(one);
            }
        }
        _leftOut[reason] = (count, samples);
    }
}
