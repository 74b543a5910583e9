using System.Collections.Frozen;
using Epcis.Cbv;
using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Read from the definitions: dispositions whose definition names the process that leads to them. All others go with any step.</summary>
internal sealed class DispositionFitsBizStep() : EventRule(
    "CBV-DISP-01", "CBV 2.0, definitions of the dispositions",
    "The disposition can be the outcome of the bizStep.",
    "Use the disposition that the objects have after this step, or leave it out.")
{
    private static readonly FrozenDictionary<string, FrozenSet<string>> Outcomes = new Dictionary<string, string>
    {
        ["active"] = "commissioning creating_class_instance accepting arriving assembling receiving repackaging replacing void_shipping other unloading disassembling",
        ["encoded"] = "encoding",
        ["reserved"] = "reserving",
        ["destroyed"] = "destroying",
        ["dispensed"] = "dispensing",
        ["partially_dispensed"] = "dispensing",
        ["retail_sold"] = "retail_selling",
        ["inactive"] = "decommissioning",
        ["in_transit"] = "shipping departing consigning transporting loading unloading staging_outbound sensor_reporting accepting arriving inspecting holding other",
        ["conformant"] = "inspecting repairing sampling",
        ["non_conformant"] = "inspecting repairing sampling",
        ["container_closed"] = "loading staging_outbound packing shipping departing consigning stocking inspecting sensor_reporting",
    }.ToFrozenDictionary(d => d.Key, d => d.Value.Split(' ').ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventTerms.BizStep(e) is { } step && EventTerms.Disposition(e) is { } disposition
            && CbvTerms.Listed(CbvVocabulary.BizStep).Contains(step) && Outcomes.TryGetValue(disposition, out var steps) && !steps.Contains(step))
        {
            findings.Add(e, "disposition", $"{disposition} is not what {step} results in.", disposition, $"with {disposition}: {string.Join(", ", steps.Order(StringComparer.Ordinal))}");
        }
    }
}
