using System.Text;
using System.Text.Json;
using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Tests.Formats.JsonLd;

public class JsonEventWriterTests
{
    private static readonly DateTimeOffset s_recorded = new(2026, 2, 1, 8, 0, 0, 250, TimeSpan.Zero);

    [Fact]
    public void Every_event_of_the_samples_comes_back_equal()
    {
        foreach (var sample in JsonSamples.All())
        {
            var outcome = JsonSamples.Read(File.ReadAllBytes(sample.Path));
            foreach (var e in outcome.Events)
            {
                var written = JsonEventWriter.ToUtf8(e, null, outcome.Header.Namespaces);
                var again = JsonSamples.Read(new MemoryStream(written), isBare: true);
                if (sample.Verdict == "valid")
                {
                    Assert.True(!again.Findings.HasErrors, $"{sample}: {string.Join("; ", again.Findings.All)}");
                }
                Assert.Equivalent(Comparable(e), Comparable(again.Events.Single()), strict: true);
            }
        }
    }

    [Fact]
    public void An_event_from_xml_becomes_json_with_bare_words_and_its_own_prefixes()
    {
        var e = new ObjectEvent
        {
            EventTimeText = "2026-01-31T13:05:00.000+01:00",
            EventTimeZoneOffset = "+01:00",
            RecordTimeText = "2020-01-01T00:00:00Z",
            Action = EventAction.Add,
            EpcList = ["urn:epc:id:sgtin:0614141.107346.2017"],
            QuantityList = [new QuantityElement("urn:epc:class:lgtin:4012345.012345.998877", 200m, "+200.0", "KGM")],
            BizStep = "urn:epcglobal:cbv:bizstep:commissioning",
            Disposition = "https://ref.gs1.org/cbv/Disp-active",
            Sources = [new SourceOrDestination("urn:epcglobal:cbv:sdt:owning_party", "urn:epc:id:pgln:0614141.00000")],
            SensorElements =
            [
                new SensorElement
                {
                    Reports = [[new SensorField("", "type", "gs1:Temperature", false), new SensorField("", "value", "26.0", false),
                        new SensorField("", "component", "cbv:Comp-latitude", false), new SensorField("", "booleanValue", "1", false)]],
                },
            ],
            Ilmd =
            [
                new Extension("urn:epcglobal:cbv:mda", "m", "lotNumber") { Text = "A1" },
                new Extension("http://ns.example.com/a", "p", "x") { Text = "1" },
                new Extension("http://ns.example.com/b", "p", "x") { Text = "2" },
            ],
            Extensions =
            [
                new Extension("http://ns.example.com/a", "p", "list") { Text = "1" },
                new Extension("http://ns.example.com/a", "p", "list") { Text = "2" },
                new Extension("http://ns.example.com/a", "p", "deep")
                {
                    Attributes = [new ExtensionAttribute("", "", "unit", "kg")],
                    Children = [new Extension("http://ns.example.com/a", "p", "in") { Text = "3" }],
                },
            ],
        };

        var written = JsonEventWriter.ToUtf8(e, s_recorded);

        Assert.Empty(JsonSamples.Read(new MemoryStream(written), isBare: true).Findings.All);
        using var json = JsonDocument.Parse(written);
        var root = json.RootElement;
        Assert.Equal("""{"p":"http://ns.example.com/a","p2":"http://ns.example.com/b"}""", root.GetProperty("@context")[1].GetRawText());
        Assert.Equal("2026-02-01T08:00:00.25Z", root.GetProperty("recordTime").GetString());
        Assert.Equal("commissioning", root.GetProperty("bizStep").GetString());
        Assert.Equal("active", root.GetProperty("disposition").GetString());
        Assert.Equal("owning_party", root.GetProperty("sourceList")[0].GetProperty("type").GetString());
        Assert.Equal("200.0", root.GetProperty("quantityList")[0].GetProperty("quantity").GetRawText());
        Assert.Equal(
            """{"type":"Temperature","value":26.0,"component":"latitude","booleanValue":true}""",
            root.GetProperty("sensorElementList")[0].GetProperty("sensorReport")[0].GetRawText());
        Assert.Equal("""{"cbvmda:lotNumber":"A1","p:x":"1","p2:x":"2"}""", root.GetProperty("ilmd").GetRawText());
        Assert.Equal("""["1","2"]""", root.GetProperty("p:list").GetRawText());
        Assert.Equal("""{"@unit":"kg","p:in":"3"}""", root.GetProperty("p:deep").GetRawText());
    }

    [Theory]
    [InlineData("urn:epcglobal:cbv:bizstep:shipping", "shipping")]
    [InlineData("https://ref.gs1.org/cbv/BizStep-shipping", "shipping")]
    [InlineData("cbv:BizStep-shipping", "shipping")]
    [InlineData("shipping", "shipping")]
    [InlineData("urn:epcglobal:cbv:bizstep:transforming", "https://ref.gs1.org/cbv/BizStep-transforming")]
    [InlineData("https://example.com/step", "https://example.com/step")]
    public void A_biz_step_is_written_as_json_wants_it(string value, string written) =>
        Assert.Equal(written, JsonVocabulary.BizSteps.ToJson(value));

    [Fact]
    public void Numbers_keep_their_digits()
    {
        var outcome = JsonSamples.Read(AJson.Document(AJson.Object(
            "\"quantityList\":[{\"epcClass\":\"urn:x:y\",\"quantity\":1.2300}],\"ex:n\":12.0,\"ex:e\":1E+2")));
        var text = Encoding.UTF8.GetString(JsonEventWriter.ToUtf8(outcome.Events[0], null));
        Assert.Contains("\"quantity\":1.2300", text, StringComparison.Ordinal);
        Assert.Contains("\"ex:n\":12.0", text, StringComparison.Ordinal);
        Assert.Contains("\"ex:e\":1E+2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_document_carries_rendered_events()
    {
        var events = JsonSamples.Read(AJson.Document(AJson.Object(), AJson.Object(action: "DELETE"))).Events;
        using var stream = new MemoryStream();
        await using (var writer = new JsonQueryDocumentWriter(stream))
        {
            writer.Begin("SimpleEventQuery", s_recorded, "sub1");
            foreach (var e in events)
            {
                await writer.EventAsync(JsonEventWriter.ToUtf8(e, s_recorded), TestContext.Current.CancellationToken);
            }
            await writer.EndAsync(TestContext.Current.CancellationToken);
        }
        var outcome = JsonSamples.Read(stream.ToArray());
        Assert.Empty(outcome.Findings.All);
        Assert.Equal(2, outcome.Events.Count);
        Assert.Equal("EPCISQueryDocument", outcome.Header.DocumentType);
        Assert.Equal("2026-02-01T08:00:00.25Z", outcome.Header.CreationDate);
        Assert.All(outcome.Events, e => Assert.Equal("2026-02-01T08:00:00.25Z", e.RecordTimeText));
    }

    // Places differ between documents, the repository's own recordTime replaces the document's, and CURIEs of the
    // standard's prefixes become the bare words they mean.
    private static EpcisEvent Comparable(EpcisEvent e) => e with
    {
        Place = default,
        Index = 0,
        RecordTimeText = null,
        SensorElements = [.. e.SensorElements.Select(s => s with { Reports = [.. s.Reports.Select(r => r.Select(Bare).ToList())] })],
    };

    private static SensorField Bare(SensorField field) => field.Name is "type" or "exception" or "component"
        ? field with { Value = field.Value.Replace("gs1:", "", StringComparison.Ordinal).Replace("cbv:Comp-", "", StringComparison.Ordinal) }
        : field;
}
