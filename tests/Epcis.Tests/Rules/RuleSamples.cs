using Epcis.Events;

namespace Epcis.Tests.Rules;

/// <summary>One document that keeps a rule and one that breaks it, as alike as can be.</summary>
internal sealed record RuleSample(string Code, ADocument Passes, ADocument Fails)
{
    /// <summary>As many objects as are followed.</summary>
    public int MaxUnits { get; init; } = 100;
}

/// <summary>A sample for every rule. The page of the rules shows in what the two documents differ.</summary>
internal static class RuleSamples
{
    private static readonly Extension Lot = AShipment.Ilmd("lotNumber", "998877");

    public static IReadOnlyList<RuleSample> All { get; } =
    [
        .. OfEvents(),
        .. OfSensors(),
        .. OfTheCbv(),
        .. OfShipments(),
    ];

    private static IEnumerable<RuleSample> OfEvents()
    {
        var (observed, aggregation, association, transaction, transformation) = (An.Observation, An.Aggregation, An.Association, An.Transaction, An.Transformation);
        var counted = observed with { EpcList = [] };
        yield return new("EPCIS-TIME-01", observed, observed with { EventTimeText = "2026-03-01T12:00:00" });
        yield return new("EPCIS-TIME-02", observed, observed with { EventTimeZoneOffset = "Z" });
        yield return new("EPCIS-TIME-03", observed with { RecordTimeText = "2026-03-01T12:00:01Z" }, observed with { RecordTimeText = "2026-03-01T12:00:01" });
        yield return new("EPCIS-OBJ-01", observed, counted);
        yield return new("EPCIS-ILMD-01", observed with { Action = EventAction.Add, Ilmd = [Lot] }, observed with { Ilmd = [Lot] });
        yield return new("EPCIS-ILMD-02", transformation with { Ilmd = [Lot] }, transformation with { Ilmd = [Lot], OutputQuantityList = [] });
        yield return new("EPCIS-AGG-01", aggregation, aggregation with { ParentId = null });
        yield return new("EPCIS-AGG-02", aggregation, aggregation with { ChildEpcs = [] });
        yield return new("EPCIS-ASSOC-01", association, association with { ParentId = null });
        yield return new("EPCIS-ASSOC-02", association, association with { ChildEpcs = [] });
        yield return new("EPCIS-TXN-01", transaction, transaction with { BizTransactions = [] });
        yield return new("EPCIS-TXN-02", transaction, transaction with { EpcList = [] });
        yield return new("EPCIS-XFORM-01", transformation, transformation with { InputEpcList = [] });
        yield return new("EPCIS-PAR-01", aggregation, aggregation with { ChildEpcs = [An.Pallet] });
        yield return new("EPCIS-PAR-02", aggregation, aggregation with { ParentId = An.Lot });
        yield return new("EPCIS-QTY-01", counted with { QuantityList = [Quantity(10)] }, counted with { QuantityList = [Quantity(0)] });
        yield return new("EPCIS-QTY-02", counted with { QuantityList = [Quantity(1.5m, "KGM")] }, counted with { QuantityList = [Quantity(1.5m)] });
        yield return new("EPCIS-QTY-03", counted with { QuantityList = [Quantity(10, "KGM")] }, counted with { QuantityList = [new QuantityElement(An.Lot, null, null, "KGM")] });
        yield return new("EPCIS-QTY-04", counted with { QuantityList = [Quantity(10, "KGM")] }, counted with { QuantityList = [Quantity(10, "kilo")] });
        yield return new("EPCIS-QTY-05", counted with { QuantityList = [Quantity(10)] }, counted with { QuantityList = [new QuantityElement(An.Lot, null, "INF", null)] });
        yield return new("EPCIS-LOC-01", observed, observed with { ReadPoint = new Location("urn:epc:id:pgln:0614141.12345") });
        yield return new("EPCIS-ERR-01", Declared(), Declared(d => d with { DeclarationTimeText = null }));
        yield return new("EPCIS-ERR-02", Declared(), Declared(d => d with { DeclarationTime = At(1), DeclarationTimeText = "2026-02-01T12:00:00Z" }));
        yield return new("EPCIS-ERR-03", Declared(), Declared(d => d with { CorrectiveEventIds = ["urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"] }));
        yield return new("EPCIS-ERR-04", Declared(), Declared() with { EventId = null });
        yield return new("EPCIS-PDISP-01", observed with { PersistentDisposition = new(["completeness_verified"], []) }, aggregation with { PersistentDisposition = new(["completeness_verified"], []) });
        yield return new("EPCIS-PDISP-02", observed with { PersistentDisposition = new(["completeness_verified"], []) }, observed with { PersistentDisposition = new([], []) });
        yield return new("EPCIS-PDISP-03", observed with { PersistentDisposition = new(["completeness_verified"], ["completeness_inferred"]) }, observed with { PersistentDisposition = new(["completeness_verified"], ["completeness_verified"]) });
        yield return new("EPCIS-DUP-01", observed with { EpcList = [An.Item, An.Pallet] }, observed with { EpcList = [An.Item, An.Item] });
        yield return new("EPCIS-EPC-01", observed, observed with { EpcList = ["urn:epc:id:sgtin:0614141.12345.6789"] });
        yield return new("EPCIS-EPC-02", observed, observed with { EpcList = ["urn:epc:tag:sgtin-96:3.0614141.812345.6789"] });
        yield return new("EPCIS-EPC-03", observed with { EpcList = ["https://example.com/00/006141411234567890"] }, observed with { EpcList = ["https://example.com/00/006141411234567891"] });
        yield return new("EPCIS-EPC-04", observed, observed with { EpcList = [An.Lot] });
        yield return new("EPCIS-EPC-05", counted with { QuantityList = [Quantity(10)] }, counted with { QuantityList = [new QuantityElement(An.Item, 10, "10", null)] });
        yield return new("EPCIS-EPC-06", counted with { QuantityList = [new QuantityElement("urn:epc:idpat:sgtin:0614141.812345.*", 10, "10", null)] }, counted with { QuantityList = [new QuantityElement("urn:epc:idpat:sgtin:0614141.*.*", 10, "10", null)] });
        yield return new("EPCIS-URI-01", observed, observed with { EpcList = ["0614141 812345 6789"] });
    }

    private static IEnumerable<RuleSample> OfSensors()
    {
        yield return new("EPCIS-SENS-01", Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL")), Sensed(("value", "4"), ("uom", "CEL")));
        yield return new("EPCIS-SENS-02", Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL")), Sensed(("type", "Temperature"), ("value", "4")));
        yield return new("EPCIS-SENS-03", Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL")), Sensed(("type", "Temperature"), ("value", "4"), ("uom", "Celsius")));
        yield return new("EPCIS-SENS-04", Sensed(("type", "Temperature"), ("minValue", "2"), ("maxValue", "8"), ("uom", "CEL")), Sensed(("type", "Temperature"), ("minValue", "8"), ("maxValue", "2"), ("uom", "CEL")));
        yield return new("EPCIS-SENS-05", During("2026-03-01T11:00:00Z"), During("2026-03-01T13:00:00Z"));
        yield return new("EPCIS-SENS-06", Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL")), Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL"), ("stringValue", "cold")));
        yield return new("EPCIS-SENS-07", Sensed(("type", "Temperature"), ("percRank", "50"), ("percValue", "4"), ("uom", "CEL")), Sensed(("type", "Temperature"), ("percRank", "150"), ("percValue", "4"), ("uom", "CEL")));
        yield return new("CBV-COMP-01", Sensed(("type", "Acceleration"), ("component", "x"), ("value", "9.8")), Sensed(("type", "Acceleration"), ("component", "sideways"), ("value", "9.8")));
        yield return new("CBV-SENS-01", Sensed(("type", "Temperature"), ("value", "4"), ("uom", "CEL")), Sensed(("type", "Warmth"), ("value", "4"), ("uom", "CEL")));
    }

    private static IEnumerable<RuleSample> OfTheCbv()
    {
        var observed = An.Observation;
        var shipped = observed with { BizStep = "shipping", Disposition = "in_transit" };
        yield return new("CBV-TERM-01", observed, observed with { BizStep = "urn:epcglobal:cbv:bizstep:shiping" });
        yield return new("CBV-TERM-02", observed, observed with { BizStep = "urn:epcglobal:cbv:bizstep:transforming" });
        yield return new("CBV-TERM-03", observed, observed with { BizStep = "https://example.com/steps/blessing" });
        yield return new("CBV-ERR-01", Declared(), Declared(d => d with { Reason = "did_not_occur" }));
        yield return new("CBV-STEP-01", observed, observed with { BizStep = null });
        yield return new("CBV-STEP-02", An.Aggregation with { BizStep = "packing" }, An.Aggregation with { BizStep = "unpacking" });
        yield return new("CBV-DISP-01", shipped, shipped with { Disposition = "destroyed" });
        yield return new("CBV-LOC-01", shipped, shipped with { BizLocation = new Location("urn:epc:id:sgln:0614141.12345.0") });
        yield return new("CBV-SD-01", observed with { Sources = [new SourceOrDestination("owning_party", "urn:epc:id:pgln:0614141.12345")] }, observed with { Sources = [new SourceOrDestination("owning_party", An.Item)] });
        yield return new("CBV-SD-02", shipped with { Sources = [new SourceOrDestination("location", "urn:epc:id:sgln:0614141.12345.400")] }, shipped with { Sources = [new SourceOrDestination("location", "urn:epc:id:sgln:0614141.54321.0")] });
        yield return new("CBV-BT-01", An.Transaction, An.Transaction with { BizTransactions = [new BizTransaction("po", "urn:epcglobal:cbv:bt:0614141000006:PO-1")] });
        yield return new("CBV-ID-01", observed, observed with { EpcList = ["ftp://example.com/tote/7"] });
        yield return new("CBV-ID-02", observed with { EventId = "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8" }, observed with { EventId = "urn:example:event:1" });
    }

    private static IEnumerable<RuleSample> OfShipments()
    {
        var (sound, older) = (AShipment.Of13, AShipment.Of12);
        const int units = AShipment.CommissioningUnits, pallet = AShipment.CommissioningPallet, packing = AShipment.Packing, shipping = AShipment.Shipping;
        yield return new("DSCSA-DOC-01", sound, sound.With(h => h with { HeaderExtensions = [.. h.HeaderExtensions.Skip(1)] }));
        yield return new("DSCSA-DOC-02", older, older.With(h => h with { HeaderExtensions = [.. h.HeaderExtensions, AShipment.Of("guidelineVersion", "GS1 US DSCSA R1.3")] }));
        yield return new("DSCSA-SBDH-01", sound, sound.With(h => h with { Sbdh = h.Sbdh! with { Receivers = [] } }));
        yield return new("DSCSA-SBDH-02", sound, sound.With(h => h with { Sbdh = h.Sbdh! with { Senders = [new SbdhParty("GLN", "0300011111117")] } }));
        yield return new("DSCSA-SBDH-03", sound, sound.With(h => h with { Sbdh = h.Sbdh! with { InstanceIdentifier = null } }));
        yield return new("DSCSA-SBDH-04", sound, sound.With(h => h with { Sbdh = h.Sbdh! with { Type = "MasterData" } }));
        yield return new("DSCSA-TIME-01", sound, sound.With(h => h with { Sbdh = h.Sbdh! with { CreationDateAndTime = "2026-03-01T09:00:00Z" } }));
        yield return new("DSCSA-TIME-02", sound, sound.With<AggregationEvent>(packing, e => e with { EventTime = e.EventTime!.Value.AddHours(-4), EventTimeText = "2026-03-01T08:00:00Z" }));
        yield return new("DSCSA-TS-01", sound, sound.With(h => h with { HeaderExtensions = [h.HeaderExtensions[0]] }));
        yield return new("DSCSA-TS-02", sound, sound.With(h => h with { HeaderExtensions = [h.HeaderExtensions[0], AShipment.Statement("false", "The seller has complied.")] }));
        yield return new("DSCSA-MD-01", sound, sound.With(h => h with { MasterData = [.. h.MasterData.SkipLast(1)] }));
        yield return new("DSCSA-MD-02", sound, sound.With(h => h with { MasterData = [.. h.MasterData.SkipLast(1), h.MasterData[^1] with { Attributes = [.. h.MasterData[^1].Attributes.SkipLast(1)] }] }));
        yield return new("DSCSA-MD-03", sound, sound.With(h => h with { MasterData = [.. h.MasterData.Skip(1)] }));
        yield return new("DSCSA-MD-04", sound, sound.With(h => h with { MasterData = [h.MasterData[0] with { Attributes = [.. h.MasterData[0].Attributes.SkipLast(1)] }, .. h.MasterData.Skip(1)] }));
        yield return new("DSCSA-NDC-01", sound, Described(sound, "0001012345", "US_FDA_NDC"));
        yield return new("DSCSA-NDC-02", older, Described(older, "0001-0123-45", "FDA_NDC_11"));
        yield return new("DSCSA-NDC-03", sound, sound.With(h => h with { MasterData = [.. h.MasterData, AShipment.Product("urn:epc:idpat:sgtin:030001.1012345.*", "00001012345", "FDA_NDC_11")] }));
        yield return new("DSCSA-NDC-04", sound, Described(sound, "0001-0124-45", "US_FDA_NDC"));
        yield return new("DSCSA-COM-01", sound, sound.With<ObjectEvent>(units, e => e with { Ilmd = [e.Ilmd[0]] }));
        yield return new("DSCSA-COM-02", sound, sound.With<ObjectEvent>(pallet, e => e with { Ilmd = [AShipment.Ilmd("lotNumber", "A123")] }));
        yield return new("DSCSA-COM-03", sound, sound.With<ObjectEvent>(units, e => e with { Ilmd = [e.Ilmd[0], AShipment.Ilmd("itemExpirationDate", "280331")] }));
        yield return new("DSCSA-COM-04", sound, sound.With<ObjectEvent>(units, e => e with { Ilmd = [AShipment.Ilmd("lotNumber", "A 123"), e.Ilmd[1]] }));
        yield return new("DSCSA-EVT-01", sound, sound.With<AggregationEvent>(packing, e => e with { Disposition = "active" }));
        yield return new("DSCSA-EVT-02", sound, sound.With<AggregationEvent>(packing, e => e with { BizLocation = null }));
        yield return new("DSCSA-SHIP-01", sound, sound.With<ObjectEvent>(shipping, e => e with { BizTransactions = [e.BizTransactions[1]] }));
        yield return new("DSCSA-SHIP-02", sound, sound.With<ObjectEvent>(shipping, e => e with { Sources = [e.Sources[0]] }));
        yield return new("DSCSA-SHIP-03", sound, sound.With<ObjectEvent>(shipping, e => e with { BizTransactions = [new BizTransaction("po", "urn:epcglobal:cbv:bt:0300011111116:XYZ567"), e.BizTransactions[1]] }));
        yield return new("DSCSA-STEP-01", older, older.With<AggregationEvent>(packing, e => e with { BizStep = "inspecting" }));
        yield return new("DSCSA-VOID-01", Voided(EventAction.Observe), Voided(EventAction.Delete));
        yield return new("DSCSA-EXT-01", sound.With<ObjectEvent>(shipping, e => e with { Extensions = [Direct("ENTIRELY_DIRECT")] }), sound.With<ObjectEvent>(shipping, e => e with { Extensions = [Direct(null)] }));
        yield return new("DSCSA-EXT-02", older.With<ObjectEvent>(shipping, e => e with { Extensions = [Direct(null)] }), older.With<ObjectEvent>(shipping, e => e with { Extensions = [Direct(null), AShipment.Of("dropShipment", "false")] }));
        yield return new("DSCSA-EXT-03", sound.With<ObjectEvent>(shipping, e => e with { Extensions = [Direct("ENTIRELY_DIRECT")] }), sound.With<ObjectEvent>(units, e => e with { Extensions = [Direct(null)] }).With<ObjectEvent>(shipping, e => e with { Extensions = [Direct("ENTIRELY_DIRECT")] }));
        yield return new("DSCSA-LOT-01", sound, sound.With<ObjectEvent>(shipping, e => e with { QuantityList = [new QuantityElement("urn:epc:class:lgtin:030001.0012345.A123", 2, "2", null)] }));
        yield return new("DSCSA-LOT-02", sound, sound.Then(Commissioned("urn:epc:id:sgtin:030001.0012345.13", "2029-03-31")));
        yield return new("DSCSA-LOT-03", sound, sound.With<ObjectEvent>(units, e => e with { Ilmd = [e.Ilmd[0], AShipment.Ilmd("itemExpirationDate", "2026-02-28")] }));
        yield return new("DSCSA-HIST-01", sound, sound.Without(pallet));
        yield return new("DSCSA-HIST-02", sound, sound.Without(units));
        yield return new("DSCSA-HIST-03", sound, sound.With<ObjectEvent>(shipping, e => e with { EpcList = [AShipment.Unit] }));
        yield return new("DSCSA-HIST-04", sound, sound.Then(Packed(EventAction.Add, AShipment.OtherPallet)));
        yield return new("DSCSA-HIST-05", sound.Then(Packed(EventAction.Delete, AShipment.Pallet)), sound.Then(Packed(EventAction.Delete, AShipment.Pallet) with { ChildEpcs = [AShipment.OtherPallet] }));
        yield return new("DSCSA-HIST-06", sound, sound.With<AggregationEvent>(packing, e => e with { ChildEpcs = [] }));
        yield return new("DSCSA-HIST-07", sound, sound.With<ObjectEvent>(pallet, e => e with { Action = EventAction.Delete, BizStep = "decommissioning", Disposition = "inactive" }));
        yield return new("DSCSA-HIST-08", sound, sound.Then(Commissioned(AShipment.Unit, "2028-03-31")));
        yield return new("DSCSA-HIST-09", sound, sound.Then(Commissioned("urn:epc:id:sgtin:030001.0012345.13", "2028-03-31")).Then(Commissioned("urn:epc:id:sgtin:030001.0012345.14", "2028-03-31"))) { MaxUnits = 3 };
    }

    private static QuantityElement Quantity(decimal number, string? uom = null) =>
        new(An.Lot, number, number.ToString(System.Globalization.CultureInfo.InvariantCulture), uom);

    private static DateTimeOffset At(int day) => new(2026, 2, day, 12, 0, 0, TimeSpan.Zero);

    private static ObjectEvent Declared(Func<ErrorDeclaration, ErrorDeclaration>? change = null)
    {
        var declaration = new ErrorDeclaration
        {
            DeclarationTime = At(28),
            DeclarationTimeText = "2026-02-28T12:00:00Z",
            Reason = "incorrect_data",
            CorrectiveEventIds = ["urn:uuid:1dcf90cf-f3ce-4d15-bd92-d4a3bfe3b14f"],
        };
        return An.Observation with
        {
            EventTime = At(20),
            EventId = "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
            ErrorDeclaration = change is null ? declaration : change(declaration),
        };
    }

    private static ObjectEvent Sensed(params (string Name, string Value)[] fields) =>
        An.Observation with { SensorElements = [new SensorElement { Reports = [Fields(fields)] }] };

    private static ObjectEvent During(string time) => An.Observation with
    {
        SensorElements =
        [
            new SensorElement
            {
                Metadata = Fields(("startTime", "2026-03-01T10:00:00Z"), ("endTime", "2026-03-01T12:00:00Z")),
                Reports = [Fields(("type", "Temperature"), ("time", time), ("value", "4"), ("uom", "CEL"))],
            },
        ],
    };

    private static SensorField[] Fields(params (string Name, string Value)[] fields) =>
        [.. fields.Select(f => new SensorField("", f.Name, f.Value, false))];

    private static ADocument Described(ADocument document, string ndc, string typeCode) => document.With(h => h with
    {
        MasterData = [AShipment.Product("urn:epc:idpat:sgtin:030001.0012345.*", ndc, typeCode), .. h.MasterData.Skip(1)],
    });

    private static Extension Direct(string? qualifier) => AShipment.Of("directPurchase", qualifier is null ? "true" : "") with
    {
        Attributes = qualifier is null ? [] : [new ExtensionAttribute("", "", "qualifier", qualifier)],
    };

    private static ADocument Voided(EventAction action) => AShipment.Of13.Then(AShipment.At(4, new ObjectEvent
    {
        Action = action,
        EpcList = [AShipment.Pallet],
        BizStep = "void_shipping",
        Disposition = "in_progress",
    }));

    private static ObjectEvent Commissioned(string unit, string expiry) => AShipment.At(4, new ObjectEvent
    {
        Action = EventAction.Add,
        EpcList = [unit],
        BizStep = "commissioning",
        Disposition = "active",
        Ilmd = [AShipment.Ilmd("lotNumber", "A123"), AShipment.Ilmd("itemExpirationDate", expiry)],
    });

    private static AggregationEvent Packed(EventAction action, string parent) => AShipment.At(4, new AggregationEvent
    {
        Action = action,
        ParentId = parent,
        ChildEpcs = [AShipment.Unit],
        BizStep = action == EventAction.Add ? "packing" : "unpacking",
        Disposition = "in_progress",
    });
}
