using Epcis.Events;
using Epcis.Formats.Xml;

namespace Epcis.Formats.JsonLd;

/// <summary>The prefixes that one event, or a document around events, needs in its own <c>@context</c>; one prefix means one namespace.</summary>
/// <param name="outer">What the document around the event declares already; <see langword="null"/> for an event that stands alone.</param>
/// <param name="taken">Prefixes that values have without declaring them: they must not come to mean something.</param>
internal sealed class JsonPrefixes(IReadOnlyDictionary<string, string>? outer = null, IReadOnlySet<string>? taken = null)
{
    private readonly Dictionary<string, string> _declared = [];

    public IReadOnlyDictionary<string, string> Declared => _declared;

    /// <summary>Prefixes of the document, which values may use. The standard's own are known to every reader.</summary>
    public void Declare(IReadOnlyDictionary<string, string> namespaces)
    {
        foreach (var (prefix, ns) in namespaces)
        {
            // EPCIS' own namespaces mean nothing in JSON, and xsi only where an attribute has it.
            if (prefix.Length > 0 && !JsonContext.StandardPrefixes.ContainsKey(prefix) && prefix != "xsi" && !XmlRoot.IsEpcisNamespace(ns)
                && Legal(prefix) is var legal && outer?.GetValueOrDefault(legal) != ns)
            {
                _declared.TryAdd(legal, ns);
            }
        }
    }

    public void Collect(IEnumerable<Extension> extensions)
    {
        foreach (var extension in extensions)
        {
            Key(extension.Namespace, extension.Prefix, extension.Name);
            foreach (var attribute in extension.Attributes)
            {
                Key(attribute.Namespace, attribute.Prefix, attribute.Name);
            }
            Collect(extension.Children);
        }
    }

    public void Collect(IEnumerable<SensorField> fields)
    {
        foreach (var field in fields)
        {
            Key(field);
        }
    }

    public string Key(SensorField field)
    {
        var colon = field.Name.IndexOf(':', StringComparison.Ordinal);
        var isWhole = field.Name.StartsWith(field.Namespace, StringComparison.Ordinal);
        return isWhole || colon < 0 ? field.Name : Key(field.Namespace, field.Name[..colon], field.Name[(colon + 1)..]);
    }

    /// <summary>The member's name in JSON.</summary>
    public string Key(string ns, string prefix, string name)
    {
        if (ns.Length == 0)
        {
            return prefix.Length == 0 ? name : prefix + ":" + name;
        }
        return prefix.Length == 0 && (ns[^1] is '/' or '#' or ':') ? ns + name : Bound(ns, prefix) + ":" + name;
    }

    private string Bound(string ns, string prefix)
    {
        foreach (var (known, standard) in JsonContext.StandardPrefixes)
        {
            // The XML namespace of cbvmda lacks the final colon of its IRI.
            if (standard == ns || standard == ns + ":")
            {
                return known;
            }
        }
        var stem = prefix.Length == 0 ? "ns" : Legal(prefix);
        for (var n = 1; ; n++)
        {
            var candidate = n == 1 ? stem : FormattableString.Invariant($"{stem}{n}");
            if (!JsonContext.StandardPrefixes.ContainsKey(candidate) && Binds(candidate, ns))
            {
                return candidate;
            }
        }
    }

    private bool Binds(string prefix, string ns)
    {
        if (!_declared.ContainsKey(prefix) && outer?.GetValueOrDefault(prefix) is { } already)
        {
            return already == ns;
        }
        if (!_declared.ContainsKey(prefix) && taken?.Contains(prefix) == true)
        {
            return false;
        }
        return _declared.TryAdd(prefix, ns) || _declared[prefix] == ns;
    }

    /// <summary>A CURIE must look like a URI, so its prefix like a scheme: XML allows more.</summary>
    private static string Legal(string prefix)
    {
        var legal = string.Concat(prefix.Select(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.' ? c : '-'));
        return char.IsAsciiLetter(legal[0]) ? legal : "ns" + legal;
    }
}
