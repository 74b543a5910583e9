using System.Net;
using System.Net.Sockets;
using System.Text;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Tests.Formats.JsonLd;

namespace Epcis.Tests.Formats;

/// <summary>
/// What is sent to hurt, in any form: it calls nobody, it fills no memory, and it is answered with a finding. Each form's own
/// traps stand with its reader.
/// </summary>
public class HostileInputTests
{
    private const string Open12 = """<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>""";
    private const string Open20 = """<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:x="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>""";
    private const string Close = "</EventList></EPCISBody></e:EPCISDocument>";
    private const string Times = "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>";
    private const string OpenJson = """{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ns.example.org/"}],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-01-01T00:00:00Z","epcisBody":{"eventList":[""";
    private const string CloseJson = "]}}";

    private static string ObjectXml(string more = "") => "<ObjectEvent>" + Times + "<epcList/><action>ADD</action>" + more + "</ObjectEvent>";

    private static string ObjectJson(string more = "") =>
        """{"type":"ObjectEvent","eventTime":"2026-01-01T00:00:00Z","eventTimeZoneOffset":"+00:00","action":"ADD","epcList":[]""" + more + "}";

    [Fact]
    public void What_is_attacked_below_is_sound()
    {
        Assert.Empty(Read(Open12 + ObjectXml() + Close).Findings.All);
        Assert.Empty(Read(Open20 + ObjectXml() + Close).Findings.All);
        Assert.Empty(Read(OpenJson + ObjectJson() + CloseJson).Findings.All);
    }

    [Theory]
    [InlineData("<!DOCTYPE a SYSTEM 'TRAP'>", "", "EPCIS-XML-02")]
    [InlineData("<!DOCTYPE a PUBLIC '-//A//B//EN' 'TRAP'>", "", "EPCIS-XML-02")]
    [InlineData("<!DOCTYPE a [<!ENTITY x SYSTEM 'TRAP'>]>", "<x:a>&x;</x:a>", "EPCIS-XML-02")]
    [InlineData("<!DOCTYPE a [<!ENTITY % p SYSTEM 'TRAP'> %p;]>", "", "EPCIS-XML-02")]
    [InlineData("<?xml-stylesheet type='text/xsl' href='TRAP'?>", "", "")]
    [InlineData("", "<x:a xsi:schemaLocation='urn:x TRAP urn:epcglobal:epcis:xsd:2 TRAP'/>", "")]
    [InlineData("", "<x:a xsi:noNamespaceSchemaLocation='TRAP'/>", "")]
    [InlineData("", "<x:a xml:base='TRAP'/>", "")]
    [InlineData("", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='TRAP'/>", "")]
    [InlineData("", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:import namespace='urn:y' schemaLocation='TRAP'/></xs:schema>", "")]
    public void Xml_calls_nobody(string prolog, string more, string code) => AssertCallsNobody(trap =>
        prolog.Replace("TRAP", trap, StringComparison.Ordinal) + Open20 + ObjectXml(more.Replace("TRAP", trap, StringComparison.Ordinal)) + Close, code);

    [Theory]
    [InlineData("\"TRAP\"", "EPCIS-JSON-17")]
    [InlineData("[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",\"TRAP\"]", "EPCIS-JSON-17")]
    [InlineData("{\"@import\":\"TRAP\"}", "EPCIS-JSON-17")]
    [InlineData("{\"ex\":{\"@id\":\"TRAP\",\"@context\":\"TRAP\"}}", "EPCIS-JSON-17")]
    [InlineData("{\"@base\":\"TRAP\",\"@vocab\":\"TRAP\",\"ex\":\"TRAP\"}", "")]
    public void Json_calls_nobody(string context, string code) => AssertCallsNobody(trap =>
        OpenJson + ObjectJson(",\"@context\":" + context.Replace("TRAP", trap, StringComparison.Ordinal) + ",\"ex:a\":1") + CloseJson, code);

    private static void AssertCallsNobody(Func<string, string> document, string code)
    {
        using var trap = new TcpListener(IPAddress.Loopback, 0);
        trap.Start();
        var called = false;
        _ = Task.Run(async () =>
        {
            // Whoever calls is cut off at once, until the trap is taken away: waiting would only make the test slow.
            while (true)
            {
                (await trap.AcceptTcpClientAsync()).Dispose();
                called = true;
            }
        });
        var reading = Read(document(FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)trap.LocalEndpoint).Port}/trap")));
        Assert.Equal(code, reading.Findings.All.FirstOrDefault()?.Code ?? "");
        Assert.False(called);
    }

    // Streams of 100 MB, of which no reader may keep more than its bounds allow.
    [Theory]
    [InlineData("attribute", Open20 + "<ObjectEvent x:a='", "xxxxxxxxxxxxxxxx", "'/>" + Close, "EPCIS-XML-03", 64)]
    [InlineData("text", Open20 + "<ObjectEvent><x:a>", "xxxxxxxxxxxxxxxx", "</x:a></ObjectEvent>" + Close, "EPCIS-XML-03", 64)]
    [InlineData("comment", "<!--", "xxxxxxxxxxxxxxxx", "-->" + Open20 + Close, "EPCIS-XML-03", 64)]
    [InlineData("name", "<", "xxxxxxxxxxxxxxxx", "/>", "EPCIS-XML-03", 64)]
    [InlineData("string", OpenJson, "\"xxxxxxxxxxxxxxx", "\"" + CloseJson, "EPCIS-JSON-02", 400)]
    [InlineData("number", OpenJson + "1", "0000000000000000", CloseJson, "EPCIS-JSON-02", 400)]
    [InlineData("member name", "{\"", "xxxxxxxxxxxxxxxx", "\":1}", "EPCIS-JSON-02", 400)]
    public void A_hundred_megabytes_in_one_piece_are_refused_in_bounded_memory(string what, string before, string piece, string after, string code, int maxMegabytes)
    {
        var many = string.Concat(Enumerable.Repeat(what == "string" ? piece[1..] + "x" : piece, 4096));
        using var stream = new TextStream([before + (what == "string" ? "\"" : ""), .. Enumerable.Repeat(many, (100 << 20) / many.Length), after]);

        var (reading, allocated) = Measured(stream);

        Assert.True(reading.IsBroken, what);
        Assert.Equal(code, reading.Findings.All[^1].Code);
        Assert.True(allocated < (long)maxMegabytes << 20, $"{what}: {allocated >> 20} MB were allocated.");
    }

    // A tiny value takes more memory than bytes: the number in one event is bounded, too.
    [Theory]
    [InlineData(Open20 + "<ObjectEvent>", "<x:a/>", "</ObjectEvent>" + Close, "EPCIS-XML-03")]
    [InlineData(Open20 + "<ObjectEvent><epcList>", "<epc>urn:x:1</epc>", "</epcList></ObjectEvent>" + Close, "EPCIS-XML-03")]
    [InlineData(Open20 + "<ObjectEvent><x:a>", "<x:b c='' d='' e=''/>", "</x:a></ObjectEvent>" + Close, "EPCIS-XML-03")]
    [InlineData(OpenJson + "{\"type\":\"ObjectEvent\",\"ex:a\":[0", ",0", "]}" + CloseJson, "EPCIS-JSON-02")]
    [InlineData(OpenJson + "{\"type\":\"ObjectEvent\",\"epcList\":[\"urn:x:0\"", ",\"urn:x:1\"", "]}" + CloseJson, "EPCIS-JSON-02")]
    [InlineData(OpenJson + "[0", ",[]", "]" + CloseJson, "EPCIS-JSON-02")]
    public void More_than_a_million_siblings_in_one_event_are_refused_in_bounded_memory(string before, string sibling, string after, string code)
    {
        var thousand = string.Concat(Enumerable.Repeat(sibling, 1000));
        using var stream = new TextStream([before, .. Enumerable.Repeat(thousand, 4000), after]);

        var (reading, allocated) = Measured(stream);

        Assert.True(reading.IsBroken);
        Assert.Equal(code, reading.Findings.All[^1].Code);
        Assert.True(allocated < 1L << 30, $"{allocated >> 20} MB were allocated.");
    }

    [Theory]
    [InlineData(Open20 + "<ObjectEvent>", "<x:a>", "EPCIS-XML-03")]
    [InlineData(Open20, "<extension>", "EPCIS-XML-03")]
    [InlineData(OpenJson + "{\"ex:a\":", "[", "EPCIS-JSON-02")]
    [InlineData(OpenJson, "{\"a\":", "EPCIS-JSON-02")]
    [InlineData("{\"@context\":", "[", "EPCIS-JSON-02")]
    [InlineData("{\"epcisBody\":[],\"a\":", "{\"a\":", "EPCIS-JSON-02")]
    public void A_hundred_thousand_levels_are_refused(string before, string level, string code)
    {
        var reading = Read(before + string.Concat(Enumerable.Repeat(level, 100_000)));
        Assert.True(reading.IsBroken);
        Assert.Equal(code, reading.Findings.All[^1].Code);
    }

    public static TheoryData<string, byte[], string> Encodings => new()
    {
        { "JSON in UTF-16 with a mark", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(OpenJson + CloseJson)], "EPCIS-XML-01" },
        { "JSON in UTF-16 without a mark", Encoding.Unicode.GetBytes(OpenJson + CloseJson), "EPCIS-JSON-01" },
        { "JSON in UTF-16 without a mark, big end first", Encoding.BigEndianUnicode.GetBytes(OpenJson + CloseJson), "EPCIS-DOC-01" },
        { "JSON in UTF-32", [.. Encoding.UTF32.GetPreamble(), .. Encoding.UTF32.GetBytes(OpenJson + CloseJson)], "EPCIS-XML-01" },
        { "JSON in UTF-7", Encoding.ASCII.GetBytes("+AHsAfQ-"), "EPCIS-DOC-01" },
        { "JSON with two marks", Encoding.UTF8.GetBytes("\uFEFF\uFEFF" + OpenJson + CloseJson), "EPCIS-DOC-01" },
        { "JSON with half a mark", [0xEF, 0xBB, .. Encoding.UTF8.GetBytes(OpenJson + CloseJson)], "EPCIS-DOC-01" },
        { "JSON with a NUL byte", Encoding.UTF8.GetBytes(OpenJson + "\0" + CloseJson), "EPCIS-JSON-01" },
        { "JSON with a NUL byte in a text", Encoding.UTF8.GetBytes(OpenJson + "\"\0\"" + CloseJson), "EPCIS-JSON-01" },
        { "JSON with NULs behind", Encoding.UTF8.GetBytes(OpenJson + CloseJson + "\0\0"), "EPCIS-JSON-01" },
        { "JSON with an overlong slash", [.. Encoding.UTF8.GetBytes(OpenJson + "\""), 0xC0, 0xAF, .. Encoding.UTF8.GetBytes("\"" + CloseJson)], "EPCIS-JSON-04" },
        { "JSON with a surrogate in UTF-8", [.. Encoding.UTF8.GetBytes(OpenJson + "\""), 0xED, 0xA0, 0x80, .. Encoding.UTF8.GetBytes("\"" + CloseJson)], "EPCIS-JSON-04" },
        { "XML in UTF-16 without a mark", Encoding.Unicode.GetBytes(Open20 + Close), "" },
        { "XML in UTF-16 that calls itself UTF-8", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("<?xml version='1.0' encoding='utf-8'?>" + Open20 + Close)], "EPCIS-XML-01" },
        { "XML in UTF-16, big end first, without a mark", Encoding.BigEndianUnicode.GetBytes(Open20 + Close), "EPCIS-DOC-01" },
        { "XML in UTF-32", [.. Encoding.UTF32.GetPreamble(), .. Encoding.UTF32.GetBytes(Open20 + Close)], "" },
        { "XML in UTF-7", Encoding.ASCII.GetBytes("+ADw-a/+AD4-"), "EPCIS-DOC-01" },
        { "XML that says UTF-7 and hides a DOCTYPE", Encoding.ASCII.GetBytes("<?xml version='1.0' encoding='utf-7'?>+ADwAIQ-DOCTYPE a+AD4-" + Open20 + Close), "EPCIS-XML-04" },
        { "XML with two marks", Encoding.UTF8.GetBytes("\uFEFF\uFEFF" + Open20 + Close), "EPCIS-DOC-01" },
        { "XML with a NUL byte", Encoding.UTF8.GetBytes(Open20 + "\0" + Close), "EPCIS-XML-01" },
        { "XML with a NUL by number", Encoding.UTF8.GetBytes(Open20 + ObjectXml("<x:a>&#0;</x:a>") + Close), "EPCIS-XML-01" },
        { "XML with half a surrogate pair by number", Encoding.UTF8.GetBytes(Open20 + ObjectXml("<x:a>&#xD800;</x:a>") + Close), "EPCIS-XML-01" },
        { "XML with an overlong slash", [.. Encoding.UTF8.GetBytes(Open20), 0xC0, 0xAF, .. Encoding.UTF8.GetBytes(Close)], "EPCIS-XML-04" },
        { "XML 1.1", Encoding.UTF8.GetBytes("<?xml version='1.1'?>" + Open20 + Close), "EPCIS-XML-01" },
        { "two documents of XML", Encoding.UTF8.GetBytes(Open20 + Close + Open20 + Close), "EPCIS-XML-01" },
        { "two documents of JSON", Encoding.UTF8.GetBytes(OpenJson + CloseJson + OpenJson + CloseJson), "EPCIS-JSON-01" },
        { "two documents of JSON, one a line", Encoding.UTF8.GetBytes(OpenJson + CloseJson + "\n" + OpenJson + CloseJson), "EPCIS-JSON-01" },
        { "XML behind JSON", Encoding.UTF8.GetBytes(OpenJson + CloseJson + Open20 + Close), "EPCIS-JSON-01" },
        { "JSON behind XML", Encoding.UTF8.GetBytes(Open20 + Close + OpenJson + CloseJson), "EPCIS-XML-01" },
        { "half a document of JSON", Encoding.UTF8.GetBytes(OpenJson), "EPCIS-JSON-01" },
        { "half a document of XML", Encoding.UTF8.GetBytes(Open20), "EPCIS-XML-01" },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Bytes_that_are_not_what_they_seem(string what, byte[] document, string code)
    {
        var reading = Read(document);
        Assert.True(code == (reading.Findings.All.FirstOrDefault(f => f.Severity == Severity.Error)?.Code ?? ""), $"{what}: {reading.Findings.All.FirstOrDefault()}");
        Assert.Equal(code.Length > 0, reading.IsBroken);
    }

    // Where time ends for .NET, PostgreSQL or XML Schema.
    [Theory]
    [InlineData("0000-01-01T00:00:00Z", false)]
    [InlineData("0001-01-01T00:00:00Z", true)]
    [InlineData("0001-01-01T00:00:00+14:00", false)]
    [InlineData("0001-01-01T00:00:00-14:00", true)]
    [InlineData("9999-12-31T23:59:59.9999999Z", true)]
    [InlineData("9999-12-31T23:59:59-14:00", false)]
    [InlineData("9999-12-31T23:59:59+14:00", true)]
    [InlineData("10000-01-01T00:00:00Z", false)]
    [InlineData("-0001-01-01T00:00:00Z", false)]
    [InlineData("-2026-01-01T00:00:00Z", false)]
    [InlineData("2026-02-29T00:00:00Z", false)]
    [InlineData("2000-02-29T00:00:00Z", true)]
    [InlineData("1900-02-29T00:00:00Z", false)]
    [InlineData("2026-01-01T00:00:00+14:01", null)]
    [InlineData("2026-01-01T00:00:00-00:00", true)]
    [InlineData("9999-12-31T23:59:60Z", null)]
    [InlineData("2016-12-31T23:59:60Z", null)]
    [InlineData("2026-01-01T24:00:00Z", null)]
    [InlineData("2026-01-01T00:00:00.000000000000000000000000000000000001Z", true)]
    public void A_date_at_the_edge_of_time_is_read_or_told(string time, bool? isRead)
    {
        foreach (var document in (string[])[Open12 + ObjectXml() + Close, Open20 + ObjectXml() + Close, OpenJson + ObjectJson() + CloseJson])
        {
            using var reader = EpcisDocument.Open(new MemoryStream(Encoding.UTF8.GetBytes(document.Replace(
                document[0] == '{' ? "\"eventTime\":\"2026-01-01T00:00:00Z\"" : "<eventTime>2026-01-01T00:00:00Z<",
                document[0] == '{' ? $"\"eventTime\":\"{time}\"" : $"<eventTime>{time}<", StringComparison.Ordinal))), ReaderLimits.Default);
            Assert.True(reader.Read());
            var e = reader.Current;
            while (reader.Read())
            {
            }
            Assert.Equal(time, e.EventTimeText);
            Assert.False(reader.IsBroken);
            // An instant or an error, of the reader or of the rule that knows what no schema says: never neither.
            Assert.True(e.EventTime is not null || reader.Findings.HasErrors || RuleRefuses(e), $"{reader.Form}: neither instant nor finding");
            if (isRead is { } read)
            {
                Assert.True(read == (e.EventTime is not null), $"{reader.Form}: {e.EventTime:O}");
            }
        }
    }

    private static bool RuleRefuses(EpcisEvent e)
    {
        var findings = new Findings();
        Epcis.Rules.RuleSet.Default.Check(e, findings);
        return findings.All.Any(f => f is { Code: "EPCIS-TIME-01", Severity: Severity.Error });
    }

    [Theory]
    [InlineData("1E400")]
    [InlineData("-1E400")]
    [InlineData("1E-400")]
    [InlineData("INF")]
    [InlineData("NaN")]
    [InlineData("99999999999999999999999999999999999999999999")]
    [InlineData("0.0000000000000000000000000000000000000000001")]
    [InlineData("-0")]
    public void A_number_out_of_range_is_kept_or_told_and_never_thrown(string number)
    {
        var quantity = $"<quantityElement><epcClass>urn:x:c</epcClass><quantity>{number}</quantity></quantityElement>";
        var json = Read(OpenJson + ObjectJson(",\"quantityList\":[{\"epcClass\":\"urn:x:c\",\"quantity\":" + number + "}]") + CloseJson);
        Assert.True(json.Findings.HasErrors || json.Events[0] is ObjectEvent { QuantityList: [{ Quantity: not null }] });
        var old = Read(Open12 + ObjectXml("<extension><quantityList>" + quantity + "</quantityList></extension>") + Close);
        var xml = Read(Open20 + ObjectXml("<quantityList>" + quantity + "</quantityList>") + Close);
        foreach (var reading in (Reading[])[old, xml])
        {
            Assert.True(reading.Findings.HasErrors || reading.Events[0] is ObjectEvent { QuantityList: [{ QuantityText: var text }] } && text == number);
        }
    }

    // The runtime's own parser throws what is no XmlException for this, and only when the bytes come one by one.
    [Fact]
    public void A_declaration_that_the_runtime_stumbles_over_is_a_finding()
    {
        var reading = Read(new DrippingStream(Encoding.UTF8.GetBytes("<?xml version=\"1.0\u2028\" encoding=\"UTF-8\"?>\n" + Open20 + Close)));
        Assert.Equal("EPCIS-XML-01", Assert.Single(reading.Findings.All).Code);
        Assert.True(reading.IsBroken);
    }

    [Theory]
    [InlineData("perhaps")]
    [InlineData("")]
    [InlineData("TRUE")]
    public void A_nil_that_is_no_boolean_is_a_finding(string nil)
    {
        var reading = Read(Open20 + ObjectXml($"<quantityList><quantityElement><epcClass>urn:x:c</epcClass>\n<quantity xsi:nil='{nil}'/></quantityElement></quantityList>") + Close);
        Assert.Equal(("EPCIS-XSD-01", 2, nil), (reading.Findings.All[^1].Code, reading.Findings.All[^1].Where.Line, reading.Findings.All[^1].Got));
        Assert.True(reading.IsBroken);
    }

    private static (Reading Reading, long Allocated) Measured(Stream stream)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reading = Read(stream);
        return (reading, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Reading Read(string document) => Read(Encoding.UTF8.GetBytes(document));

    private static Reading Read(byte[] document) => Read(new MemoryStream(document));

    private static Reading Read(Stream document)
    {
        using var reader = EpcisDocument.Open(document, ReaderLimits.Default);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        return new Reading(reader.Findings, reader.IsBroken, events);
    }

    private sealed record Reading(Findings Findings, bool IsBroken, IReadOnlyList<EpcisEvent> Events);
}
