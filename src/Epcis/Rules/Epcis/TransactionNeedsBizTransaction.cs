using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TransactionNeedsBizTransaction() : EventRule(
    "EPCIS-TXN-01", "EPCIS, TransactionEvent",
    "A transaction event names at least one business transaction.",
    "Name the order, invoice or despatch advice in bizTransactionList, or write an ObjectEvent.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is TransactionEvent { BizTransactions.Count: 0 })
        {
            findings.Add(e, "bizTransactionList", "The event names no business transaction.", want: "bizTransactionList");
        }
    }
}
