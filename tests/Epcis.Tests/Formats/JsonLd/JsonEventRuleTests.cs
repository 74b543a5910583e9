using Epcis.Events;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>What GS1's JSON Schema says about events, and the traps in it.</summary>
public class JsonEventRuleTests
{
    [Theory]
    [InlineData("\"bizStep\":\"shipping\"", "")]
    [InlineData("\"bizStep\":\"https://ref.gs1.org/cbv/BizStep-shipping\"", "")]
    [InlineData("\"bizStep\":\"cbv:BizStep-shipping\"", "")]
    [InlineData("\"bizStep\":\"ex:own\"", "")]
    [InlineData("\"bizStep\":\"urn:epcglobal:cbv:bizstep:shipping\"", "EPCIS-JSON-08")]
    [InlineData("\"bizStep\":\"https://ns.gs1.org/cbv/BizStep-shipping\"", "EPCIS-JSON-08")]
    [InlineData("\"bizStep\":\"transforming\"", "EPCIS-JSON-08")]
    [InlineData("\"bizStep\":7", "EPCIS-JSON-07")]
    [InlineData("\"bizStep\":null", "EPCIS-JSON-07")]
    [InlineData("\"disposition\":\"non_sellable_expired\"", "EPCIS-JSON-08")]
    [InlineData("\"eventID\":\"_:b0\"", "EPCIS-JSON-09")]
    [InlineData("\"eventID\":\"foo\"", "EPCIS-JSON-09")]
    [InlineData("\"eventID\":\"ni:///sha-256;aa?ver=CBV2.0\"", "")]
    [InlineData("\"eventID\":\"urn:epc:id:sgtin:1.2.%2F\"", "")]
    [InlineData("\"eventID\":\"urn:epc:id:sgtin:1.2.%2\"", "EPCIS-JSON-09")]
    [InlineData("\"eventID\":\"http://a b/\"", "EPCIS-JSON-09")]
    [InlineData("\"comment\":\"x\"", "EPCIS-JSON-06")]
    [InlineData("\"parentID\":\"urn:x:y\"", "EPCIS-JSON-06")]
    [InlineData("\"ex:any\":null", "")]
    [InlineData("\"recordTime\":\"2026-01-31\"", "EPCIS-JSON-10")]
    [InlineData("\"certificationInfo\":\"https://example.com/c\"", "")]
    [InlineData("\"certificationInfo\":[\"https://example.com/c\",\"https://example.com/d\"]", "")]
    [InlineData("\"quantityList\":[{\"epcClass\":\"urn:x:y\",\"quantity\":1,\"uom\":\"kgm\"}]", "EPCIS-JSON-11")]
    [InlineData("\"quantityList\":[{\"quantity\":1}]", "EPCIS-JSON-05")]
    [InlineData("\"sourceList\":[{\"source\":\"urn:x:y\"}]", "EPCIS-JSON-05")]
    [InlineData("\"readPoint\":{}", "EPCIS-JSON-05")]
    [InlineData("\"readPoint\":{\"id\":\"urn:x:y\",\"anything\":1}", "")]
    [InlineData("\"persistentDisposition\":{}", "EPCIS-JSON-05")]
    [InlineData("\"persistentDisposition\":{\"set\":[]}", "EPCIS-JSON-13")]
    [InlineData("\"persistentDisposition\":{\"set\":[\"active\",\"active\"]}", "EPCIS-JSON-12")]
    [InlineData("\"sensorElementList\":[{}]", "EPCIS-JSON-05")]
    [InlineData("\"sensorElementList\":[{\"sensorReport\":[]}]", "EPCIS-JSON-13")]
    [InlineData("\"sensorElementList\":[{\"sensorReport\":[{\"value\":1}]}]", "EPCIS-JSON-05")]
    [InlineData("\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"https://gs1.org/voc/Temperature\"}]}]", "EPCIS-JSON-08")]
    [InlineData("\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Temperature\",\"value\":\"1\"}]}]", "EPCIS-JSON-07")]
    [InlineData("\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Temperature\",\"hexBinaryValue\":\"g\"}]}]", "EPCIS-JSON-11")]
    [InlineData("\"errorDeclaration\":{\"reason\":\"did_not_occur\"}", "EPCIS-JSON-05")]
    [InlineData("\"ilmd\":{\"lot\":\"x\"}", "EPCIS-JSON-06")]
    [InlineData("\"ilmd\":[]", "EPCIS-JSON-07")]
    public void An_object_event_with(string members, string code) =>
        Assert.Equal(code.Length == 0 ? [] : [code], JsonSamples.Read(AJson.Document(AJson.Object(members))).Codes);

    [Theory]
    [InlineData("ObjectEvent", "\"action\":\"OBSERVE\"", "EPCIS-JSON-14")]
    [InlineData("ObjectEvent", "\"action\":\"OBSERVE\",\"epcList\":[]", "")]
    [InlineData("ObjectEvent", "\"action\":\"OBSERVE\",\"epcList\":[\"urn:x:y\",\"urn:x:y\"]", "EPCIS-JSON-12")]
    [InlineData("ObjectEvent", "\"action\":\"OBSERVE\",\"epcList\":[],\"ilmd\":{}", "EPCIS-JSON-14")]
    [InlineData("ObjectEvent", "\"action\":\"observe\",\"epcList\":[]", "EPCIS-JSON-08")]
    [InlineData("ObjectEvent", "\"epcList\":[]", "EPCIS-JSON-05")]
    [InlineData("ObjectEvent", "\"action\":\"OBSERVE\",\"readPoint\":{\"id\":\"urn:x:y\"},\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Time\"}]}]", "")]
    [InlineData("AggregationEvent", "\"action\":\"ADD\",\"childEPCs\":[\"urn:x:y\"]", "")]
    [InlineData("AggregationEvent", "\"action\":\"ADD\",\"childEPCs\":[]", "EPCIS-JSON-14")]
    [InlineData("AggregationEvent", "\"action\":\"DELETE\"", "")]
    [InlineData("AggregationEvent", "\"action\":\"DELETE\",\"ilmd\":{}", "EPCIS-JSON-06")]
    [InlineData("AggregationEvent", "\"action\":\"DELETE\",\"persistentDisposition\":{\"set\":[\"active\"]}", "EPCIS-JSON-20")]
    [InlineData("AssociationEvent", "\"action\":\"DELETE\"", "EPCIS-JSON-05")]
    [InlineData("AssociationEvent", "\"action\":\"ADD\",\"parentID\":\"urn:x:y\"", "EPCIS-JSON-14")]
    [InlineData("TransactionEvent", "\"action\":\"ADD\",\"epcList\":[]", "EPCIS-JSON-05")]
    [InlineData("TransactionEvent", "\"action\":\"ADD\",\"epcList\":[],\"bizTransactionList\":[]", "EPCIS-JSON-13")]
    [InlineData("TransactionEvent", "\"action\":\"ADD\",\"bizTransactionList\":[{\"type\":\"po\",\"bizTransaction\":\"urn:x:y\"}]", "EPCIS-JSON-14")]
    [InlineData("TransactionEvent", "\"action\":\"DELETE\",\"bizTransactionList\":[{\"type\":\"po\",\"bizTransaction\":\"urn:x:y\"}]", "")]
    [InlineData("TransformationEvent", "\"inputEPCList\":[\"urn:x:y\"],\"outputEPCList\":[\"urn:x:z\"]", "")]
    [InlineData("TransformationEvent", "\"inputEPCList\":[\"urn:x:y\"]", "EPCIS-JSON-14")]
    [InlineData("TransformationEvent", "\"inputEPCList\":[\"urn:x:y\"],\"transformationID\":\"urn:x:t\"", "")]
    [InlineData("TransformationEvent", "\"inputEPCList\":[\"urn:x:y\"],\"transformationID\":\"urn:x:t\",\"action\":\"ADD\"", "EPCIS-JSON-06")]
    [InlineData("NoEvent", "\"action\":\"ADD\"", "EPCIS-JSON-09")]
    [InlineData("ex:OwnEvent", "\"own\":\"anything\"", "EPCIS-JSON-19")]
    public void An_event_of_type(string type, string members, string code) =>
        Assert.Equal(code.Length == 0 ? [] : [code], JsonSamples.Read(AJson.Document(AJson.Event(type, members))).Codes);

    [Theory]
    [InlineData("2006-11-07T13:00Z", null)]
    [InlineData("2006-11-07T13:00:00", null)]
    [InlineData("2006-02-29T13:00:00Z", null)]
    [InlineData("2006-11-07T13:00:00.Z", null)]
    [InlineData("2006-11-07T24:00:00Z", null)]
    [InlineData("2006-11-07T13:00:00Z", "2006-11-07T13:00:00.0000000+00:00")]
    [InlineData("2006-11-07T13:00:00.12345678999-07:00", "2006-11-07T13:00:00.1234567-07:00")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.0000000+00:00")]
    [InlineData("2016-12-31T23:58:60Z", null)]
    [InlineData("2006-11-07T13:00:00+20:00", "2006-11-06T17:00:00.0000000+00:00")]
    public void Event_time_keeps_its_text_and_the_instant(string text, string? instant)
    {
        var json = AJson.Document(AJson.Object()).Replace("2026-01-31T13:05:00.000+01:00", text, StringComparison.Ordinal);
        var outcome = JsonSamples.Read(json);
        Assert.Equal(instant is null ? ["EPCIS-JSON-10"] : [], outcome.Codes);
        Assert.Equal(text, outcome.Events[0].EventTimeText);
        Assert.Equal(instant, outcome.Events[0].EventTime?.ToString("O", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("Z")]
    [InlineData("+14:01")]
    [InlineData("+1:00")]
    [InlineData("01:00")]
    [InlineData("+01:60")]
    public void A_zone_offset_has_one_form(string offset)
    {
        var json = AJson.Document(AJson.Object()).Replace("\"+01:00\"", $"\"{offset}\"", StringComparison.Ordinal);
        Assert.Equal(["EPCIS-JSON-11"], JsonSamples.Read(json).Codes);
    }

    [Fact]
    public void All_findings_are_told_with_place_event_and_wish()
    {
        var outcome = JsonSamples.Read(AJson.Document(AJson.Object(), AJson.Object("\n\"eventID\":\"urn:x:1\",\n \"bizStep\":\"jumping\",\"ilmd\":{\"a/b~c\":1}")));
        Assert.Equal(["EPCIS-JSON-08", "EPCIS-JSON-06"], outcome.Codes.OrderDescending());
        var step = outcome.Findings.All.Single(f => f.Code == "EPCIS-JSON-08");
        Assert.Equal(new Place(3, 2, "/epcisBody/eventList/1/bizStep"), step.Where);
        Assert.Equal((1, "urn:x:1", "jumping"), (step.Event, step.EventId, step.Got));
        Assert.Equal("/epcisBody/eventList/1/ilmd/a~1b~0c", outcome.Findings.All.Single(f => f.Code == "EPCIS-JSON-06").Where.Pointer);
    }

    [Fact]
    public void A_persistent_disposition_the_schema_never_checks_is_warned_about()
    {
        var outcome = JsonSamples.Read(AJson.Document(AJson.Event("AggregationEvent", "\"action\":\"DELETE\",\"persistentDisposition\":{\"set\":[\"gone\"]}")));
        Assert.Equal(["EPCIS-JSON-20", "EPCIS-JSON-08"], outcome.Codes);
        Assert.All(outcome.Findings.All, f => Assert.Equal(Severity.Warning, f.Severity));
    }

    [Fact]
    public void Extensions_are_kept_verbatim_with_their_namespaces()
    {
        var e = JsonSamples.Read(AJson.Document(AJson.Object(
            "\"ex:text\":\"a\\u0062\",\"https://other.example.com/ns#number\":12.0,\"ex:tree\":{ \"ex:a\":[1,\"2\"],\"b\":{\"c\":null} }"))).Events[0];
        Assert.Equal(("https://ns.example.com/epcis/", "ex", "text", "ab", "\"a\\u0062\""), Parts(e.Extensions[0]));
        Assert.Equal(("https://other.example.com/ns#", "", "number", "12.0", "12.0"), Parts(e.Extensions[1]));
        Assert.Equal("{ \"ex:a\":[1,\"2\"],\"b\":{\"c\":null} }", e.Extensions[2].Json);
        Assert.Equal(["a", "a", "b"], e.Extensions[2].Children.Select(c => c.Name));
    }

    private static (string, string, string, string?, string?) Parts(Extension e) => (e.Namespace, e.Prefix, e.Name, e.Text, e.Json);
}
