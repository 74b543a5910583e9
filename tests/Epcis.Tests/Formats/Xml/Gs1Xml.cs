using System.Collections.Concurrent;
using System.Text;
using System.Xml;
using System.Xml.Schema;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Epcis.Tests.Formats.Xml;

/// <summary>GS1's own schemas and samples, which lie beside the repository and are never part of it.</summary>
internal static class Gs1Xml
{
    private static readonly ConcurrentDictionary<DocumentForm, XmlSchemaSet> Sets = new();
    private static readonly string? Standards = FindStandards();

    public static string Folder(string name)
    {
        Assert.SkipWhen(Standards is null, "The GS1 standards and samples are not beside the repository.");
        return Path.Combine(Standards!, name);
    }

    public static XmlSchemaSet Schemas(DocumentForm form)
    {
        _ = Folder("");
        return Sets.GetOrAdd(form, Load);
    }

    /// <summary>Reads everything; with <paramref name="schemas"/> null, without validation.</summary>
    public static Reading Read(byte[] document, Func<DocumentForm, XmlSchemaSet?>? schemas = null, ReaderLimits? limits = null)
    {
        using var reader = new XmlEpcisReader(new MemoryStream(document), schemas, limits);
        var events = new List<EpcisEvent>();
        while (reader.Read())
        {
            events.Add(reader.Current);
        }
        Assert.False(reader.Read());
        return new Reading(reader.Form, reader.Header, reader.Findings, reader.IsBroken, events);
    }

    public static Reading Read(string document, Func<DocumentForm, XmlSchemaSet?>? schemas = null, ReaderLimits? limits = null) =>
        Read(Encoding.UTF8.GetBytes(document), schemas, limits);

    private static XmlSchemaSet Load(DocumentForm form)
    {
        var two = form == DocumentForm.Xml20;
        var set = new XmlSchemaSet { XmlResolver = new ByFileName(Folder(two ? "epcis-2.0" : "epcis-1.2")) };
        set.ValidationEventHandler += (_, e) => throw e.Exception;
        var version = two ? "2_0" : "1_2";
        foreach (var part in new[] { "epcis", "epcis-query", "epcis-masterdata" })
        {
            set.Add(null, Path.Combine(Folder(two ? "epcis-2.0/xsd-2.0.0-published" : "epcis-1.2/xsd"), $"EPCglobal-{part}-{version}.xsd"));
        }
        set.Compile();
        return set;
    }

    private static string? FindStandards()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
        {
            folder = folder.Parent;
        }
        var standards = folder is null ? null : Path.Combine(folder.FullName, "..", "shared", "standards");
        return Directory.Exists(standards) ? Path.GetFullPath(standards!) : null;
    }

    /// <summary>The published schemas import from a web address; the same files lie in the folder.</summary>
    private sealed class ByFileName(string folder) : XmlUrlResolver
    {
        public override Uri ResolveUri(Uri? baseUri, string? relativeUri)
        {
            var name = Path.GetFileName(relativeUri!) switch
            {
                "epcglobal.xsd" => "EPCglobal.xsd",
                "epcglobal-epcis.xsd" => "EPCglobal-epcis-2_0.xsd",
                var other => other,
            };
            var found = Directory.EnumerateFiles(folder, name, SearchOption.AllDirectories).OrderByDescending(f => f.Contains("published", StringComparison.Ordinal)).First();
            return new Uri(found);
        }
    }
}

internal sealed record Reading(DocumentForm Form, DocumentHeader Header, Findings Findings, bool IsBroken, IReadOnlyList<EpcisEvent> Events)
{
    public IEnumerable<string> Codes => Findings.All.Select(f => f.Code);
    public Finding Only => Assert.Single(Findings.All);
    public EpcisEvent Event => Assert.Single(Events);
}
