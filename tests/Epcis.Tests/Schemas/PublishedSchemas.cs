using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Epcis.Formats;

namespace Epcis.Tests.Schemas;

/// <summary>GS1's published schemas and the sample documents that stand beside the repository, read where they are.</summary>
static class PublishedSchemas
{
    static readonly Lazy<XmlSchemaSet> Set12 = new(() => Load("epcis-1.2/xsd",
        "EPCglobal-epcis-1_2.xsd", "EPCglobal-epcis-query-1_2.xsd", "EPCglobal-epcis-masterdata-1_2.xsd"));

    static readonly Lazy<XmlSchemaSet> Set20 = new(() => Load("epcis-2.0/xsd-2.0.0-published",
        "EPCglobal-epcis-2_0.xsd", "EPCglobal-epcis-query-2_0.xsd", "EPCglobal-epcis-masterdata-2_0.xsd"));

    public static XmlSchemaSet For(DocumentForm form) => form == DocumentForm.Xml12 ? Set12.Value : Set20.Value;

    /// <summary>Folder of the papers, or the test is skipped.</summary>
    public static string Standards()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
            folder = folder.Parent;
        var standards = Path.Combine(folder?.Parent?.FullName ?? "", "shared", "standards");
        Assert.SkipUnless(Directory.Exists(standards), "GS1's schemas and samples are not beside the repository.");
        return standards;
    }

    /// <summary>
    /// Every XML sample whose root is in a namespace of this edition. A DOCTYPE is ignored: refusing one is not the schema's work.
    /// </summary>
    public static IEnumerable<(string Name, XDocument Document)> Samples(DocumentForm form)
    {
        var edition = form == DocumentForm.Xml12 ? ":xsd:1" : ":xsd:2";
        var folder = Path.Combine(Standards(), "examples");
        foreach (var path in Directory.EnumerateFiles(folder, "*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (Parse(path) is { Root: { } root } document
                && root.Name.NamespaceName.StartsWith("urn:epcglobal:epcis", StringComparison.Ordinal)
                && root.Name.NamespaceName.EndsWith(edition, StringComparison.Ordinal))
            {
                yield return (Path.GetRelativePath(folder, path), document);
            }
        }
    }

    /// <summary>The errors, in order. Warnings are no verdict: every foreign element gives one.</summary>
    public static List<string> Errors(XDocument document, XmlSchemaSet schemas)
    {
        var errors = new List<string>();
        document.Validate(schemas, (_, e) =>
        {
            if (e.Severity == XmlSeverityType.Error)
                errors.Add(e.Message);
        });
        return errors;
    }

    // A few samples are deliberately no XML at all; they have no verdict to compare.
    static XDocument? Parse(string path)
    {
        using var reader = XmlReader.Create(path, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
        try
        {
            return XDocument.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    static XmlSchemaSet Load(string folder, params string[] names)
    {
        var set = new XmlSchemaSet { XmlResolver = new LocalCopies(Path.Combine(Standards(), "epcis-2.0", "xsd")) };
        set.ValidationEventHandler += (_, e) => throw e.Exception;
        foreach (var name in names)
            set.Add(null, Path.Combine(Standards(), folder, name));
        set.Compile();
        return set;
    }

    /// <summary>Maps the web addresses of the published 2.0 files to the copies, each to one address.</summary>
    sealed class LocalCopies(string common) : XmlUrlResolver
    {
        public override Uri ResolveUri(Uri? baseUri, string? relativeUri)
        {
            var location = base.ResolveUri(baseUri, relativeUri);
            if (location.IsFile)
                return location;
            return new Uri(location.Segments[^1] switch
            {
                "epcglobal.xsd" => Path.Combine(common, "EPCglobal.xsd"),
                "epcglobal-epcis.xsd" => Path.Combine(common, "..", "xsd-2.0.0-published", "EPCglobal-epcis-2_0.xsd"),
                var name => Path.Combine(common, name),
            });
        }
    }
}
