using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>Every rule is shown by a document that keeps it and one that breaks it.</summary>
public sealed class RuleSampleTests
{
    public static TheoryData<string> Codes => [.. RuleCatalog.All.Select(r => r.Code)];

    [Fact]
    public void Every_rule_has_one_sample() =>
        Assert.Equal(RuleCatalog.All.Select(r => r.Code).Order(StringComparer.Ordinal), RuleSamples.All.Select(s => s.Code).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Codes))]
    public void The_one_sample_passes_and_the_other_fails(string code)
    {
        var sample = RuleSamples.All.Single(s => s.Code == code);
        Assert.Empty(FindingsOf(sample, sample.Passes));
        Assert.All(Assert.Single(FindingsOf(sample, sample.Fails).GroupBy(f => f.Code)), f =>
        {
            Assert.EndsWith(".", f.Message, StringComparison.Ordinal);
            Assert.True(f.Got is not null || f.Want is not null || code == "DSCSA-HIST-09", "It says neither what was got nor what is wanted.");
            Assert.NotNull(f.Suggestion);
            Assert.NotNull(f.Clause);
        });
    }

    [Fact]
    public void Each_rule_has_its_row_in_the_table_of_severities_and_each_row_its_rule() =>
        Assert.Equal(RuleCatalog.All.Select(r => r.Code), RuleTable.Codes);

    [Theory]
    [InlineData(RuleProfile.Dscsa13)]
    [InlineData(RuleProfile.Dscsa12)]
    public void A_sound_shipment_gives_no_finding_in_its_profile(RuleProfile profile) =>
        Assert.Empty(FindingsOf(RuleSeverities.Of(profile), profile == RuleProfile.Dscsa12 ? AShipment.Of12 : AShipment.Of13).All.Select(f => $"{f.Code} {f.Message}"));

    [Fact]
    public void The_two_releases_are_told_apart()
    {
        Assert.Equal(["DSCSA-DOC-01", "DSCSA-NDC-01"], FindingsOf(RuleSeverities.Of(RuleProfile.Dscsa13), AShipment.Of12).All.Select(f => f.Code).Order());
        Assert.Equal(["DSCSA-DOC-02", "DSCSA-NDC-02"], FindingsOf(RuleSeverities.Of(RuleProfile.Dscsa12), AShipment.Of13).All.Select(f => f.Code).Order());
    }

    [Fact]
    public void A_policy_raises_lowers_and_switches_off_a_rule()
    {
        var e = An.Observation with { BizStep = null };
        var severities = RuleSeverities.Of(RuleProfile.None);
        Assert.Equal(Severity.Info, Assert.Single(FindingsOf(severities, e).All).Severity);
        Assert.Equal(Severity.Error, Assert.Single(FindingsOf(severities.With("CBV-STEP-01", Severity.Error), e).All).Severity);
        Assert.Empty(FindingsOf(severities.With("CBV-STEP-01", null), e).All);
        Assert.Throws<ArgumentException>(() => severities.With("CBV-STEP-99", null));
    }

    /// <summary>In a profile that has the rule, whatever its severity there.</summary>
    private static IEnumerable<Finding> FindingsOf(RuleSample sample, ADocument document)
    {
        var profile = RuleProfiles.All.First(p => RuleSeverities.Of(p).Of(sample.Code) is not null);
        return FindingsOf(RuleSeverities.Of(profile), document, sample.MaxUnits).All.Where(f => f.Code == sample.Code);
    }

    private static Findings FindingsOf(RuleSeverities severities, ADocument document, int maxUnits = 100)
    {
        var findings = new Findings(int.MaxValue);
        var run = new RuleSet(severities) { MaxUnits = maxUnits }.Begin(findings);
        foreach (var e in document.Events)
        {
            run.See(e);
        }
        run.End(document.Header);
        return findings;
    }
}
