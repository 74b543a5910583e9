using Epcis.Events;
using Epcis.Identifiers;

namespace Epcis.Formats.JsonLd;

/// <summary>
/// An event without those members of its lists that are of one product with a neighbour and have a plain serial number:
/// whatever can be said against the form of a list is said of what is left.
/// </summary>
internal static class EventSample
{
    private const int LongList = 16;

    /// <returns>The event itself when there is nothing to leave out.</returns>
    public static EpcisEvent Of(EpcisEvent e) => e switch
    {
        ObjectEvent o when Of(o.EpcList) is var list && list != o.EpcList => o with { EpcList = list },
        TransactionEvent t when Of(t.EpcList) is var list && list != t.EpcList => t with { EpcList = list },
        AggregationEvent a when Of(a.ChildEpcs) is var list && list != a.ChildEpcs => a with { ChildEpcs = list },
        AssociationEvent a when Of(a.ChildEpcs) is var list && list != a.ChildEpcs => a with { ChildEpcs = list },
        TransformationEvent t when (Of(t.InputEpcList), Of(t.OutputEpcList)) is var (input, output) && (input != t.InputEpcList || output != t.OutputEpcList) => t with { InputEpcList = input, OutputEpcList = output },
        _ => e,
    };

    private static IReadOnlyList<string> Of(IReadOnlyList<string> epcs)
    {
        if (epcs.Count < LongList)
        {
            return epcs;
        }
        // A list in JSON is a set: one that names an object twice is looked at whole.
        var seen = new HashSet<string>(epcs.Count, StringComparer.Ordinal);
        var sample = new List<string>();
        for (var i = 0; i < epcs.Count; i++)
        {
            if (!seen.Add(epcs[i]))
            {
                return epcs;
            }
            if (sample.Count == 0 || !EpcNeighbours.AreLike(sample[^1], epcs[i]))
            {
                sample.Add(epcs[i]);
            }
        }
        return sample;
    }
}
