using System.Globalization;

namespace Gateway.Host.Simulate;

/// <summary>
/// The whole history of a shipment of any size, written straight to a stream in flat memory: units, cases and pallets are
/// commissioned, packed, and shipped together to one partner.
/// </summary>
public static class BulkShipmentDocument
{
    /// <summary>Fixed, so that the bytes depend on the arguments only.</summary>
    static readonly DateTimeOffset FirstEvent = new(2026, 6, 3, 6, 0, 0, TimeSpan.FromHours(2));

    /// <param name="units">How many serialised units in all; the last case and the last pallet take the rest.</param>
    /// <param name="perEvent">How many units or containers one event commissions.</param>
    /// <param name="partner">Who owns the goods from then on.</param>
    public static void Write(Stream to, int units, int unitsPerCase, int casesPerPallet, int perEvent, int seed, SimulatedParty partner)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(partner);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(units);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(unitsPerCase);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(casesPerPallet);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perEvent);

        const string Line = "urn:epc:id:sgln:9521234.00002.0";
        var product = SimulatedProduct.Default;
        var numbers = new SeededNumbers(seed);
        var lot = string.Create(CultureInfo.InvariantCulture, $"BULK{(uint)seed}");
        var (cases, count) = ((units - 1) / unitsPerCase + 1, 0);
        var pallets = (cases - 1) / casesPerPallet + 1;
        using var xml = new EpcisXmlWriter(to);
        xml.StartDocument(FirstEvent);
        xml.Start("EPCISBody");
        xml.Start("EventList");
        Commission(units, Unit, withLot: true);
        Commission(cases, Case, withLot: false);
        Commission(pallets, Pallet, withLot: false);
        Pack(cases, Case, unitsPerCase, units, Unit);
        Pack(pallets, Pallet, casesPerPallet, cases, Case);
        Begin("ObjectEvent");
        xml.Epcs("epcList", Enumerable.Range(0, pallets).Select(Pallet));
        xml.WhyAndWhere("OBSERVE", "shipping", "in_transit", Line, bizLocation: null);
        xml.Start("extension");
        Owner("source", DemonstrationCast.Shippers[0].Owner);
        Owner("destination", partner.Owner);
        xml.EndDocument();

        string Unit(int n) => $"urn:epc:id:sgtin:{product.UnitClass}.{numbers.Serial(n)}";

        string Case(int n) => $"urn:epc:id:sscc:{product.CompanyPrefix}.{numbers.SsccReference(n)}";

        string Pallet(int n) => Case(cases + n);

        void Begin(string type)
        {
            xml.EventStart(type, FirstEvent.AddSeconds(count), string.Create(CultureInfo.InvariantCulture, $"urn:uuid:{numbers.Uuid($"shipment:{count}")}"));
            count++;
        }

        void Commission(int all, Func<int, string> epc, bool withLot)
        {
            for (var first = 0; first < all; first += perEvent)
            {
                Begin("ObjectEvent");
                xml.Epcs("epcList", Enumerable.Range(first, Math.Min(perEvent, all - first)).Select(epc));
                xml.WhyAndWhere("ADD", "commissioning", "active", Line, Line);
                if (withLot)
                    xml.LotAndExpiry(lot, new DateOnly(2028, 5, 31));
                xml.End();
            }
        }

        void Pack(int parents, Func<int, string> parent, int each, int all, Func<int, string> child)
        {
            for (var n = 0; n < parents; n++)
            {
                Begin("AggregationEvent");
                xml.Element("parentID", parent(n));
                xml.Epcs("childEPCs", Enumerable.Range(n * each, Math.Min(each, all - n * each)).Select(child));
                xml.WhyAndWhere("ADD", "packing", "in_progress", Line, Line);
                xml.End();
            }
        }

        void Owner(string role, SimulatedPlace place)
        {
            xml.Start(role + "List");
            xml.Start(role);
            xml.Attribute("type", "urn:epcglobal:cbv:sdt:owning_party");
            xml.Text(place.Sgln);
            xml.End();
            xml.End();
        }
    }
}
