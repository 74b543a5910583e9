using System.Collections.Frozen;

namespace Epcis.Cbv;

/// <summary>The terms of CBV 2.0, and those that earlier versions had and documents still carry.</summary>
internal static class CbvTables
{
    public static readonly FrozenSet<string> BizSteps = Words("""
        accepting arriving assembling collecting commissioning consigning creating_class_instance
        cycle_counting decommissioning departing destroying disassembling dispensing encoding entering_exiting
        holding inspecting installing killing loading other packing picking receiving removing repackaging
        repairing replacing reserving retail_selling sampling sensor_reporting shipping staging_outbound
        stock_taking stocking storing transporting unloading unpacking void_shipping
        """);

    public static readonly FrozenSet<string> Dispositions = Words("""
        active available completeness_inferred completeness_verified conformant container_closed
        container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive
        mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
        non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
        sellable_not_accessible stolen unavailable unknown
        """);

    public static readonly FrozenSet<string> BizTransactionTypes = Words("""
        bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt
        """);

    public static readonly FrozenSet<string> SourceDestTypes = Words("""
        location owning_party possessing_party
        """);

    public static readonly FrozenSet<string> ErrorReasons = Words("""
        did_not_occur incorrect_data
        """);

    /// <summary>CBV 1.2.1 still lists it as deprecated.</summary>
    public static readonly FrozenSet<string> FormerBizSteps = Words("transforming");

    /// <summary>CBV 1.0; the second half of each became the term.</summary>
    public static readonly FrozenSet<string> FormerDispositions = Words("""
        non_sellable_expired non_sellable_damaged non_sellable_disposed non_sellable_no_pedigree_match
        non_sellable_recalled
        """);

    public static readonly FrozenSet<string> None = Words("");

    private static FrozenSet<string> Words(string text) =>
        text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToFrozenSet(StringComparer.Ordinal);
}
