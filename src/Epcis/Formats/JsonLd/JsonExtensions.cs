using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// Members outside the standard, verbatim. The tree beside the JSON is for converters: an object's members are children,
/// an array's items are children repeated under the array's name (of an inner array: repeated in its place).
/// </summary>
internal static class JsonExtensions
{
    public static IReadOnlyList<Extension> Of(IEnumerable<JsonItem> members, JsonReport report, JsonContext context) =>
        Carried.LiftLocal([.. members.Select(m => Of(m, report, context))]);

    public static Extension Of(JsonItem member, JsonReport report, JsonContext context) =>
        Of(member.Name!, member, report, context);

    public static Extension Of(string key, JsonItem value, JsonReport report, JsonContext context) =>
        One(value, key, report, context) with { Json = report.Tree.Raw(value) };

    private static Extension One(JsonItem item, string key, JsonReport report, JsonContext context)
    {
        var (ns, prefix, name) = context.Split(key);
        var extension = new Extension(ns, prefix, name);
        return item.Kind switch
        {
            JsonKind.Object => extension with { Children = [.. item.Items.SelectMany(m => Repeated(m, m.Name!, report, context))] },
            JsonKind.Array => extension with { Children = [.. item.Items.SelectMany(i => Repeated(i, key, report, context))] },
            JsonKind.Null => extension with { Json = "null" },
            _ => extension with { Text = item.Kind is JsonKind.String ? item.Text : report.Tree.Raw(item), Json = report.Tree.Raw(item) },
        };
    }

    private static IEnumerable<Extension> Repeated(JsonItem item, string key, JsonReport report, JsonContext context) =>
        item.Kind is JsonKind.Array
            ? item.Items.SelectMany(i => Repeated(i, key, report, context))
            : [One(item, key, report, context)];
}
