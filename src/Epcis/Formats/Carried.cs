using Epcis.Events;

namespace Epcis.Formats;

/// <summary>
/// What a form has no place for is carried as an extension in the namespace that GS1 gave EPCIS' own terms in JSON-LD, so
/// its name expands to the very term: <c>{https://ref.gs1.org/epcis/}sensorElementList</c>. The readers lift it back.
/// </summary>
internal static class Carried
{
    public const string Namespace = "https://ref.gs1.org/epcis/";

    /// <summary>In XML; <c>epcis</c> is there the usual prefix of the documents' own namespace.</summary>
    public const string Prefix = "epcis20";

    /// <summary>Holds elements without a namespace where a form has no place for them.</summary>
    public const string Local = "extension";

    /// <summary>Marks the ObjectEvent that was a QuantityEvent. It is empty, and the event hash leaves out what is empty.</summary>
    public const string QuantityEvent = "QuantityEvent";

    public const string MasterData = "EPCISMasterData";

    /// <summary>Holds the header's elements of others where a form has no place for them in its header.</summary>
    public const string Header = "epcisHeader";

    /// <summary>Attributes of others whose element a form does not have, or does not let have any; its text is the element's path.</summary>
    public const string Attributes = "attributes";

    /// <summary>Extensions with those that were carried back in their places.</summary>
    public static IReadOnlyList<Extension> LiftLocal(IReadOnlyList<Extension> extensions) =>
        extensions.Any(IsLocal) ? [.. extensions.SelectMany(x => IsLocal(x) ? x.Children : [x])] : extensions;

    public static IEnumerable<Extension> Of(IEnumerable<ElementAttributes> attributes) =>
        attributes.Select(a => Of(Attributes) with { Text = a.On, Attributes = a.Attributes });

    /// <summary>The attributes that extensions carry, which are no extensions then.</summary>
    /// <param name="namespaces">Prefixes in force; asked for only when something is carried.</param>
    public static IReadOnlyList<ElementAttributes> LiftAttributes(ref IReadOnlyList<Extension> extensions, Func<IReadOnlyDictionary<string, string>> namespaces)
    {
        if (!extensions.Any(x => Is(x, Attributes)))
        {
            return [];
        }
        var carried = ExtensionTree.Of(extensions.Where(x => Is(x, Attributes)), namespaces());
        extensions = [.. extensions.Where(x => !Is(x, Attributes))];
        return [.. carried.Select(x => new ElementAttributes(x.Text ?? "", x.Attributes))];
    }

    public static bool Is(Extension extension, string name) => extension.Namespace == Namespace && extension.Name == name;

    public static Extension Of(string name) => new(Namespace, Prefix, name);

    private static bool IsLocal(Extension extension) => Is(extension, Local) && extension.Children.Count > 0;
}
