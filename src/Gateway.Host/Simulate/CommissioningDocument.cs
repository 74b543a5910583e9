using System.Globalization;

namespace Gateway.Host.Simulate;

/// <summary>A commissioning document of any size, written straight to a stream in flat memory.</summary>
public static class CommissioningDocument
{
    /// <summary>Fixed, so that the bytes depend on the arguments only.</summary>
    static readonly DateTimeOffset FirstEvent = new(2026, 6, 1, 6, 0, 0, TimeSpan.FromHours(2));

    /// <param name="units">How many serialised units in all.</param>
    /// <param name="perEvent">How many of them one event commissions; the last event takes the rest.</param>
    public static void Write(Stream to, int units, int perEvent, int seed)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perEvent);

        const string Line = "urn:epc:id:sgln:9521234.00002.0";
        var numbers = new SeededNumbers(seed);
        var lot = string.Create(CultureInfo.InvariantCulture, $"BULK{(uint)seed}");
        using var xml = new EpcisXmlWriter(to);
        xml.StartDocument(FirstEvent);
        xml.Start("EPCISBody");
        xml.Start("EventList");
        for (var first = 0; first < units; first += perEvent)
        {
            var at = FirstEvent.AddSeconds(first / perEvent);
            xml.EventStart("ObjectEvent", at, string.Create(CultureInfo.InvariantCulture, $"urn:uuid:{numbers.Uuid($"bulk:{first}")}"));
            xml.Epcs("epcList", Enumerable.Range(first, Math.Min(perEvent, units - first)).Select(n =>
                $"urn:epc:id:sgtin:{SimulatedProduct.Default.UnitClass}.{numbers.Serial(n)}"));
            xml.WhyAndWhere("ADD", "commissioning", "active", Line, Line);
            xml.LotAndExpiry(lot, new DateOnly(2028, 5, 31));
            xml.End();
            if (units - first <= perEvent)
                break; // the next step could pass the largest integer
        }
        xml.EndDocument();
    }
}
