using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ShipmentHasOrderAndDespatchAdvice() : EventRule(
    "DSCSA-SHIP-01", "GS1 US DSCSA guideline, shipping",
    "A shipment names its purchase order and its despatch advice or invoice.",
    "Add both to bizTransactionList with the types po and desadv.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!Dscsa.IsShipping(e))
        {
            return;
        }
        var types = e.BizTransactions.Select(t => t.Type is null ? null : CbvTerms.BareOrNull(CbvVocabulary.BizTransactionType, t.Type)).ToList();
        if (!types.Contains("po"))
        {
            findings.Add(e, "bizTransactionList", "The shipment names no purchase order.", want: "a bizTransaction of type po");
        }
        if (!types.Contains("desadv") && !types.Contains("inv"))
        {
            findings.Add(e, "bizTransactionList", "The shipment names neither despatch advice nor invoice.", want: "a bizTransaction of type desadv");
        }
    }
}
