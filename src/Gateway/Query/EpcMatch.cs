using Dapper;
using Epcis.Identifiers;

namespace Gateway.Query;

/// <summary>
/// One MATCH parameter (EPCIS 2.0, SimpleEventQuery) as SQL over event_epc and event_class. A value is an identifier in any spelling or a
/// pattern <c>urn:epc:idpat:…</c>, compared component by component: since a pattern ends in its wildcards, that is a
/// comparison of beginnings, so every pattern is a class of EPCs or a range of classes.
/// </summary>
internal sealed class EpcMatch
{
    private const string Pattern = "urn:epc:idpat:";

    private static readonly Dictionary<string, short[]> s_roles = new(StringComparer.Ordinal)
    {
        ["MATCH_epc"] = [1, 3],
        ["MATCH_parentID"] = [2],
        ["MATCH_inputEPC"] = [4],
        ["MATCH_outputEPC"] = [5],
        ["MATCH_anyEPC"] = [1, 2, 3, 4, 5],
        ["MATCH_epcClass"] = [11, 13],
        ["MATCH_inputEPCClass"] = [14],
        ["MATCH_outputEPCClass"] = [15],
        ["MATCH_anyEPCClass"] = [11, 13, 14, 15],
    };

    private readonly HashSet<string> _exact = new(StringComparer.Ordinal);
    private readonly HashSet<string> _classes = new(StringComparer.Ordinal);
    private readonly List<string> _beginnings = [];
    private readonly short[] _roles;
    private readonly bool _ofClasses;

    private EpcMatch(short[] roles) => (_roles, _ofClasses) = (roles, roles[0] > 10);

    public static bool IsParameter(string name) => s_roles.ContainsKey(name);

    /// <returns>What is wrong, or null.</returns>
    public static string? Read(string name, string value, out EpcMatch match)
    {
        match = new EpcMatch(s_roles[name]);
        foreach (var one in value.Split('|'))
        {
            if (match.Add(one) is { } wrong)
            {
                return $"{name}: {wrong}";
            }
        }
        return null;
    }

    /// <summary>The events, as a subquery. Each alternative looks into its own index.</summary>
    public string ToSql(DynamicParameters values, string name)
    {
        var alternatives = new List<string>();
        values.Add(name + "_roles", _roles);
        if (_exact.Count > 0)
        {
            values.Add(name, _exact.ToArray());
            alternatives.Add($"select x.event_id from event_epc x where x.epc = any(@{name}) and x.role = any(@{name}_roles)");
        }
        if (_classes.Count > 0)
        {
            values.Add($"{name}_classes", _classes.ToArray());
            alternatives.Add($"select x.event_id from event_class x where x.class = any(@{name}_classes) and x.role = any(@{name}_roles)");
        }
        foreach (var (beginning, i) in _beginnings.Select((b, i) => (b, i)))
        {
            values.Add($"{name}_from{i}", beginning);
            values.Add($"{name}_to{i}", beginning[..^1] + (char)(beginning[^1] + 1)); // the least text behind all that begin so, in the order of bytes
            alternatives.Add($"select x.event_id from event_class x where x.class >= @{name}_from{i} and x.class < @{name}_to{i} and x.role = any(@{name}_roles)");
        }
        return string.Join(" union all ", alternatives);
    }

    private string? Add(string value)
    {
        if (value.Length == 0)
        {
            return "there is no value between two pipes.";
        }
        if (value.StartsWith(Pattern, StringComparison.OrdinalIgnoreCase))
        {
            return AddPattern(value);
        }
        // An element string begins with a bracket, its symbology or digits; anything else is a URI and taken as it is.
        if ((value[0] is '(' or ']' || char.IsAsciiDigit(value[0])) && ElementString.Parse(value).Value is { } scanned && DigitalLink.Of(scanned).Value is { } link)
        {
            value = link.ToString();
        }
        _exact.Add(EpcKey.Normalise(value));
        if (EpcUri.IsEpcUri(value))
        {
            if (EpcUri.Parse(value).Value?.ToDigitalLink() is { } spelledAsLink)
            {
                _exact.Add(spelledAsLink);
            }
        }
        else if (DigitalLink.Parse(value).Value is not null)
        {
            // A link does not say how long its company prefix is, and the stored form may be an EPC URI of any length.
            for (var length = 6; length <= 12; length++)
            {
                _exact.Add(EpcKey.Normalise(value, length));
            }
        }
        return null;
    }

    private string? AddPattern(string value)
    {
        var parsed = EpcUri.Parse(value);
        if (parsed.Value is not { } pattern)
        {
            return parsed.Error;
        }
        var concrete = pattern.Components.TakeWhile(c => c != "*").ToList();
        var text = pattern.ToString();
        // A wildcard of an event matches only a wildcard of the query, so classes are compared as they stand.
        if (_ofClasses)
        {
            _exact.Add(text);
            if (concrete.Count < 2)
            {
                _beginnings.Add(text[..text.IndexOf('*', StringComparison.Ordinal)]);
            }
        }
        else
        {
            var beginning = "urn:epc:id:" + text[Pattern.Length..text.IndexOf('*', StringComparison.Ordinal)];
            // Only the serial number is left open: one class, which has no dot behind it (EpcKey.ClassOf).
            if (concrete.Count == pattern.Components.Count - 1)
            {
                _classes.Add(beginning[..^1]);
            }
            else
            {
                _beginnings.Add(beginning);
            }
        }
        if (pattern.ToDigitalLink() is { } link)
        {
            AddLinks(pattern.Scheme, link);
        }
        return null;
    }

    /// <summary>The same objects where they are stored as Digital Links.</summary>
    private void AddLinks(string scheme, string link)
    {
        if (_ofClasses || scheme == "sgln") // a location without extension
        {
            _exact.Add(link);
        }
        var behind = scheme switch
        {
            "sgtin" or "itip" => "/21/",
            "upui" => "/235/",
            "sgln" => "/254/",
            "cpi" => "/8011/",
            "grai" or "gdti" or "sgcn" => "", // the serial number follows the key at once
            _ => null,
        };
        if (!_ofClasses && behind is not null)
        {
            _classes.Add(link + behind);
        }
    }
}
