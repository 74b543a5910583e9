using Epcis.Events;

namespace Epcis.Rules;

internal sealed class PersistentDispositionSaysSomething() : EventRule(
    "EPCIS-PDISP-02", "EPCIS 2.0, persistentDisposition",
    "persistentDisposition sets or unsets at least one disposition.",
    "Name a disposition in set or unset, or leave persistentDisposition out.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e.PersistentDisposition is { Set.Count: 0, Unset.Count: 0 })
        {
            findings.Add(e, "persistentDisposition", "persistentDisposition neither sets nor unsets anything.", want: "set or unset");
        }
    }
}
