using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ExtensionsAreOfRelease12() : EventRule(
    "DSCSA-EXT-02", "GS1 US DSCSA guideline R1.2, directPurchase",
    "Release 1.2 knows directPurchase as true or false, and no dropShipment or transactionDate.",
    "Write directPurchase true or false, and leave the elements of release 1.3 out.")
{
    private static readonly string[] Later = ["dropShipment", "transactionDate", "receivedDirectPurchaseFromPrevWhlsDist"];

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var name in Later)
        {
            if (Dscsa.Find(e.Extensions, name) is not null)
            {
                findings.Add(e, "", $"{name} is not of release 1.2.", name, "no such element");
            }
        }
        if (Dscsa.Find(e.Extensions, "directPurchase") is { } direct && Dscsa.TextOf(direct) is not ("true" or "false" or "1" or "0"))
        {
            findings.Add(e, "", "directPurchase is neither true nor false.", Dscsa.TextOf(direct), "true or false");
        }
    }
}
