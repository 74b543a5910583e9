using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Rules;
using Epcis.Tests.Samples;

namespace Epcis.Tests.Rules;

/// <summary>What each profile says of whole documents that others have published.</summary>
public sealed class ProfileSampleTests
{
    private const string Gs1Us = "standards/examples/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml";

    [Fact]
    public void The_example_of_the_guideline_passes_its_release() =>
        Assert.Empty(SeverelyFound(SharedFiles.Require(Gs1Us), RuleProfile.Dscsa13));

    [Fact]
    public void The_example_of_release_13_does_not_pass_release_12() =>
        Assert.Equal(["DSCSA-NDC-02", "DSCSA-EXT-02"], SeverelyFound(SharedFiles.Require(Gs1Us), RuleProfile.Dscsa12).Distinct().OrderDescending());

    [Fact]
    public void Our_own_shipment_passes_too() =>
        Assert.Empty(SeverelyFound(SampleFiles.PathOf("dscsa-shipment.xml"), RuleProfile.Dscsa13));

    /// <summary>The schemas do not look at identifiers, zones, parents and terms, so a valid document may break a rule that is as old as this gateway; a newer one must not refuse it.</summary>
    [Fact]
    public void No_newer_rule_refuses_in_the_profile_of_captures()
    {
        string[] first =
        [
            "EPCIS-TIME-01", "EPCIS-TIME-02", "EPCIS-OBJ-01", "EPCIS-ILMD-01", "EPCIS-AGG-01", "EPCIS-AGG-02", "EPCIS-ASSOC-01", "EPCIS-ASSOC-02",
            "EPCIS-TXN-01", "EPCIS-TXN-02", "EPCIS-XFORM-01", "EPCIS-QTY-01", "EPCIS-QTY-02", "EPCIS-QTY-03", "EPCIS-ERR-01", "EPCIS-PDISP-02",
            "EPCIS-EPC-01", "EPCIS-EPC-02", "CBV-TERM-01", "CBV-ERR-01",
        ];
        var none = RuleSeverities.Of(RuleProfile.None);
        Assert.Equal(first, RuleCatalog.All.Select(r => r.Code).Where(c => none.Of(c) == Severity.Error));
    }

    [Fact]
    public void What_the_official_samples_are_told_in_the_profile_of_captures()
    {
        var read = 0;
        var told = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        var folder = SharedFiles.Require("standards/examples/gs1-epcis");
        foreach (var file in Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is ".xml" or ".json" or ".jsonld"))
        {
            read++;
            foreach (var finding in Found(file, RuleProfile.None).Where(f => f.Severity == Severity.Warning && RuleCatalog.All.Any(r => r.Code == f.Code)))
            {
                told.TryAdd(finding.Code, new(StringComparer.Ordinal));
                told[finding.Code].Add(Path.GetFileNameWithoutExtension(file));
            }
        }
        Assert.True(read > 40, $"Only {read} samples were read.");
        Assert.Equal(
            [
                "EPCIS-SENS-03: SensorDataExample8",
                "EPCIS-SENS-04: aggregation_event_all_possible_fields, object_event_all_possible_fields",
                "EPCIS-SENS-05: aggregation_event_all_possible_fields, object_event_all_possible_fields",
                "EPCIS-SENS-06: aggregation_event_all_possible_fields, object_event_all_possible_fields",
            ],
            told.Select(t => $"{t.Key}: {string.Join(", ", t.Value)}"));
    }

    private static IEnumerable<string> SeverelyFound(string file, RuleProfile profile) =>
        Found(file, profile).Where(f => f.Severity == Severity.Error).Select(f => f.Code);

    private static IReadOnlyList<Finding> Found(string file, RuleProfile profile)
    {
        using var stream = File.OpenRead(file);
        using var reader = EpcisDocument.Open(stream, ReaderLimits.Default, (s, l) => new XmlEpcisReader(s, null, l));
        var run = new RuleSet(RuleSeverities.Of(profile)).Begin(reader.Findings);
        while (reader.Read())
        {
            run.See(reader.Current);
        }
        run.End(reader.Header);
        return reader.Findings.All;
    }
}
