using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>What JSON has no place for in a document of XML; none of it says anything to a machine that reads by the standard.</summary>
internal static class JsonLosses
{
    /// <returns>One finding of each kind, whose <see cref="Finding.Got"/> is the first that is left out.</returns>
    /// <param name="of">Whose they are, in words.</param>
    public static IEnumerable<Finding> Of(IReadOnlyList<EventComment> comments, IEnumerable<Extension> extensions, string of)
    {
        string? comment = null, order = null;
        if (comments is [var first, ..])
        {
            comment = Text(first.Target, first.Text);
        }
        foreach (var extension in extensions)
        {
            See(extension, ref comment, ref order);
        }
        if (comment is not null)
        {
            yield return new Finding("EPCIS-OUT-08", Severity.Info, $"JSON has no comments and no processing instructions; those of the {of} are left out.") { Got = comment };
        }
        if (order is not null)
        {
            yield return new Finding("EPCIS-OUT-12", Severity.Info, "JSON does not order the members of an object: child elements of one name stand together from now on.") { Got = order };
        }
    }

    private static void See(Extension extension, ref string? comment, ref string? order)
    {
        if (extension.Json is not null)
        {
            return; // what came from JSON goes as it came
        }
        if (comment is null && extension.Comments is [var first, ..])
        {
            comment = Text(first.Target, first.Text);
        }
        if (order is null && extension.Children.Count > 2 && IsMingled(extension.Children))
        {
            order = extension.Name;
        }
        foreach (var child in extension.Children)
        {
            See(child, ref comment, ref order);
        }
    }

    /// <summary>Whether elements of one name stand apart.</summary>
    private static bool IsMingled(IReadOnlyList<Extension> siblings)
    {
        var seen = new HashSet<(string, string)>();
        for (var i = 0; i < siblings.Count; i++)
        {
            var name = (siblings[i].Namespace, siblings[i].Name);
            if (!seen.Add(name) && name != (siblings[i - 1].Namespace, siblings[i - 1].Name))
            {
                return true;
            }
        }
        return false;
    }

    private static string Text(string? target, string text) => target is null ? text : $"{target} {text}";
}
