using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A parent counts: the schemas take an empty epcList, with which events about a whole pallet are written.</summary>
internal sealed class TransactionNeedsObjects() : EventRule(
    "EPCIS-TXN-02", "EPCIS, TransactionEvent",
    "A transaction event names objects unless it deletes.",
    "Name the objects in epcList or quantityList.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is TransactionEvent { ParentId: null or "", EpcList.Count: 0, QuantityList.Count: 0, Action: not EventAction.Delete })
        {
            findings.Add(e, "", "The event has neither epcList nor quantityList nor parentID.", want: "epcList or quantityList");
        }
    }
}
