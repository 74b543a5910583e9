namespace Epcis.Formats.JsonLd;

/// <summary>
/// An array of nothing but strings, as a list of EPCs is: nodes for its items would take longer and more memory than all else
/// in an event. They are made when a finding asks where an item stands.
/// </summary>
/// <param name="spans">Where each string begins and ends, for all arrays of one tree; those of this begin at <paramref name="first"/>.</param>
internal sealed class JsonTexts(string[] all, PooledList<(int Start, int End)> spans, int first)
{
    public string[] All => all;

    public JsonItem Item(JsonItem array, int index)
    {
        var (start, end) = spans.Items[first + index];
        return new JsonItem(array, null, index, start, JsonKind.String, start) { Text = all[index], End = end };
    }
}
