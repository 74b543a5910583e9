using System.Globalization;

namespace Gateway.Host.Simulate;

/// <summary>What one generated shipment is to be.</summary>
/// <param name="Sequence">Counts the shipments of a seed; every identifier follows from it.</param>
/// <param name="ShippedAt">Time of the shipping event; all earlier events lie within the hour before it.</param>
public sealed record ShipmentPlan(
    long Sequence, SimulatedParty Shipper, SimulatedParty Partner, DateTimeOffset ShippedAt, string Lot, DateOnly Expiry)
{
    public SimulatedProduct Product { get; init; } = SimulatedProduct.Default;
    public int Cases { get; init; } = 3;
    public int UnitsPerCase { get; init; } = 4;

    /// <summary>Units that are commissioned with the others and packed into nothing: they stay behind.</summary>
    public int LooseUnits { get; init; }

    /// <summary>Units that are packed with the others, and of which nobody tells how they were made.</summary>
    public int UntoldUnits { get; init; }

    /// <summary>Leaves parentID out of the packing of cases: schema-valid, and refused by the standard.</summary>
    public bool OmitCaseParent { get; init; }
}

/// <summary>A plan with its identifiers, ready to be written in any format.</summary>
sealed class Shipment
{
    const long CountersPerShipment = 1_000_000;

    readonly SeededNumbers _numbers;

    public Shipment(SeededNumbers numbers, ShipmentPlan plan)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(plan.Cases);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(plan.UnitsPerCase);
        ArgumentOutOfRangeException.ThrowIfNegative(plan.LooseUnits);
        var objects = (long)plan.Cases * (plan.UnitsPerCase + 1) + plan.LooseUnits;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(objects, CountersPerShipment, nameof(plan));

        _numbers = numbers;
        Plan = plan;
        var counter = plan.Sequence * CountersPerShipment;
        Cases = [.. Enumerable.Range(0, plan.Cases).Select(_ => new PackedCase(
            $"urn:epc:id:sgtin:{plan.Product.CaseClass}.{numbers.Serial(counter++)}",
            [.. Enumerable.Range(0, plan.UnitsPerCase).Select(_ =>
                $"urn:epc:id:sgtin:{plan.Product.UnitClass}.{numbers.Serial(counter++)}")]))];
        LooseUnits = [.. Enumerable.Range(0, plan.LooseUnits).Select(_ => $"urn:epc:id:sgtin:{plan.Product.UnitClass}.{numbers.Serial(counter++)}")];
        Pallet = $"urn:epc:id:sscc:{plan.Product.CompanyPrefix}.{numbers.SsccReference(plan.Sequence)}";
    }

    public ShipmentPlan Plan { get; }

    public IReadOnlyList<PackedCase> Cases { get; }

    public IReadOnlyList<string> LooseUnits { get; }

    public IEnumerable<string> Units => Cases.SelectMany(c => c.Units).Skip(Plan.UntoldUnits).Concat(LooseUnits);

    public string Pallet { get; }

    public string InstanceIdentifier => _numbers.Uuid($"document:{Plan.Sequence}").ToString();

    /// <summary>The purchase order carries the buyer's GLN, the despatch advice the ship-from GLN.</summary>
    public string PurchaseOrder => BusinessTransaction(Plan.Partner.Owner, "PO");

    public string DespatchAdvice => BusinessTransaction(Plan.Shipper.Site, "DA");

    /// <summary>Every place that the events name, once, as the master data must list them.</summary>
    public IEnumerable<SimulatedPlace> Places =>
        new[] { Plan.Shipper.Owner, Plan.Shipper.Site, Plan.Partner.Owner, Plan.Partner.Site }.DistinctBy(p => p.Sgln);

    /// <summary>One pattern per packaging level shipped, the unit and the case.</summary>
    public IEnumerable<(string Pattern, IEnumerable<MasterDataAttribute> Attributes)> ItemClasses =>
    [
        ($"urn:epc:idpat:sgtin:{Plan.Product.UnitClass}.*", Plan.Product.MasterDataWith(Plan.Product.UnitContent)),
        ($"urn:epc:idpat:sgtin:{Plan.Product.CaseClass}.*", Plan.Product.MasterDataWith($"{Plan.UnitsPerCase} x {Plan.Product.UnitContent}")),
    ];

    public string EventId(string eventName) => $"urn:uuid:{_numbers.Uuid($"event:{Plan.Sequence}:{eventName}")}";

    string BusinessTransaction(SimulatedPlace place, string kind) =>
        string.Create(CultureInfo.InvariantCulture, $"urn:epcglobal:cbv:bt:{place.Gln}:{kind}-{Plan.Sequence:D6}");
}

/// <summary>A homogeneous case: one product and one lot, so it has an SGTIN of its own.</summary>
sealed record PackedCase(string Epc, IReadOnlyList<string> Units);
