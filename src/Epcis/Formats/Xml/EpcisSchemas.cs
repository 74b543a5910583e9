using System.Reflection;
using System.Xml;
using System.Xml.Schema;

namespace Epcis.Formats.Xml;

/// <summary>
/// The compiled schemas of both XML editions: our own, embedded, or GS1's files that a site supplies. A set is compiled once
/// and only read afterwards, so documents may be validated side by side. Nothing is ever fetched: a location that the
/// supplied files lack is an error at start.
/// </summary>
public static class EpcisSchemas
{
    static readonly Lazy<XmlSchemaSet> Own12 = new(() =>
        Compile(OpenEmbedded, "epcis-1.2/document.xsd", "epcis-1.2/query.xsd", "epcis-1.2/masterdata.xsd"));

    static readonly Lazy<XmlSchemaSet> Own20 = new(() =>
        Compile(OpenEmbedded, "epcis-2.0/document.xsd", "epcis-2.0/query.xsd", "epcis-2.0/masterdata.xsd"));

    /// <summary>Our own schemas of an XML edition.</summary>
    public static XmlSchemaSet For(DocumentForm form) => form switch
    {
        DocumentForm.Xml12 => Own12.Value,
        DocumentForm.Xml20 => Own20.Value,
        _ => throw NoSchemas(form),
    };

    /// <summary>Another of this project's own schemas, by its place below <c>schemas/</c>, such as <c>hub/hub.xsd</c>. It is compiled at each call.</summary>
    public static XmlSchemaSet Own(string name) => Compile(OpenEmbedded, name);

    /// <summary>
    /// GS1's published schemas. <paramref name="open"/> gets a bare file name as GS1's repository writes it
    /// (<c>EPCglobal-epcis-2_0.xsd</c>, <c>Partner.xsd</c>) and returns null when there is no such file.
    /// </summary>
    /// <exception cref="XmlSchemaException">A file is missing, not well-formed, or the set has an error or a warning.</exception>
    public static XmlSchemaSet Load(DocumentForm form, Func<string, Stream?> open) => form switch
    {
        DocumentForm.Xml12 => Compile(open,
            "EPCglobal-epcis-1_2.xsd", "EPCglobal-epcis-query-1_2.xsd", "EPCglobal-epcis-masterdata-1_2.xsd"),
        DocumentForm.Xml20 => Compile(open,
            "EPCglobal-epcis-2_0.xsd", "EPCglobal-epcis-query-2_0.xsd", "EPCglobal-epcis-masterdata-2_0.xsd"),
        _ => throw NoSchemas(form),
    };

    static XmlSchemaSet Compile(Func<string, Stream?> open, params ReadOnlySpan<string> names)
    {
        var resolver = new SuppliedFiles(open);
        var set = new XmlSchemaSet { XmlResolver = resolver };

        // Warnings too: an import that was not found is only a warning, and a set that did not compile accepts everything.
        set.ValidationEventHandler += (_, e) => throw new XmlSchemaException(
            $"{e.Exception.SourceUri}({e.Exception.LineNumber}): {e.Message}", e.Exception);

        foreach (var name in names)
            Add(set, resolver, SuppliedFiles.Locate(name));
        set.Compile();
        return set;
    }

    static void Add(XmlSchemaSet set, SuppliedFiles resolver, Uri location)
    {
        using var stream = resolver.Open(location);
        using var reader = XmlReading.CreateForSchema(stream, location);
        try
        {
            set.Add(null, reader);
        }
        catch (XmlException e)
        {
            throw new XmlSchemaException($"{location} is not well-formed: {e.Message}", e);
        }
    }

    static Stream? OpenEmbedded(string name) => Assembly.GetExecutingAssembly().GetManifestResourceStream("schemas/" + name);

    static ArgumentOutOfRangeException NoSchemas(DocumentForm form) =>
        new(nameof(form), form, "Only the XML forms have an XML schema.");

    /// <summary>Resolves among the supplied files only, under an address that no network answers.</summary>
    sealed class SuppliedFiles(Func<string, Stream?> open) : XmlResolver
    {
        static readonly Uri Root = new("schemas://supplied/");

        public static Uri Locate(string name) => new(Root, name);

        // The published 2.0 files import each other by web addresses. Each must become the one address of its file here:
        // the same schema under two addresses declares every type twice.
        public override Uri ResolveUri(Uri? baseUri, string? relativeUri)
        {
            var location = new Uri(baseUri is { IsAbsoluteUri: true } ? baseUri : Root, relativeUri ?? "");
            return location.Scheme == Root.Scheme ? location : Locate(RepositoryName(location.Segments[^1]));
        }

        public override object GetEntity(Uri absoluteUri, string? role, Type? ofObjectToReturn) => Open(absoluteUri);

        public Stream Open(Uri location) =>
            location.Scheme == Root.Scheme && open(location.AbsolutePath[1..]) is { } stream
                ? stream
                : throw new XmlSchemaException($"The schema {location} is not among the supplied files.");

        // At ref.gs1.org two files have other names than in GS1's repository.
        static string RepositoryName(string published) => published switch
        {
            "epcglobal.xsd" => "EPCglobal.xsd",
            "epcglobal-epcis.xsd" => "EPCglobal-epcis-2_0.xsd",
            _ => published,
        };
    }
}
