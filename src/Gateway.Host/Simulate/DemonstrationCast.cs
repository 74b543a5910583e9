using Gateway.Partners;

namespace Gateway.Host.Simulate;

/// <summary>What is told of a partner's past; its present is the simulated endpoint's manner.</summary>
public enum PastManner
{
    Well,

    /// <summary>Answers 503 twice to some documents.</summary>
    FailsTwice,
    Slow,

    /// <summary>Refused what it was told of one lot of the last day, because it did not know the product yet.</summary>
    RefusedALot,

    /// <summary>Well, but out from 02:10 to 05:40 of the last night.</summary>
    OutLastNight,

    /// <summary>Its certificate has expired: since then everything for it is held.</summary>
    Expired,

    /// <summary>Takes documents as jobs and tells their result within seconds.</summary>
    Jobs,

    /// <summary>The same, but for 26 hours it has not told a result.</summary>
    FallenSilent,

    /// <summary>Its licence has lapsed: since then everything for it is held.</summary>
    Unlicensed,

    /// <summary>Just begun: its documents are composed, and of the first ones one lacks the beginning of a unit's path.</summary>
    Composed,

    /// <summary>Its onboarding is under way, and nothing but test documents goes to it.</summary>
    Practises,
}

/// <param name="Path">Of the simulated endpoint, or of the folder below the demonstration's.</param>
/// <param name="Share">Of the shipments, in hundredths.</param>
public sealed record DemonstrationPartner(string Path, string Channel, PastManner Past, int Share, SimulatedParty Party)
{
    /// <summary>The live part of the demonstration ships to all but those whose story stands still.</summary>
    public bool IsShippedTo => Past is not (PastManner.Expired or PastManner.FallenSilent or PastManner.Unlicensed or PastManner.Practises);

    /// <summary>It says what it has received, in documents that it lays into its folder.</summary>
    public bool TellsReceipts { get; init; }

    /// <summary>What its documents must have; null: nobody has said.</summary>
    public PartnerProfile? Profile { get; init; }

    /// <summary>It needs a licence, and has one that ends in so many days.</summary>
    public int? LicensedDays { get; init; }

    /// <summary>How long after capture it must have a document, and why; null: as the settings say.</summary>
    public (TimeSpan Within, string Why)? Need { get; init; }
}

/// <summary>Everybody in the demonstration; GLNs and products under the prefix 952, which GS1 keeps for examples.</summary>
public static class DemonstrationCast
{
    /// <summary>The channel of a partner that takes files.</summary>
    public const string Folder = "folder";

    private const int PrefixLength = 7;

    private static readonly SimulatedPlace Owner = At("9521234000105", "Demonstration Pharma").Owner;

    /// <summary>Where the owner's goods are made and shipped from: two contract manufacturers, then the own lines.</summary>
    public static IReadOnlyList<SimulatedParty> Shippers { get; } =
    [
        new(Owner, At("9521234000112", "Demonstration CMO One").Site),
        new(Owner, At("9521234000129", "Demonstration CMO Two").Site),
        new(Owner, At("9521234000136", "Demonstration Pharma, own lines").Site),
    ];

    public static IReadOnlyList<DemonstrationPartner> Partners { get; } =
    [
        new("well/north", "https", PastManner.OutLastNight, 20, At("9521234000204", "Northern Wholesale")) { TellsReceipts = true },
        new("fails-twice", "https", PastManner.FailsTwice, 10, At("9521234000303", "Eastern Wholesale")),
        new("slow", "https", PastManner.Slow, 11, At("9521234000402", "Southern Wholesale")),
        new("well/west", "https", PastManner.RefusedALot, 11, At("9521234000501", "Western Wholesale")),
        new("well/island", "https", PastManner.Expired, 20, At("9521234000600", "Island Pharmacies")) { Need = (TimeSpan.FromDays(10), "its goods go by ship, for ten days") },
        new("epcis/capture", "epcis", PastManner.Jobs, 11, At("9521234000617", "City Hospitals")),
        new("unfinished/capture", "epcis", PastManner.FallenSilent, 8, At("9521234000624", "Lakeside Clinics")),
        new("well/central", "https", PastManner.Well, 9, At("9521234000631", "Central Pharmacy Supply")) { LicensedDays = 30 },
        new("harbor", Folder, PastManner.Well, 4, At("9521234000648", "Harbor Clinics")) { TellsReceipts = true },
        new("well/desert", "https", PastManner.Unlicensed, 3, At("9521234000655", "Desert Pharmacies")) { LicensedDays = -3, Need = (TimeSpan.FromDays(7), "it calls for its goods once a week") },
        new("well/valley", "https", PastManner.Composed, 0, At("9521234000662", "Valley Hospitals")) { LicensedDays = 300, Profile = new PartnerProfile("us-dscsa", AnswerDays: 5) },
        new("well/riverside", "https", PastManner.Practises, 0, At("9521234000679", "Riverside Pharmacy")) { LicensedDays = 365, Profile = new PartnerProfile("us-dscsa") },
    ];

    public static IReadOnlyList<SimulatedProduct> Products { get; } =
    [
        SimulatedProduct.Default,
        Medicine("00124", "9521-0124-10", "Exampril 5 mg tablets", "TABLET", "5 mg", "100 tablets in a bottle"),
        Medicine("00125", "9521-0125-05", "Samplinol 250 mg capsules", "CAPSULE", "250 mg", "20 capsules in a blister pack"),
        Medicine("00126", "9521-0126-01", "Placexin 2 mg/ml solution", "SOLUTION", "2 mg/ml", "5 ampoules of 1 ml"),
    ];

    private static SimulatedParty At(string gln, string name) => SimulatedParty.AtOneAddress(gln, PrefixLength, name);

    private static SimulatedProduct Medicine(string item, string ndc, string name, string form, string strength, string content) =>
        SimulatedProduct.Default with { ItemReference = item, Ndc = ndc, Name = name, DosageForm = form, Strength = strength, UnitContent = content };
}
