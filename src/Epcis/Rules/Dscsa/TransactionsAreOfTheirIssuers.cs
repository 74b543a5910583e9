using Epcis.Cbv;
using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Rules;

internal sealed class TransactionsAreOfTheirIssuers() : EventRule(
    "DSCSA-SHIP-03", "GS1 US DSCSA guideline, business transactions",
    "The purchase order carries the GLN of the buyer, the despatch advice that of the place of dispatch.",
    "Write the buyer’s GLN before the number of the order, the ship-from GLN before that of the despatch advice.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (!Dscsa.IsShipping(e))
        {
            return;
        }
        for (var i = 0; i < e.BizTransactions.Count; i++)
        {
            var transaction = e.BizTransactions[i];
            var type = transaction.Type is null ? null : CbvTerms.BareOrNull(CbvVocabulary.BizTransactionType, transaction.Type);
            var (issuers, who) = type switch
            {
                "po" => (e.Destinations, "buyer"),
                "desadv" => (e.Sources, "sender"),
                _ => ([], ""),
            };
            var parts = transaction.Value.Split(':');
            if (parts is ["urn", "epcglobal", "cbv", "bt", var gln, ..] && issuers.Count > 0
                && !issuers.Any(s => Gln.TryFromAny(s.Value, out var issuer) && issuer == gln))
            {
                findings.Add(e, FormattableString.Invariant($"bizTransactionList/{i}"), $"The {type} carries the GLN {gln}, which is none of the {who}’s in this shipment.", gln, $"a GLN of the {who}");
            }
        }
    }
}
