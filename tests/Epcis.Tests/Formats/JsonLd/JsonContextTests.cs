using System.Text;
using System.Text.Json;
using Epcis.Formats.JsonLd;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>JSON-LD contexts: which namespace an extension gets, and what is told of a context that cannot be followed.</summary>
public class JsonContextTests
{
    private const string Standard = "\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\"";

    private static JsonSamples.Outcome Read(string context, string members) =>
        JsonSamples.Read(AJson.Document(AJson.Object(members)).Replace(AJson.Context, context, StringComparison.Ordinal));

    [Theory]
    [InlineData(Standard, "gs1:a", "https://gs1.org/voc/")]
    [InlineData(Standard, "cbvmda:a", "urn:epcglobal:cbv:mda:")]
    [InlineData("[" + Standard + "]", "rdfs:a", "http://www.w3.org/2000/01/rdf-schema#")]
    [InlineData("[" + Standard + ",{\"own\":\"https://own.example.org/\"}]", "own:a", "https://own.example.org/")]
    [InlineData("[{\"own\":\"https://own.example.org/\"}," + Standard + "]", "own:a", "https://own.example.org/")]
    [InlineData("[" + Standard + ",{\"a\":\"urn:a:\"},{\"own\":\"urn:own:\"}]", "own:a", "urn:own:")]
    [InlineData("[" + Standard + ",{\"own\":\"urn:first:\"},{\"own\":\"urn:last:\"}]", "own:a", "urn:last:")]
    [InlineData("[" + Standard + ",{\"own\":{\"@id\":\"urn:own:\",\"@prefix\":true}}]", "own:a", "urn:own:")]
    [InlineData("[" + Standard + ",{\"base\":\"urn:base:\",\"own\":\"base:own#\"}]", "own:a", "urn:base:own#")]
    [InlineData("[" + Standard + ",{\"own\":\"base:own#\",\"base\":\"urn:base:\"}]", "own:a", "urn:base:own#")]
    [InlineData("[" + Standard + ",{\"own\":\"gs1:own#\"}]", "own:a", "https://gs1.org/voc/own#")]
    [InlineData("[" + Standard + ",{\"own\":null}]", "own:a", "")]
    [InlineData(Standard, "own:a", "")]
    [InlineData(Standard, "https://own.example.org/ns#a", "https://own.example.org/ns#")]
    [InlineData("[" + Standard + ",{\"https\":\"urn:trick:\"}]", "https://own.example.org/a", "urn:trick:")]
    public void A_member_gets_the_namespace_of_its_prefix(string context, string member, string ns)
    {
        var outcome = Read(context, $"\"{member}\":1");
        Assert.Empty(outcome.Codes);
        Assert.Equal(ns, outcome.Events[0].Extensions[0].Namespace);
    }

    [Theory]
    [InlineData("{\"a\":\"b:x\",\"b\":\"a:x\"}")]
    [InlineData("{\"a\":\"a:x\"}")]
    [InlineData("{\"a\":\"b:b:b:b:\",\"b\":\"a:a:a:a:\"}")]
    public void Prefixes_that_go_round_in_circles_end(string context) =>
        Assert.True(Read($"[{Standard},{context}]", "\"a:x\":1").Events[0].Extensions[0].Namespace.Length < 5000);

    [Fact]
    public void The_standards_prefixes_are_those_of_GS1s_context()
    {
        using var published = JsonDocument.Parse(File.ReadAllText(SharedFiles.Require("standards/epcis-2.0/json-ld/epcis-context-2.0.0.jsonld")));
        var context = published.RootElement.GetProperty("@context");
        foreach (var (prefix, ns) in JsonContext.StandardPrefixes)
        {
            Assert.Equal(ns, context.GetProperty(prefix).GetString());
        }
        // Each of its terms is protected: another meaning is told, its own is not.
        foreach (var term in context.EnumerateObject().Where(t => t.Name[0] != '@' && !JsonContext.StandardPrefixes.ContainsKey(t.Name)))
        {
            Assert.Equal(["EPCIS-JSON-18"], Read($"[{Standard},{{\"{term.Name}\":\"urn:own:\"}}]", "\"ex:a\":1").Codes);
            var own = term.Value.ValueKind is JsonValueKind.String ? term.Value : term.Value.GetProperty("@id");
            Assert.Empty(Read($"[{Standard},{{\"{term.Name}\":{own.GetRawText()}}}]", "\"ex:a\":1").Codes);
        }
    }

    [Theory]
    [InlineData("{\"cbv\":\"urn:own:\"}")]
    [InlineData("{\"cbv\":{\"@id\":\"urn:own:\"}}")]
    [InlineData("{\"bizStep\":\"urn:own:\"}")]
    [InlineData("{\"bizStep\":{\"@id\":\"urn:own:\",\"@type\":\"@id\"}}")]
    [InlineData("{\"bizStep\":null}")]
    [InlineData("{\"type\":\"@id\"}")]
    [InlineData("{\"eventList\":{}}")]
    public void A_protected_term_keeps_its_meaning_and_that_is_told(string context)
    {
        foreach (var outcome in (JsonSamples.Outcome[])
        [
            Read($"[{Standard},{context}]", "\"bizStep\":\"packing\",\"cbv:a\":1"),
            Read(Standard, $"\"@context\":{context},\"bizStep\":\"packing\",\"cbv:a\":1"),
        ])
        {
            var finding = Assert.Single(outcome.Findings.All);
            Assert.Equal(("EPCIS-JSON-18", Severity.Warning), (finding.Code, finding.Severity));
            Assert.Contains("/@context/", finding.Where.Pointer, StringComparison.Ordinal);
            var e = outcome.Events[0];
            Assert.Equal(("packing", "https://ref.gs1.org/cbv/"), (e.BizStep, e.Extensions[0].Namespace));
        }
    }

    [Theory]
    [InlineData("\"https://own.example.org/context.jsonld\"", 1)]
    [InlineData("[" + Standard + ",\"https://own.example.org/context.jsonld\",\"urn:own:context\"]", 2)]
    [InlineData("[" + Standard + ",{\"@import\":\"https://own.example.org/context.jsonld\"}]", 1)]
    [InlineData("[" + Standard + ",{\"ex\":{\"@id\":\"urn:ex:\",\"@context\":\"https://own.example.org/context.jsonld\"}}]", 1)]
    [InlineData("[" + Standard + ",{\"ex\":{\"@id\":\"urn:ex:\",\"@context\":[{},\"https://own.example.org/context.jsonld\"]}}]", 1)]
    public void A_context_elsewhere_is_told_and_not_fetched(string context, int count)
    {
        var outcome = Read(context, "\"ex:a\":1");
        Assert.Equal(Enumerable.Repeat("EPCIS-JSON-17", count), outcome.Codes);
        Assert.All(outcome.Findings.All, f => Assert.Equal(Severity.Warning, f.Severity));
        Assert.Single(outcome.Events);
    }

    [Theory]
    [InlineData("{\"ex\":\"urn:ex:\"}")]
    [InlineData("[]")]
    [InlineData("[{}]")]
    public void A_document_without_the_standards_context_is_read_as_if_it_had_it(string context)
    {
        var outcome = Read(context, "\"bizStep\":\"packing\",\"cbv:a\":1");
        var finding = Assert.Single(outcome.Findings.All);
        Assert.Equal(("EPCIS-JSON-22", Severity.Warning, "/@context"), (finding.Code, finding.Severity, finding.Where.Pointer));
        Assert.Equal("https://ref.gs1.org/cbv/", outcome.Events[0].Extensions[0].Namespace);
        var bare = JsonSamples.Read(new MemoryStream(Encoding.UTF8.GetBytes(AJson.Object($"\"@context\":{context}"))), isBare: true);
        Assert.Equal(["EPCIS-JSON-22"], bare.Codes);
    }

    [Fact]
    public void The_context_of_one_event_goes_before_the_documents_and_ends_with_it()
    {
        var context = $"[{Standard},{{\"ex\":\"urn:document:\"}}]";
        var outcome = JsonSamples.Read(AJson.Document(
            AJson.Object("\"ex:a\":1"),
            AJson.Object("\"ex:a\":1,\"@context\":{\"ex\":\"urn:event:\"},\"ilmd\":{\"ex:b\":1},\"readPoint\":{\"id\":\"urn:x:r\",\"ex:c\":1}"),
            AJson.Object("\"ex:a\":1")).Replace(AJson.Context, context, StringComparison.Ordinal));
        Assert.Empty(outcome.Codes);
        Assert.Equal(["urn:document:", "urn:event:", "urn:document:"], outcome.Events.Select(e => e.Extensions[0].Namespace));
        Assert.Equal("urn:event:", ((Epcis.Events.ObjectEvent)outcome.Events[1]).Ilmd[0].Namespace);
        Assert.Equal("urn:event:", outcome.Events[1].ReadPoint!.Extensions[0].Namespace);
    }

    [Theory]
    [InlineData("null", "EPCIS-JSON-07")]
    [InlineData("7", "EPCIS-JSON-07")]
    [InlineData("[null]", "EPCIS-JSON-07")]
    [InlineData("[[]]", "EPCIS-JSON-07")]
    [InlineData("\"no uri\"", "EPCIS-JSON-09")]
    [InlineData("[" + Standard + "," + Standard + "]", "EPCIS-JSON-12")]
    [InlineData("[" + Standard + ",{\"a\":1,\"b\":\"\\\\\"},{\"b\":\"\\\\\",\"a\":1.0}]", "EPCIS-JSON-12")]
    public void What_is_no_context_is_an_error(string context, string code) =>
        Assert.Contains(Read(context, "\"ex:a\":1").Findings.All, f => f.Code == code && f.Severity == Severity.Error);
}
