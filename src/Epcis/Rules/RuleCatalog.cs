using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Every rule of the standards that looks at one event, in the order of the manual.</summary>
public static class RuleCatalog
{
    /// <summary>The rules with what they say about themselves.</summary>
    public static IReadOnlyList<EventRule> Described { get; } =
    [
        new EventTimeNeedsZone(),
        new OffsetHasForm(),
        new ObjectEventNeedsObjects(),
        new IlmdOnlyWhenAdding(),
        new AggregationNeedsParent(),
        new AggregationNeedsChildren(),
        new AssociationNeedsParent(),
        new AssociationNeedsChildren(),
        new TransactionNeedsBizTransaction(),
        new TransactionNeedsObjects(),
        new TransformationNeedsInputsAndOutputs(),
        new QuantityIsPositive(),
        new QuantityWithoutUnitIsWhole(),
        new UnitNeedsQuantity(),
        new UnitHasForm(),
        new DeclarationNeedsTime(),
        new PersistentDispositionHasPlace(),
        new PersistentDispositionSaysSomething(),
        new ListedObjectsAreDistinct(),
        new IdentifiersAreWellFormed(),
        new IdentifiersAreNotOfTags(),
        new LinksOfOtherHostsAreWellFormed(),
        new TermsAreListed(),
        new TermsAreCurrent(),
        new DidNotOccurHasNoCorrection(),
        new BizStepIsSaid(),
    ];

    public static IReadOnlyList<IEventRule> All => Described;

    /// <summary>Applies every rule to one event.</summary>
    public static void Check(EpcisEvent e, Findings findings)
    {
        foreach (var rule in Described)
        {
            rule.Check(e, findings);
        }
    }
}
