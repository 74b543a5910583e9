using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The XML schemas do not look at the action.</summary>
internal sealed class IlmdOnlyWhenAdding() : EventRule(
    "EPCIS-ILMD-01", Severity.Error, "EPCIS, ObjectEvent", "Only an object event that adds may carry ilmd.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is ObjectEvent { Ilmd.Count: > 0, Action: not EventAction.Add })
        {
            Report(e, findings, $"ilmd may not stand in an event with action {e.Action.ToString()?.ToUpperInvariant()}.", e.Action.ToString()?.ToUpperInvariant(), "ADD");
        }
    }
}
