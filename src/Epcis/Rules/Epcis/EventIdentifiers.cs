using Epcis.Events;

namespace Epcis.Rules;

/// <summary>The identifiers of objects, classes and places that an event names in the standard's own fields.</summary>
internal static class EventIdentifiers
{
    public static IEnumerable<string> Of(EpcisEvent e) =>
        e.Epcs.Select(x => x.Epc)
            .Concat(e.Quantities.Select(q => q.Quantity.EpcClass))
            .Concat(new[] { e.ReadPoint?.Id, e.BizLocation?.Id }.OfType<string>())
            .Concat(e.Sources.Concat(e.Destinations).Select(s => s.Value));

    public static bool IsTagOrRaw(string identifier) =>
        identifier.StartsWith("urn:epc:tag:", StringComparison.OrdinalIgnoreCase)
        || identifier.StartsWith("urn:epc:raw:", StringComparison.OrdinalIgnoreCase);
}
