using System.Text;
using System.Xml.Linq;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Schemas;

/// <summary>Our schemas accept the language of GS1's, but for what <see cref="SchemaDifferences"/> says of xsi:type.</summary>
public class EpcisSchemasTests
{
    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void Every_sample_gets_the_verdict_of_the_published_schemas(DocumentForm form)
    {
        var samples = PublishedSchemas.Samples(form).ToList();

        Assert.True(samples.Count >= 20, $"Only {samples.Count} samples were found.");
        Assert.Empty(samples.Select(s => Difference(form, s.Name, s.Document)).OfType<string>());
    }

    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void Every_seed_document_gets_the_verdict_of_the_published_schemas(DocumentForm form)
    {
        PublishedSchemas.Standards();
        Assert.Empty(SeedDocuments.For(form).Select(s => Difference(form, s.Name, s.Document)).OfType<string>());
    }

    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void Damaged_documents_get_the_verdict_of_the_published_schemas(DocumentForm form)
    {
        var count = Mutations.Of(8_000, full: 25_000);
        // Half of the damage goes to the seeds, which use everything; large samples would only repeat their own events.
        var samples = PublishedSchemas.Samples(form).Select(s => s.Document).Where(d => d.Descendants().Take(400).Count() < 400).ToList();
        var seeds = SeedDocuments.For(form).Select(s => s.Document).ToList();
        var mutator = new Mutator(seed: 20260101, [.. samples, .. seeds]);

        var differences = new List<string>();
        var accepted = 0;
        for (var i = 0; i < count; i++)
        {
            var source = i % 2 == 0 ? seeds[i / 2 % seeds.Count] : samples[i / 2 % samples.Count];
            var document = new XDocument(source);
            var damage = mutator.Damage(document);
            if (Difference(form, $"{i}: {damage}", document) is { } difference)
                differences.Add(difference);
            else if (PublishedSchemas.Errors(document, EpcisSchemas.For(form)).Count == 0)
                accepted++;
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differ:\n{string.Join('\n', differences.Take(20))}");
        Assert.InRange(accepted, count / 20, count - count / 20); // neither verdict may be rare, or equality says nothing
    }

    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void The_seed_documents_are_valid_but_for_three_messages_that_no_body_may_hold(DocumentForm form) =>
        Assert.Equal(["VoidHolder", "EPCISException", "QueryValidationException"],
            SeedDocuments.For(form).Where(s => PublishedSchemas.Errors(s.Document, EpcisSchemas.For(form)).Count > 0)
                .Select(s => s.Name.Split(' ')[^1]));

    [Theory]
    [InlineData(DocumentForm.Xml12)]
    [InlineData(DocumentForm.Xml20)]
    public void An_event_without_its_time_is_refused(DocumentForm form)
    {
        var document = SeedDocuments.For(form).First().Document;
        document.Descendants("eventTime").First().Remove();
        Assert.NotEmpty(PublishedSchemas.Errors(document, EpcisSchemas.For(form)));
    }

    [Theory]
    [InlineData(DocumentForm.Xml12, "epcis-1.2/xsd")]
    [InlineData(DocumentForm.Xml20, "epcis-2.0/xsd")]
    [InlineData(DocumentForm.Xml20, "epcis-2.0/xsd-2.0.0-published")]
    public void A_site_may_supply_the_published_files(DocumentForm form, string folder)
    {
        var set = EpcisSchemas.Load(form, name => Open(folder, name) ?? Open("epcis-2.0/xsd", name));

        Assert.Empty(SeedDocuments.For(form)
            .Select(s => Difference(set, PublishedSchemas.For(form), s.Name, s.Document)).OfType<string>());
    }

    [Fact]
    public void A_supplied_file_that_is_missing_is_an_error_at_start() =>
        Assert.Throws<XmlSchemaException>(() => EpcisSchemas.Load(DocumentForm.Xml12,
            name => name == "Partner.xsd" ? null : Open("epcis-1.2/xsd", name)));

    [Theory]
    [InlineData("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' type='Missing'/></xs:schema>")]
    [InlineData("<!DOCTYPE x><xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>")]
    [InlineData("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:import namespace='urn:x' schemaLocation='http://localhost/x.xsd'/></xs:schema>")]
    [InlineData("no schema")]
    public void A_supplied_file_with_a_fault_is_an_error_at_start(string file) =>
        Assert.Throws<XmlSchemaException>(() => EpcisSchemas.Load(DocumentForm.Xml20,
            name => name.StartsWith("EPCglobal", StringComparison.Ordinal) ? new MemoryStream(Encoding.UTF8.GetBytes(file)) : null));

    [Theory]
    [InlineData(DocumentForm.Unknown)]
    [InlineData(DocumentForm.JsonLd20)]
    public void A_form_that_is_not_XML_has_no_schema(DocumentForm form) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => EpcisSchemas.For(form));

    [Fact]
    public void A_set_is_compiled_once() => Assert.Same(EpcisSchemas.For(DocumentForm.Xml20), EpcisSchemas.For(DocumentForm.Xml20));

    static string? Difference(DocumentForm form, string name, XDocument document) =>
        Difference(EpcisSchemas.For(form), PublishedSchemas.For(form), name, document);

    static string? Difference(XmlSchemaSet own, XmlSchemaSet published, string name, XDocument document)
    {
        var ours = PublishedSchemas.Errors(document, own);
        var theirs = PublishedSchemas.Errors(document, published);
        return ours.Count == 0 == (theirs.Count == 0)
            ? null
            : $"{name}\n  ours: {ours.FirstOrDefault() ?? "valid"}\n  GS1's: {theirs.FirstOrDefault() ?? "valid"}";
    }

    static FileStream? Open(string folder, string name)
    {
        var path = Path.Combine(PublishedSchemas.Standards(), folder, name);
        return File.Exists(path) ? File.OpenRead(path) : null;
    }
}
