using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ObjectEventNeedsObjects() : EventRule(
    "EPCIS-OBJ-01", "EPCIS, ObjectEvent",
    "An object event names objects, or it reports sensor data at a read point.",
    "Name the objects in epcList or quantityList.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is ObjectEvent { EpcList.Count: 0, QuantityList.Count: 0 }
            and not { SensorElements.Count: > 0, ReadPoint: not null })
        {
            findings.Add(e, "", "The event has neither epcList nor quantityList, nor sensor data with a readPoint.", want: "epcList or quantityList");
        }
    }
}
