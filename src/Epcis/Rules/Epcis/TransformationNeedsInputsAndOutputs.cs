using Epcis.Events;

namespace Epcis.Rules;

internal sealed class TransformationNeedsInputsAndOutputs() : EventRule(
    "EPCIS-XFORM-01", Severity.Error, "EPCIS, TransformationEvent", "A transformation has inputs and outputs, or a transformationID and at least one of them.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is not TransformationEvent t)
        {
            return;
        }
        var inputs = t.InputEpcList.Count + t.InputQuantityList.Count > 0;
        var outputs = t.OutputEpcList.Count + t.OutputQuantityList.Count > 0;
        if (!inputs && !outputs)
        {
            Report(e, findings, "The transformation has neither inputs nor outputs.", want: "inputs and outputs");
        }
        else if (!(inputs && outputs) && t.TransformationId is null)
        {
            Report(e, findings, $"The transformation has no {(inputs ? "outputs" : "inputs")}, and no transformationID that joins it to others.", want: "inputs and outputs, or transformationID");
        }
    }
}
