using System.Collections.Frozen;
using Epcis.Events;

namespace Epcis.Rules;

internal sealed class DispositionIsOfGuideline() : EventRule(
    "DSCSA-EVT-01", "GS1 US DSCSA guideline, events",
    "Each step has the disposition of the guideline.",
    "Use the disposition that the guideline gives the step.")
{
    private static readonly FrozenDictionary<string, string> Dispositions = new Dictionary<string, string>
    {
        ["commissioning"] = "active",
        ["packing"] = "in_progress",
        ["shipping"] = "in_transit",
        ["receiving"] = "in_progress",
        ["unpacking"] = "in_progress",
        ["decommissioning"] = "inactive",
        ["destroying"] = "destroyed",
        ["void_shipping"] = "in_progress active",
        ["dispensing"] = "dispensed partially_dispensed",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public override void Check(EpcisEvent e, RuleFindings findings)
    {
        if (EventTerms.BizStep(e) is { } step && Dispositions.TryGetValue(step, out var wanted) && !wanted.Split(' ').Contains(EventTerms.Disposition(e)))
        {
            var want = wanted.Replace(" ", " or ", StringComparison.Ordinal);
            findings.Add(e, "disposition", $"{step} has {(e.Disposition is null ? "no disposition" : $"the disposition {EventTerms.Disposition(e) ?? e.Disposition}")}; the guideline has {want}.", e.Disposition, want);
        }
    }
}
