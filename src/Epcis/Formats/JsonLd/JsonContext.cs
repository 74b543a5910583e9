using System.Collections.Frozen;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// The prefixes that <c>@context</c> declares, of the document or of one event within it. Contexts are never fetched:
/// the standard's own is known and always holds, any other is told as a warning and its prefixes stay without namespace.
/// </summary>
internal sealed class JsonContext(JsonContext? outer)
{
    public const string Standard = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";

    /// <summary>Prefixes of the standard's context; they are protected, no document may change them.</summary>
    public static readonly FrozenDictionary<string, string> StandardPrefixes = new Dictionary<string, string>
    {
        ["epcis"] = Epcis,
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

    // The terms of the standard's context, which protects them as it does its prefixes.
    private static readonly FrozenSet<string> s_terms = (
        "id type baseURL ObjectEvent AggregationEvent TransformationEvent AssociationEvent TransactionEvent Collection member eventTime "
        + "recordTime eventTimeZoneOffset action certificationInfo bizStep disposition bizLocation readPoint transformationID epcList "
        + "sourceList destinationList persistentDisposition quantity epcClass uom quantityList bizTransactionList parentID childEPCs "
        + "childQuantityList inputEPCList outputEPCList inputQuantityList outputQuantityList sensorElementList errorDeclaration eventID "
        + "creationDate sender receiver instanceIdentifier schemaVersion ilmd EPCISDocument EPCISQueryDocument epcisHeader masterData "
        + "epcisMasterData vocabularyList epcisBody queryResults subscriptionID queryName resultsBody eventList children").Split(' ').ToFrozenSet();

    private const string Epcis = "https://ref.gs1.org/epcis/";
    private const int MaxIriLength = 2000;

    private readonly Dictionary<string, string> _declared = [];

    public IReadOnlyDictionary<string, string> Declared => _declared;

    /// <summary>The prefixes that are declared here or around here.</summary>
    public IReadOnlyDictionary<string, string> InForce()
    {
        if (outer is null)
        {
            return _declared;
        }
        var all = new Dictionary<string, string>(outer.InForce());
        foreach (var (prefix, ns) in _declared)
        {
            all[prefix] = ns;
        }
        return all;
    }

    /// <summary>Whether an address is among the entries, the standard's or one that may include it.</summary>
    public bool NamesAnother { get; private set; }

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
        if (entry.Kind is not JsonKind.Object)
        {
            _ = report.Uri(entry);
            TellAddress(entry, report);
            return;
        }
        foreach (var term in entry.Items)
        {
            Declare(term, report);
        }
        // A prefix may be declared by means of another, also of one that follows it.
        foreach (var term in entry.Items)
        {
            for (var steps = 0; steps < entry.Items.Count && _declared.TryGetValue(term.Name!, out var iri) && Expanded(iri) is { } whole; steps++)
            {
                _declared[term.Name!] = whole;
            }
        }
    }

    private string? Expanded(string iri)
    {
        var colon = iri.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && !iri.AsSpan(colon + 1).StartsWith("//") && Resolve(iri[..colon]) is { } ns && ns != iri && ns.Length + iri.Length < MaxIriLength
            ? ns + iri[(colon + 1)..]
            : null;
    }

    private void TellAddress(JsonItem address, JsonReport report)
    {
        NamesAnother |= address.Kind is JsonKind.String;
        if (address.Kind is JsonKind.String && !s_known.Contains(address.Text))
        {
            report.Warning(JsonCodes.UnknownContext, address, "A context of this address is not fetched; its prefixes have no namespace here.", got: address.Text);
        }
    }

    private void Declare(JsonItem term, JsonReport report)
    {
        if (term.Name == "@import")
        {
            TellAddress(term, report);
        }
        foreach (var scoped in term.Find("@context") is { } own ? own.Kind is JsonKind.Array ? own.Items : [own] : [])
        {
            TellAddress(scoped, report);
        }
        var iri = term.Kind is JsonKind.Object ? term.Find("@id") : term;
        if (s_terms.Contains(term.Name!) && iri?.Text != Meaning(term.Name!) && iri?.Text != Epcis + term.Name)
        {
            report.Warning(JsonCodes.ProtectedTerm, term, $"The term '{term.Name}' is the standard's and keeps its meaning.", got: iri?.Text, want: Meaning(term.Name!));
            return;
        }
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

    private static string Meaning(string term) => term switch
    {
        "id" or "eventID" => "@id",
        "type" => "@type",
        "baseURL" => "@base",
        "member" => "rdfs:member",
        "creationDate" => "dcterms:created",
        "schemaVersion" => "owl:versionInfo",
        _ => "epcis:" + term,
    };
}
