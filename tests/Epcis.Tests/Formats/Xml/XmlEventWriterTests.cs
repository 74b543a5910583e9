using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;
using Epcis.Tests.Events;
using Epcis.Tests.Formats.JsonLd;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Formats.Xml;

public class XmlEventWriterTests
{
    private static readonly DateTimeOffset s_noon = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_now = new(2026, 2, 1, 8, 0, 0, 250, TimeSpan.Zero);

    [Fact]
    public void Any_event_written_as_2_0_is_valid_and_reads_back_equal() =>
        Prop.ForAll(ArbitraryEvent.Of20, e => ComesBack(e, DocumentForm.Xml20, [])).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Any_event_that_1_2_knows_written_as_1_2_is_valid_and_reads_back_equal() =>
        Prop.ForAll(ArbitraryEvent.Of12, e => ComesBack(e, DocumentForm.Xml12, [])).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    // What 1.2 does not know is carried in an extension, and named.
    [Fact]
    public void Any_event_written_as_1_2_is_valid_and_each_part_that_1_2_lacks_is_named() =>
        Prop.ForAll(ArbitraryEvent.Of20, e =>
        {
            List<string> named = [];
            if (e is AssociationEvent)
            {
                named.Add("EPCIS-OUT-01");
            }
            else
            {
                named.AddRange(e.CertificationInfo.Take(1).Concat(e.SensorElements.Take(1).Select(_ => "")).Concat(e.PersistentDisposition is null ? [] : [""]).Select(_ => "EPCIS-OUT-01"));
            }
            ComesBack(e, DocumentForm.Xml12, named);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Every_readable_xml_sample_is_written_validly_and_reads_back_equal()
    {
        var wrong = new List<string>();
        var written = 0;
        foreach (var file in Directory.EnumerateFiles(Gs1Xml.Folder("examples"), "*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var reading = Gs1Xml.Read(File.ReadAllBytes(file), Gs1Xml.Schemas);
            if (reading.IsBroken || reading.Findings.HasErrors || reading.Events.Count == 0)
            {
                continue;
            }
            foreach (var form in new[] { DocumentForm.Xml12, DocumentForm.Xml20 })
            {
                var findings = new Findings();
                var bytes = Write(reading.Events, form, findings, reading.Header.Namespaces, reading.Header);
                var again = Gs1Xml.Read(bytes, Gs1Xml.Schemas);
                written++;
                var excused = findings.HasErrors;
                if (!excused && again.Findings.HasErrors)
                {
                    wrong.Add($"{file} as {form}: {again.Findings.All[0]}");
                }
                // Contents, because 1.2 spells CBV terms its own way.
                var contents = Contents(reading);
                if (!findings.HasErrors && !contents.SequenceEqual(Contents(again)))
                {
                    wrong.Add($"{file} as {form}: {string.Join("\n", contents.Zip(Contents(again)).First(p => p.First != p.Second))}");
                }
                if (form == DocumentForm.Xml20 && !findings.HasErrors)
                {
                    Assert.Equal(Comparable(reading.Events, form), Comparable(again.Events, form));
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(written > 100, $"Only {written} documents were written.");
    }

    [Fact]
    public void Every_valid_json_sample_is_written_as_valid_2_0_xml()
    {
        var wrong = new List<string>();
        foreach (var sample in JsonSamples.All().Where(s => s.Verdict == "valid"))
        {
            var outcome = JsonSamples.Read(File.ReadAllBytes(sample.Path));
            var findings = new Findings();
            var again = Gs1Xml.Read(Write(outcome.Events, DocumentForm.Xml20, findings, outcome.Header.Namespaces), Gs1Xml.Schemas);
            if (again.Findings.HasErrors && !findings.HasErrors)
            {
                wrong.Add($"{sample}: {again.Findings.All[0]}");
            }
            Assert.Equal(outcome.Events.Count, again.Events.Count);
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
    }

    [Fact]
    public async Task A_query_document_is_valid_and_holds_its_events()
    {
        using var stream = new MemoryStream();
        await using (var writer = new XmlQueryDocumentWriter(stream, new Findings()))
        {
            writer.Begin("SimpleEventQuery", s_now, "sub1");
            for (var n = 1; n <= 3; n++)
            {
                var e = new ObjectEvent { EventTimeText = "2026-01-31T12:00:00Z", EventTime = s_noon, EventTimeZoneOffset = "+00:00", Action = EventAction.Observe, BizStep = "shipping", EpcList = [$"urn:epc:id:sgtin:4012345.011111.{n}"] };
                await writer.EventAsync(e, s_now, null, TestContext.Current.CancellationToken);
            }
            await writer.EndAsync(TestContext.Current.CancellationToken);
        }
        var reading = Gs1Xml.Read(stream.ToArray(), EpcisSchemas.For);
        Assert.Empty(reading.Findings.All);
        Assert.Equal("EPCISQueryDocument", reading.Header.DocumentType);
        Assert.Equal(3, reading.Events.Count);
        Assert.All(reading.Events, e => Assert.Equal(("2026-02-01T08:00:00.25Z", "https://ref.gs1.org/cbv/BizStep-shipping"), (e.RecordTimeText, e.BizStep)));
    }

    [Fact]
    public void What_xml_or_1_2_cannot_say_is_told()
    {
        var e = new ObjectEvent
        {
            EventTimeText = "2026-01-31T12:00:00",
            EventTimeZoneOffset = "+00:00",
            Action = EventAction.Add,
            EpcList = ["https://id.gs1.org/01/04012345111118/21/7"],
            QuantityList = [new QuantityElement("urn:x:y", null, "INF", "KGM")],
            BizStep = "https://ref.gs1.org/cbv/BizStep-sampling",
            Ilmd = [new Extension("", "un", "known") { Text = "a\u0001b", Json = "\"a\\u0001b\"" }, new Extension("http://ns.example.com/", "e", "1 st") { Text = "x" }],
        };
        var findings = new Findings();
        var text = Encoding.UTF8.GetString(Write([e], DocumentForm.Xml12, findings, new Dictionary<string, string>()));

        Assert.Equal(["EPCIS-OUT-02", "EPCIS-OUT-02", "EPCIS-OUT-02", "EPCIS-OUT-03", "EPCIS-OUT-03", "EPCIS-OUT-05"], findings.All.Select(f => f.Code).Order(StringComparer.Ordinal));
        Assert.Contains("<bizStep>urn:epcglobal:cbv:bizstep:sampling</bizStep>", text, StringComparison.Ordinal);
        Assert.Contains("xmlns:un=\"un:\">a\uFFFDb</un:known>", text, StringComparison.Ordinal);
        Assert.DoesNotContain("INF", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quantity_event_goes_back_to_1_2_as_it_came()
    {
        var e = new ObjectEvent { WasQuantityEvent = true, EventTimeText = "2026-01-31T12:00:00Z", EventTime = s_noon, EventTimeZoneOffset = "+00:00", Action = EventAction.Observe, QuantityList = [new QuantityElement("urn:epc:idpat:sgtin:4012345.011111.*", 7, "7", null)] };
        ComesBack(e, DocumentForm.Xml12, []);
        var findings = new Findings();
        Write([e], DocumentForm.Xml20, findings, new Dictionary<string, string>());
        Assert.Equal("EPCIS-OUT-06", Assert.Single(findings.All).Code);
    }

    private static List<string> Contents(Reading reading) => [.. reading.Events.Select(e => EventContent.Text(e, reading.Header.Namespaces))];

    private static void ComesBack(EpcisEvent e, DocumentForm form, IReadOnlyList<string> named)
    {
        var findings = new Findings();
        var bytes = Write([e], form, findings, ArbitraryEvent.Namespaces);
        // A finding about spelling changes nothing that is said, nor one about attributes whose element is not there.
        Assert.Equal(named, findings.All.Where(f => f is not { Code: "EPCIS-OUT-01", Severity: Severity.Info }).Select(f => f.Code).Where(c => c != "EPCIS-OUT-03"));
        var ours = Gs1Xml.Read(bytes, EpcisSchemas.For);
        Assert.DoesNotContain(ours.Findings.All, f => f.Severity == Severity.Error);
        var theirs = Gs1Xml.Read(bytes, Gs1Xml.Schemas);
        Assert.DoesNotContain(theirs.Findings.All, f => f.Severity == Severity.Error);
        Assert.Equal(Comparable([e], form), Comparable(ours.Events, form));
        Assert.Equal(bytes, Write([e], form, new Findings(), ArbitraryEvent.Namespaces));
    }

    private static byte[] Write(IEnumerable<EpcisEvent> events, DocumentForm form, Findings findings, IReadOnlyDictionary<string, string> namespaces, DocumentHeader? header = null, CbvSpelling cbv = CbvSpelling.Kept)
    {
        using var stream = new MemoryStream();
        var writer = new XmlDocumentWriter(stream, form, findings, cbv, carry: true);
        writer.Begin(header ?? new DocumentHeader(), s_now);
        foreach (var e in events)
        {
            writer.EventAsync(e, null, namespaces, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        writer.EndAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return stream.ToArray();
    }

    /// <summary>Without what an edition or the repository decides: places, recordTime, and the spelling of CBV terms in 1.2.</summary>
    private static IEnumerable<string> Comparable(IEnumerable<EpcisEvent> events, DocumentForm form) => events.Select(e =>
    {
        e = e with
        {
            Place = default,
            Index = 0,
            RecordTimeText = null,
            Attributes = [.. e.Attributes.OrderBy(a => a.On, StringComparer.Ordinal)],
            Comments = [.. e.Comments.OrderBy(c => c.Before, StringComparer.Ordinal)],
        };
        if (form == DocumentForm.Xml20 && e is ObjectEvent o)
        {
            e = o with { WasQuantityEvent = false };
        }
        var text = Text(e);
        return form == DocumentForm.Xml12
            ? text.Replace("https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:bizstep:", StringComparison.Ordinal).Replace("https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", StringComparison.Ordinal)
                .Replace("https://ref.gs1.org/cbv/BTT-", "urn:epcglobal:cbv:btt:", StringComparison.Ordinal).Replace("https://ref.gs1.org/cbv/SDT-", "urn:epcglobal:cbv:sdt:", StringComparison.Ordinal)
                .Replace("https://ref.gs1.org/cbv/ER-", "urn:epcglobal:cbv:er:", StringComparison.Ordinal)
            : text;
    });

    private static readonly JsonSerializerOptions s_options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter() } };

    private static string Text(EpcisEvent e) => JsonSerializer.Serialize(e with { Place = default, Index = 0 }, e.GetType(), s_options);
}
