namespace Epcis.Formats.JsonLd;

/// <summary>Whether the texts of a list differ; one set serves the lists of a whole document.</summary>
internal sealed class JsonDistinct
{
    private HashSet<string> _seen = new(StringComparer.Ordinal);

    public bool Are(string[] texts)
    {
        // Clearing takes as long as the set is large: after one long list, many short ones must not pay for it.
        if (_seen.Capacity > 16 * (texts.Length + 16) || _seen.Capacity < texts.Length)
        {
            _seen = new HashSet<string>(texts.Length, StringComparer.Ordinal);
        }
        var added = 0;
        while (added < texts.Length && _seen.Add(texts[added]))
        {
            added++;
        }
        _seen.Clear();
        return added == texts.Length;
    }
}
