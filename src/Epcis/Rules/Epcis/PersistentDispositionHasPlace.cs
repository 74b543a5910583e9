using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A warning: the schemas allow it everywhere, the prose and SHACL in these two types only.</summary>
internal sealed class PersistentDispositionHasPlace() : EventRule(
    "EPCIS-PDISP-01", "EPCIS 2.0, persistentDisposition",
    "persistentDisposition belongs to object and transformation events.",
    "Say it in an ObjectEvent about the same objects.")
{
    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (e is { PersistentDisposition: not null } and not (ObjectEvent or TransformationEvent))
        {
            findings.Add(e, "persistentDisposition", $"persistentDisposition does not belong to {e.EventType}.", e.EventType, "ObjectEvent or TransformationEvent");
        }
    }
}
