using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The XML schemas do not look at the action.</summary>
internal sealed class IlmdOnlyWhenAdding() : EventRule(
    "EPCIS-ILMD-01", "EPCIS, ObjectEvent",
    "Only an object event that adds may carry ilmd.",
    "Move the master data to the event that adds the objects, or give this event the action ADD.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is ObjectEvent { Ilmd.Count: > 0, Action: not EventAction.Add })
        {
            findings.Add(e, "ilmd", $"ilmd may not stand in an event with action {e.Action.ToString()?.ToUpperInvariant()}.", e.Action.ToString()?.ToUpperInvariant(), "ADD");
        }
    }
}
