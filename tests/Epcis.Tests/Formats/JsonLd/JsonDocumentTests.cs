using System.Text;
using Epcis.Events;
using Epcis.Formats;

namespace Epcis.Tests.Formats.JsonLd;

public class JsonDocumentTests
{
    private const string Late =
        "{\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2026-01-31T13:05:00Z\",\"epcisBody\":{\"eventList\":[EVENT]},\"@context\":CONTEXT}";

    private static string LateContext => Late.Replace("EVENT", AJson.Object("\"ex:a\":1"), StringComparison.Ordinal)
        .Replace("CONTEXT", AJson.Context, StringComparison.Ordinal);

    [Fact]
    public void A_context_after_the_events_is_found_before_them()
    {
        var outcome = JsonSamples.Read(LateContext);
        Assert.Empty(outcome.Codes);
        Assert.Equal("https://ns.example.com/epcis/", outcome.Events[0].Extensions[0].Namespace);
    }

    [Fact]
    public void A_context_after_the_events_of_a_stream_that_cannot_seek_is_told()
    {
        var outcome = JsonSamples.Read(new DrippingStream(Encoding.UTF8.GetBytes(LateContext), canSeek: false), isBare: false);
        Assert.Equal(["EPCIS-JSON-21"], outcome.Codes);
        Assert.Equal(("", "ex"), (outcome.Events[0].Extensions[0].Namespace, outcome.Events[0].Extensions[0].Prefix));
    }

    [Fact]
    public void The_header_is_read_wherever_it_stands()
    {
        var header = "\"sender\":\"urn:x:s\",\"receiver\":\"urn:x:r\",\"instanceIdentifier\":\"i1\",\"ex:doc\":{\"a\":1},\"epcisHeader\":{\"ex:h\":\"v\",\"epcisMasterData\":"
            + "{\"vocabularyList\":[{\"type\":\"urn:epcglobal:epcis:vtype:Location\",\"vocabularyElementList\":[{\"id\":\"urn:x:l\","
            + "\"attributes\":[{\"id\":\"urn:epcglobal:cbv:mda#name\",\"attribute\":\"Hall\"},{\"id\":\"urn:x:n\",\"attribute\":{\"a\":1}}],\"children\":[\"urn:x:c\"]}]}]}}";
        var document = AJson.Document(AJson.Object());
        var before = JsonSamples.Read(document.Replace("\"epcisBody\"", header + ",\"epcisBody\"", StringComparison.Ordinal));
        var after = JsonSamples.Read(document[..^1] + "," + header + "}");
        Assert.Empty(before.Codes);
        Assert.Equivalent(before.Header, after.Header, strict: true);
        Assert.Equal("urn:x:s", before.Header.Sbdh!.Senders[0].Identifier);
        Assert.Equal("urn:x:r", before.Header.Sbdh.Receivers[0].Identifier);
        Assert.Equal("i1", before.Header.Sbdh.InstanceIdentifier);
        Assert.Equal(["doc"], before.Header.DocumentExtensions.Select(e => e.Name));
        Assert.Equal(["h"], before.Header.HeaderExtensions.Select(e => e.Name));
        var element = Assert.Single(before.Header.MasterData);
        Assert.Equal(("urn:epcglobal:epcis:vtype:Location", "urn:x:l"), (element.VocabularyType, element.Id));
        Assert.Equal([("urn:epcglobal:cbv:mda#name", "Hall"), ("urn:x:n", "{\"a\":1}")], element.Attributes.Select(a => (a.Id, a.Value)));
        Assert.Equal(["urn:x:c"], element.Children);
    }

    [Theory]
    [InlineData("\"schemaVersion\":\"2.0\",", "", "EPCIS-JSON-05", "")]
    [InlineData("\"schemaVersion\":\"2.0\"", "\"schemaVersion\":\"2.\"", "EPCIS-JSON-11", "/schemaVersion")]
    [InlineData("\"creationDate\":\"2026-01-31T13:05:00Z\",", "", "EPCIS-JSON-05", "")]
    [InlineData("\"type\":\"EPCISDocument\",", "", "EPCIS-JSON-05", "")]
    [InlineData("\"type\":\"EPCISDocument\"", "\"type\":\"Document\"", "EPCIS-JSON-08", "/type")]
    [InlineData("\"type\":\"EPCISDocument\"", "\"type\":\"EPCISQueryDocument\"", "EPCIS-JSON-05", "/epcisBody")]
    [InlineData("\"schemaVersion\"", "\"comment\":1,\"schemaVersion\"", "EPCIS-JSON-06", "/comment")]
    [InlineData("\"eventList\":[", "\"more\":[", "EPCIS-JSON-05", "/epcisBody")]
    [InlineData("\"eventList\":[", "\"eventList\":[7,", "EPCIS-JSON-07", "/epcisBody/eventList/0")]
    [InlineData("\"schemaVersion\"", "\"epcisHeader\":{\"masterData\":{}},\"schemaVersion\"", "EPCIS-JSON-06", "/epcisHeader/masterData")]
    [InlineData("{\"ex\":\"https", "7,{\"ex\":\"https", "EPCIS-JSON-07", "/@context/1")]
    public void A_document_that_violates_the_schema_is_told_where(string sound, string wrong, string code, string pointer)
    {
        var outcome = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(
            AJson.Document(AJson.Object()).Replace(sound, wrong, StringComparison.Ordinal))), isBare: false);
        Assert.Contains(outcome.Findings.All, f => f.Code == code && f.Where.Pointer == pointer && f.Severity == Severity.Error);
        Assert.False(outcome.IsBroken);
    }

    [Fact]
    public void The_body_of_a_document_is_open_as_the_schema_leaves_it() =>
        Assert.Equal([("EPCIS-JSON-23", Severity.Warning), ("EPCIS-JSON-23", Severity.Warning)],
            JsonSamples.Read(AJson.Document(AJson.Object()).Replace("{\"eventList\"", "{\"queryResults\":7,\"own\":1,\"eventList\"", StringComparison.Ordinal)).Findings.All.Select(f => (f.Code, f.Severity)));

    [Fact]
    public void The_reader_stays_close_behind_its_stream_however_many_events_follow()
    {
        var document = AJson.Document(AJson.Object(), "HERE");
        var cut = document.IndexOf("HERE", StringComparison.Ordinal);
        var one = AJson.Object();
        var events = Enumerable.Repeat(one + ",", 50_000).Append(one);
        using var stream = new TextStream([document[..cut], .. events, document[(cut + 4)..]]);
        using var reader = new Epcis.Formats.JsonLd.JsonEpcisReader(stream, ReaderLimits.Default);
        var count = 0;
        while (reader.Read())
        {
            count++;
            Assert.True(stream.BytesRead - (long)count * one.Length < 64 << 10);
        }
        Assert.Equal(50_002, count);
        Assert.Empty(reader.Findings.All);
    }

    [Fact]
    public void A_bare_event_needs_its_own_context()
    {
        var outcome = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(AJson.Object())), isBare: true);
        Assert.Equal(["EPCIS-JSON-05"], outcome.Codes);
        Assert.Single(outcome.Events);
    }

    [Fact]
    public void An_events_own_context_adds_prefixes_for_that_event_alone()
    {
        var outcome = JsonSamples.Read(AJson.Document(AJson.Object("\"@context\":[{\"own\":\"urn:own:\"}],\"own:a\":1"), AJson.Object("\"own:a\":1")));
        Assert.Equal(["urn:own:", ""], outcome.Events.Select(e => e.Extensions[0].Namespace));
    }

    [Theory]
    [InlineData("\uFEFF \n{", DocumentForm.JsonLd20)]
    [InlineData("{", DocumentForm.JsonLd20)]
    [InlineData("\uFEFF<a/>", DocumentForm.Xml12)]
    [InlineData("\n\n <a/>", DocumentForm.Xml12)]
    [InlineData("", DocumentForm.Unknown)]
    [InlineData("  ", DocumentForm.Unknown)]
    [InlineData("ISA*00*", DocumentForm.Unknown)]
    public void A_document_is_opened_by_its_first_byte(string text, DocumentForm form)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        using var reader = EpcisDocument.Open(new DrippingStream(bytes, canSeek: false), ReaderLimits.Default, (stream, _) =>
        {
            using var rest = new MemoryStream();
            stream.CopyTo(rest);
            Assert.Equal(bytes, rest.ToArray());
            return new XmlStandIn();
        });
        Assert.Equal(form, reader.Form);
        Assert.Equal(form == DocumentForm.Unknown, reader.IsBroken && !reader.Read() && reader.Findings.HasErrors);
    }

    [Fact]
    public void A_json_document_is_read_through_the_peek()
    {
        using var reader = EpcisDocument.Open(new MemoryStream(Encoding.UTF8.GetBytes("\uFEFF " + LateContext)), ReaderLimits.Default, (_, _) => new XmlStandIn());
        Assert.True(reader.Read());
        Assert.Equal("https://ns.example.com/epcis/", reader.Current.Extensions[0].Namespace);
        Assert.False(reader.Read());
        Assert.Empty(reader.Findings.All);
    }

    private sealed class XmlStandIn : EpcisReader
    {
        public override DocumentForm Form => DocumentForm.Xml12;
        public override DocumentHeader Header { get; } = new();
        public override Findings Findings { get; } = new();
        public override bool IsBroken => false;
        public override EpcisEvent Current => throw new NotSupportedException();

        public override bool Read() => false;

        public override void Dispose()
        {
        }
    }
}
