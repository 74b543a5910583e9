using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PersistentDispositionSaysSomething() : EventRule(
    "EPCIS-PDISP-02", Severity.Error, "EPCIS 2.0, persistentDisposition", "persistentDisposition sets or unsets at least one disposition.")
{
    public override void Check(EpcisEvent e, Findings findings)
    {
        if (e.PersistentDisposition is { Set.Count: 0, Unset.Count: 0 })
        {
            Report(e, findings, "persistentDisposition neither sets nor unsets anything.", want: "set or unset");
        }
    }
}
