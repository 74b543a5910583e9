using System.Xml.Linq;
using Epcis.Formats;

namespace Epcis.Tests.Schemas;

/// <summary>Documents that use every element and attribute the schemas know, which the samples do not.</summary>
static class SeedDocuments
{
    const string Header = """
        <EPCISHeader a:h="1"><h:StandardBusinessDocumentHeader><h:HeaderVersion>1.0</h:HeaderVersion>
          <h:Sender><h:Identifier Authority="GS1">9521234000006</h:Identifier><h:ContactInformation><h:Contact>Desk</h:Contact><h:EmailAddress>desk@example.org</h:EmailAddress><h:FaxNumber>1</h:FaxNumber><h:TelephoneNumber>2</h:TelephoneNumber><h:ContactTypeIdentifier>Buyer</h:ContactTypeIdentifier></h:ContactInformation></h:Sender>
          <h:Receiver><h:Identifier>9521234000013</h:Identifier></h:Receiver>
          <h:DocumentIdentification><h:Standard>EPCglobal</h:Standard><h:TypeVersion>1.0</h:TypeVersion><h:InstanceIdentifier>1</h:InstanceIdentifier><h:Type>Events</h:Type><h:MultipleType>false</h:MultipleType><h:CreationDateAndTime>2026-01-01T00:00:00Z</h:CreationDateAndTime></h:DocumentIdentification>
          <h:Manifest><h:NumberOfItems>1</h:NumberOfItems><h:ManifestItem><h:MimeTypeQualifierCode>text/xml</h:MimeTypeQualifierCode><h:UniformResourceIdentifier>urn:x:1</h:UniformResourceIdentifier><h:Description>d</h:Description><h:LanguageCode>eng</h:LanguageCode></h:ManifestItem></h:Manifest>
          <h:BusinessScope><h:Scope><h:Type>t</h:Type><h:InstanceIdentifier>i</h:InstanceIdentifier><h:Identifier>x</h:Identifier>
            <h:CorrelationInformation><h:RequestingDocumentCreationDateTime>2026-01-01T00:00:00Z</h:RequestingDocumentCreationDateTime><h:RequestingDocumentInstanceIdentifier>r</h:RequestingDocumentInstanceIdentifier><h:ExpectedResponseDateTime>2026-01-01T00:00:00Z</h:ExpectedResponseDateTime></h:CorrelationInformation>
            <h:BusinessService><h:BusinessServiceName>b</h:BusinessServiceName><h:ServiceTransaction TypeOfServiceTransaction="RequestingServiceTransaction" IsNonRepudiationRequired="n" IsAuthenticationRequired="n" IsNonRepudiationOfReceiptRequired="n" IsIntegrityCheckRequired="n" IsApplicationErrorResponseRequested="n" TimeToAcknowledgeReceipt="1" TimeToAcknowledgeAcceptance="1" TimeToPerform="1" Recurrence="1"/></h:BusinessService></h:Scope></h:BusinessScope>
          </h:StandardBusinessDocumentHeader>
          <extension a:x="1"><EPCISMasterData>VOCABULARIES<extension><later/></extension></EPCISMasterData><extension a:x="1"><later/></extension></extension>FOREIGN_HEADER</EPCISHeader>
        """;

    const string Vocabularies = """
        <VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:Location" a:v="1"><VocabularyElementList>
          <VocabularyElement id="urn:epc:id:sgln:9521234.00000.0" a:e="1"><attribute id="urn:epcglobal:cbv:mda#name" a:b="1">Plant</attribute><attribute id="urn:x#address">in <a:street>Street</a:street><city/></attribute><children a:c="1"><id>urn:epc:id:sgln:9521234.00001.0</id></children><extension><later/></extension><a:more/></VocabularyElement></VocabularyElementList><extension><later/></extension><a:more/></Vocabulary></VocabularyList>
        """;

    const string Place = "<bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep><disposition>urn:epcglobal:cbv:disp:in_progress</disposition><readPoint><id>urn:epc:id:sgln:9521234.00000.0</id><extension a:x='1'><later/></extension><a:more/></readPoint><bizLocation><id>urn:epc:id:sgln:9521234.00000.0</id><extension><later/></extension><a:more/></bizLocation>";
    const string Transactions = "<bizTransactionList><bizTransaction type='urn:epcglobal:cbv:btt:po'>urn:x:po:1</bizTransaction><bizTransaction>urn:x:po:2</bizTransaction></bizTransactionList>";
    const string Parties = "<sourceList><source type='urn:epcglobal:cbv:sdt:owning_party'>urn:x:1</source></sourceList><destinationList><destination type='urn:epcglobal:cbv:sdt:owning_party'>urn:x:2</destination></destinationList>";
    const string Epcs = "<epc>urn:epc:id:sgtin:9521234.012345.1</epc>";
    const string Quantity = "<quantityElement><epcClass>urn:epc:class:lgtin:9521234.012345.L</epcClass><quantity>2.5</quantity><uom>KGM</uom></quantityElement>";
    const string Ilmd = "<ilmd a:i='1'><extension><later/></extension><a:lot>1</a:lot></ilmd>";
    const string Declaration = "<errorDeclaration a:d='1'><declarationTime>2026-01-02T00:00:00Z</declarationTime><reason>urn:epcglobal:cbv:er:did_not_occur</reason><correctiveEventIDs><correctiveEventID>urn:uuid:2</correctiveEventID></correctiveEventIDs><extension><later/></extension><a:more/></errorDeclaration>";
    const string Times = "<eventTime>2026-01-01T00:00:00.000Z</eventTime><recordTime>2026-01-01T00:00:01Z</recordTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>";

    static readonly string Events12 = Events12With($"{Times}<baseExtension a:x='1'><eventID>urn:uuid:1</eventID>{Declaration}<extension><later/></extension></baseExtension>");
    static readonly string Events20 = Events20With($"{Times}<eventID>urn:uuid:1</eventID>{Declaration}<certificationInfo>urn:x:cert</certificationInfo><baseExtension a:x='1'><a:more/></baseExtension>");

    static string Events12With(string when) => $"""
        <EventList>
        <ObjectEvent a:o="1">{when}<epcList>{Epcs}</epcList><action>ADD</action>{Place}{Transactions}<extension a:x="1"><quantityList>{Quantity}</quantityList>{Parties}{Ilmd}<extension><later/></extension></extension><a:more/></ObjectEvent>
        <AggregationEvent>{when}<parentID>urn:epc:id:sscc:9521234.0000000001</parentID><childEPCs>{Epcs}</childEPCs><action>OBSERVE</action>{Place}{Transactions}<extension><childQuantityList>{Quantity}</childQuantityList>{Parties}<extension><later/></extension></extension><a:more/></AggregationEvent>
        <QuantityEvent>{when}<epcClass>urn:epc:idpat:sgtin:9521234.012345.*</epcClass><quantity>7</quantity>{Place}{Transactions}<extension><later/></extension><a:more/></QuantityEvent>
        <TransactionEvent>{when}{Transactions}<parentID>urn:x:p</parentID><epcList>{Epcs}</epcList><action>DELETE</action>{Place}<extension><quantityList>{Quantity}</quantityList>{Parties}<extension><later/></extension></extension><a:more/></TransactionEvent>
        <extension><TransformationEvent>{when}<inputEPCList>{Epcs}</inputEPCList><inputQuantityList>{Quantity}</inputQuantityList><outputEPCList>{Epcs}</outputEPCList><outputQuantityList>{Quantity}</outputQuantityList><transformationID>urn:x:t</transformationID>{Place}{Transactions}{Parties}{Ilmd}<extension><later/></extension><a:more/></TransformationEvent></extension>
        <extension><extension a:x="1"><later/></extension></extension>
        <a:Event/>
        </EventList>
        """;

    static string Events20With(string when)
    {
        const string condition = """
            <sensorElementList><sensorElement>
              <sensorMetadata time="2026-01-01T00:00:00Z" startTime="2026-01-01T00:00:00Z" endTime="2026-01-01T00:00:00Z" deviceID="urn:x:d" deviceMetadata="urn:x:m" rawData="urn:x:r" bizRules="urn:x:b" dataProcessingMethod="urn:x:p" a:m="1">text</sensorMetadata>
              <sensorReport type="gs1:Temperature" exception="gs1:ALARM_CONDITION" microorganism="urn:x:o" chemicalSubstance="urn:x:c" coordinateReferenceSystem="urn:x:s" component="cbv:Comp-x" value="2.5" stringValue="s" booleanValue="true" hexBinaryValue="0AFF" uriValue="urn:x:u" uom="CEL" minValue="1" maxValue="2" meanValue="1.5" sDev="0.1" percRank="50" percValue="1.2" time="2026-01-01T00:00:00Z" deviceID="urn:x:d" deviceMetadata="urn:x:m" rawData="urn:x:r" dataProcessingMethod="urn:x:p" a:r="1"/>
              <extension a:x="1"><later/></extension><a:more/></sensorElement><extension><later/></extension></sensorElementList>
            <persistentDisposition><unset>urn:epcglobal:cbv:disp:active</unset><set>urn:epcglobal:cbv:disp:damaged</set></persistentDisposition>
            """;
        const string end = "<extension a:x='1'><a:more/></extension><a:more/>";
        return $"""
            <EventList a:l="1">
            <ObjectEvent a:o="1">{when}<epcList>{Epcs}</epcList><action>ADD</action>{Place}{Transactions}<quantityList>{Quantity}</quantityList>{Parties}{condition}{Ilmd}{end}</ObjectEvent>
            <AggregationEvent>{when}<parentID>urn:x:p</parentID><childEPCs>{Epcs}</childEPCs><action>ADD</action>{Place}{Transactions}<childQuantityList>{Quantity}</childQuantityList>{Parties}{condition}{end}</AggregationEvent>
            <TransactionEvent>{when}{Transactions}<parentID>urn:x:p</parentID><epcList>{Epcs}</epcList><action>DELETE</action>{Place}<quantityList>{Quantity}</quantityList>{Parties}{condition}{end}</TransactionEvent>
            <TransformationEvent>{when}<inputEPCList>{Epcs}</inputEPCList><inputQuantityList>{Quantity}</inputQuantityList><outputEPCList>{Epcs}</outputEPCList><outputQuantityList>{Quantity}</outputQuantityList><transformationID>urn:x:t</transformationID>{Place}{Transactions}{Parties}{condition}{Ilmd}{end}</TransformationEvent>
            <AssociationEvent>{when}<parentID>urn:x:p</parentID><childEPCs>{Epcs}</childEPCs><childQuantityList>{Quantity}</childQuantityList><action>OBSERVE</action>{Place}{Transactions}{Parties}{condition}{end}</AssociationEvent>
            <extension a:x="1"><a:Event/></extension>
            </EventList>
            """;
    }

    const string Params = """
        <params><param><name>eventType</name><value xsi:type="q:ArrayOfString"><string>ObjectEvent</string></value></param><param><name>GE_eventTime</name><value xsi:type="xsd:dateTime">2026-01-01T00:00:00Z</value></param><param><name>EQ_errorDeclaration</name><value xsi:type="q:VoidHolder"/></param><param><name>plain</name><value>1<a:more/></value></param></params>
        """;

    static IEnumerable<string> Messages(string events)
    {
        yield return $"<q:QueryResults><queryName>SimpleEventQuery</queryName><subscriptionID>s</subscriptionID><resultsBody>{events}</resultsBody><extension a:x='1'><later/></extension><a:more/></q:QueryResults>";
        yield return $"<q:QueryResults><queryName>SimpleMasterDataQuery</queryName><resultsBody>{Vocabularies}</resultsBody></q:QueryResults>";
        yield return $"<q:Poll><queryName>SimpleEventQuery</queryName>{Params}</q:Poll>";
        yield return $"<q:Subscribe><queryName>SimpleEventQuery</queryName>{Params}<dest>https://example.org/</dest><controls><schedule><second>0</second><minute>1</minute><hour>2</hour><dayOfMonth>3</dayOfMonth><month>4</month><dayOfWeek>5</dayOfWeek><extension><later/></extension><a:more/></schedule><trigger>urn:x:t</trigger><initialRecordTime>2026-01-01T00:00:00Z</initialRecordTime><reportIfEmpty>true</reportIfEmpty><extension><later/></extension><a:more/></controls><subscriptionID>s</subscriptionID></q:Subscribe>";
        yield return "<q:Unsubscribe><subscriptionID>s</subscriptionID></q:Unsubscribe>";
        yield return "<q:GetSubscriptionIDs><queryName>n</queryName></q:GetSubscriptionIDs>";
        foreach (var name in (string[])["GetQueryNamesResult", "GetSubscriptionIDsResult"])
            yield return $"<q:{name}><string>one</string><string>two</string></q:{name}>";
        foreach (var name in (string[])["GetStandardVersionResult", "GetVendorVersionResult"])
            yield return $"<q:{name}>2.0</q:{name}>";
        foreach (var name in (string[])["GetQueryNames", "SubscribeResult", "UnsubscribeResult", "GetStandardVersion", "GetVendorVersion", "VoidHolder"])
            yield return $"<q:{name}/>";
        foreach (var name in (string[])["EPCISException", "DuplicateNameException", "InvalidURIException", "NoSuchNameException", "NoSuchSubscriptionException", "DuplicateSubscriptionException", "QueryParameterException", "QueryTooComplexException", "SubscriptionControlsException", "SubscribeNotPermittedException", "SecurityException", "ValidationException", "QueryValidationException"])
            yield return $"<q:{name}><reason>r</reason></q:{name}>";
        yield return "<q:QueryTooLargeException><reason>r</reason><queryName>n</queryName><subscriptionID>s</subscriptionID></q:QueryTooLargeException>";
        yield return "<q:ImplementationException><reason>r</reason><severity>SEVERE</severity><queryName>n</queryName><subscriptionID>s</subscriptionID></q:ImplementationException>";
    }

    public static IEnumerable<(string Name, XDocument Document)> For(DocumentForm form)
    {
        var old = form == DocumentForm.Xml12;
        var header = Header.Replace("VOCABULARIES", Vocabularies, StringComparison.Ordinal)
            .Replace("FOREIGN_HEADER", old ? "<a:more/>" : "", StringComparison.Ordinal);
        var events = old ? Events12 : Events20;
        const string end = "<extension a:x='1'><later/></extension><a:more/>";

        yield return Root("e:EPCISDocument", $"{header}<EPCISBody a:b='1'>{events}{end}</EPCISBody>{end}", form);
        yield return Root("e:EPCISDocument", $"<EPCISBody>{events}</EPCISBody>", form);
        yield return Root("m:EPCISMasterDataDocument", $"{header}<EPCISBody a:b='1'>{Vocabularies}{end}</EPCISBody>{end}", form);
        foreach (var message in Messages(events))
            yield return Root("q:EPCISQueryDocument", $"<EPCISBody>{message}</EPCISBody>{end}", form);
        if (old)
            yield break;

        const string problem = "<type>epcisException:ValidationException</type><title>t</title><status>400</status><detail>d</detail><instance>urn:x:i</instance><a:more/>";
        yield return Root("e:EPCISException", problem, form);
        foreach (var outcome in (string[])[$"<errors><error>{problem}</error></errors>", "<errorFile>urn:x:f</errorFile>"])
        {
            yield return Root("e:EPCISCaptureJob",
                $"<captureErrorBehaviour>rollback</captureErrorBehaviour><createdAt>2026-01-01T00:00:00Z</createdAt><finishedAt>2026-01-01T00:00:00Z</finishedAt>{outcome}<a:more/>", form);
        }
    }

    static (string, XDocument) Root(string name, string content, DocumentForm form)
    {
        var n = form == DocumentForm.Xml12 ? 1 : 2;
        var attributes = name switch
        {
            "e:EPCISException" => "",
            "e:EPCISCaptureJob" => "running='false' success='true' captureID='c' a:j='1'",
            _ => "schemaVersion='2.0' creationDate='2026-01-01T00:00:00Z' a:d='1'",
        };
        var document = XDocument.Parse($"""
            <{name} xmlns:e="urn:epcglobal:epcis:xsd:{n}" xmlns:q="urn:epcglobal:epcis-query:xsd:{n}" xmlns:m="urn:epcglobal:epcis-masterdata:xsd:{n}" xmlns:a="urn:x:other" xmlns:h="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" {attributes}>{content}</{name}>
            """);
        var body = document.Root!.Element("EPCISBody")?.Elements().FirstOrDefault()?.Name.LocalName;
        return ($"seed {document.Root.Name.LocalName} {body}", document);
    }
}
