using System.Text;

namespace Gateway.Journeys.Faults;

/// <summary>FT-32: hostile XML is refused alike at every entry point, calls nobody, and its look-alikes are captured.</summary>
public sealed class XmlAttackTests(AttackedGateway gateway) : IClassFixture<AttackedGateway>
{
    private const string Head = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-03-01T10:00:00Z">""";

    public static TheoryData<string, string, string> Hostile => new()
    {
        { "an empty DOCTYPE", "EPCIS-XML-02", "<!DOCTYPE a>" + Sound() },
        { "a DOCTYPE behind a comment", "EPCIS-XML-02", "<?xml version=\"1.0\"?>\n<!-- a -->\n<!DOCTYPE a []>" + Sound() },
        { "an entity bomb", "EPCIS-XML-02", """<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>""" + Sound("<x:a xmlns:x='urn:x'>&c;</x:a>") },
        { "an external entity", "EPCIS-XML-02", """<!DOCTYPE a [<!ENTITY x SYSTEM "TRAP">]>""" + Sound("<x:a xmlns:x='urn:x'>&x;</x:a>") },
        { "an entity of a local file", "EPCIS-XML-02", """<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>""" + Sound("<x:a xmlns:x='urn:x'>&x;</x:a>") },
        { "an external subset", "EPCIS-XML-02", """<!DOCTYPE a SYSTEM "TRAP">""" + Sound() },
        { "a public subset", "EPCIS-XML-02", """<!DOCTYPE a PUBLIC "-//A//B//EN" "TRAP">""" + Sound() },
        { "a parameter entity", "EPCIS-XML-02", """<!DOCTYPE a [<!ENTITY % p SYSTEM "TRAP"> %p;]>""" + Sound() },
        { "an undeclared entity", "EPCIS-XML-01", Sound("<x:a xmlns:x='urn:x'>&x;</x:a>") },
        { "a DOCTYPE inside the root", "EPCIS-XML-01", Sound("<!DOCTYPE a>") },
        { "a second root", "EPCIS-XML-01", Sound() + Sound() },
        { "UTF-7", "EPCIS-XML-04", "<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-!DOCTYPE a SYSTEM \"TRAP\"+AD4-" + Sound() },
        { "UTF-16 that is none", "EPCIS-XML-04", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + Sound() },
        { "an encoding nobody knows", "EPCIS-XML-04", "<?xml version=\"1.0\" encoding=\"x-evil\"?>" + Sound() },
        { "two equal attributes", "EPCIS-XML-01", Sound("<x:a xmlns:x='urn:x' b='1' b='2'/>") },
        { "two equal attributes by two prefixes", "EPCIS-XML-01", Sound("<x:a xmlns:x='urn:x' xmlns:y='urn:x' x:b='1' y:b='2'/>") },
        { "a prefix nobody declared", "EPCIS-XML-01", Sound("<x:a/>") },
        { "a NUL", "EPCIS-XML-01", Sound("<x:a xmlns:x='urn:x'>&#0;</x:a>") },
        { "a name of a kilobyte", "EPCIS-XML-03", Sound($"<x:{new string('n', 1024)} xmlns:x='urn:x'/>") },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public Task A_hostile_document_is_refused_everywhere(string what, string code, string document)
    {
        Assert.NotEmpty(what);
        return gateway.IsRefusedAsync(Encoding.UTF8.GetBytes(gateway.Arm(document)), "application/xml", code);
    }

    // Made here, not in the list: names of tests must stay short.
    public static TheoryData<string> Huge => ["depth", "attributes", "namespaces", "attribute", "text", "comment"];

    [Theory]
    [MemberData(nameof(Huge))]
    public Task A_huge_document_is_refused_everywhere(string what) => gateway.IsRefusedAsync(Encoding.UTF8.GetBytes(Sound(what switch
    {
        "depth" => "<x:a xmlns:x='urn:x'>" + string.Concat(Enumerable.Repeat("<a>", 1_000_000)),
        "attributes" => "<x:a xmlns:x='urn:x' " + string.Concat(Enumerable.Range(0, 100_000).Select(n => $"a{n}='' ")) + "/>",
        "namespaces" => "<x:a xmlns:x='urn:x' " + string.Concat(Enumerable.Range(0, 100_000).Select(n => $"xmlns:a{n}='urn:{n}' ")) + "/>",
        "attribute" => "<x:a xmlns:x='urn:x' b='" + new string('b', FaultScale.Of(8, 50) << 20) + "'/>",
        "text" => "<x:a xmlns:x='urn:x'>" + new string('b', FaultScale.Of(8, 50) << 20) + "</x:a>",
        _ => "<!--" + new string('b', FaultScale.Of(8, 50) << 20) + "-->",
    })), "application/xml", "EPCIS-XML-03");

    [Fact]
    public async Task Utf16_hides_no_doctype()
    {
        var document = gateway.Arm("<?xml version=\"1.0\" encoding=\"utf-16\"?><!DOCTYPE a SYSTEM \"TRAP\">" + Sound());
        await gateway.IsRefusedAsync([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(document)], "application/xml", "EPCIS-XML-02");
        await gateway.IsRefusedAsync([.. Encoding.BigEndianUnicode.GetPreamble(), .. Encoding.BigEndianUnicode.GetBytes(document)], "application/xml", "EPCIS-XML-02");
    }

    [Fact]
    public async Task A_doctype_is_told_with_its_place()
    {
        var (_, problem) = await gateway.PostAsync("capture", Encoding.UTF8.GetBytes(gateway.Arm("<?xml version=\"1.0\"?>\n  <!DOCTYPE a>" + Sound())), "application/xml");
        var where = problem.GetProperty("findings")[0].GetProperty("where");
        Assert.Equal((2, 3), (where.GetProperty("line").GetInt32(), where.GetProperty("column").GetInt32()));
    }

    public static TheoryData<string, string> LookAlikes => new()
    {
        { "a DOCTYPE in a comment", "<!-- <!DOCTYPE a SYSTEM \"TRAP\"> -->" + Sound() },
        { "a DOCTYPE in CDATA", Sound("<x:a xmlns:x='urn:x'><![CDATA[<!DOCTYPE a [<!ENTITY b SYSTEM 'TRAP'>]>&b;]]></x:a>") },
        { "an entity's declaration as text", Sound("<x:a xmlns:x='urn:x'>&lt;!ENTITY a SYSTEM 'TRAP'&gt; &#38;a; &amp;a;</x:a>") },
        { "an inclusion", Sound("<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='TRAP' parse='text'/>") },
        { "a schema's place", Sound().Replace("schemaVersion", "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:epcglobal:epcis:xsd:1 TRAP\" schemaVersion", StringComparison.Ordinal) },
        { "a place for the extension's schema", Sound("<x:a xmlns:x='urn:x' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='urn:x TRAP'/>") },
        { "an inline schema", Sound("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:import namespace='urn:y' schemaLocation='TRAP'/></xs:schema>") },
        { "a stylesheet", "<?xml-stylesheet type=\"text/xsl\" href=\"TRAP\"?>" + Sound() },
        { "a base", Sound("<x:a xmlns:x='urn:x' xml:base='TRAP'/>") },
        { "a signature, whose references are nobody's business here", Sound("<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:SignedInfo><ds:Reference URI='TRAP'/></ds:SignedInfo></ds:Signature>") },
        { "many attributes, but not too many", Sound("<x:a xmlns:x='urn:x' " + string.Concat(Enumerable.Range(0, 250).Select(n => $"a{n}='' ")) + "/>") },
        { "much depth, but not too much", Sound("<x:a xmlns:x='urn:x'>" + string.Concat(Enumerable.Repeat("<b>", 50)) + string.Concat(Enumerable.Repeat("</b>", 50)) + "</x:a>") },
    };

    [Theory]
    [MemberData(nameof(LookAlikes))]
    public Task A_look_alike_is_captured_and_nothing_is_fetched(string what, string document)
    {
        Assert.NotEmpty(what);
        return gateway.IsAcceptedAsync(Encoding.UTF8.GetBytes(gateway.Arm(document)), "application/xml");
    }

    [Fact]
    public async Task The_encodings_of_XML_are_captured()
    {
        await gateway.IsAcceptedAsync([.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(gateway.Arm(Sound()))], "application/xml");
        await gateway.IsAcceptedAsync([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(gateway.Arm(Sound()))], "text/xml");
        await gateway.IsAcceptedAsync(Encoding.Latin1.GetBytes(gateway.Arm("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + Sound("<x:a xmlns:x='urn:x'>\u00e9</x:a>"))), "application/xml");
    }

    private static string Sound(string extension = "") => Head + $"""
        <EPCISBody><EventList><ObjectEvent><eventTime>2026-03-01T10:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
        <epcList><epc>urn:epc:id:sgtin:4012345.011111.SERIAL</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>{extension}</ObjectEvent>
        </EventList></EPCISBody></epcis:EPCISDocument>
        """;
}
