using System.Text.Json;
using Epcis.Conversion;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;
using Epcis.Tests.Formats.Xml;

namespace Epcis.Tests.Conversion;

/// <summary>What the standards say about converting, and the places where others lose something.</summary>
public sealed class ConversionTests
{
    private const string Sbdh =
        "<sbdh:StandardBusinessDocumentHeader xmlns:sbdh='http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader'><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>"
        + "<sbdh:Sender><sbdh:Identifier Authority='GS1'>4012345000009</sbdh:Identifier></sbdh:Sender><sbdh:Sender><sbdh:Identifier Authority='SGLN'>urn:epc:id:sgln:4012345.00000.0</sbdh:Identifier></sbdh:Sender>"
        + "<sbdh:Receiver><sbdh:Identifier Authority='GS1'>4098765000010</sbdh:Identifier></sbdh:Receiver><sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion>"
        + "<sbdh:InstanceIdentifier>4711</sbdh:InstanceIdentifier><sbdh:Type>Events</sbdh:Type><sbdh:CreationDateAndTime>2026-01-31T12:00:00Z</sbdh:CreationDateAndTime></sbdh:DocumentIdentification>"
        + "<sbdh:BusinessScope><sbdh:Scope><sbdh:Type>Custody</sbdh:Type><sbdh:InstanceIdentifier>s1</sbdh:InstanceIdentifier></sbdh:Scope></sbdh:BusinessScope></sbdh:StandardBusinessDocumentHeader>";

    private const string Statement = "<gs1ushc:dscsaTransactionStatement xmlns:gs1ushc='http://epcis.gs1us.org/hc/ns'><gs1ushc:affirmTransactionStatement>true</gs1ushc:affirmTransactionStatement></gs1ushc:dscsaTransactionStatement>";
    private const string When = "<eventTime>2026-01-31T12:00:00.5Z</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>";
    private const string Epc = "urn:epc:id:sgtin:4012345.011111.1";

    [Fact]
    public void The_dscsa_statement_moves_behind_the_body_and_into_the_json_header_and_home_again()
    {
        var xml20 = Converted.To(DocumentForm.Xml20, Doc12(Observed(), $"<EPCISHeader>{Sbdh}{Statement}</EPCISHeader>"));
        Assert.Contains("</EPCISBody><gs1ushc:dscsaTransactionStatement", xml20.Text, StringComparison.Ordinal);

        var json = Converted.To(DocumentForm.JsonLd20, Doc12(Observed(), $"<EPCISHeader>{Sbdh}{Statement}</EPCISHeader>"));
        using (var document = JsonDocument.Parse(json.Bytes))
        {
            Assert.Equal("true", document.RootElement.GetProperty("epcisHeader").GetProperty("gs1ushc:dscsaTransactionStatement").GetProperty("gs1ushc:affirmTransactionStatement").GetString());
        }
        foreach (var home in new[] { xml20.Then(DocumentForm.Xml12), json.Then(DocumentForm.Xml12), xml20.Then(DocumentForm.JsonLd20).Then(DocumentForm.Xml12) })
        {
            Assert.Empty(home.Errors);
            Assert.Contains("</gs1ushc:dscsaTransactionStatement></EPCISHeader>", home.Text, StringComparison.Ordinal);
            Assert.False(Said.By(home.Bytes).HasErrors);
        }
    }

    /// <summary>An element with an attribute is two values of XML's million, and three of JSON's.</summary>
    [Fact]
    public void An_event_has_as_many_values_in_json_as_its_xml_needs()
    {
        var one = new Extension("urn:x:", "x", "a") { Text = "t", Attributes = [new ExtensionAttribute("", "", "b", "1")] };
        Assert.Empty(Rendered(new ObjectEvent { Extensions = [new Extension("urn:x:", "x", "all") { Children = [.. Enumerable.Repeat(one, 350_000)] }] }));
    }

    [Fact]
    public void An_event_that_is_too_large_for_a_reader_of_json_is_refused_and_nothing_is_thrown()
    {
        var text = new string('x', 9 << 20);
        Assert.Equal(["EPCIS-JSON-02"], Rendered(new ObjectEvent { EpcList = [.. Enumerable.Range(0, 8).Select(i => $"urn:x:{i}{text}")] }));
    }

    private static IEnumerable<string> Rendered(ObjectEvent e)
    {
        var findings = new Findings();
        JsonDocumentWriter.Render(e with { EventTimeText = "2026-01-31T12:00:00Z", EventTimeZoneOffset = "+01:00", Action = EventAction.Observe, EpcList = e.EpcList.Count > 0 ? e.EpcList : [Epc] }, null, null, findings);
        return findings.All.Select(f => f.Code);
    }

    [Fact]
    public void The_business_document_header_keeps_every_party_and_its_scope_through_json()
    {
        var source = Doc12(Observed(), $"<EPCISHeader>{Sbdh}</EPCISHeader>");
        var json = Converted.To(DocumentForm.JsonLd20, source);
        using (var document = JsonDocument.Parse(json.Bytes))
        {
            var root = document.RootElement;
            Assert.Equal(("4711", "4012345000009", "4098765000010"), (root.GetProperty("instanceIdentifier").GetString(), root.GetProperty("sender").GetString(), root.GetProperty("receiver").GetString()));
        }
        var back = json.Then(DocumentForm.Xml12);
        Assert.Contains("<sbdh:Scope><sbdh:Type>Custody</sbdh:Type>", back.Text, StringComparison.Ordinal);
        Assert.Equal([new SbdhParty("GS1", "4012345000009"), new SbdhParty("SGLN", "urn:epc:id:sgln:4012345.00000.0")], Said.By(back.Bytes).Header.Sbdh!.Senders);
        Assert.False(Said.By(back.Bytes).HasErrors);
    }

    [Theory]
    [InlineData("\"sender\":\"urn:x:s\",\"receiver\":\"urn:x:r\",\"instanceIdentifier\":\"i1\",", "<sbdh:Sender>")]
    [InlineData("\"sender\":\"urn:x:s\",", "epcis20:sender")]
    public void The_stand_ins_of_json_become_a_header_when_they_suffice_and_come_back_in_any_case(string standIns, string written)
    {
        var xml = Converted.To(DocumentForm.Xml20, Json(standIns, JsonObserved));
        Assert.Contains(written, xml.Text, StringComparison.Ordinal);
        Assert.False(Said.By(xml.Bytes).HasErrors);
        var back = xml.Then(DocumentForm.JsonLd20).Text;
        Assert.All(standIns.Split(',', StringSplitOptions.RemoveEmptyEntries), s => Assert.Contains(s, back, StringComparison.Ordinal));
    }

    [Fact]
    public void Children_of_the_root_stay_unqualified()
    {
        foreach (var form in new[] { DocumentForm.Xml12, DocumentForm.Xml20 })
        {
            var text = Converted.To(form, Doc12(Observed())).Text;
            Assert.DoesNotContain(" xmlns=", text, StringComparison.Ordinal);
            Assert.Contains($"xmlns:epcis=\"urn:epcglobal:epcis:xsd:{(form == DocumentForm.Xml12 ? 1 : 2)}\"", text, StringComparison.Ordinal);
            Assert.Contains("<EPCISBody><EventList><ObjectEvent>", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_1_2_wraps_stands_in_the_event_in_2_0_and_is_wrapped_again()
    {
        var id = "urn:uuid:66bbc9a3-ae11-4a2c-8e5a-2f3e9d3f9c55";
        var e = $"<ObjectEvent>{When}<baseExtension><eventID>{id}</eventID><errorDeclaration><declarationTime>2026-02-01T00:00:00Z</declarationTime></errorDeclaration></baseExtension>"
            + $"<epcList/><action>ADD</action><extension><quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.A</epcClass><quantity>7.00</quantity></quantityElement></quantityList>"
            + "<ilmd><cbvmda:lotNumber xmlns:cbvmda='urn:epcglobal:cbv:mda'>A</cbvmda:lotNumber></ilmd></extension></ObjectEvent>"
            + $"<extension><TransformationEvent>{When}<inputEPCList><epc>{Epc}</epc></inputEPCList><outputEPCList><epc>{Epc}</epc></outputEPCList></TransformationEvent></extension>"
            + $"<extension><TransformationEvent>{When}<inputEPCList><epc>{Epc}</epc></inputEPCList><outputEPCList><epc>{Epc}</epc></outputEPCList></TransformationEvent></extension>";
        var xml20 = Converted.To(DocumentForm.Xml20, Doc12(e));
        Assert.Contains($"</eventTimeZoneOffset><eventID>{id}</eventID><errorDeclaration>", xml20.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("xtension>", xml20.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("epcList", xml20.Text, StringComparison.Ordinal);
        Assert.Contains("</TransformationEvent><TransformationEvent>", xml20.Text, StringComparison.Ordinal);
        Assert.Contains("<quantity>7.00</quantity>", xml20.Text, StringComparison.Ordinal);
        var json = xml20.Then(DocumentForm.JsonLd20);
        Assert.Contains("\"ilmd\":{\"cbvmda:lotNumber\":\"A\"}", json.Text, StringComparison.Ordinal);
        var back = json.Then(DocumentForm.Xml12).Text;
        Assert.Contains($"<baseExtension><eventID>{id}</eventID><errorDeclaration><declarationTime>", back, StringComparison.Ordinal);
        Assert.Contains("<epcList /><action>ADD</action>", back, StringComparison.Ordinal);
        Assert.Contains("</TransformationEvent></extension><extension><TransformationEvent>", back, StringComparison.Ordinal);
        Assert.Contains("=\"urn:epcglobal:cbv:mda\"", back, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    [InlineData(DocumentForm.JsonLd20)]
    public void A_time_without_zone_is_refused(DocumentForm to)
    {
        var source = Doc12(Observed().Replace("12:00:00.5Z", "12:00:00.5", StringComparison.Ordinal));
        Assert.False(Said.By(source).HasErrors, "The schema of 1.2 accepts it.");
        var refused = Assert.Single(Converted.To(to, source).Findings.All, f => f.Severity == Severity.Error);
        Assert.Contains("eventTime", refused.Message, StringComparison.Ordinal);
        Assert.Equal(("2026-01-31T12:00:00.5", 0), (refused.Got?.Trim('"'), refused.Event));
    }

    [Theory]
    [InlineData("<eventTimeZoneOffset>Z</eventTimeZoneOffset>", "eventTimeZoneOffset")]
    [InlineData("<eventTimeZoneOffset>+01:00</eventTimeZoneOffset><baseExtension><errorDeclaration><declarationTime>2026-02-01T00:00:00</declarationTime></errorDeclaration></baseExtension>", "declarationTime")]
    public void Json_refuses_what_the_schema_of_1_2_accepts(string when, string field)
    {
        var source = Doc12(Observed().Replace("<eventTimeZoneOffset>+01:00</eventTimeZoneOffset>", when, StringComparison.Ordinal));
        Assert.False(Said.By(source).HasErrors);
        Assert.Contains(Converted.To(DocumentForm.JsonLd20, source).Findings.All, f => f.Severity == Severity.Error && f.Message.Contains(field, StringComparison.Ordinal));
    }

    [Fact]
    public void A_quantity_event_becomes_a_marked_object_event_and_a_quantity_event_again()
    {
        var e = $"<QuantityEvent>{When}<epcClass>urn:epc:idpat:sgtin:4012345.011111.*</epcClass><quantity>7</quantity></QuantityEvent>";
        var xml20 = Converted.To(DocumentForm.Xml20, Doc12(e));
        Assert.Contains(xml20.Findings.All, f => f is { Code: "EPCIS-OUT-06", Severity: Severity.Info });
        Assert.Contains("<ObjectEvent>", xml20.Text, StringComparison.Ordinal);
        Assert.Contains("QuantityEvent xmlns:epcis20=\"https://ref.gs1.org/epcis/\"", xml20.Text, StringComparison.Ordinal);
        Assert.Equal(Said.By(Doc12(e)).Contents, Said.By(xml20.Bytes).Contents);
        Assert.Contains(e, xml20.Then(DocumentForm.JsonLd20).Then(DocumentForm.Xml12).Text, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> NotIn12 => new()
    {
        { "sensorElementList", "\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Temperature\",\"value\":26.0,\"uom\":\"CEL\"}]}]" },
        { "persistentDisposition", "\"persistentDisposition\":{\"set\":[\"completeness_verified\"]}" },
        { "certificationInfo", "\"certificationInfo\":[\"https://example.com/a\",\"https://example.com/b\"]" },
        { "AssociationEvent", "" },
    };

    [Theory]
    [MemberData(nameof(NotIn12))]
    public void What_1_2_does_not_know_is_refused_by_name_or_carried_and_lifted_back(string name, string member)
    {
        var e = name == "AssociationEvent"
            ? JsonObserved.Replace("\"ObjectEvent\"", "\"AssociationEvent\"", StringComparison.Ordinal).Replace("\"epcList\"", "\"parentID\":\"urn:x:p\",\"childEPCs\"", StringComparison.Ordinal)
            : JsonObserved[..^1] + "," + member + "}";
        var source = Json("", e);
        var refused = Converted.To(DocumentForm.Xml12, source);
        Assert.Equal((("EPCIS-OUT-01", name)), refused.Findings.All.Where(f => f.Severity == Severity.Error).Select(f => (f.Code, f.Got)).Distinct().Single());

        var carried = Converted.To(DocumentForm.Xml12, source, carry: true);
        Assert.Contains(carried.Findings.All, f => f is { Code: "EPCIS-OUT-01", Severity: Severity.Warning } && f.Got == name);
        Assert.Contains($"<epcis20:{name}", carried.Text, StringComparison.Ordinal);
        Assert.False(Said.By(carried.Bytes).HasErrors);
        foreach (var form in new[] { DocumentForm.Xml20, DocumentForm.JsonLd20 })
        {
            var lifted = Said.By(carried.Then(form).Bytes);
            Assert.False(lifted.HasErrors);
            Assert.Empty(lifted.Events[0].Extensions);
            Assert.Equal(Said.By(source).Contents, lifted.Contents);
        }
    }

    [Fact]
    public void Several_certifications_have_a_place_in_xml_2_0()
    {
        var source = Json("", JsonObserved[..^1] + ",\"certificationInfo\":[\"https://example.com/a\",\"https://example.com/b\"]}");
        var xml = Converted.To(DocumentForm.Xml20, source);
        Assert.False(Said.By(xml.Bytes).HasErrors);
        Assert.Equal(["https://example.com/a", "https://example.com/b"], Said.By(xml.Bytes).Events[0].CertificationInfo);
    }

    [Theory]
    [InlineData(DocumentForm.Xml12, "urn:epcglobal:cbv:bizstep:shipping")]
    [InlineData(DocumentForm.Xml20, "urn:epcglobal:cbv:bizstep:shipping")]
    [InlineData(DocumentForm.JsonLd20, "\"bizStep\":\"shipping\"")]
    public void A_cbv_urn_stays_in_xml_and_becomes_the_bare_word_that_json_wants(DocumentForm to, string written) =>
        Assert.Contains(written, Converted.To(to, Doc12(Observed("<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>"))).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("urn:epcglobal:cbv:bizstep:shipping", CbvSpelling.WebUri, "https://ref.gs1.org/cbv/BizStep-shipping")]
    [InlineData("https://ref.gs1.org/cbv/BizStep-shipping", CbvSpelling.Urn, "urn:epcglobal:cbv:bizstep:shipping")]
    [InlineData("https://ref.gs1.org/cbv/BizStep-shipping", CbvSpelling.Kept, "https://ref.gs1.org/cbv/BizStep-shipping")]
    [InlineData("https://ns.gs1.org/cbv/BizStep-shipping", CbvSpelling.Urn, "urn:epcglobal:cbv:bizstep:shipping")]
    [InlineData("https://example.com/step", CbvSpelling.Urn, "https://example.com/step")]
    public void Xml_2_0_spells_cbv_terms_as_asked(string value, CbvSpelling cbv, string written)
    {
        var converted = Converted.From(Doc12(Observed($"<bizStep>{value}</bizStep>")), new ConversionOptions(DocumentForm.Xml20) { Cbv = cbv });
        Assert.Contains($"<bizStep>{written}</bizStep>", converted.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_of_early_2_0_documents_becomes_the_bare_word_too() =>
        Assert.Contains("\"bizStep\":\"shipping\"", Converted.To(DocumentForm.JsonLd20, Doc12(Observed("<bizStep>https://ns.gs1.org/cbv/BizStep-shipping</bizStep>"))).Text, StringComparison.Ordinal);

    [Fact]
    public void A_term_of_cbv_2_0_goes_to_1_2_as_urn_with_a_warning()
    {
        var converted = Converted.To(DocumentForm.Xml12, Json("", JsonObserved[..^1] + ",\"bizStep\":\"sampling\"}"));
        Assert.Contains("<bizStep>urn:epcglobal:cbv:bizstep:sampling</bizStep>", converted.Text, StringComparison.Ordinal);
        Assert.Equal(("EPCIS-OUT-03", Severity.Warning), Assert.Single(converted.Findings.All.Select(f => (f.Code, f.Severity))));
    }

    [Fact]
    public void Comments_and_elements_of_others_survive_from_xml_to_xml()
    {
        var e = Observed("<!-- why here --><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>", "<v:a xmlns:v='http://vendor.example/x' v:k='1'><!-- inside --><v:b>t</v:b><v:c/></v:a><!-- last -->");
        foreach (var bytes in new[] { Converted.To(DocumentForm.Xml12, Doc12(e)), Converted.To(DocumentForm.Xml20, Doc12(e)), Converted.To(DocumentForm.Xml20, Doc12(e)).Then(DocumentForm.Xml12) })
        {
            Assert.Contains("<!-- why here --><bizStep>", bytes.Text, StringComparison.Ordinal);
            Assert.Contains("v:k=\"1\"", bytes.Text, StringComparison.Ordinal);
            Assert.Contains("<!-- inside --><v:b>t</v:b><v:c></v:c></v:a><!-- last --></ObjectEvent>", bytes.Text.Replace("<v:c />", "<v:c></v:c>", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.False(Said.By(bytes.Bytes).HasErrors);
        }
        Assert.Contains(Converted.To(DocumentForm.JsonLd20, Doc12(e)).Findings.All, f => f is { Code: "EPCIS-OUT-08", Severity: Severity.Info });
    }

    [Fact]
    public void Text_between_elements_of_others_is_kept()
    {
        var e = Observed("", "<v:a xmlns:v='http://vendor.example/x'>some <v:b>t</v:b> text</v:a>");
        Assert.Contains(">some <v:b>t</v:b> text</v:a>", Converted.To(DocumentForm.Xml20, Doc12(e)).Text, StringComparison.Ordinal);
        var json = Converted.To(DocumentForm.JsonLd20, Doc12(e));
        Assert.Contains("{\"#text\":[\"some \",\" text\"],\"v:b\":\"t\"}", json.Text, StringComparison.Ordinal);
        foreach (var xml in new[] { json.Then(DocumentForm.Xml12), json.Then(DocumentForm.Xml20).Then(DocumentForm.JsonLd20).Then(DocumentForm.Xml12) })
        {
            Assert.Contains(">some <v:b>t</v:b> text</v:a>", xml.Text, StringComparison.Ordinal);
            Assert.Empty(xml.Findings.All);
        }
    }

    [Fact]
    public void Text_between_elements_is_no_part_of_the_event_hash()
    {
        static string Hash(string content) => Said.By(Doc12(Observed("", $"<v:a xmlns:v='http://vendor.example/x'>{content}</v:a>"))).Contents[0].Split('\n')[1];
        Assert.Equal(Hash("<v:b>t</v:b>"), Hash("some <v:b>t</v:b> text"));
        Assert.NotEqual(Hash("<v:b>t</v:b>"), Hash("<v:b>u</v:b>"));
    }

    [Fact]
    public void Elements_of_one_name_that_stand_apart_stand_together_in_json_which_is_told()
    {
        var e = Observed("", "<v:a xmlns:v='http://vendor.example/x'><v:b>1</v:b><v:c>2</v:c><v:b>3</v:b></v:a>");
        Assert.Equal(("EPCIS-OUT-12", Severity.Info, "a"), Assert.Single(Converted.To(DocumentForm.JsonLd20, Doc12(e)).Findings.All.Select(f => (f.Code, f.Severity, f.Got))));
        Assert.Contains("<v:b>1</v:b><v:c>2</v:c><v:b>3</v:b>", Converted.To(DocumentForm.Xml20, Doc12(e)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("12.50")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("[\"one\"]")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"a\":{\"b\":[1,2]}}")]
    [InlineData("[[\"a\",\"b\"],\"c\"]")]
    public void A_type_that_xml_does_not_have_is_told(string value)
    {
        foreach (var source in new[] { Json("", JsonObserved[..^1] + $",\"ex:x\":{value}}}"), Json($"\"ex:x\":{value},", JsonObserved) })
        {
            foreach (var form in new[] { DocumentForm.Xml20, DocumentForm.Xml12 })
            {
                Assert.Equal(("EPCIS-OUT-12", Severity.Info, "x: " + value), Assert.Single(Converted.To(form, source).Findings.All.Select(f => (f.Code, f.Severity, f.Got))));
            }
            Assert.Contains($"\"ex:x\":{value}", Converted.To(DocumentForm.JsonLd20, source).Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("\"text\"")]
    [InlineData("[\"one\",\"two\"]")]
    [InlineData("{\"a\":{\"b\":[\"1\",{\"c\":\"2\"}]}}")]
    public void What_xml_can_say_comes_back_as_it_was(string value)
    {
        var xml = Converted.To(DocumentForm.Xml20, Json("", JsonObserved[..^1] + $",\"ex:x\":{value}}}"));
        Assert.Empty(xml.Findings.All);
        Assert.Contains($"\"ex:x\":{value}", xml.Then(DocumentForm.JsonLd20).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_type_of_a_sensors_extension_is_told_and_those_of_its_own_fields_are_known()
    {
        var source = Json("", JsonObserved[..^1] + ",\"sensorElementList\":[{\"sensorReport\":[{\"type\":\"Temperature\",\"value\":26.0,\"booleanValue\":true,\"ex:n\":1}]}]}");
        Assert.Equal(("EPCIS-OUT-12", "ex:n: 1"), Assert.Single(Converted.To(DocumentForm.Xml20, source).Findings.All.Select(f => (f.Code, f.Got))));
    }

    public static TheoryData<string, string, string> AttributesOfOthers => new()
    {
        { "<ObjectEvent", "<ObjectEvent v:k=\"1\"", "" },
        { "<errorDeclaration", "<errorDeclaration v:k=\"1\"", "errorDeclaration" },
        { "<ilmd", "<ilmd v:k=\"1\"", "ilmd" },
        { "<baseExtension", "<baseExtension v:k=\"1\"", "baseExtension" },
        { "<extension><quantityList", "<extension v:k=\"1\"><quantityList", "extension" },
        { "<extension><mine", "<extension v:k=\"1\"><mine", "readPoint/extension" },
        { "<EPCISHeader", "<EPCISHeader v:k=\"1\"", "EPCISHeader" },
        { "<extension><EPCISMasterData", "<extension v:k=\"1\"><EPCISMasterData", "EPCISHeader/extension" },
        { "<EPCISBody", "<EPCISBody v:k=\"1\"", "EPCISBody" },
        { "<Vocabulary ", "<Vocabulary v:k=\"1\" ", "Vocabulary/urn:epcglobal:epcis:vtype:Location" },
        { "<VocabularyElement ", "<VocabularyElement v:k=\"1\" ", "VocabularyElement/urn:x:l" },
        { "<children", "<children v:k=\"1\"", "VocabularyElement/urn:x:l/children" },
        { "schemaVersion", "v:k=\"1\" schemaVersion", "" },
        { "<attribute ", "<attribute v:k=\"1\" ", "attribute" },
    };

    [Theory]
    [MemberData(nameof(AttributesOfOthers))]
    public void An_attribute_of_others_on_an_element_of_the_standard_goes_every_way_and_comes_home(string element, string attributed, string on)
    {
        var header = $"<EPCISHeader>{Sbdh}<extension><EPCISMasterData><VocabularyList><Vocabulary type='urn:epcglobal:epcis:vtype:Location'><VocabularyElementList><VocabularyElement id='urn:x:l'>"
            + "<attribute id='urn:x:n'>N</attribute><children><id>urn:x:m</id></children></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader>";
        var e = $"<ObjectEvent>{When}<baseExtension><eventID>urn:x:1</eventID><errorDeclaration><declarationTime>2026-02-01T00:00:00Z</declarationTime></errorDeclaration></baseExtension><epcList/><action>ADD</action>"
            + "<readPoint><id>urn:x:l</id><extension><mine>1</mine></extension></readPoint>"
            + "<extension><quantityList><quantityElement><epcClass>urn:x:c</epcClass></quantityElement></quantityList><ilmd><v:lot>1</v:lot></ilmd></extension></ObjectEvent>";
        var plain = System.Text.Encoding.UTF8.GetString(Doc12(e, header)).Replace("xmlns:epcis=", "xmlns:v='http://vendor.example/x' xmlns:epcis=", StringComparison.Ordinal);
        var at = plain.IndexOf(element, StringComparison.Ordinal);
        var source = Utf8(plain[..at] + attributed + plain[(at + element.Length)..]);
        var before = Said.By(source);
        Assert.False(before.HasErrors);

        var direct = Converted.To(DocumentForm.Xml12, source);
        Assert.Empty(direct.Findings.All);
        Assert.Equal((before.HeaderText, before.Contents[0]), (Said.By(direct.Bytes).HeaderText, Said.By(direct.Bytes).Contents[0]));
        Assert.Contains("v:k=\"1\"", direct.Text, StringComparison.Ordinal);
        foreach (DocumentForm[] way in new[] { new[] { DocumentForm.Xml20 }, [DocumentForm.JsonLd20], [DocumentForm.Xml20, DocumentForm.JsonLd20], [DocumentForm.JsonLd20, DocumentForm.Xml20, DocumentForm.JsonLd20] })
        {
            var away = Converted.To(way[0], source);
            foreach (var form in way.Skip(1))
            {
                away = away.Then(form);
            }
            var there = Said.By(away.Bytes);
            Assert.False(there.HasErrors);
            Assert.Equal((before.HeaderText, before.Contents[0]), (there.HeaderText, there.Contents[0]));
            if (on != "attribute")
            {
                Assert.Equal(on, Assert.Single(there.Header.Attributes.Concat(there.Events[0].Attributes)).On);
            }
            Assert.Equal(Undeclared(direct), Undeclared(away.Then(DocumentForm.Xml12)));
        }
    }

    // GS1's schemas let some elements have any attribute. All others take none of anybody, not even xml:lang, which .NET would let pass.
    [Theory]
    [InlineData("<epc", "xml:lang='en'")]
    [InlineData("<action", "xml:space='preserve'")]
    [InlineData("<readPoint", "xml:id='a'")]
    [InlineData("<bizTransaction ", "v:k='1'")]
    [InlineData("<readPoint", "v:k='1'")]
    public void An_attribute_on_an_element_that_takes_none_is_refused_with_its_place(string element, string attribute)
    {
        var e = Observed("<readPoint><id>urn:x:l</id></readPoint><bizTransactionList><bizTransaction type='urn:x:t'>urn:x:b</bizTransaction></bizTransactionList>")
            .Replace(element, $"{element.Trim()} xmlns:v='http://vendor.example/x' {attribute} ", StringComparison.Ordinal).Replace("<epc xmlns:v='http://vendor.example/x' xml:lang='en' List", "<epcList", StringComparison.Ordinal);
        var refused = Assert.Single(Said.By(Doc12(e)).Findings.All);
        Assert.Equal(("EPCIS-XSD-01", 0, 1), (refused.Code, refused.Event, refused.Where.Line));
        Assert.Contains(attribute[..attribute.IndexOf('=', StringComparison.Ordinal)].Split(':')[1], refused.Message, StringComparison.Ordinal);
    }

    private static string Undeclared(Converted xml) => System.Text.RegularExpressions.Regex.Replace(xml.Text, " xmlns:\\w+=\"[^\"]*\"", "");

    [Fact]
    public void A_place_that_a_form_does_not_have_for_an_attribute_is_named()
    {
        var e = Observed().Replace("<ObjectEvent>", "<ObjectEvent><!---->", StringComparison.Ordinal).Replace("<epcList>", "<baseExtension v:k='1' xmlns:v='http://vendor.example/x'><eventID>urn:x:1</eventID></baseExtension><epcList>", StringComparison.Ordinal);
        var told = Assert.Single(Converted.To(DocumentForm.Xml20, Doc12(e)).Findings.All);
        Assert.Equal(("EPCIS-OUT-01", Severity.Info, "k", 0), (told.Code, told.Severity, told.Got, told.Event));
        Assert.Contains("baseExtension", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Comments_and_instructions_around_the_events_survive_from_xml_to_xml_and_json_tells_of_them()
    {
        var header = $"<!--h1--><EPCISHeader><!--h2-->{Sbdh.Replace("<sbdh:Receiver>", "<!--h3--><sbdh:Receiver>", StringComparison.Ordinal)}<extension><!--h4--><EPCISMasterData><!--h5--><VocabularyList><!--h6--><Vocabulary type='urn:epcglobal:epcis:vtype:Location'><VocabularyElementList>"
            + "<VocabularyElement id='urn:x:k'/><!--h7--><VocabularyElement id='urn:x:l'><attribute id='urn:x:n'><?v h8?>N</attribute></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension><!--h9--><v:h xmlns:v='http://vendor.example/x'/></EPCISHeader><!--h10-->";
        var text = System.Text.Encoding.UTF8.GetString(Doc12($"<!--e1-->{Observed()}<?vendor e2?><!--e3-->{Observed("<?vendor e4?>", "<v:a xmlns:v='http://vendor.example/x'><?vendor e5?></v:a>")}<!--e6-->", header));
        var source = Utf8("<?xml-stylesheet href='a.xsl'?><!--d1-->" + text + "<!--d2-->");
        Assert.False(Said.By(source).HasErrors);
        foreach (var xml in new[] { Converted.To(DocumentForm.Xml12, source), Converted.To(DocumentForm.Xml20, source).Then(DocumentForm.Xml12) })
        {
            foreach (var there in new[]
            {
                "<?xml-stylesheet href='a.xsl'?><!--d1--><epcis:EPCISDocument", "<!--h1--><EPCISHeader><!--h2--><sbdh:", "<!--h3--><sbdh:Receiver>", "<!--h4--><EPCISMasterData><!--h5--><VocabularyList><!--h6--><Vocabulary ",
                "<!--h7--><VocabularyElement id=\"urn:x:l\"><attribute id=\"urn:x:n\"><?v h8?>N</attribute>", "<!--h9--><v:h", "<!--h10--><EPCISBody><EventList><!--e1--><ObjectEvent>", "</ObjectEvent><?vendor e2?><!--e3--><ObjectEvent>",
                "<?vendor e4?>", "<?vendor e5?></v:a>", "</epcis:EPCISDocument><!--e6--><!--d2-->",
            })
            {
                Assert.Contains(there, xml.Text, StringComparison.Ordinal);
            }
        }
        var told = Converted.To(DocumentForm.JsonLd20, source).Findings.All;
        Assert.Equal([("EPCIS-OUT-08", Severity.Info, null, "xml-stylesheet href='a.xsl'"), ("EPCIS-OUT-08", Severity.Info, 0, "e1"), ("EPCIS-OUT-08", Severity.Info, 1, "vendor e2")], told.Select(f => (f.Code, f.Severity, f.Event, f.Got)));
    }

    [Fact]
    public void Comments_around_a_bare_event_are_its_own()
    {
        var bare = Utf8($"<!--1-->{Observed()}<!--2--><?v 3?>");
        Assert.Equal([("Event", "1", null), ("", "2", null), ("", "3", "v")], Said.By(bare).Events[0].Comments.Select(c => (c.Before, c.Text, c.Target)));
        Assert.StartsWith("<!--1--><ObjectEvent>", Converted.To(DocumentForm.Xml20, bare).Text[(Converted.To(DocumentForm.Xml20, bare).Text.IndexOf("?>", StringComparison.Ordinal) + 2)..], StringComparison.Ordinal);
        Assert.EndsWith("<!--2--><?v 3?></ObjectEvent>", Converted.To(DocumentForm.Xml20, bare).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comment_deep_in_an_extension_is_told_of_in_json()
    {
        var e = Observed("", "<v:a xmlns:v='http://vendor.example/x'><v:b><!--deep--></v:b></v:a>");
        Assert.Equal(("EPCIS-OUT-08", "deep"), Assert.Single(Converted.To(DocumentForm.JsonLd20, Doc12(e)).Findings.All.Select(f => (f.Code, f.Got))));
    }

    [Fact]
    public void What_others_add_to_an_element_of_master_data_stays_in_it()
    {
        var header = $"<EPCISHeader>{Sbdh}<extension><EPCISMasterData><VocabularyList><Vocabulary type='urn:epcglobal:epcis:vtype:Location'><VocabularyElementList><VocabularyElement id='urn:x:l'>"
            + "<attribute id='urn:x:n'>N</attribute><extension><own>1</own></extension><v:more xmlns:v='http://vendor.example/x'>2</v:more></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader>";
        var source = Doc12(Observed(), header);
        Assert.False(Said.By(source).HasErrors);
        foreach (var home in new[] { Converted.To(DocumentForm.Xml20, source).Then(DocumentForm.Xml12), Converted.To(DocumentForm.JsonLd20, source).Then(DocumentForm.Xml20).Then(DocumentForm.Xml12) })
        {
            Assert.Contains("N</attribute><extension><own>1</own></extension><v:more", home.Text, StringComparison.Ordinal);
            Assert.False(Said.By(home.Bytes).HasErrors);
        }
        var json = Json("\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[{\"type\":\"urn:x:t\",\"vocabularyElementList\":[{\"id\":\"urn:x:l\",\"more\":[\"1\",\"2\"],\"ex:x\":1}]}]}},", JsonObserved);
        Assert.Contains("\"more\":[\"1\",\"2\"],\"ex:x\":1}", Converted.To(DocumentForm.JsonLd20, json).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[{\"type\":\"urn:x:t\",\"MORE\":1}]}},", "")]
    [InlineData("\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[],\"MORE\":1}},", "")]
    [InlineData("\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[{\"type\":\"urn:x:t\",\"vocabularyElementList\":[{\"id\":\"urn:x:l\",\"attributes\":[{\"id\":\"urn:x:a\",\"attribute\":\"v\",\"MORE\":1}]}]}]}},", "")]
    [InlineData("", "\"MORE\":1,")]
    public void A_member_that_has_no_place_is_told_of_and_the_document_is_not_converted(string header, string inBody)
    {
        var source = Utf8(System.Text.Encoding.UTF8.GetString(Json(header, JsonObserved)).Replace("\"epcisBody\":{", "\"epcisBody\":{" + inBody, StringComparison.Ordinal));
        var told = Assert.Single(Said.By(source).Findings.All);
        Assert.Equal(("EPCIS-JSON-23", Severity.Warning, "MORE"), (told.Code, told.Severity, told.Got));
        Assert.EndsWith("/MORE", told.Where.Pointer, StringComparison.Ordinal);
        Assert.Equal(["EPCIS-OUT-02"], Converted.To(DocumentForm.Xml20, source).Errors);
    }

    [Fact]
    public void An_element_of_others_in_a_1_2_header_comes_home_from_every_form()
    {
        const string Vendor = "<v:routing xmlns:v='http://vendor.example/x'><v:to>1</v:to></v:routing>";
        var source = Doc12(Observed(), $"<EPCISHeader>{Sbdh}{Statement}{Vendor}</EPCISHeader>");
        var xml20 = Converted.To(DocumentForm.Xml20, source);
        Assert.Equal(("EPCIS-OUT-01", Severity.Info, "routing"), Assert.Single(xml20.Findings.All.Select(f => (f.Code, f.Severity, f.Got))));
        Assert.Contains("</EPCISBody><gs1ushc:dscsaTransactionStatement", xml20.Text, StringComparison.Ordinal);
        Assert.Contains("<epcis20:epcisHeader", xml20.Text, StringComparison.Ordinal);
        Assert.False(Said.By(xml20.Bytes).HasErrors);
        foreach (var home in new[] { xml20.Then(DocumentForm.Xml12), xml20.Then(DocumentForm.JsonLd20).Then(DocumentForm.Xml12), Converted.To(DocumentForm.JsonLd20, source).Then(DocumentForm.Xml20).Then(DocumentForm.Xml12) })
        {
            var header = home.Text[..home.Text.IndexOf("</EPCISHeader>", StringComparison.Ordinal)];
            Assert.Contains("</v:routing>", header, StringComparison.Ordinal);
            Assert.Contains("</gs1ushc:dscsaTransactionStatement>", header, StringComparison.Ordinal);
            Assert.False(Said.By(home.Bytes).HasErrors);
        }
        // What its sender put behind the body stays there.
        var behind = Converted.To(DocumentForm.Xml12, Utf8(System.Text.Encoding.UTF8.GetString(Doc12(Observed(), $"<EPCISHeader>{Sbdh}</EPCISHeader>")).Replace("</EPCISBody>", "</EPCISBody>" + Vendor, StringComparison.Ordinal)));
        Assert.Contains("</EPCISBody><v:routing", behind.Then(DocumentForm.Xml20).Then(DocumentForm.JsonLd20).Then(DocumentForm.Xml12).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Elements_without_a_namespace_are_carried_where_a_form_has_no_place_for_them()
    {
        var e = Observed("", "", "<extension><extension><epcList>mine</epcList></extension></extension>");
        Assert.False(Said.By(Doc12(e)).HasErrors);
        var xml20 = Converted.To(DocumentForm.Xml20, Doc12(e));
        Assert.Contains(xml20.Findings.All, f => f is { Code: "EPCIS-OUT-04", Severity: Severity.Info });
        var json = xml20.Then(DocumentForm.JsonLd20);
        Assert.Contains("\"epcis:extension\":{\"epcList\":\"mine\"}", json.Text, StringComparison.Ordinal);
        Assert.Contains("<extension><extension><epcList>mine</epcList></extension></extension>", json.Then(DocumentForm.Xml12).Text, StringComparison.Ordinal);
        Assert.All([xml20, json], c => Assert.False(Said.By(c.Bytes).HasErrors));
    }

    [Fact]
    public void An_event_of_somebody_elses_in_the_list_is_not_lost_silently()
    {
        var source = Doc12(Observed() + "<v:Event xmlns:v='http://vendor.example/x'/>");
        Assert.False(Said.By(source).HasErrors);
        Assert.Equal(["EPCIS-OUT-02"], Converted.To(DocumentForm.Xml20, source).Errors);
    }

    [Fact]
    public void Prefixes_of_one_namespace_and_namespaces_of_one_prefix_keep_their_meaning()
    {
        var e = Observed("", "<a:x xmlns:a='http://one.example/'>1</a:x><b:x xmlns:b='http://one.example/'>2</b:x><a:x xmlns:a='http://two.example/'>3</a:x>");
        var json = Converted.To(DocumentForm.JsonLd20, Doc12(e + Observed("", "<a:x xmlns:a='http://three.example/'>4</a:x>")));
        Assert.Equal(Said.By(Doc12(e + Observed("", "<a:x xmlns:a='http://three.example/'>4</a:x>"))).Contents, Said.By(json.Bytes).Contents);
        var names = Said.By(json.Then(DocumentForm.Xml20).Bytes).Events.SelectMany(x => x.Extensions).Select(x => x.Namespace + x.Text);
        Assert.Equal(["http://one.example/1", "http://one.example/2", "http://three.example/4", "http://two.example/3"], names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_prefix_that_a_value_does_not_declare_gets_no_meaning()
    {
        var e = Observed("<bizStep>ab:step</bizStep>", "<ab:x xmlns:ab='http://one.example/'>1</ab:x>");
        var json = Converted.To(DocumentForm.JsonLd20, Doc12(e));
        Assert.Equal(Said.By(Doc12(e)).Contents, Said.By(json.Bytes).Contents);
        Assert.Contains("\"bizStep\":\"ab:step\"", json.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"ab\":", json.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes_and_its_own_date()
    {
        var source = Doc12(Observed(), $"<EPCISHeader>{Sbdh}</EPCISHeader>");
        foreach (var form in new[] { DocumentForm.Xml12, DocumentForm.Xml20, DocumentForm.JsonLd20 })
        {
            var once = Converted.To(form, source);
            Assert.Equal(once.Bytes, Converted.To(form, source).Bytes);
            Assert.Equal("2026-01-31T12:00:00.123456789+01:00", Said.By(once.Bytes).Header.CreationDate);
            Assert.Equal(once.Bytes, once.Then(form).Bytes);
        }
    }

    [Fact]
    public void A_query_document_without_date_has_no_xml()
    {
        var query = Utf8("{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\"],\"type\":\"EPCISQueryDocument\",\"epcisBody\":{\"queryResults\":"
            + $"{{\"queryName\":\"q\",\"subscriptionID\":\"s\",\"resultsBody\":{{\"eventList\":[{JsonObserved}]}}}}}}}}");
        Assert.Equal(["EPCIS-OUT-02"], Converted.To(DocumentForm.Xml20, query).Errors);
        var dated = Utf8(System.Text.Encoding.UTF8.GetString(query).Replace("\"epcisBody\"", "\"creationDate\":\"2026-01-31T12:00:00Z\",\"epcisBody\"", StringComparison.Ordinal));
        var xml = Converted.To(DocumentForm.Xml12, dated);
        Assert.False(Said.By(xml.Bytes).HasErrors);
        Assert.Contains("<epcisq:QueryResults><queryName>q</queryName><subscriptionID>s</subscriptionID><resultsBody><EventList>", xml.Text, StringComparison.Ordinal);
        Assert.Equal(dated, xml.Then(DocumentForm.JsonLd20).Bytes is var back && Said.By(back).HeaderText == Said.By(dated).HeaderText ? dated : back);
    }

    [Fact]
    public void Master_data_without_business_document_header_are_carried_in_1_2_or_refused()
    {
        var source = Json("\"epcisHeader\":{\"epcisMasterData\":{\"vocabularyList\":[{\"type\":\"urn:epcglobal:epcis:vtype:Location\",\"vocabularyElementList\":[{\"id\":\"urn:x:l\","
            + "\"attributes\":[{\"id\":\"urn:x:n\",\"attribute\":{\"ex:a\":1}}]}]}]}},", JsonObserved);
        Assert.Equal(["EPCIS-OUT-01"], Converted.To(DocumentForm.Xml12, source).Errors);
        var carried = Converted.To(DocumentForm.Xml12, source, carry: true);
        Assert.False(Said.By(carried.Bytes).HasErrors);
        var back = Said.By(carried.Then(DocumentForm.JsonLd20).Bytes);
        Assert.Equal("urn:x:l", Assert.Single(back.Header.MasterData).Id);
        Assert.Equal("a", Assert.Single(back.Header.MasterData[0].Attributes[0].Structure!.Children).Name);
    }

    [Fact]
    public void An_error_declaration_without_time_has_no_place_in_1_2_and_its_parts_are_put_in_order()
    {
        var e = Observed20("<errorDeclaration><correctiveEventIDs><correctiveEventID>urn:x:2</correctiveEventID></correctiveEventIDs><reason>urn:epcglobal:cbv:er:incorrect_data</reason></errorDeclaration>");
        Assert.False(Said.By(e).HasErrors, "The schema of 2.0 accepts it.");
        Assert.Equal(["EPCIS-OUT-02"], Converted.To(DocumentForm.Xml12, e).Errors);
        e = Observed20("<errorDeclaration><reason>urn:epcglobal:cbv:er:incorrect_data</reason><declarationTime>2026-02-01T00:00:00Z</declarationTime></errorDeclaration>");
        Assert.Contains("<errorDeclaration><declarationTime>2026-02-01T00:00:00Z</declarationTime><reason>", Converted.To(DocumentForm.Xml12, e).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DocumentForm.Xml20)]
    [InlineData(DocumentForm.JsonLd20)]
    public void A_bare_event_stays_a_bare_event(DocumentForm to)
    {
        var bare = Utf8("{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\"]," + JsonObserved[1..]);
        var converted = Converted.To(to, bare);
        var said = Said.By(converted.Bytes);
        Assert.True(said.IsBare);
        Assert.Equal(Said.By(bare).Contents, said.Contents);
        Assert.Equal(said.Contents, Said.By(converted.Then(DocumentForm.JsonLd20).Bytes).Contents);
        Assert.Equal(["EPCIS-OUT-01"], Converted.To(DocumentForm.Xml12, bare).Errors);
    }

    [Fact]
    public void An_invalid_source_is_refused_with_its_own_findings()
    {
        var converted = Converted.To(DocumentForm.JsonLd20, Doc12("<ObjectEvent/>"));
        Assert.Contains("EPCIS-XSD-01", converted.Errors);
        Assert.Empty(converted.Bytes);
    }

    [Fact]
    public void A_result_is_compared_with_its_source_event_by_event()
    {
        var source = Doc12(Observed() + Observed());
        Assert.Empty(Compare(source, Converted.To(DocumentForm.JsonLd20, source).Bytes));
        Assert.Equal(["EPCIS-OUT-11"], Compare(source, Doc12(Observed() + Observed("<bizStep>urn:x:y</bizStep>"))));
        Assert.Equal(["EPCIS-OUT-11"], Compare(source, Doc12(Observed())));
        Assert.Equal(["EPCIS-OUT-11"], Compare(Doc12(Observed()), source));
        Assert.Contains("EPCIS-XSD-01", Compare(Doc12(Observed()), Doc12(Observed() + "<ObjectEvent/>")));
    }

    private static List<string> Compare(byte[] source, byte[] result)
    {
        using var before = Converted.OpenPublished(new MemoryStream(source));
        using var after = Converted.OpenPublished(new MemoryStream(result));
        return [.. EpcisConverter.Compare(before, after).All.Select(f => f.Code).Distinct()];
    }

    private static string Observed(string afterAction = "", string atEnd = "", string extension = "") =>
        $"<ObjectEvent>{When}<epcList><epc>{Epc}</epc></epcList><action>OBSERVE</action>{afterAction}{extension}{atEnd}</ObjectEvent>";

    private static byte[] Observed20(string beforeList) =>
        Utf8($"<epcis:EPCISDocument xmlns:epcis='urn:epcglobal:epcis:xsd:2' schemaVersion='2.0' creationDate='2026-01-31T12:00:00Z'><EPCISBody><EventList><ObjectEvent>{When}{beforeList}<epcList><epc>{Epc}</epc></epcList><action>OBSERVE</action></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>");

    private static byte[] Doc12(string events, string header = "") =>
        Utf8($"<epcis:EPCISDocument xmlns:epcis='urn:epcglobal:epcis:xsd:1' schemaVersion='1.2' creationDate='2026-01-31T12:00:00.123456789+01:00'>{header}<EPCISBody><EventList>{events}</EventList></EPCISBody></epcis:EPCISDocument>");

    private const string JsonObserved = "{\"type\":\"ObjectEvent\",\"eventTime\":\"2026-01-31T12:00:00Z\",\"eventTimeZoneOffset\":\"+01:00\",\"epcList\":[\"" + Epc + "\"],\"action\":\"OBSERVE\"}";

    private static byte[] Json(string members, string events) =>
        Utf8("{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",{\"ex\":\"http://ns.example.com/\"}],\"type\":\"EPCISDocument\",\"schemaVersion\":\"2.0\",\"creationDate\":\"2026-01-31T12:00:00Z\","
            + members + "\"epcisBody\":{\"eventList\":[" + events + "]}}");

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
