using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Epcis.Tests.Samples;

public sealed partial class SamplesTests
{
    [Theory]
    [InlineData("dscsa-shipment.xml", "1.2")]
    [InlineData("wrong-check-digit.xml", "1.2")]
    [InlineData("refused-missing-parent.xml", "1.2")]
    [InlineData("shipment-2.0.xml", "2.0")]
    public void Sample_is_valid_against_the_schema_of_gs1(string name, string version) =>
        Assert.Empty(SampleFiles.SchemaErrors(SampleFiles.PathOf(name), version));

    [Fact]
    public void The_schema_of_gs1_refuses_the_missing_offset_and_the_unknown_action()
    {
        var errors = SampleFiles.SchemaErrors(SampleFiles.PathOf("refused-schema.xml"), "1.2");
        Assert.Contains(errors, e => e.Contains("eventTimeZoneOffset", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.Contains("'SHIP'", StringComparison.Ordinal));
    }

    [Fact]
    public void The_cut_off_sample_is_not_xml() =>
        Assert.Throws<XmlException>(() => XDocument.Load(SampleFiles.PathOf("refused-malformed.xml")));

    [Fact]
    public void Only_the_packing_of_the_case_lacks_its_parent()
    {
        var packing = XDocument.Load(SampleFiles.PathOf("refused-missing-parent.xml")).Descendants("AggregationEvent").ToList();
        Assert.Equal([false, true], packing.Select(e => e.Element("parentID") is not null));
    }

    [Theory]
    [InlineData("dscsa-shipment.xml", true)]
    [InlineData("shipment-2.0.xml", true)]
    [InlineData("wrong-check-digit.xml", false)]
    public void Gln_of_every_business_transaction_has_the_check_digit_that_the_sample_promises(string name, bool right)
    {
        var glns = BusinessTransactionGln().Matches(File.ReadAllText(SampleFiles.PathOf(name))).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(2, glns.Count);
        Assert.Equal(right, glns.All(HasRightCheckDigit));
    }

    [Fact]
    public void The_shipment_accounts_for_every_unit_and_describes_every_place()
    {
        var document = XDocument.Load(SampleFiles.PathOf("dscsa-shipment.xml"));
        var commissioned = document.Descendants("ObjectEvent").Where(e => e.Element("action")?.Value == "ADD")
            .SelectMany(e => e.Descendants("epc")).Select(e => e.Value).ToList();
        var packed = document.Descendants("childEPCs").SelectMany(e => e.Elements("epc")).Select(e => e.Value).ToList();
        var shipped = Assert.Single(document.Descendants("ObjectEvent"), e => e.Element("action")?.Value == "OBSERVE")
            .Descendants("epc").Select(e => e.Value).ToList();

        Assert.Equal(12 + 3 + 1, commissioned.Distinct().Count());
        Assert.Equal(commissioned.Order(), packed.Concat(shipped).Order());

        var body = document.Root!.Element("EPCISBody")!.ToString();
        var described = document.Descendants("VocabularyElement").Select(e => (string?)e.Attribute("id")).ToHashSet();
        Assert.All(Sgln().Matches(body), sgln => Assert.Contains(sgln.Value, described));
    }

    [Fact]
    public void The_json_sample_commissions_units_and_a_case_of_one_lot()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(SampleFiles.PathOf("commissioning.json")));
        var events = document.RootElement.GetProperty("epcisBody").GetProperty("eventList").EnumerateArray().ToList();
        Assert.Equal([4, 1], events.Select(e => e.GetProperty("epcList").GetArrayLength()));
        Assert.Single(events.Select(e => e.GetProperty("ilmd").GetProperty("cbvmda:lotNumber").GetString()).Distinct());
    }

    static bool HasRightCheckDigit(string gln)
    {
        // From the right, weights 1 and 3 take turns; with its check digit the sum is a multiple of ten.
        var sum = gln.Reverse().Select((digit, i) => (digit - '0') * (i % 2 == 0 ? 1 : 3)).Sum();
        return sum % 10 == 0;
    }

    [GeneratedRegex(@"urn:epcglobal:cbv:bt:(\d{13}):")]
    private static partial Regex BusinessTransactionGln();

    [GeneratedRegex(@"urn:epc:id:sgln:[\d.]+")]
    private static partial Regex Sgln();
}
