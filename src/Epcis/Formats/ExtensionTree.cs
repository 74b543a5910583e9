using Epcis.Events;
using Epcis.Formats.JsonLd;

namespace Epcis.Formats;

/// <summary>
/// Extensions of either form as the tree that XML would read: arrays repeated, <c>@</c> members as attributes,
/// <c>#text</c> as text, every prefix resolved. So both forms of one event give one tree.
/// </summary>
internal static class ExtensionTree
{
    private const string CbvMda = "urn:epcglobal:cbv:mda";

    public static List<Extension> Of(IEnumerable<Extension> extensions, IReadOnlyDictionary<string, string> namespaces)
    {
        var tree = new List<Extension>();
        foreach (var extension in extensions)
        {
            if (extension.Json is ['[', ..])
            {
                tree.AddRange(Of(extension.Children, namespaces));
            }
            else
            {
                tree.Add(One(extension, namespaces));
            }
        }
        return tree;
    }

    /// <summary>The namespace as XML spells it. An undeclared prefix makes the name an absolute IRI in JSON-LD.</summary>
    public static string Namespace(string ns, string prefix, IReadOnlyDictionary<string, string> namespaces)
    {
        if (ns.Length == 0 && prefix.Length > 0)
        {
            ns = JsonContext.StandardPrefixes.GetValueOrDefault(prefix) ?? namespaces.GetValueOrDefault(prefix) ?? prefix + ":";
        }
        // The one IRI of the standard whose XML namespace lacks the final colon.
        return ns == CbvMda + ":" ? CbvMda : ns;
    }

    private static Extension One(Extension extension, IReadOnlyDictionary<string, string> namespaces)
    {
        var text = extension.Text;
        List<string>? texts = null;
        List<Extension>? children = null;
        List<ExtensionAttribute>? attributes = null;
        foreach (var child in extension.Children)
        {
            if (child is { Namespace: "", Prefix: "", Name: "#text", Children: [], Text: { } part })
            {
                (texts ??= []).Add(part);
            }
            else if (AttributeOf(child, namespaces) is { } attribute)
            {
                (attributes ??= []).Add(attribute);
            }
            else
            {
                (children ??= []).Add(One(child, namespaces));
            }
        }
        foreach (var attribute in extension.Attributes)
        {
            (attributes ??= []).Add(attribute with { Namespace = Namespace(attribute.Namespace, attribute.Prefix, namespaces) });
        }
        return new Extension(Namespace(extension.Namespace, extension.Prefix, namespaces), extension.Prefix, extension.Name)
        {
            Text = texts is null ? text : string.Concat(texts),
            // Of several texts, each stands before the child of its number.
            Texts = texts is { Count: > 1 } && children is not null
                ? [.. texts.Select((t, i) => new ExtensionText(Math.Min(i, children.Count), t)).Where(t => t.Text.Length > 0)]
                : extension.Texts,
            Attributes = attributes ?? [],
            Children = children ?? [],
            Comments = extension.Comments,
        };
    }

    // The mark stands before the whole key, so it leads whichever part of the key came first.
    private static ExtensionAttribute? AttributeOf(Extension member, IReadOnlyDictionary<string, string> namespaces)
    {
        var (ns, prefix, name) = (member.Namespace, member.Prefix, member.Name) switch
        {
            (['@', .. var n], var p, var l) => (n, p, l),
            (var n, ['@', .. var p], var l) => (n, p, l),
            ("", "", ['@', .. var l]) => ("", "", l),
            _ => ("", "", ""),
        };
        return name.Length == 0 ? null : new ExtensionAttribute(Namespace(ns, prefix, namespaces), prefix, name, member.Text ?? "");
    }
}
