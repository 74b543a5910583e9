using System.Text;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>A finding points at the field that it is about, not only at its event.</summary>
public sealed class PlaceTests
{
    private const string Wrong = "urn:epc:id:sgtin:0614141.12345.6";

    private const string Xml = """
        <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-03-01T12:00:00Z">
          <EPCISBody>
            <EventList>
              <ObjectEvent>
                <eventTime>2026-03-01T12:00:00Z</eventTime>
                <eventTimeZoneOffset>+01:00</eventTimeZoneOffset>
                <epcList>
                  <epc>urn:epc:id:sgtin:0614141.812345.1</epc>
                  <epc>urn:epc:id:sgtin:0614141.812345.2</epc>
                  <epc>urn:epc:id:sgtin:0614141.812345.3</epc>
                  <epc>urn:epc:id:sgtin:0614141.12345.6</epc>
                </epcList>
                <action>OBSERVE</action>
                <bizStep>shiping</bizStep>
                <bizTransactionList>
                  <bizTransaction type="po">urn:example:po:1</bizTransaction>
                  <bizTransaction type="porder">urn:example:po:2</bizTransaction>
                </bizTransactionList>
                <quantityList>
                  <quantityElement>
                    <epcClass>urn:epc:class:lgtin:0614141.812345.A</epcClass>
                    <quantity>0</quantity>
                  </quantityElement>
                </quantityList>
                <persistentDisposition>
                  <set>completeness_verified</set>
                  <unset>completed</unset>
                </persistentDisposition>
              </ObjectEvent>
            </EventList>
          </EPCISBody>
        </epcis:EPCISDocument>
        """;

    private const string Json = """
        {
          "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
          "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-03-01T12:00:00Z",
          "epcisBody": { "eventList": [
            { "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-03-01T12:00:00Z", "eventTimeZoneOffset": "+01:00",
              "epcList": ["urn:epc:id:sgtin:0614141.812345.1",
                "urn:epc:id:sgtin:0614141.12345.6"],
              "sensorElementList": [{ "sensorReport": [{ "type": "Temperature", "value": 4, "uom": "CEL" },
                { "type": "Temperature", "value": 5 }] }]
            },
            { "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-03-01T12:00:00Z", "eventTimeZoneOffset": "+01:00",
              "epcList": ["urn:epc:id:sgtin:0614141.812345.1"] }
          ] }
        }
        """;

    [Theory]
    [InlineData("EPCIS-EPC-01", 11)]
    [InlineData("CBV-TERM-01", 14, 17, 27)]
    [InlineData("EPCIS-QTY-01", 20)]
    public void In_xml_it_is_the_line_of_the_field_or_of_the_list_s_item(string code, params int[] lines) =>
        Assert.Equal(lines, FindingsOf(Xml).Where(f => f.Code == code).Select(f => f.Where.Line).Order());

    [Fact]
    public void A_list_on_one_line_has_columns()
    {
        var flat = Xml.Replace("\n", "", StringComparison.Ordinal).Replace("  ", "", StringComparison.Ordinal);
        var finding = FindingsOf(flat).Single(f => f.Code == "EPCIS-EPC-01");
        Assert.Equal((1, flat.IndexOf($"epc>{Wrong}", StringComparison.Ordinal) + 1), (finding.Where.Line, finding.Where.Column));
    }

    [Fact]
    public void A_list_without_any_order_in_its_layout_costs_no_more_than_its_beginning()
    {
        var epcs = new StringBuilder();
        for (var i = 0; i < 5000; i++)
        {
            epcs.Append(i % 3 == 0 ? "\n" : "").Append(' ', i % 7).Append("<epc>urn:epc:id:sgtin:0614141.812345.").Append(i).Append("</epc>");
        }
        var xml = Xml.Replace("<epcList>", "<epcList>" + epcs, StringComparison.Ordinal);
        Assert.Equal(7, FindingsOf(xml).Single(f => f.Code == "EPCIS-EPC-01").Where.Line);
    }

    [Fact]
    public void In_json_it_is_also_the_pointer()
    {
        var findings = FindingsOf(Json);
        Assert.Equal(new Place(7, 9, "/epcisBody/eventList/0/epcList/1"), findings.Single(f => f.Code == "EPCIS-EPC-01").Where);
        Assert.Equal(new Place(9, 34, "/epcisBody/eventList/0/sensorElementList/0/sensorReport/1/value"), findings.Single(f => f.Code == "EPCIS-SENS-02").Where);
    }

    [Fact]
    public void What_an_event_lacks_is_told_at_the_event()
    {
        Assert.Equal("/epcisBody/eventList/1", FindingsOf(Json).Last(f => f.Code == "CBV-STEP-01").Where.Pointer);
        Assert.Equal(4, FindingsOf(Xml.Replace("<bizStep>shiping</bizStep>", "", StringComparison.Ordinal)).Single(f => f.Code == "CBV-STEP-01").Where.Line);
    }

    [Fact]
    public void An_event_that_the_reader_has_left_knows_its_own_place_only()
    {
        using var reader = EpcisDocument.Open(new MemoryStream(Encoding.UTF8.GetBytes(Json)), ReaderLimits.Default);
        Assert.True(reader.Read());
        var first = reader.Current;
        Assert.Equal(6, first.PlaceOf("epcList/0").Line);
        Assert.True(reader.Read());
        Assert.Equal(first.Place, first.PlaceOf("epcList/0"));
    }

    [Fact]
    public void Parts_of_the_header_have_their_places()
    {
        const string Dscsa = """
            <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" schemaVersion="1.2" creationDate="2026-03-01T12:00:00Z">
              <EPCISHeader>
                <gs1ushc:guidelineVersion>GS1 US DSCSA R1.1</gs1ushc:guidelineVersion>
              </EPCISHeader>
            </epcis:EPCISDocument>
            """;
        using var reader = EpcisDocument.OpenUnvalidated(new MemoryStream(Encoding.UTF8.GetBytes(Dscsa)), ReaderLimits.Default);
        Assert.False(reader.Read());
        var findings = new Findings();
        new RuleSet(RuleSeverities.Of(RuleProfile.Dscsa13)).Begin(findings).End(reader.Header);
        Assert.Equal(3, findings.All.Single(f => f.Code == "DSCSA-DOC-01").Where.Line);
        Assert.Equal(2, findings.All.Single(f => f.Code == "DSCSA-SBDH-01").Where.Line);
    }

    private const string Sbdh = """
        <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" schemaVersion="1.2" creationDate="2026-03-01T12:00:00Z">
          <EPCISHeader>
            <s:StandardBusinessDocumentHeader>
              <s:HeaderVersion>1.0</s:HeaderVersion>
              <s:Sender>
                <s:Identifier Authority="GS1">0614141000005</s:Identifier>
                <s:Identifier Authority="own">somebody</s:Identifier>
              </s:Sender>
              <s:Receiver><s:ContactInformation><s:Contact>Desk</s:Contact></s:ContactInformation>
                <s:Identifier Authority="own">nobody</s:Identifier></s:Receiver>
              <s:DocumentIdentification>
                <s:Standard>EPCglobal</s:Standard><s:TypeVersion>1.0</s:TypeVersion>
                <s:Type>Query</s:Type>
              </s:DocumentIdentification>
              <s:BusinessScope><s:Scope><s:Type>t</s:Type><s:InstanceIdentifier>i</s:InstanceIdentifier></s:Scope></s:BusinessScope>
            </s:StandardBusinessDocumentHeader>
          </EPCISHeader>
          <EPCISBody><EventList/></EPCISBody>
        </epcis:EPCISDocument>
        """;

    [Theory]
    [InlineData("DSCSA-SBDH-01", 5)] // two identifiers of a sender
    [InlineData("DSCSA-SBDH-02", 7, 10)]
    [InlineData("DSCSA-SBDH-03", 11)] // it lacks the identifier
    [InlineData("DSCSA-SBDH-04", 13)]
    public void Parts_of_the_business_document_header_have_theirs(string code, params int[] lines) =>
        Assert.Equal(lines, HeaderFindingsOf(Sbdh).Where(f => f.Code == code).Select(f => f.Where.Line));

    [Fact]
    public void In_json_the_parts_of_a_whole_business_document_header_have_theirs()
    {
        const string Json = """
            {
              "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", { "s": "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" }],
              "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-03-01T12:00:00Z", "sender": "stand-in",
              "epcisHeader": { "s:StandardBusinessDocumentHeader": {
                "s:Sender": [{ "s:Identifier": "0614141000005" },
                  { "s:Identifier": { "@Authority": "own", "#text": "somebody" } }],
                "s:Receiver": { "s:Identifier": ["0614141000005",
                  "nobody"] },
                "s:DocumentIdentification": {
                  "s:Type": "Query" }
              } },
              "epcisBody": { "eventList": [] }
            }
            """;
        var findings = HeaderFindingsOf(Json);
        const string Header = "/epcisHeader/s:StandardBusinessDocumentHeader";
        Assert.Equal([$"{Header}/s:Sender/1/s:Identifier", $"{Header}/s:Receiver/s:Identifier/1"], findings.Where(f => f.Code == "DSCSA-SBDH-02").Select(f => f.Where.Pointer));
        Assert.Equal($"{Header}/s:DocumentIdentification", findings.Single(f => f.Code == "DSCSA-SBDH-03").Where.Pointer);
        Assert.Equal(new Place(10, 7, $"{Header}/s:DocumentIdentification/s:Type"), findings.Single(f => f.Code == "DSCSA-SBDH-04").Where);
    }

    [Fact]
    public void A_sensor_report_has_its_place_and_so_has_what_follows_it()
    {
        const string Sensors = """
            <sensorElementList>
              <sensorElement>
                <sensorMetadata startTime="2026-03-01T12:00:00Z" endTime="2026-03-01T11:00:00Z"/>
                <sensorReport type="Temperature" value="1" uom="CEL"/>
                <sensorReport type="Temperature" value="2"/>
              </sensorElement>
              <sensorElement>
                <sensorReport type="Temperature" value="3"/>
                <sensorReport value="4" uom="CEL"/>
              </sensorElement>
            </sensorElementList>
            <persistentDisposition>
            """;
        var findings = FindingsOf(Xml.Replace("<persistentDisposition>", Sensors, StringComparison.Ordinal));
        Assert.Equal([29, 32], findings.Where(f => f.Code == "EPCIS-SENS-02").Select(f => f.Where.Line));
        Assert.Equal([33], findings.Where(f => f.Code == "EPCIS-SENS-01").Select(f => f.Where.Line));
        Assert.Equal([27], findings.Where(f => f.Code == "EPCIS-SENS-05").Select(f => f.Where.Line));
        Assert.Contains(findings, f => f.Code == "CBV-TERM-01" && f.Where.Line == 38); // unset, behind them
    }

    [Fact]
    public void Of_more_sensor_elements_than_are_noted_each_has_its_own_place()
    {
        var sensors = string.Concat(Enumerable.Range(0, 300).Select(_ => "<sensorElement><sensorReport type=\"Temperature\" value=\"3\"/></sensorElement>\n"));
        var findings = FindingsOf(Xml.Replace("<persistentDisposition>", $"<sensorElementList>{sensors}</sensorElementList><persistentDisposition>", StringComparison.Ordinal));
        var first = findings.First(f => f.Code == "EPCIS-SENS-02").Where.Line;
        Assert.Equal(Enumerable.Range(first, 300), findings.Where(f => f.Code == "EPCIS-SENS-02").Select(f => f.Where.Line));
    }

    private static List<Finding> HeaderFindingsOf(string document)
    {
        using var reader = EpcisDocument.OpenUnvalidated(new MemoryStream(Encoding.UTF8.GetBytes(document)), ReaderLimits.Default);
        Assert.False(reader.Read());
        var findings = new Findings();
        new RuleSet(RuleSeverities.Of(RuleProfile.Dscsa13)).Begin(findings).End(reader.Header);
        return [.. findings.All];
    }

    private static List<Finding> FindingsOf(string document)
    {
        using var reader = EpcisDocument.OpenUnvalidated(new MemoryStream(Encoding.UTF8.GetBytes(document)), ReaderLimits.Default);
        var findings = new Findings();
        while (reader.Read())
        {
            RuleSet.Default.Check(reader.Current, findings);
        }
        Assert.False(reader.IsBroken);
        return [.. findings.All];
    }
}
