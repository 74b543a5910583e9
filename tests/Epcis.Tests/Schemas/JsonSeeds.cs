namespace Epcis.Tests.Schemas;

/// <summary>JSON documents that use every member the schema knows, which the samples do not.</summary>
internal static class JsonSeeds
{
    private const string Context = """["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ns.example.org/","own":{"@id":"urn:own:"}}]""";
    private const string Top = "\"@context\":" + Context + ",\"id\":\"urn:x:document\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2026-01-01T00:00:00.000Z\"";

    private const string Vocabularies = """
        [{"type":"urn:epcglobal:epcis:vtype:Location","more":1,"vocabularyElementList":[{"id":"urn:epc:id:sgln:9521234.00000.0","more":1,"attributes":[{"id":"urn:epcglobal:cbv:mda#name","attribute":"Plant","more":1},{"id":"urn:x:number","attribute":7},{"id":"urn:x:address","attribute":{"city":"Town"}}],"children":["urn:epc:id:sgln:9521234.00001.0"]}]},{"type":"urn:x:none"}]
        """;

    private const string When = """
        "eventTime":"2026-01-01T00:00:00.000Z","recordTime":"2026-01-01T00:00:01Z","eventTimeZoneOffset":"+01:00","eventID":"urn:uuid:1","certificationInfo":"https://example.org/cert","errorDeclaration":{"declarationTime":"2026-01-02T00:00:00Z","reason":"did_not_occur","correctiveEventIDs":["urn:uuid:2","urn:uuid:3"],"ex:more":1}
        """;

    private const string Where = """
        "bizStep":"packing","disposition":"in_progress","readPoint":{"id":"urn:epc:id:sgln:9521234.00000.0","ex:more":1},"bizLocation":{"id":"urn:epc:id:sgln:9521234.00000.0"},"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:po:1"},{"bizTransaction":"urn:x:po:2"}],"sourceList":[{"type":"owning_party","source":"urn:x:1"}],"destinationList":[{"type":"possessing_party","destination":"urn:x:2"}],"sensorElementList":[{"sensorMetadata":{"time":"2026-01-01T00:00:00Z","startTime":"2026-01-01T00:00:00Z","endTime":"2026-01-01T00:00:00Z","deviceID":"urn:x:d","deviceMetadata":"urn:x:m","rawData":"urn:x:r","bizRules":"urn:x:b","dataProcessingMethod":"urn:x:p","ex:m":1},"sensorReport":[{"type":"Temperature","exception":"ALARM_CONDITION","microorganism":"urn:x:o","chemicalSubstance":"urn:x:c","coordinateReferenceSystem":"urn:x:s","component":"x","value":2.5,"stringValue":"s","booleanValue":true,"hexBinaryValue":"0AFF","uriValue":"urn:x:u","uom":"CEL","minValue":1,"maxValue":2,"meanValue":1.5,"sDev":0.1,"percRank":50,"percValue":1.2,"time":"2026-01-01T00:00:00Z","deviceID":"urn:x:d","deviceMetadata":"urn:x:m","rawData":"urn:x:r","bizRules":"urn:x:b","dataProcessingMethod":"urn:x:p","ex:r":1}],"ex:s":{"a":[1]}}],"persistentDisposition":{"set":["active","ex:own"],"unset":["damaged"]},"ex:more":{"a":[1,{"b":null}]},"https://ns.example.org/long":"x"
        """;

    private const string Epcs = "[\"urn:epc:id:sgtin:9521234.012345.1\",\"https://id.gs1.org/01/09521234012345/21/2\"]";
    private const string Quantities = "[{\"epcClass\":\"urn:epc:class:lgtin:9521234.012345.L\",\"quantity\":2.5,\"uom\":\"KGM\"},{\"epcClass\":\"urn:x:c\",\"quantity\":3}]";

    private static readonly (string Type, string What)[] s_types =
    [
        ("ObjectEvent", $"\"action\":\"ADD\",\"epcList\":{Epcs},\"quantityList\":{Quantities},\"ilmd\":{{\"cbvmda:lotNumber\":\"L\",\"ex:x\":{{\"y\":1}}}}"),
        ("AggregationEvent", $"\"action\":\"ADD\",\"parentID\":\"urn:x:p\",\"childEPCs\":{Epcs},\"childQuantityList\":{Quantities}"),
        ("TransactionEvent", $"\"action\":\"DELETE\",\"parentID\":\"urn:x:p\",\"epcList\":{Epcs},\"quantityList\":{Quantities}"),
        ("TransformationEvent", $"\"inputEPCList\":{Epcs},\"inputQuantityList\":{Quantities},\"outputEPCList\":{Epcs},\"outputQuantityList\":{Quantities},\"transformationID\":\"urn:x:t\",\"ilmd\":{{\"ex:lot\":\"L\"}}"),
        ("AssociationEvent", $"\"action\":\"OBSERVE\",\"parentID\":\"urn:x:p\",\"childEPCs\":{Epcs},\"childQuantityList\":{Quantities}"),
    ];

    // With little in them, so that one damage decides.
    private static readonly string[] s_sparse =
    [
        Event("ObjectEvent", "\"action\":\"OBSERVE\",\"epcList\":[]"),
        Event("ObjectEvent", "\"action\":\"OBSERVE\",\"readPoint\":{\"id\":\"urn:x:r\"},\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Time\"}]}]"),
        Event("AggregationEvent", "\"action\":\"DELETE\""),
        Event("TransactionEvent", "\"action\":\"DELETE\",\"bizTransactionList\":[{\"bizTransaction\":\"urn:x:b\"}]"),
        Event("TransformationEvent", "\"transformationID\":\"urn:x:t\",\"inputEPCList\":[\"urn:x:1\"]"),
        Event("AssociationEvent", "\"action\":\"DELETE\",\"parentID\":\"urn:x:p\""),
        Event("ex:OwnEvent", "\"anything\":[1]"),
    ];

    public static IEnumerable<(string Name, JsonDraft Document)> All()
    {
        var full = s_types.Select(t => $"{{\"type\":\"{t.Type}\",{When},{t.What},{Where}}}").ToList();
        yield return Seed("all events", Document(full));
        yield return Seed("sparse events", Document(s_sparse));
        yield return Seed("no events", Document([]));
        yield return Seed("header", $"{{{Top},\"type\":\"EPCISDocument\",\"sender\":\"a\",\"receiver\":\"b\",\"instanceIdentifier\":\"c\",\"ex:d\":1,\"epcisHeader\":{{\"ex:h\":1,\"epcisMasterData\":{{\"vocabularyList\":{Vocabularies},\"more\":1}}}},\"epcisBody\":{{\"eventList\":[],\"more\":1}}}}");
        yield return Seed("type at the end", $"{{\"epcisBody\":{{\"eventList\":[{full[0]}],\"queryResults\":{{\"resultsBody\":{{\"eventList\":[1]}}}}}},{Top},\"type\":\"EPCISDocument\"}}");
        yield return Seed("query document", $"{{{Top},\"type\":\"EPCISQueryDocument\",\"ex:d\":1,\"epcisBody\":{{\"ex:b\":1,\"queryResults\":{{\"queryName\":\"q\",\"subscriptionID\":\"s\",\"ex:q\":1,\"resultsBody\":{{\"ex:r\":1,\"eventList\":[{string.Join(',', s_sparse)}],\"vocabularyList\":{Vocabularies}}}}}}}}}");
        yield return Seed("sparse query document", $"{{\"@context\":{Context},\"type\":\"EPCISQueryDocument\",\"epcisBody\":{{\"queryResults\":{{\"queryName\":\"q\",\"resultsBody\":{{\"eventList\":[]}}}}}}}}");
        foreach (var one in full.Concat(s_sparse))
        {
            yield return Seed("one event", Document([one]));
            yield return Seed("bare event", $"{{\"@context\":{Context},{one[1..]}");
        }
    }

    private static string Document(IEnumerable<string> events) =>
        $"{{{Top},\"type\":\"EPCISDocument\",\"epcisBody\":{{\"eventList\":[{string.Join(',', events)}]}}}}";

    private static string Event(string type, string what) =>
        $"{{\"type\":\"{type}\",\"eventTime\":\"2026-01-01T00:00:00Z\",\"eventTimeZoneOffset\":\"-05:00\",{what}}}";

    private static (string Name, JsonDraft Document) Seed(string name, string json) => (name, JsonDraft.Parse(json));
}
