using Epcis.Formats;

namespace Epcis.Tests.Formats.JsonLd;

public class JsonSampleTests
{
    [Fact]
    public void Every_sample_gets_the_verdict_of_the_schema()
    {
        var samples = JsonSamples.All();
        Assert.True(samples.Count > 60);
        foreach (var sample in samples)
        {
            var outcome = JsonSamples.Read(File.ReadAllBytes(sample.Path));
            Assert.False(outcome.IsBroken, $"{sample}: {string.Join("; ", outcome.Findings.All)}");
            Assert.True((sample.Verdict == "valid") == !outcome.Findings.HasErrors, $"{sample}: {string.Join("; ", outcome.Findings.All)}");
        }
    }

    [Fact]
    public void Every_valid_sample_gives_all_its_events()
    {
        foreach (var sample in JsonSamples.All().Where(s => s.Verdict == "valid"))
        {
            var bytes = File.ReadAllBytes(sample.Path);
            var outcome = JsonSamples.Read(bytes);
            var foreign = outcome.Codes.Count(c => c == "EPCIS-JSON-19");
            Assert.True(JsonSamples.CountEvents(bytes) == outcome.Events.Count + foreign, sample.Name);
            Assert.All(outcome.Events, e => Assert.NotNull(e.EventTime));
        }
    }

    [Theory]
    [InlineData("Capture/Invalid/EPCISDocument_without_context", "EPCIS-JSON-05", "")]
    [InlineData("Capture/Invalid/ObjectEvent_with_ilmd_field_without_namespace", "EPCIS-JSON-06", "/epcisBody/eventList/0/ilmd/materialType")]
    [InlineData("Capture/Invalid/ObjectEvent_with_invalid_action", "EPCIS-JSON-08", "/epcisBody/eventList/0/action")]
    [InlineData("Capture/Invalid/ObjectEvent_with_invalid_eventTime_format", "EPCIS-JSON-10", "/epcisBody/eventList/0/eventTime")]
    [InlineData("Capture/Invalid/ObjectEvent_with_non_standard_bizStep_in_second_event", "EPCIS-JSON-08", "/epcisBody/eventList/1/bizStep")]
    [InlineData("Capture/Invalid/ObjectEvent_with_quantity_as_text", "EPCIS-JSON-07", "/epcisBody/eventList/0/quantityList/0/quantity")]
    [InlineData("Capture/Invalid/ObjectEvent_with_unknown_field_in_quantityList", "EPCIS-JSON-06", "/epcisBody/eventList/0/quantityList/0/weight")]
    [InlineData("Capture/Invalid/Combination_of_multiple_invalid_fields", "EPCIS-JSON-08", "/epcisBody/eventList/2/sourceList/0/type")]
    [InlineData("Query/Invalid/QueryDocument_with_invalid_eventType", "EPCIS-JSON-09", "/epcisBody/queryResults/resultsBody/eventList/0/type")]
    public void An_invalid_sample_is_refused_for_its_reason_at_its_place(string name, string code, string pointer)
    {
        var sample = JsonSamples.All().Single(s => s.Name.EndsWith(name + ".json", StringComparison.Ordinal));
        var outcome = JsonSamples.Read(File.ReadAllBytes(sample.Path));
        Assert.Contains(outcome.Findings.All, f => f.Code == code && f.Where.Pointer == pointer && f.Severity == Severity.Error);
    }

    [Fact]
    public void A_stream_of_single_bytes_gives_the_same_result()
    {
        foreach (var sample in JsonSamples.All())
        {
            var bytes = File.ReadAllBytes(sample.Path);
            var whole = JsonSamples.Read(bytes);
            var dripped = JsonSamples.Read(new DrippingStream(bytes), JsonSamples.IsBare(bytes));
            Assert.Equal(whole.Findings.All, dripped.Findings.All);
            Assert.Equivalent(whole.Header, dripped.Header, strict: true);
            Assert.Equivalent(whole.Events, dripped.Events, strict: true);
        }
    }
}
