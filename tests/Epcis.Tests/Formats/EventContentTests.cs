using Epcis.Events;
using Epcis.Formats;
using Epcis.Tests.Events;
using Epcis.Tests.Formats.JsonLd;
using Epcis.Tests.Formats.Xml;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Formats;

public class EventContentTests
{
    [Fact]
    public void Any_event_has_one_content_as_2_0_xml_1_2_xml_and_json() =>
        Prop.ForAll(ArbitraryEvent.OfAllForms, e =>
        {
            var content = EventContent.Text(e, ArbitraryEvent.Namespaces);
            Assert.Equal(content, OfXml(e, DocumentForm.Xml20));
            Assert.Equal(content, OfXml(e, DocumentForm.Xml12));
            Assert.Equal(content, OfJson(e, ArbitraryEvent.Namespaces));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Every_xml_sample_has_the_same_content_as_json()
    {
        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Gs1Xml.Folder("examples"), "*.xml", SearchOption.AllDirectories))
        {
            var reading = Gs1Xml.Read(File.ReadAllBytes(file), Gs1Xml.Schemas);
            // JSON has no place for an element without a namespace beside an event's fields.
            if (!reading.Findings.HasErrors && reading.Events.All(e => e.Extensions.All(x => x.Namespace.Length > 0)) && reading.Events.Any(e => EventContent.Text(e, reading.Header.Namespaces) != OfJson(e, reading.Header.Namespaces)))
            {
                wrong.Add(file);
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public void Every_json_sample_has_the_same_content_as_xml()
    {
        var wrong = new List<string>();
        foreach (var sample in JsonSamples.All().Where(s => s.Verdict == "valid"))
        {
            var outcome = JsonSamples.Read(File.ReadAllBytes(sample.Path));
            foreach (var e in outcome.Events)
            {
                var findings = new Findings();
                var (xml, prefixes) = Written.AsXml(e, DocumentForm.Xml20, findings, outcome.Header.Namespaces);
                if (!findings.HasErrors && EventContent.Text(e, outcome.Header.Namespaces) != EventContent.Text(xml, prefixes))
                {
                    wrong.Add($"{sample}\n{EventContent.Text(e, outcome.Header.Namespaces)}\n--\n{EventContent.Text(xml, prefixes)}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    public static TheoryData<string, Func<ObjectEvent, EpcisEvent>, bool> Changes => new()
    {
        { "id", e => e with { EventId = "urn:uuid:1" }, true },
        { "record time", e => e with { RecordTimeText = "2026-01-31T12:00:00Z" }, true },
        { "zone of the instant", e => e with { EventTimeText = "2026-01-31T13:00:00.000+01:00" }, true },
        { "order of EPCs", e => e with { EpcList = [.. e.EpcList.Reverse()] }, true },
        { "Digital Link", e => e with { EpcList = ["https://example.com/01/14012345111115/21/1", e.EpcList[1]] }, true },
        { "CBV spelling", e => e with { BizStep = "https://ref.gs1.org/cbv/BizStep-packing" }, true },
        { "digits of a number", e => e with { QuantityList = [e.QuantityList[0] with { QuantityText = "2.500" }] }, true },
        { "finer time", e => e with { EventTimeText = "2026-01-31T12:00:00.00000001Z" }, false },
        { "offset", e => e with { EventTimeZoneOffset = "+02:00" }, false },
        { "one EPC more", e => e with { EpcList = [.. e.EpcList, "urn:epc:id:sgtin:4012345.111111.3"] }, false },
        { "action", e => e with { Action = EventAction.Delete }, false },
        { "quantity", e => e with { QuantityList = [e.QuantityList[0] with { QuantityText = "2.6" }] }, false },
        { "step", e => e with { BizStep = "shipping" }, false },
        { "extension", e => e with { Extensions = [new Extension("http://ns.example.com/", "ex", "a") { Text = "1" }] }, false },
        { "declaration", e => e with { ErrorDeclaration = new ErrorDeclaration { DeclarationTimeText = "2026-01-31T12:00:00Z" } }, false },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Content_changes_with_what_is_said_and_with_nothing_else(string what, Func<ObjectEvent, EpcisEvent> change, bool isSame)
    {
        var e = new ObjectEvent
        {
            EventTimeText = "2026-01-31T12:00:00Z",
            EventTimeZoneOffset = "+01:00",
            Action = EventAction.Add,
            EpcList = ["urn:epc:id:sgtin:4012345.111111.1", "urn:epc:id:sgtin:4012345.111111.2"],
            QuantityList = [new QuantityElement("urn:epc:class:lgtin:4012345.012345.A", 2.5m, "2.5", "KGM")],
            BizStep = "urn:epcglobal:cbv:bizstep:packing",
        };
        Assert.True(EventContent.Hash(e, ArbitraryEvent.Namespaces).SequenceEqual(EventContent.Hash(change(e), ArbitraryEvent.Namespaces)) == isSame, what);
    }

    private static string OfXml(EpcisEvent e, DocumentForm form)
    {
        var (read, namespaces) = Written.AsXml(e, form, new Findings(), ArbitraryEvent.Namespaces);
        return EventContent.Text(read, namespaces);
    }

    private static string OfJson(EpcisEvent e, IReadOnlyDictionary<string, string> namespaces)
    {
        var (read, prefixes) = Written.AsJson(e, namespaces);
        return EventContent.Text(read, prefixes);
    }
}
