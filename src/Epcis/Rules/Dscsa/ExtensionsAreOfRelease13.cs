using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ExtensionsAreOfRelease13() : EventRule(
    "DSCSA-EXT-01", "GS1 US DSCSA guideline R1.3, directPurchase and dropShipment",
    "Statements on the purchase have the form of release 1.3.",
    "Write directPurchase with the attribute qualifier and its directPurchaseStatement, and dropShipment as true or false on the shipment.")
{
    private static readonly string[] Qualified = ["directPurchase", "receivedDirectPurchaseFromPrevWhlsDist"];

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        foreach (var name in Qualified)
        {
            if (Dscsa.Find(e.Extensions, name) is { } statement && statement.Attributes.FirstOrDefault(a => a.Name == "qualifier")?.Value is not ("ENTIRELY_DIRECT" or "PARTIALLY_DIRECT") && statement.Json is null)
            {
                findings.Add(e, "", $"{name} has no qualifier of release 1.3.", Dscsa.TextOf(statement), "qualifier ENTIRELY_DIRECT or PARTIALLY_DIRECT");
            }
        }
        if (Dscsa.Find(e.Extensions, "dropShipment") is { } drop)
        {
            if (Dscsa.TextOf(drop) is not ("true" or "false" or "1" or "0"))
            {
                findings.Add(e, "", "dropShipment is neither true nor false.", Dscsa.TextOf(drop), "true or false");
            }
            if (EventTerms.BizStep(e) != "shipping")
            {
                findings.Add(e, "", "dropShipment stands on an event that is no shipment.", e.BizStep, "the shipping event");
            }
        }
    }
}
