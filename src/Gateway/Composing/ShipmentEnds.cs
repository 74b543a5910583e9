using Epcis.Cbv;
using Epcis.Events;
using Epcis.Identifiers;

namespace Gateway.Composing;

/// <summary>Who sends and who gets a shipment, as its event says it.</summary>
internal static class ShipmentEnds
{
    /// <summary>As written; null when nothing is said.</summary>
    /// <param name="type">A bare CBV word such as <c>owning_party</c>.</param>
    public static string? Of(IReadOnlyList<SourceOrDestination> ends, string type) => ends.FirstOrDefault(s => CbvTerms.BareOrNull(CbvVocabulary.SourceDestType, s.Type) == type)?.Value;

    /// <summary>Its 13 digits.</summary>
    public static string? GlnOf(IReadOnlyList<SourceOrDestination> ends, string type) => Of(ends, type) is { } value && Gln.TryFromAny(value, out var gln) ? gln : null;
}
