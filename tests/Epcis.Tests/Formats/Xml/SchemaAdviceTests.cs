using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Formats.Xml;

/// <summary>The mistakes that senders make, and what they are told to do about them.</summary>
public sealed class SchemaAdviceTests
{
    private const string Time = "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>";
    private const string Epcs = "<epcList><epc>urn:epc:id:sgtin:9521234.012345.1</epc></epcList>";

    [Theory]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>Add</action></ObjectEvent>", "Write ADD.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>OBSERV</action></ObjectEvent>", "Write OBSERVE.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>CREATE</action></ObjectEvent>", "Write ADD, OBSERVE or DELETE.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action/></ObjectEvent>", "Give action a value, or leave it out where it is optional.")]
    [InlineData("1", $"<ObjectEvent>{Time}<action>ADD</action>{Epcs}</ObjectEvent>", "Elements of ObjectEvent have a fixed order. Here it is the turn of baseExtension or epcList; action belongs elsewhere in it, or not at all.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}</ObjectEvent>", "Add action at the end of ObjectEvent.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><bizstep>urn:x:1</bizstep></ObjectEvent>", "Write bizStep instead of bizstep.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><dispositoin>urn:x:1</dispositoin></ObjectEvent>", "Write disposition instead of dispositoin.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><ilmd/></ObjectEvent>", "EPCIS 1.2 keeps ilmd in <extension>: write <extension><ilmd>…</ilmd></extension>.")]
    [InlineData("1", $"<ObjectEvent>{Time}<eventID>urn:uuid:1</eventID>{Epcs}<action>ADD</action></ObjectEvent>", "EPCIS 1.2 keeps eventID in <baseExtension>: write <baseExtension><eventID>…</eventID></baseExtension> behind eventTimeZoneOffset.")]
    [InlineData("1", $"<TransformationEvent>{Time}</TransformationEvent>", "EPCIS 1.2 keeps TransformationEvent in <extension>: write <extension><TransformationEvent>…</TransformationEvent></extension>.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><sensorElementList/></ObjectEvent>", "sensorElementList is new in EPCIS 2.0: send the document as 2.0, or leave it out.")]
    [InlineData("2", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><bizStep>urn:x:1</bizStep><bizTransactionList><bizTransaction kind='po'>urn:x:1</bizTransaction></bizTransactionList></ObjectEvent>", "Remove the attribute kind, or give it a namespace of your own.")]
    [InlineData("2", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><sourceList><source>urn:x:1</source></sourceList></ObjectEvent>", "Add type=\"…\" to the element.")]
    [InlineData("2", $"<ObjectEvent>{Time}{Epcs}words<action>ADD</action></ObjectEvent>", "Remove the text, or put it into an element of ObjectEvent.")]
    [InlineData("2", "<ObjectEvent><eventTime>2026-01-01T00:00:00</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Add the zone: 2026-01-01T00:00:00Z for UTC, or an offset such as 2026-01-01T00:00:00+01:00.")]
    [InlineData("1", "<ObjectEvent><eventTime>2026-01-01 00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Write T between date and time: 2026-01-01T00:00:00Z.")]
    [InlineData("2", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><quantityList><quantityElement><epcClass>urn:epc:class:lgtin:9521234.012345.L</epcClass><quantity>1,5</quantity></quantityElement></quantityList></ObjectEvent>", "Write the decimal sign as a point, and no signs between thousands.")]
    [InlineData("1", "<ObjectEvent><eventTimeZoneOffset>+00:00</eventTimeZoneOffset></ObjectEvent>", "Only eventTime may stand here: add it if it is missing, and move or remove eventTimeZoneOffset.")]
    [InlineData("1", $"<ObjectEvent>{Time}<epcList><epc><b/></epc></epcList><action>ADD</action></ObjectEvent>", "Move b out of epc; an end tag of epc may be missing before it.")]
    [InlineData("1", $"<ObjectEvent>{Time}<epcList><epc>urn:x:1</epc><b/></epcList><action>ADD</action></ObjectEvent>", "Only epc may stand here: add it if it is missing, and move or remove b.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><bizTransactionList><bizTransaction>urn:x:1</bizTransaction></bizTransactionList><bizStep>urn:x:1</bizStep></ObjectEvent>", "Elements of ObjectEvent have a fixed order. Here it is the turn of extension; bizStep belongs elsewhere in it, or not at all.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><x:a xmlns:x='urn:x'/><bizStep>urn:x:1</bizStep></ObjectEvent>", "Remove bizStep; or it stands too late, and belongs further up in ObjectEvent, where elements have a fixed order. Only what is none of the standard's may stand here, in a namespace of your own.")]
    [InlineData("1", $"<AggregationEvent>{Time}<childEPCs/><action>ADD</action><ilmd/></AggregationEvent>", "Elements of AggregationEvent have a fixed order. Here it is the turn of bizStep or disposition or readPoint or bizLocation; ilmd belongs elsewhere in it, or not at all.")]
    [InlineData("1", $"<extension><TransformationEvent>{Time}<ilmd/><sourceList/></TransformationEvent></extension>", "Elements of TransformationEvent have a fixed order. Here it is the turn of extension; sourceList belongs elsewhere in it, or not at all.")]
    [InlineData("2", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><extension><quantityList/></extension></ObjectEvent>", "EPCIS 2.0 has no wrapper there: write quantityList directly into what <extension> stands in, in the standard's order; or give it a namespace of your own if it is none of the standard's.")]
    [InlineData("2", $"<ObjectEvent>{Time}<baseExtension><eventID>urn:uuid:1</eventID></baseExtension>{Epcs}<action>ADD</action></ObjectEvent>", "EPCIS 2.0 has no wrapper there: write eventID directly into what <baseExtension> stands in, in the standard's order; or give it a namespace of your own if it is none of the standard's.")]
    [InlineData("1", $"<ObjectEvent>{Time}{Epcs}<action>ADD</action><extension><extension><x:a xmlns:x='urn:x'/></extension></extension></ObjectEvent>", "Move a out of extension, which is kept for the standard: what has a namespace of its own stands beside it.")]
    [InlineData("2", $"<QuantityEvent>{Time}</QuantityEvent>", "EPCIS 2.0 has no QuantityEvent: write an ObjectEvent with the action OBSERVE and a quantityList.")]
    [InlineData("2", "<Event/>", "Here it is the turn of ObjectEvent or AggregationEvent or TransformationEvent or TransactionEvent; Event belongs elsewhere in it, or not at all.")]
    [InlineData("2", "<ObjectEvent><eventTime>2026-01-01 00:00:00 +01:00</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Write T between date and time: 2026-01-01T00:00:00+01:00.")]
    [InlineData("2", "<ObjectEvent><eventTime>2026-01-01 00:00:00</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Add the zone: 2026-01-01T00:00:00Z for UTC, or an offset such as 2026-01-01T00:00:00+01:00.")]
    [InlineData("1", "<ObjectEvent><eventTime>01.01.2026 10:00:00</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Write date and time with zone, such as 2026-01-31T08:15:00+01:00.")]
    [InlineData("2", "<ObjectEvent><eventTime>2026-02-30T00:00:00</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList/><action>ADD</action></ObjectEvent>", "Write date, time with seconds, and zone, such as 2026-01-31T08:15:00+01:00.")]
    public void A_breach_of_the_schema_says_what_mends_it(string edition, string e, string advice)
    {
        var document = $"""<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:{edition}" schemaVersion="{edition}.0" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>{e}</EventList></EPCISBody></e:EPCISDocument>""";
        Assert.Equal(advice, Gs1Xml.Read(document, EpcisSchemas.For).Findings.All.First(f => f.Code == "EPCIS-XSD-01").Suggestion);
    }

    [Fact]
    public void What_may_stand_at_a_place_is_told_in_names_whatever_their_namespaces()
    {
        const string document = """<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z"><EPCISHeader><x:a xmlns:x="urn:x"/></EPCISHeader><EPCISBody><EventList/></EPCISBody></e:EPCISDocument>""";
        var finding = Gs1Xml.Read(document, EpcisSchemas.For).Findings.All.Single(f => f.Code == "EPCIS-XSD-01");
        Assert.Equal(("StandardBusinessDocumentHeader, extension", "Elements of EPCISHeader have a fixed order. Here it is the turn of StandardBusinessDocumentHeader or extension; a belongs elsewhere in it, or not at all."), (finding.Want, finding.Suggestion));
    }

    /// <summary>A sentence of the runtime that is not known here would have no advice.</summary>
    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void Every_breach_of_the_schema_has_advice(DocumentForm form)
    {
        var mutator = new Epcis.Tests.Schemas.Mutator(seed: 7, [.. Epcis.Tests.Schemas.SeedDocuments.For(form).Select(s => s.Document)]);
        var without = new HashSet<string>();
        var breaches = 0;
        foreach (var seed in Enumerable.Repeat(Epcis.Tests.Schemas.SeedDocuments.For(form).Take(3), 150).SelectMany(s => s))
        {
            var document = new System.Xml.Linq.XDocument(seed.Document);
            mutator.Damage(document);
            foreach (var finding in Gs1Xml.Read(document.ToString(System.Xml.Linq.SaveOptions.DisableFormatting), EpcisSchemas.For).Findings.All.Where(f => f.Code == "EPCIS-XSD-01"))
            {
                breaches++;
                if (string.IsNullOrEmpty(finding.Suggestion) || finding.Want?.Contains('\'') == true)
                {
                    without.Add(finding.Message);
                }
            }
        }
        Assert.True(breaches > 100, $"Only {breaches} breaches.");
        Assert.True(without.Count == 0, string.Join("\n", without));
    }
}
