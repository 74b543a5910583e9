using Epcis.Events;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>Sound events, of which a test spoils one part.</summary>
internal static class An
{
    public const string Item = "urn:epc:id:sgtin:0614141.812345.6789";
    public const string Pallet = "urn:epc:id:sscc:0614141.0123456789";
    public const string Lot = "urn:epc:class:lgtin:0614141.812345.998877";

    public static ObjectEvent Observation { get; } = Timed(new ObjectEvent { Action = EventAction.Observe, EpcList = [Item] });

    public static AggregationEvent Aggregation { get; } =
        Timed(new AggregationEvent { Action = EventAction.Add, ParentId = Pallet, ChildEpcs = [Item] });

    public static AssociationEvent Association { get; } =
        Timed(new AssociationEvent { Action = EventAction.Add, ParentId = Pallet, ChildEpcs = [Item] });

    public static TransactionEvent Transaction { get; } = Timed(new TransactionEvent
    {
        Action = EventAction.Add,
        EpcList = [Item],
        BizTransactions = [new BizTransaction("po", "urn:epcglobal:cbv:bt:0614141000005:PO-1")],
    });

    public static TransformationEvent Transformation { get; } =
        Timed(new TransformationEvent { InputEpcList = [Item], OutputQuantityList = [new QuantityElement(Lot, 10, "10", "KGM")] });

    public static IEnumerable<EpcisEvent> Sound => [Observation, Aggregation, Association, Transaction, Transformation];

    private static T Timed<T>(T e) where T : EpcisEvent => e with
    {
        EventTime = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        EventTimeText = "2026-03-01T12:00:00.000Z",
        EventTimeZoneOffset = "+01:00",
        BizStep = "other",
        Disposition = "urn:epcglobal:cbv:disp:in_transit",
        ReadPoint = new Location("urn:epc:id:sgln:0614141.12345.0"),
    };

    /// <summary>The codes that the whole catalogue finds.</summary>
    public static IEnumerable<string> CodesOf(EpcisEvent e) => FindingsOf(e).All.Select(f => f.Code);

    public static Findings FindingsOf(EpcisEvent e)
    {
        var findings = new Findings();
        RuleSet.Default.Check(e, findings);
        return findings;
    }
}
