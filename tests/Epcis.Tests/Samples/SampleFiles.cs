using System.Xml;
using System.Xml.Schema;

namespace Epcis.Tests.Samples;

/// <summary>Finds the samples of this repository and GS1's schemas, which lie beside it and not in it.</summary>
static class SampleFiles
{
    static readonly string Root = FindRoot();

    public static string PathOf(string name) => Path.Combine(Root, "samples", name);

    /// <summary>What the schema says against a document; skips the test where GS1's schemas are absent.</summary>
    public static IReadOnlyList<string> SchemaErrors(string xmlPath, string version)
    {
        var standards = Path.GetFullPath(Path.Combine(Root, "..", "shared", "standards"));
        var (schema, imports) = version == "1.2"
            ? (Path.Combine(standards, "epcis-1.2", "xsd", "EPCglobal-epcis-1_2.xsd"), Path.Combine(standards, "epcis-1.2", "xsd"))
            : (Path.Combine(standards, "epcis-2.0", "xsd-2.0.0-published", "EPCglobal-epcis-2_0.xsd"), Path.Combine(standards, "epcis-2.0", "xsd"));
        Assert.SkipUnless(File.Exists(schema), "GS1's schemas are not beside the repository.");

        var schemas = new XmlSchemaSet { XmlResolver = new LocalImports(imports) };
        // A set that failed to compile validates nothing, so anything it says is fatal.
        schemas.ValidationEventHandler += (_, e) => throw e.Exception;
        schemas.Add(null, schema);
        schemas.Compile();

        var errors = new List<string>();
        var settings = new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = schemas };
        settings.ValidationEventHandler += (_, e) => errors.Add($"line {e.Exception.LineNumber}: {e.Message}");
        using var reader = XmlReader.Create(xmlPath, settings);
        reader.MoveToContent();
        // Validation is lax about unknown roots: without this a foreign document would pass.
        Assert.Equal($"urn:epcglobal:epcis:xsd:{(version == "1.2" ? 1 : 2)}", reader.NamespaceURI);
        while (reader.Read())
        {
        }
        return errors;
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("No folder above the tests holds Gateway.sln.");
    }

    /// <summary>The published 2.0 schemas import by web address; the same files are on disk.</summary>
    sealed class LocalImports(string folder) : XmlUrlResolver
    {
        public override Uri ResolveUri(Uri? baseUri, string? relativeUri)
        {
            var name = Path.GetFileName(relativeUri ?? "");
            var local = Directory.EnumerateFiles(folder).FirstOrDefault(f =>
                string.Equals(Path.GetFileName(f), name, StringComparison.OrdinalIgnoreCase));
            return local is null ? base.ResolveUri(baseUri, relativeUri) : new Uri(local);
        }
    }
}
