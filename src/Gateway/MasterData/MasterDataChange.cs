using Epcis;

namespace Gateway.MasterData;

/// <summary>What is to become of one record.</summary>
/// <param name="Named">The record by its key.</param>
/// <param name="Apply">Makes of the present record, or of one by its key alone, what it is to be.</param>
/// <param name="PlaceOf">Where that was said of a member.</param>
public sealed record Wanted<T>(T Named, Func<T, T> Apply, Func<string, Place> PlaceOf);

/// <summary>What a file or a person wants master data to be.</summary>
public sealed class WantedMasterData
{
    public List<Wanted<Product>> Products { get; } = [];
    public List<Wanted<Location>> Locations { get; } = [];

    /// <summary>An error among them, and nothing is changed.</summary>
    public Findings Findings { get; } = new();
}

/// <summary>One record that is another after a change.</summary>
/// <param name="Kind"><c>product</c> or <c>location</c>.</param>
/// <param name="Key">GTIN, or GLN with the extension behind a dot.</param>
/// <param name="What"><c>added</c> or <c>changed</c>.</param>
public sealed record RecordChange(string Kind, string Key, string What, IReadOnlyList<MemberChange> Changes);

/// <summary>What a change makes, or would make, of master data.</summary>
/// <param name="Items">At most <see cref="ChangeMasterData.MaxItems"/>; the counts tell of all.</param>
/// <param name="Findings">Why nothing is changed, or what was passed over.</param>
public sealed record MasterDataOutcome(bool DryRun, int Added, int Changed, int Unchanged, IReadOnlyList<RecordChange> Items, Findings Findings)
{
    public bool IsRefused => Findings.HasErrors;

    /// <summary>Somebody else has changed a record that was expected to be of another version.</summary>
    public int? PresentVersion { get; init; }
}
