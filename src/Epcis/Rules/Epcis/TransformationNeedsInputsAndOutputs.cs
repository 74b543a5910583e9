using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TransformationNeedsInputsAndOutputs() : EventRule(
    "EPCIS-XFORM-01", "EPCIS, TransformationEvent",
    "A transformation has inputs and outputs, or a transformationID and at least one of them.",
    "Name what went in and what came out, or join several events by one transformationID.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is not TransformationEvent t)
        {
            return;
        }
        var inputs = t.InputEpcList.Count + t.InputQuantityList.Count > 0;
        var outputs = t.OutputEpcList.Count + t.OutputQuantityList.Count > 0;
        if (!inputs && !outputs)
        {
            findings.Add(e, "", "The transformation has neither inputs nor outputs.", want: "inputs and outputs");
        }
        else if (!(inputs && outputs) && t.TransformationId is null)
        {
            findings.Add(e, "", $"The transformation has no {(inputs ? "outputs" : "inputs")}, and no transformationID that joins it to others.", want: "inputs and outputs, or transformationID");
        }
    }
}
