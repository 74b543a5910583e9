using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TransformationIlmdNeedsOutputs() : EventRule(
    "EPCIS-ILMD-02", "EPCIS, TransformationEvent",
    "ilmd of a transformation describes its outputs, so there are some.",
    "Name the outputs, or move the master data to the event that has them.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is TransformationEvent { Ilmd.Count: > 0, OutputEpcList.Count: 0, OutputQuantityList.Count: 0 })
        {
            findings.Add(e, "ilmd", "The transformation has ilmd but no outputs that it could describe.", want: "outputEPCList or outputQuantityList");
        }
    }
}
