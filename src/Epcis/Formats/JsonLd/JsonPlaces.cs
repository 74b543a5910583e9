using System.Globalization;
using Epcis.Events;

namespace Epcis.Formats.JsonLd;

/// <summary>Places in a JSON event, looked up in what the reader has buffered of it; unknown once the reader has moved on.</summary>
internal sealed class JsonPlaces(JsonTree tree) : EventPlaces
{
    private JsonTree? _tree = tree;

    public void Close() => _tree = null;

    public override Place? Find(string path)
    {
        if (_tree is null)
        {
            return null;
        }
        var item = _tree.Root;
        foreach (var step in path.Split('/'))
        {
            var next = item.Kind == JsonKind.Array
                ? int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var i) && i < item.Count ? item.Item(i) : null
                : item.Find(step);
            if (next is null)
            {
                break;
            }
            item = next;
        }
        return _tree.PlaceOf(item);
    }
}
