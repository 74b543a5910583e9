using Epcis.Events;

namespace Epcis.Formats;

/// <summary>The names of sensor fields: bare for the standard's own, <c>prefix:name</c> or a whole IRI for those of others.</summary>
internal static class SensorNames
{
    public static (string Namespace, string Prefix, string Name) Split(SensorField field, IReadOnlyDictionary<string, string> namespaces)
    {
        if (field.Namespace.Length > 0 && field.Name.StartsWith(field.Namespace, StringComparison.Ordinal))
        {
            return (ExtensionTree.Namespace(field.Namespace, "", namespaces), "", field.Name[field.Namespace.Length..]);
        }
        var colon = field.Name.IndexOf(':', StringComparison.Ordinal);
        var prefix = colon < 0 ? "" : field.Name[..colon];
        return (ExtensionTree.Namespace(field.Namespace, prefix, namespaces), prefix, field.Name[(colon + 1)..]);
    }
}
