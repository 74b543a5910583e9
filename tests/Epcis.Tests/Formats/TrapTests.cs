using System.Text;
using Epcis.Events;
using Epcis.Formats;

namespace Epcis.Tests.Formats;

/// <summary>
/// The traps of EPCIS that concern reading, where public test files and other systems go wrong:
/// <list type="bullet">
/// <item>A default xmlns on the root moves every child into its namespace.</item>
/// <item>The header of 2.0 XML has no place for foreign elements, which the DSCSA guideline puts there.</item>
/// <item>The JSON Schema knows the name persistentDisposition in three event types and never checks its value.</item>
/// <item>XML content is a sequence, different in each event type; JSON has no order.</item>
/// <item>An error declaration repeats the eventID of the event it retracts.</item>
/// <item>JSON refuses the CBV's URNs, which XML takes.</item>
/// <item>The XML namespace of cbvmda is its JSON IRI without the final colon.</item>
/// <item>The standard's context is protected (JsonContextTests).</item>
/// </list>
/// The others concern storing (eventID), converting (GS1's stylesheets), the event hash, and the interfaces for capture and queries.
/// </summary>
public class TrapTests
{
    private const string Times = "<eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>";
    private const string Object12 = "<ObjectEvent>" + Times + "<epcList/><action>ADD</action></ObjectEvent>";
    private const string TimesJson = "\"eventTime\":\"2026-01-01T00:00:00Z\",\"eventTimeZoneOffset\":\"+00:00\"";

    private static string Xml(int edition, string events, string header = "", string after = "", bool isDefault = false)
    {
        var (prefix, declaration) = isDefault ? ("", "xmlns") : ("e:", "xmlns:e");
        return $"<{prefix}EPCISDocument {declaration}=\"urn:epcglobal:epcis:xsd:{edition}\" xmlns:x=\"urn:x\" schemaVersion=\"{(edition == 1 ? "1.2" : "2.0")}\" creationDate=\"2026-01-01T00:00:00Z\">"
            + $"{header}<EPCISBody><EventList>{events}</EventList></EPCISBody>{after}</{prefix}EPCISDocument>";
    }

    private static string Json(string events, string more = "") =>
        "{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",{\"ex\":\"urn:x:\"}],\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\","
        + "\"creationDate\":\"2026-01-01T00:00:00Z\"" + more + ",\"epcisBody\":{\"eventList\":[" + events + "]}}";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_default_xmlns_is_told_once_and_its_events_are_read(int edition)
    {
        var reading = Read(Xml(edition, Object12 + Object12, isDefault: true));
        Assert.Equal("EPCIS-XML-05", Assert.Single(reading.Errors).Code);
        Assert.Equal(2, reading.Events.Count);
        Assert.All(reading.Events, e => Assert.NotNull(e.EventTime));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_foreign_element_in_the_header_is_kept_and_refused_by_2_0_alone(int edition, bool isValid)
    {
        // In 1.2 the header cannot be without the SBDH; so where it is valid, the schema names only what else is missing.
        var header = "<EPCISHeader>" + Sbdh + "<x:statement>true</x:statement></EPCISHeader>";
        var reading = Read(Xml(edition, Object12, header));
        Assert.Equal(isValid, reading.Errors.Count == 0);
        Assert.Equal("statement", Assert.Single(reading.Header.Extensions).Name);
    }

    [Fact]
    public void The_statement_has_valid_places_behind_the_body_and_in_the_json_header()
    {
        var xml = Read(Xml(2, Object12, after: "<x:statement>true</x:statement>"));
        var json = Read(Json("", ",\"epcisHeader\":{\"ex:statement\":\"true\"}"));
        Assert.Empty(xml.Errors.Concat(json.Errors));
        Assert.Equal(["statement", "statement"], xml.Header.Extensions.Concat(json.Header.Extensions).Select(e => e.Name));
    }

    [Theory]
    [InlineData("AggregationEvent", "\"action\":\"DELETE\"")]
    [InlineData("AssociationEvent", "\"action\":\"DELETE\",\"parentID\":\"urn:x:p\"")]
    [InlineData("TransactionEvent", "\"action\":\"DELETE\",\"bizTransactionList\":[{\"bizTransaction\":\"urn:x:b\"}]")]
    public void The_value_of_a_persistent_disposition_is_looked_at_where_the_schema_does_not(string type, string members)
    {
        string Event(string value) => Json($"{{\"type\":\"{type}\",{TimesJson},{members},\"persistentDisposition\":{value}}}");

        var right = Read(Event("{\"set\":[\"active\"]}"));
        Assert.Equal(["EPCIS-JSON-20"], right.Findings.All.Select(f => f.Code));
        Assert.Equal(["active"], right.Events[0].PersistentDisposition!.Set);
        foreach (var wrong in (string[])["{\"set\":[\"gone\"]}", "{\"set\":[]}", "{}", "7", "{\"other\":1}"])
        {
            var reading = Read(Event(wrong));
            Assert.True(reading.Findings.All.Count >= 2);
            Assert.All(reading.Findings.All, f => Assert.Equal(Severity.Warning, f.Severity));
        }
    }

    [Fact]
    public void Each_event_type_has_its_own_order_in_xml()
    {
        const string parent = Times + "<parentID>urn:x:p</parentID><childEPCs/>";
        const string quantities = "<childQuantityList><quantityElement><epcClass>urn:x:c</epcClass></quantityElement></childQuantityList>";
        const string action = "<action>DELETE</action>";
        const string transactions = "<bizTransactionList><bizTransaction>urn:x:b</bizTransaction></bizTransactionList>";
        string[] right =
        [
            "<AssociationEvent>" + parent + quantities + action + "</AssociationEvent>",
            "<AggregationEvent>" + parent + action + transactions + quantities + "</AggregationEvent>",
            "<TransactionEvent>" + Times + transactions + "<parentID>urn:x:p</parentID><epcList/>" + action + "</TransactionEvent>",
        ];
        string[] wrong =
        [
            "<AssociationEvent>" + parent + action + quantities + "</AssociationEvent>",
            "<AggregationEvent>" + parent + quantities + action + transactions + "</AggregationEvent>",
            "<TransactionEvent>" + Times + "<parentID>urn:x:p</parentID><epcList/>" + action + transactions + "</TransactionEvent>",
        ];
        Assert.All(right, e => Assert.Empty(Read(Xml(2, e)).Errors));
        Assert.All(wrong, e =>
        {
            var reading = Read(Xml(2, e));
            Assert.Contains(reading.Errors, f => f.Code == "EPCIS-XSD-01");
            Assert.Equal("urn:x:p", reading.Events[0] switch
            {
                AssociationEvent a => a.ParentId,
                AggregationEvent a => a.ParentId,
                TransactionEvent t => t.ParentId,
                _ => null,
            });
        });
    }

    [Fact]
    public void Members_of_json_come_in_any_order()
    {
        var members = ("\"type\":\"AssociationEvent\"|" + TimesJson.Replace(",\"eventTimeZoneOffset", "|\"eventTimeZoneOffset", StringComparison.Ordinal)
            + "|\"action\":\"ADD\"|\"parentID\":\"urn:x:p\"|\"childEPCs\":[\"urn:x:c\"]").Split('|');
        for (var first = 0; first < members.Length; first++)
        {
            var reading = Read(Json("{" + string.Join(',', members.Skip(first).Concat(members.Take(first))) + "}"));
            Assert.Empty(reading.Findings.All);
            Assert.Equal(("urn:x:p", EventAction.Add), (((AssociationEvent)reading.Events[0]).ParentId, reading.Events[0].Action));
        }
    }

    [Fact]
    public void An_error_declaration_with_the_id_of_what_it_retracts_is_an_event_of_its_own()
    {
        const string declared = "<errorDeclaration><declarationTime>2026-01-02T00:00:00Z</declarationTime></errorDeclaration>";
        foreach (var document in (string[])
        [
            Xml(2, string.Concat(((string[])["", declared]).Select(d => "<ObjectEvent>" + Times + "<eventID>urn:uuid:1</eventID>" + d + "<epcList/><action>ADD</action></ObjectEvent>"))),
            Xml(1, string.Concat(((string[])["", declared]).Select(d => "<ObjectEvent>" + Times + "<baseExtension><eventID>urn:uuid:1</eventID>" + d + "</baseExtension><epcList/><action>ADD</action></ObjectEvent>"))),
            Json(string.Join(',', ((string[])["", ",\"errorDeclaration\":{\"declarationTime\":\"2026-01-02T00:00:00Z\"}"]).Select(d =>
                "{\"type\":\"ObjectEvent\"," + TimesJson + ",\"eventID\":\"urn:uuid:1\",\"action\":\"ADD\",\"epcList\":[]" + d + "}"))),
        ])
        {
            var reading = Read(document);
            Assert.Empty(reading.Errors);
            Assert.Equal(["urn:uuid:1", "urn:uuid:1"], reading.Events.Select(e => e.EventId));
            Assert.Equal([false, true], reading.Events.Select(e => e.ErrorDeclaration is not null));
        }
    }

    [Theory]
    [InlineData("bizStep", "urn:epcglobal:cbv:bizstep:shipping", "shipping")]
    [InlineData("disposition", "urn:epcglobal:cbv:disp:in_transit", "in_transit")]
    public void A_urn_of_the_CBV_is_refused_in_json_for_the_word_it_means(string member, string urn, string word)
    {
        var json = Read(Json("{\"type\":\"ObjectEvent\"," + TimesJson + $",\"action\":\"ADD\",\"epcList\":[],\"{member}\":\"{urn}\"}}"));
        var finding = Assert.Single(json.Errors);
        Assert.Equal(("EPCIS-JSON-08", urn, word), (finding.Code, finding.Got, finding.Want));
        Assert.All([1, 2], edition => Assert.Empty(Read(Xml(edition, $"<ObjectEvent>{Times}<epcList/><action>ADD</action><{member}>{urn}</{member}></ObjectEvent>")).Errors));
    }

    [Fact]
    public void The_namespace_of_cbvmda_differs_by_a_colon_and_both_are_read_as_written()
    {
        var xml = Read(Xml(2, "<ObjectEvent>" + Times + "<epcList/><action>ADD</action><ilmd><m:lotNumber xmlns:m='urn:epcglobal:cbv:mda'>L</m:lotNumber></ilmd></ObjectEvent>"));
        var json = Read(Json("{\"type\":\"ObjectEvent\"," + TimesJson + ",\"action\":\"ADD\",\"epcList\":[],\"ilmd\":{\"cbvmda:lotNumber\":\"L\"}}"));
        Assert.Empty(xml.Errors.Concat(json.Errors));
        Assert.Equal("urn:epcglobal:cbv:mda", ((ObjectEvent)xml.Events[0]).Ilmd[0].Namespace);
        Assert.Equal("urn:epcglobal:cbv:mda:", ((ObjectEvent)json.Events[0]).Ilmd[0].Namespace);
        // The one becomes the other's member, not a second prefix.
        Assert.Contains("\"cbvmda:lotNumber\":\"L\"", Encoding.UTF8.GetString(Epcis.Formats.JsonLd.JsonEventWriter.ToUtf8(xml.Events[0], null)), StringComparison.Ordinal);
    }

    private const string Sbdh = "<s:StandardBusinessDocumentHeader xmlns:s='http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader'><s:HeaderVersion>1.0</s:HeaderVersion>"
        + "<s:Sender><s:Identifier>1</s:Identifier></s:Sender><s:Receiver><s:Identifier>2</s:Identifier></s:Receiver><s:DocumentIdentification><s:Standard>EPCglobal</s:Standard>"
        + "<s:TypeVersion>1.0</s:TypeVersion><s:InstanceIdentifier>1</s:InstanceIdentifier><s:Type>Events</s:Type><s:CreationDateAndTime>2026-01-01T00:00:00Z</s:CreationDateAndTime></s:DocumentIdentification></s:StandardBusinessDocumentHeader>";

    private static Reading Read(string document)
    {
        using var reader = EpcisDocument.Open(new MemoryStream(Encoding.UTF8.GetBytes(document)), ReaderLimits.Default);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        Assert.False(reader.IsBroken);
        return new Reading(reader.Header, reader.Findings, events);
    }

    private sealed record Reading(DocumentHeader Header, Findings Findings, IReadOnlyList<EpcisEvent> Events)
    {
        public List<Finding> Errors => [.. Findings.All.Where(f => f.Severity == Severity.Error)];
    }
}
