using System.Globalization;

namespace Gateway.Host.Simulate;

/// <summary>A packing document of any size, written straight to a stream in flat memory: cases, and in them the units of the commissioning document of the same seed.</summary>
public static class AggregationDocument
{
    /// <summary>Fixed, so that the bytes depend on the arguments only.</summary>
    static readonly DateTimeOffset FirstEvent = new(2026, 6, 2, 6, 0, 0, TimeSpan.FromHours(2));

    /// <param name="units">How many serialised units in all.</param>
    /// <param name="perEvent">How many of them one event packs into one case; the last event takes the rest.</param>
    public static void Write(Stream to, int units, int perEvent, int seed)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perEvent);

        const string Line = "urn:epc:id:sgln:9521234.00002.0";
        var product = SimulatedProduct.Default;
        var numbers = new SeededNumbers(seed);
        using var xml = new EpcisXmlWriter(to);
        xml.StartDocument(FirstEvent);
        xml.Start("EPCISBody");
        xml.Start("EventList");
        for (var first = 0; first < units; first += perEvent)
        {
            var at = FirstEvent.AddSeconds(first / perEvent);
            xml.EventStart("AggregationEvent", at, string.Create(CultureInfo.InvariantCulture, $"urn:uuid:{numbers.Uuid($"packed:{first}")}"));
            xml.Element("parentID", $"urn:epc:id:sscc:{product.CompanyPrefix}.{numbers.SsccReference(first / perEvent)}");
            xml.Epcs("childEPCs", Enumerable.Range(first, Math.Min(perEvent, units - first)).Select(n => $"urn:epc:id:sgtin:{product.UnitClass}.{numbers.Serial(n)}"));
            xml.WhyAndWhere("ADD", "packing", "in_progress", Line, Line);
            xml.End();
            if (units - first <= perEvent)
                break; // the next step could pass the largest integer
        }
        xml.EndDocument();
    }
}
