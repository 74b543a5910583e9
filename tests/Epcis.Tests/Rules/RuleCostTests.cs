using Epcis.Events;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>A million sound identifiers pass through the rules; nothing may be made for each of them.</summary>
public sealed class RuleCostTests
{
    // They take each identifier apart, or remember it: what that costs is not theirs to say.
    private static readonly string[] Parsing = ["EPCIS-EPC-01", "EPCIS-DUP-01"];

    public static TheoryData<string> Codes => [.. RuleCatalog.All.OfType<EventRule>().Select(r => r.Code).Except(Parsing)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_rule_allocates_nothing_for_a_sound_identifier(string code)
    {
        var rule = RuleCatalog.All.OfType<EventRule>().Single(r => r.Code == code);
        var few = Costs(rule, 1_000);
        var many = Costs(rule, 11_000);
        // Ten thousand more identifiers; the smallest object for each would be 240 000 bytes.
        Assert.True(many - few < 10_000, $"{many - few} bytes for 10 000 identifiers.");
    }

    private static long Costs(EventRule rule, int epcs)
    {
        var findings = new Findings();
        var e = An.Aggregation with { ChildEpcs = [.. Enumerable.Range(0, epcs).Select(i => $"urn:epc:id:sgtin:0614141.812345.{i}")], BizStep = "packing", Disposition = "in_progress" };
        rule.Check(e, new RuleFindings(rule, Severity.Error, findings));
        var before = GC.GetAllocatedBytesForCurrentThread();
        rule.Check(e, new RuleFindings(rule, Severity.Error, findings));
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
