using Epcis.Events;

namespace Epcis.Rules;

internal sealed class ObjectEventNeedsObjects() : EventRule(
    "EPCIS-OBJ-01", Severity.Error, "EPCIS, ObjectEvent", "An object event names objects, or it reports sensor data at a read point.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e is ObjectEvent { EpcList.Count: 0, QuantityList.Count: 0 }
            and not { SensorElements.Count: > 0, ReadPoint: not null })
        {
            Report(e, findings, "The event has neither epcList nor quantityList, nor sensor data with a readPoint.", want: "epcList or quantityList");
        }
    }
}
