using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TransactionNeedsBizTransaction() : EventRule(
    "EPCIS-TXN-01", Severity.Error, "EPCIS, TransactionEvent", "A transaction event names at least one business transaction.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is TransactionEvent { BizTransactions.Count: 0 })
        {
            Report(e, findings, "The event names no business transaction.", want: "bizTransactionList");
        }
    }
}
