using System.Xml;
using System.Xml.Schema;
using Gateway.TestSupport;

namespace Gateway.Journeys.Simulate;

/// <summary>GS1's schema of EPCIS 1.2, which lies beside the repository and not in it.</summary>
static class Gs1Schema
{
    /// <summary>What the schema says against a document; skips the test where the schema is absent.</summary>
    public static IReadOnlyList<string> ErrorsOf(Stream document)
    {
        var folder = Path.Combine(Repository.Root, "..", "shared", "standards", "epcis-1.2", "xsd");
        var schema = Path.GetFullPath(Path.Combine(folder, "EPCglobal-epcis-1_2.xsd"));
        Assert.SkipUnless(File.Exists(schema), "GS1's schemas are not beside the repository.");

        var schemas = new XmlSchemaSet { XmlResolver = new XmlUrlResolver() };
        // A set that failed to compile validates nothing, so anything it says is fatal.
        schemas.ValidationEventHandler += (_, e) => throw e.Exception;
        schemas.Add(null, schema);
        schemas.Compile();

        var errors = new List<string>();
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = schemas };
        settings.ValidationEventHandler += (_, e) => errors.Add($"line {e.Exception.LineNumber}: {e.Message}");
        using var reader = XmlReader.Create(document, settings);
        reader.MoveToContent();
        // Validation is lax about unknown roots: without this a foreign document would pass.
        Assert.Equal("urn:epcglobal:epcis:xsd:1", reader.NamespaceURI);
        while (reader.Read())
        {
        }
        return errors;
    }
}
