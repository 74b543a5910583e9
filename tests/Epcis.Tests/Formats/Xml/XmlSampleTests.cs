using System.Xml;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Formats.Xml;

/// <summary>Every XML document of the public samples, in the schemas' verdict and in the number of events.</summary>
public class XmlSampleTests
{
    [Fact]
    public void Every_sample_gives_the_events_it_holds_and_the_schemas_verdict()
    {
        var wrong = new List<string>();
        var read = 0;
        foreach (var (file, isValid) in Samples())
        {
            var bytes = File.ReadAllBytes(Path.Combine(Gs1Xml.Folder("examples"), file));
            var reading = Gs1Xml.Read(bytes, Gs1Xml.Schemas);
            if (HasDoctype(bytes))
            {
                if (!reading.IsBroken || reading.Only.Code != "EPCIS-XML-02")
                {
                    wrong.Add($"{file}: its DOCTYPE was not refused");
                }
                continue;
            }
            if (reading.Form == DocumentForm.Unknown)
            {
                // Bare events, SOAP envelopes and single query operations: no documents.
                if (reading.Only.Code != "EPCIS-XML-06" || reading.Only.Got!.EndsWith("Document", StringComparison.Ordinal))
                {
                    wrong.Add($"{file}: {reading.Findings.All.FirstOrDefault()}");
                }
                continue;
            }
            read++;
            var expected = CountEvents(bytes);
            if (reading.Events.Count != expected)
            {
                wrong.Add($"{file}: {reading.Events.Count} events instead of {expected}");
            }
            if (reading.Findings.HasErrors == isValid)
            {
                wrong.Add($"{file}: is {(isValid ? "valid" : "invalid")}, but {reading.Findings.All.FirstOrDefault()}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(read > 80, $"Only {read} documents were read.");
    }

    [Theory]
    [InlineData("ObjectEvent_with_invalid_action.xml", "CREATE", "ADD, OBSERVE or DELETE")]
    [InlineData("ObjectEvent_with_near_miss_action.xml", "OBSERV", "ADD, OBSERVE or DELETE")]
    [InlineData("ObjectEvent_with_invalid_eventTime_format.xml", "22-07-2026", "date, time with seconds, and zone, such as 2026-01-31T08:15:00+01:00")]
    [InlineData("ObjectEvent_with_wrong_element_order.xml", "action", "eventTime")]
    [InlineData("ObjectEvent_without_eventTime.xml", "eventTimeZoneOffset", "eventTime")]
    public void An_invalid_document_is_refused_for_its_own_reason(string file, string got, string want)
    {
        var folder = Path.Combine(Gs1Xml.Folder("examples"), "openepcis-test-resources/2.0/EPCIS/XML/Capture/Invalid");
        var finding = Gs1Xml.Read(File.ReadAllBytes(Path.Combine(folder, file)), Gs1Xml.Schemas).Findings.All[0];

        Assert.Equal(("EPCIS-XSD-01", Severity.Error, got, want), (finding.Code, finding.Severity, finding.Got, finding.Want));
        Assert.Equal(0, finding.Event);
        Assert.True(finding.Where.Line > 1);
    }

    [Fact]
    public void A_query_document_with_an_unknown_event_type_names_the_unqualified_results()
    {
        var file = Path.Combine(Gs1Xml.Folder("examples"), "openepcis-test-resources/2.0/EPCIS/XML/Query/Invalid/QueryDocument_with_invalid_eventType.xml");
        var reading = Gs1Xml.Read(File.ReadAllBytes(file), Gs1Xml.Schemas);

        Assert.Contains(reading.Findings.All, f => f is { Code: "EPCIS-XSD-01", Got: "QueryResults" });
        Assert.Contains(reading.Findings.All, f => f is { Code: "EPCIS-XML-09", Got: "ObjectEventInvalid" });
        Assert.Empty(reading.Events);
    }

    private static IEnumerable<(string File, bool IsValid)> Samples() =>
        from line in File.ReadLines(Path.Combine(Gs1Xml.Folder("examples"), "MANIFEST.csv"))
        let file = line.Split(',')[0]
        where file.EndsWith(".xml", StringComparison.Ordinal)
        select (file, line.Contains(",valid,", StringComparison.Ordinal));

    private static bool HasDoctype(byte[] document) => System.Text.Encoding.UTF8.GetString(document).Contains("<!DOCTYPE", StringComparison.Ordinal);

    private static int CountEvents(byte[] document)
    {
        using var reader = XmlReading.Create(new MemoryStream(document), ReaderLimits.Default);
        var count = 0;
        string? parent = null;
        var parents = new Stack<string>();
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.Element)
            {
                parents.TryPeek(out parent);
                count += parent is "EventList" or "extension" && reader.LocalName.EndsWith("Event", StringComparison.Ordinal) ? 1 : 0;
                if (!reader.IsEmptyElement)
                {
                    parents.Push(reader.LocalName);
                }
            }
            else if (reader.NodeType == XmlNodeType.EndElement)
            {
                parents.Pop();
            }
        }
        return count;
    }
}
