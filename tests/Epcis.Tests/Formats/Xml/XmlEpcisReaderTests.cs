using System.Globalization;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Formats.Xml;

public class XmlEpcisReaderTests
{
    internal const string Body20 = """

        <EPCISBody><EventList>
          <ObjectEvent xmlns:ex="urn:example:ex">
            <eventTime>2026-03-01T09:15:00.123456789+01:00</eventTime>
            <recordTime>2026-03-01T09:16:00Z</recordTime>
            <eventTimeZoneOffset>-06:00</eventTimeZoneOffset>
            <eventID>urn:uuid:1</eventID>
            <errorDeclaration>
              <declarationTime>2026-03-02T00:00:00Z</declarationTime>
              <reason>urn:epcglobal:cbv:er:incorrect_data</reason>
              <correctiveEventIDs><correctiveEventID>urn:uuid:2</correctiveEventID><correctiveEventID>urn:uuid:3</correctiveEventID></correctiveEventIDs>
              <ex:note>why</ex:note>
            </errorDeclaration>
            <certificationInfo>https://example.com/cert</certificationInfo>
            <epcList><epc> urn:epc:id:sgtin:0614141.107346.1 </epc><epc>urn:epc:<!-- cut -->id:sgtin:0614141.107346.2</epc></epcList>
            <action>ADD</action>
            <bizStep>https://ref.gs1.org/cbv/BizStep-commissioning</bizStep>
            <disposition>https://ref.gs1.org/cbv/Disp-active</disposition>
            <readPoint><id>urn:epc:id:sgln:0614141.00001.0</id><ex:line>7</ex:line></readPoint>
            <bizLocation><id>urn:epc:id:sgln:0614141.00002.0</id></bizLocation>
            <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:po:1</bizTransaction><bizTransaction>urn:any:2</bizTransaction></bizTransactionList>
            <quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.1</epcClass><quantity>200.50</quantity><uom>KGM</uom></quantityElement></quantityList>
            <sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:4012345.00225</source></sourceList>
            <destinationList><destination type="urn:epcglobal:cbv:sdt:location">urn:epc:id:sgln:0614141.00777.0</destination></destinationList>
            <sensorElementList><sensorElement>
              <sensorMetadata time="2026-03-01T08:00:00Z" ex:batch="b1"/>
              <sensorReport type="gs1:Temperature" value="26.0" booleanValue="true"/><sensorReport exception="gs1:ALARM"/>
              <ex:probe>p</ex:probe>
            </sensorElement></sensorElementList>
            <persistentDisposition><unset>urn:epcglobal:cbv:disp:a</unset><set>urn:epcglobal:cbv:disp:b</set></persistentDisposition>
            <ilmd><ex:lot>L1</ex:lot></ilmd>
            <ex:tree a="1" ex:b="2"><ex:leaf>  kept &amp; verbatim </ex:leaf><ex:empty/></ex:tree>
          </ObjectEvent>
        </EventList></EPCISBody>
        """;

    internal static string Document20(string content) =>
        $"""<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z">{content}</epcis:EPCISDocument>""";

    internal static string Document12(string content) =>
        $"""<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z">{content}</epcis:EPCISDocument>""";

    private static string Events(string events) => $"<EPCISBody><EventList>{events}</EventList></EPCISBody>";

    private const string Times = "<eventTime>2026-03-01T09:15:00Z</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>";

    [Fact]
    public void A_full_2_0_event_is_read_field_by_field()
    {
        var reading = Gs1Xml.Read(Document20(Body20), Gs1Xml.Schemas);
        Assert.Empty(reading.Findings.All);
        Assert.Equal(DocumentForm.Xml20, reading.Form);
        Assert.Equal("urn:example:ex", reading.Header.Namespaces["ex"]);

        var e = Assert.IsType<ObjectEvent>(reading.Event);
        Assert.Equal((0, 3), (e.Index, e.Place.Line));
        Assert.Equal("2026-03-01T09:15:00.123456789+01:00", e.EventTimeText);
        Assert.Equal(DateTimeOffset.Parse("2026-03-01T08:15:00.1234567Z", CultureInfo.InvariantCulture), e.EventTime);
        Assert.Equal("2026-03-01T09:16:00Z", e.RecordTimeText);
        Assert.Equal("-06:00", e.EventTimeZoneOffset);
        Assert.Equal("urn:uuid:1", e.EventId);
        Assert.Equal(["https://example.com/cert"], e.CertificationInfo);
        Assert.Equal(["urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2"], e.EpcList);
        Assert.Equal(EventAction.Add, e.Action);
        Assert.Equal("https://ref.gs1.org/cbv/BizStep-commissioning", e.BizStep);
        Assert.Equal("https://ref.gs1.org/cbv/Disp-active", e.Disposition);
        Assert.Equal([new BizTransaction("urn:epcglobal:cbv:btt:po", "urn:po:1"), new BizTransaction(null, "urn:any:2")], e.BizTransactions);
        Assert.Equal([new QuantityElement("urn:epc:class:lgtin:4012345.012345.1", 200.5m, "200.50", "KGM")], e.QuantityList);
        Assert.Equal([new SourceOrDestination("urn:epcglobal:cbv:sdt:owning_party", "urn:epc:id:pgln:4012345.00225")], e.Sources);
        Assert.Equal([new SourceOrDestination("urn:epcglobal:cbv:sdt:location", "urn:epc:id:sgln:0614141.00777.0")], e.Destinations);
        Assert.False(e.WasQuantityEvent);

        Assert.Equal("urn:epc:id:sgln:0614141.00001.0", e.ReadPoint!.Id);
        Assert.Equal(("urn:example:ex", "ex", "line", "7"), Brief(Assert.Single(e.ReadPoint.Extensions)));
        Assert.Equal("urn:epc:id:sgln:0614141.00002.0", e.BizLocation!.Id);
        Assert.Empty(e.BizLocation.Extensions);

        var declaration = e.ErrorDeclaration!;
        Assert.Equal(("2026-03-02T00:00:00Z", "urn:epcglobal:cbv:er:incorrect_data"), (declaration.DeclarationTimeText, declaration.Reason));
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), declaration.DeclarationTime);
        Assert.Equal(["urn:uuid:2", "urn:uuid:3"], declaration.CorrectiveEventIds);
        Assert.Equal("note", Assert.Single(declaration.Extensions).Name);

        var sensor = Assert.Single(e.SensorElements);
        Assert.Equal([new SensorField("", "time", "2026-03-01T08:00:00Z", false), new SensorField("urn:example:ex", "ex:batch", "b1", false)], sensor.Metadata);
        Assert.Equal(2, sensor.Reports.Count);
        Assert.Equal([new SensorField("", "type", "gs1:Temperature", false), new SensorField("", "value", "26.0", true), new SensorField("", "booleanValue", "true", true)], sensor.Reports[0]);
        Assert.Equal("probe", Assert.Single(sensor.Extensions).Name);

        Assert.Equal(["urn:epcglobal:cbv:disp:a"], e.PersistentDisposition!.Unset);
        Assert.Equal(["urn:epcglobal:cbv:disp:b"], e.PersistentDisposition.Set);
        Assert.Equal(("urn:example:ex", "ex", "lot", "L1"), Brief(Assert.Single(e.Ilmd)));

        var tree = Assert.Single(e.Extensions);
        Assert.Null(tree.Text);
        Assert.Equal([new ExtensionAttribute("", "", "a", "1"), new ExtensionAttribute("urn:example:ex", "ex", "b", "2")], tree.Attributes);
        Assert.Equal(["  kept & verbatim ", ""], tree.Children.Select(c => c.Text));
    }

    [Fact]
    public void Our_own_schemas_judge_in_the_same_pass()
    {
        Assert.Empty(Gs1Xml.Read(Document20(Body20), EpcisSchemas.For).Findings.All);

        var wrong = Gs1Xml.Read(Document20(Body20.Replace(">ADD<", ">ADDED<", StringComparison.Ordinal)), EpcisSchemas.For);
        Assert.Equal(("EPCIS-XSD-01", "ADDED"), (wrong.Only.Code, wrong.Only.Got));
        Assert.Null(wrong.Event.Action);
    }

    [Fact]
    public void A_full_1_2_event_is_unwrapped_to_the_same_fields()
    {
        var reading = Gs1Xml.Read(Document12(Events($"""
            <ObjectEvent xmlns:ex="urn:example:ex">{Times}
              <baseExtension><eventID>urn:uuid:1</eventID><errorDeclaration><declarationTime>2026-03-02T00:00:00Z</declarationTime></errorDeclaration><extension><later>x</later></extension></baseExtension>
              <epcList/><action>ADD</action>
              <extension>
                <quantityList><quantityElement><epcClass>urn:c:1</epcClass><quantity>5</quantity></quantityElement></quantityList>
                <sourceList><source type="urn:t:1">urn:s:1</source></sourceList>
                <destinationList><destination type="urn:t:2">urn:d:1</destination></destinationList>
                <ilmd><ex:lot>L1</ex:lot></ilmd>
                <extension><persistentDisposition><set>urn:disp:1</set></persistentDisposition><bizStep>mine</bizStep></extension>
              </extension>
              <ex:end>1</ex:end>
            </ObjectEvent>
            """)), Gs1Xml.Schemas);
        Assert.Empty(reading.Findings.All);
        Assert.Equal(DocumentForm.Xml12, reading.Form);

        var e = Assert.IsType<ObjectEvent>(reading.Event);
        Assert.Equal("urn:uuid:1", e.EventId);
        Assert.Equal("2026-03-02T00:00:00Z", e.ErrorDeclaration!.DeclarationTimeText);
        Assert.Empty(e.EpcList);
        Assert.Equal([new QuantityElement("urn:c:1", 5, "5", null)], e.QuantityList);
        Assert.Equal([new SourceOrDestination("urn:t:1", "urn:s:1")], e.Sources);
        Assert.Equal([new SourceOrDestination("urn:t:2", "urn:d:1")], e.Destinations);
        Assert.Equal("lot", Assert.Single(e.Ilmd).Name);
        Assert.Equal(["urn:disp:1"], e.PersistentDisposition!.Set);
        Assert.Null(e.BizStep); // somebody's own element in extension/extension, in spite of its name
        Assert.Equal(["later", "bizStep", "end"], e.Extensions.Select(x => x.Name));
    }

    [Fact]
    public void The_other_event_types_of_1_2_keep_their_own_fields()
    {
        var reading = Gs1Xml.Read(Document12(Events($"""
            <AggregationEvent>{Times}<parentID>urn:p:1</parentID><childEPCs><epc>urn:e:1</epc></childEPCs><action>DELETE</action>
              <extension><childQuantityList><quantityElement><epcClass>urn:c:1</epcClass></quantityElement></childQuantityList></extension></AggregationEvent>
            <QuantityEvent>{Times}<epcClass>urn:c:2</epcClass><quantity>12</quantity><bizStep>urn:b:1</bizStep></QuantityEvent>
            <TransactionEvent>{Times}<bizTransactionList><bizTransaction>urn:bt:1</bizTransaction></bizTransactionList><parentID>urn:p:2</parentID><epcList><epc>urn:e:2</epc></epcList><action>OBSERVE</action></TransactionEvent>
            <extension><TransformationEvent>{Times}
              <inputEPCList><epc>urn:in:1</epc></inputEPCList><inputQuantityList><quantityElement><epcClass>urn:in:2</epcClass></quantityElement></inputQuantityList>
              <outputEPCList><epc>urn:out:1</epc></outputEPCList><outputQuantityList><quantityElement><epcClass>urn:out:2</epcClass></quantityElement></outputQuantityList>
              <transformationID>urn:x:1</transformationID></TransformationEvent></extension>
            """)), Gs1Xml.Schemas);
        Assert.Empty(reading.Findings.All);
        Assert.Equal([0, 1, 2, 3], reading.Events.Select(e => e.Index));

        var aggregation = Assert.IsType<AggregationEvent>(reading.Events[0]);
        Assert.Equal(("urn:p:1", EventAction.Delete), (aggregation.ParentId, aggregation.Action));
        Assert.Equal(["urn:e:1"], aggregation.ChildEpcs);
        Assert.Equal([new QuantityElement("urn:c:1", null, null, null)], aggregation.ChildQuantityList);

        var quantity = Assert.IsType<ObjectEvent>(reading.Events[1]);
        Assert.True(quantity.WasQuantityEvent);
        Assert.Equal((EventAction.Observe, "urn:b:1"), (quantity.Action, quantity.BizStep));
        Assert.Equal([new QuantityElement("urn:c:2", 12, "12", null)], quantity.QuantityList);

        var transaction = Assert.IsType<TransactionEvent>(reading.Events[2]);
        Assert.Equal([(EpcRole.Parent, "urn:p:2"), (EpcRole.Epc, "urn:e:2")], transaction.Epcs);

        var transformation = Assert.IsType<TransformationEvent>(reading.Events[3]);
        Assert.Null(transformation.Action);
        Assert.Equal("urn:x:1", transformation.TransformationId);
        Assert.Equal([(EpcRole.Input, "urn:in:1"), (EpcRole.Output, "urn:out:1")], transformation.Epcs);
        Assert.Equal(["urn:in:2", "urn:out:2"], transformation.Quantities.Select(q => q.Item2.EpcClass));
    }

    [Fact]
    public void An_association_is_read_with_its_children()
    {
        var reading = Gs1Xml.Read(Document20(Events($"""
            <AssociationEvent>{Times}<parentID>urn:p:1</parentID><childEPCs><epc>urn:e:1</epc></childEPCs><childQuantityList><quantityElement><epcClass>urn:c:1</epcClass></quantityElement></childQuantityList><action>ADD</action></AssociationEvent>
            """)), Gs1Xml.Schemas);
        Assert.Empty(reading.Findings.All);
        var e = Assert.IsType<AssociationEvent>(reading.Event);
        Assert.Equal(("urn:p:1", EventAction.Add), (e.ParentId, e.Action));
        Assert.Equal(["urn:e:1"], e.ChildEpcs);
        Assert.Equal(["urn:c:1"], e.ChildQuantityList.Select(q => q.EpcClass));
    }

    [Fact]
    public void Header_sbdh_master_data_and_statement_are_kept()
    {
        var header = Gs1Xml.Read(Document12("""
            <EPCISHeader xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:us="http://epcis.gs1us.org/hc/ns">
              <s:StandardBusinessDocumentHeader><s:HeaderVersion>1.0</s:HeaderVersion>
                <s:Sender><s:Identifier Authority="SGLN">urn:epc:id:sgln:1</s:Identifier></s:Sender><s:Receiver><s:Identifier>R</s:Identifier></s:Receiver>
                <s:DocumentIdentification><s:Standard>EPCglobal</s:Standard><s:TypeVersion>1.0</s:TypeVersion><s:InstanceIdentifier>42</s:InstanceIdentifier><s:Type>Events</s:Type><s:CreationDateAndTime>2026-01-01T00:00:00Z</s:CreationDateAndTime></s:DocumentIdentification>
              </s:StandardBusinessDocumentHeader>
              <extension><EPCISMasterData><VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:Location"><VocabularyElementList>
                <VocabularyElement id="urn:epc:id:sgln:1"><attribute id="urn:epcglobal:cbv:mda#name">A &amp; B</attribute><attribute id="urn:x#address"><us:city>X</us:city></attribute><children><id>urn:epc:id:sgln:2</id></children></VocabularyElement>
              </VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension>
              <us:dscsaTransactionStatement><us:affirmTransactionStatement>true</us:affirmTransactionStatement></us:dscsaTransactionStatement>
            </EPCISHeader><EPCISBody><EventList/></EPCISBody><us:after xmlns:us="http://epcis.gs1us.org/hc/ns">1</us:after>
            """), Gs1Xml.Schemas);
        Assert.Empty(header.Findings.All);

        Assert.Equal(("EPCISDocument", "1.2", "2026-01-01T00:00:00Z"), (header.Header.DocumentType, header.Header.SchemaVersion, header.Header.CreationDate));
        var sbdh = header.Header.Sbdh!;
        Assert.Equal([new SbdhParty("SGLN", "urn:epc:id:sgln:1")], sbdh.Senders);
        Assert.Equal([new SbdhParty(null, "R")], sbdh.Receivers);
        Assert.Equal(("42", "Events", "2026-01-01T00:00:00Z"), (sbdh.InstanceIdentifier, sbdh.Type, sbdh.CreationDateAndTime));
        var element = Assert.Single(header.Header.MasterData);
        Assert.Equal(("urn:epcglobal:epcis:vtype:Location", "urn:epc:id:sgln:1"), (element.VocabularyType, element.Id));
        Assert.Equal("A & B", element.Attributes[0].Value);
        Assert.Equal("""<us:city xmlns:us="http://epcis.gs1us.org/hc/ns">X</us:city>""", element.Attributes[1].Value);
        Assert.Equal(["urn:epc:id:sgln:2"], element.Children);
        Assert.Equal(["dscsaTransactionStatement", "after"], header.Header.Extensions.Select(x => x.Name));
    }

    [Theory]
    [InlineData("1.2")]
    [InlineData("1.0")]
    public void The_namespace_decides_the_version_and_a_clash_is_a_warning(string schemaVersion)
    {
        var reading = Gs1Xml.Read(Document20("<EPCISBody/>").Replace("\"2.0\"", $"\"{schemaVersion}\"", StringComparison.Ordinal));
        Assert.Equal(DocumentForm.Xml20, reading.Form);
        Assert.Equal(("EPCIS-XML-07", Severity.Warning, schemaVersion), (reading.Only.Code, reading.Only.Severity, reading.Only.Got));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("2.00")]
    public void Equal_decimals_are_no_clash(string schemaVersion) =>
        Assert.Empty(Gs1Xml.Read(Document20("<EPCISBody/>").Replace("\"2.0\"", $"\"{schemaVersion}\"", StringComparison.Ordinal)).Findings.All);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_default_xmlns_gives_one_finding_and_still_the_events(bool validating)
    {
        var events = string.Concat(Enumerable.Repeat($"<ObjectEvent>{Times}<epcList><epc>urn:e:1</epc></epcList><action>ADD</action></ObjectEvent>", 50));
        var document = Document20(Events(events)).Replace("xmlns:epcis=", "xmlns=", StringComparison.Ordinal).Replace("epcis:EPCISDocument", "EPCISDocument", StringComparison.Ordinal);
        var reading = Gs1Xml.Read(document, validating ? Gs1Xml.Schemas : null);

        Assert.Equal(("EPCIS-XML-05", Severity.Error, "EPCISBody"), (reading.Only.Code, reading.Only.Severity, reading.Only.Want));
        Assert.NotNull(reading.Only.Suggestion);
        Assert.False(reading.IsBroken);
        Assert.Equal(50, reading.Events.Count);
        Assert.All(reading.Events, e => Assert.Equal([(EpcRole.Epc, "urn:e:1")], e.Epcs));
    }

    [Theory]
    [InlineData("<ObjectEvent/>", "ObjectEvent")]
    [InlineData("<html/>", "html")]
    [InlineData("<EPCISDocument/>", "EPCISDocument")]
    [InlineData("<EPCISDocument xmlns='urn:epcglobal:epcis:xsd:3'/>", "{urn:epcglobal:epcis:xsd:3}EPCISDocument")]
    [InlineData("<EPCISDocument xmlns='urn:epcglobal:epcis-query:xsd:1'/>", "{urn:epcglobal:epcis-query:xsd:1}EPCISDocument")]
    public void A_root_that_no_schema_knows_is_an_error(string document, string got)
    {
        var reading = Gs1Xml.Read(document, Gs1Xml.Schemas);
        Assert.Equal(DocumentForm.Unknown, reading.Form);
        Assert.Equal(("EPCIS-XML-06", Severity.Error, got), (reading.Only.Code, reading.Only.Severity, reading.Only.Got));
        Assert.False(reading.IsBroken);
        Assert.Empty(reading.Events);
    }

    [Fact]
    public void Every_schema_error_is_found_with_its_event_and_the_events_are_still_built()
    {
        var reading = Gs1Xml.Read(Document20(Events($"""

            <ObjectEvent>{Times}<eventID>urn:uuid:9</eventID><epcList/><action>CREATE</action><nonsense/></ObjectEvent>
            <ObjectEvent>{Times}<epcList/><action>ADD</action></ObjectEvent>
            <ObjectEvent><eventTimeZoneOffset>+01:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>
            <QuantityEvent/>
            """)), Gs1Xml.Schemas);
        Assert.Equal(4, reading.Events.Count);
        Assert.Equal([0, 0, 2, 3], reading.Findings.All.Select(f => f.Event!.Value));
        Assert.Equal(["CREATE", "nonsense", "eventTimeZoneOffset", "QuantityEvent"], reading.Findings.All.Select(f => f.Got));
        Assert.Equal([2, 2, 4, 5], reading.Findings.All.Select(f => f.Where.Line));
        Assert.Equal("urn:uuid:9", reading.Findings.All[0].EventId);
        Assert.All(reading.Findings.All, f => Assert.Equal("EPCIS 2.0, XML schema", f.Clause));
        Assert.Equal("nonsense", Assert.Single(reading.Events[0].Extensions).Name);
    }

    [Fact]
    public void A_schema_that_the_document_brings_along_decides_nothing()
    {
        var document = Document20("<EPCISBody><EventList><nonsense/></EventList></EPCISBody>")
            .Replace("schemaVersion", "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='urn:epcglobal:epcis:xsd:2 file:///etc/passwd' schemaVersion", StringComparison.Ordinal);
        Assert.Contains("EPCIS-XSD-01", Gs1Xml.Read(document, Gs1Xml.Schemas).Codes);
    }

    [Fact]
    public void A_foreign_event_of_1_2_is_passed_over_with_a_warning()
    {
        var reading = Gs1Xml.Read(Document12(Events($"<x:Other xmlns:x='urn:x'><eventTime/></x:Other><ObjectEvent>{Times}<epcList/><action>ADD</action></ObjectEvent>")), Gs1Xml.Schemas);
        Assert.Single(reading.Events);
        Assert.Equal(("EPCIS-XML-09", Severity.Warning), (reading.Only.Code, reading.Only.Severity));
    }

    [Fact]
    public void Query_results_are_read_and_a_mere_query_is_told_apart()
    {
        static string Query(string body) => $"""<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1.2" creationDate="2026-01-01T00:00:00Z"><EPCISBody>{body}</EPCISBody></q:EPCISQueryDocument>""";
        var results = Gs1Xml.Read(Query($"<q:QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList><ObjectEvent>{Times}<epcList/><action>ADD</action></ObjectEvent></EventList></resultsBody></q:QueryResults>"), Gs1Xml.Schemas);
        Assert.Empty(results.Findings.All);
        Assert.Equal(("EPCISQueryDocument", 1), (results.Header.DocumentType, results.Events.Count));

        var poll = Gs1Xml.Read(Query("<q:Poll><queryName>SimpleEventQuery</queryName><params/></q:Poll>"), Gs1Xml.Schemas);
        Assert.Equal("EPCIS-XML-08", poll.Only.Code);
    }

    [Theory]
    [InlineData("2026-03-01T09:15:00Z", "2026-03-01T09:15:00Z")]
    [InlineData("2026-03-01T09:15:00.99999999999-14:00", "2026-03-01T23:15:00.9999999Z")]
    [InlineData("2026-02-28T24:00:00+00:00", "2026-03-01T00:00:00Z")]
    [InlineData("2026-03-01T09:15:00", null)]
    [InlineData("2026-03-01T09:15:00.5", null)]
    [InlineData("2026-03-01T09:15Z", null)]
    [InlineData("2026-02-29T09:15:00Z", null)]
    [InlineData("2026-03-01T09:15:00+14:01", null)]
    [InlineData("2026-03-01T09:60:00Z", null)]
    [InlineData("0001-01-01T00:00:00+01:00", null)]
    [InlineData("9999-12-31T24:00:00Z", null)]
    [InlineData("22-07-2026", null)]
    public void A_time_is_an_instant_only_with_its_zone(string text, string? instant)
    {
        var e = Gs1Xml.Read(Document20(Events($"<ObjectEvent><eventTime>{text}</eventTime></ObjectEvent>"))).Event;
        Assert.Equal(text, e.EventTimeText);
        Assert.Equal(instant is null ? null : DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture), e.EventTime);
    }

    [Fact]
    public void A_number_that_no_decimal_holds_keeps_its_text()
    {
        var e = Gs1Xml.Read(Document20(Events("<ObjectEvent><quantityList><quantityElement><epcClass>c</epcClass><quantity>INF</quantity></quantityElement></quantityList></ObjectEvent>"))).Event;
        Assert.Equal([new QuantityElement("c", null, "INF", null)], ((ObjectEvent)e).QuantityList);
    }

    private static (string, string, string, string?) Brief(Extension x) => (x.Namespace, x.Prefix, x.Name, x.Text);
}
