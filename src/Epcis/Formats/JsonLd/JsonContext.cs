using System.Collections.Frozen;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// The prefixes that <c>@context</c> declares, of the document or of one event within it. Contexts are never fetched:
/// the standard's own are known, any other is told as a warning and its prefixes stay without namespace.
/// </summary>
internal sealed class JsonContext(JsonContext? outer)
{
    public const string Standard = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";

    /// <summary>Prefixes of the standard's context; they are protected, no document may change them.</summary>
    public static readonly FrozenDictionary<string, string> StandardPrefixes = new Dictionary<string, string>
    {
        ["epcis"] = "https://ref.gs1.org/epcis/",
        ["cbv"] = "https://ref.gs1.org/cbv/",
        ["cbvmda"] = "urn:epcglobal:cbv:mda:",
        ["gs1"] = "https://gs1.org/voc/",
        ["rdfs"] = "http://www.w3.org/2000/01/rdf-schema#",
        ["owl"] = "http://www.w3.org/2002/07/owl#",
        ["xsd"] = "http://www.w3.org/2001/XMLSchema#",
        ["dcterms"] = "http://purl.org/dc/terms/",
    }.ToFrozenDictionary();

    private static readonly FrozenSet<string> s_known = FrozenSet.Create(
        Standard,
        "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld");

    private readonly Dictionary<string, string> _declared = [];

    public IReadOnlyDictionary<string, string> Declared => _declared;

    public void Read(JsonItem context, JsonReport report)
    {
        if (context.Kind is not JsonKind.Array)
        {
            ReadEntry(context, report);
            return;
        }
        foreach (var entry in context.Items)
        {
            ReadEntry(entry, report);
        }
        report.CheckUnique(context);
    }

    /// <summary>Namespace, prefix and name of a member outside the standard.</summary>
    public (string Namespace, string Prefix, string Name) Split(string key)
    {
        var colon = key.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return ("", "", key);
        }
        var prefix = key[..colon];
        var name = key[(colon + 1)..];
        if (Resolve(prefix) is { } declared)
        {
            return (declared, prefix, name);
        }
        if (name.StartsWith("//", StringComparison.Ordinal) || prefix == "urn")
        {
            var cut = key.LastIndexOfAny(['#', '/', ':']) + 1;
            return (key[..cut], "", key[cut..]);
        }
        return ("", prefix, name);
    }

    private string? Resolve(string prefix) =>
        StandardPrefixes.GetValueOrDefault(prefix) ?? _declared.GetValueOrDefault(prefix) ?? outer?.Resolve(prefix);

    private void ReadEntry(JsonItem entry, JsonReport report)
    {
        if (entry.Kind is JsonKind.Object)
        {
            foreach (var term in entry.Items)
            {
                Declare(term, report);
            }
        }
        else if (report.Uri(entry) is { } url && !s_known.Contains(url))
        {
            report.Warning(JsonCodes.UnknownContext, entry, "A context of this address is not fetched; its prefixes have no namespace here.", got: url);
        }
    }

    private void Declare(JsonItem term, JsonReport report)
    {
        var iri = term.Kind is JsonKind.Object ? term.Find("@id") : term;
        if (iri is not { Kind: JsonKind.String } || term.Name!.StartsWith('@'))
        {
            return;
        }
        if (StandardPrefixes.TryGetValue(term.Name, out var standard))
        {
            if (iri.Text != standard)
            {
                report.Warning(JsonCodes.ProtectedTerm, term, $"The prefix '{term.Name}' is the standard's and keeps its meaning.", got: iri.Text, want: standard);
            }
            return;
        }
        _declared[term.Name] = iri.Text;
    }
}
