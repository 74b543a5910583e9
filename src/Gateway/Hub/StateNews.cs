using Epcis.Cbv;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.MasterData;
using Gateway.Units;

namespace Gateway.Hub;

/// <summary>What an event means for packs that a hub has (EU-FMD.md section 9).</summary>
/// <param name="State">One of <see cref="PackStates"/>; null: a person decides, or <paramref name="IsRecall"/>.</param>
/// <param name="IsUndo">The packs are in that state no more.</param>
/// <param name="IsRecall">Their lot is called recalled.</param>
public sealed record StateNews(string? State, bool IsUndo = false, bool IsRecall = false)
{
    // The EU of 27, and the other states of the EEA: what leaves them is exported.
    private static readonly HashSet<string> s_inside = new(StringComparer.Ordinal)
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
    };

    // The event says why in a word of its own (EventFacts.LineNamespace) or in its disposition.
    private static readonly Dictionary<string, string> s_reasons = new(StringComparer.Ordinal)
    {
        ["destroyed"] = PackStates.Destroyed, ["stolen"] = PackStates.Stolen, ["exported"] = PackStates.Exported, ["sample"] = PackStates.Sample, ["sampled"] = PackStates.Sample, ["free_sample"] = PackStates.FreeSample,
        ["checked_out"] = PackStates.CheckedOut, ["repack"] = PackStates.CheckedOut,
    };

    /// <summary>Null: it says nothing of their states.</summary>
    public static StateNews? Of(EpcisEvent e, MasterDataSnapshot known)
    {
        var step = e.BizStep is { } said ? CbvTerms.ToBare(CbvVocabulary.BizStep, said) : null;
        var disposition = e.Disposition is { } at ? CbvTerms.ToBare(CbvVocabulary.Disposition, at) : null;
        var reason = e.Extensions.FirstOrDefault(x => x.Name == "reason" && x.Namespace == EventFacts.LineNamespace) is { } word ? (word.Text ?? word.Json?.Trim('"'))?.Trim().Replace(' ', '_') : null;
        if (reason == "recalled" && e.Extensions.Any(x => x.Name == "order" && x.Namespace == EventFacts.LineNamespace))
        {
            return null; // the gateway's own hold of what a recall or withdrawal stops (HoldRecalled)
        }
        var why = s_reasons.GetValueOrDefault(reason ?? "") ?? s_reasons.GetValueOrDefault(disposition ?? "");
        return (step, disposition) switch
        {
            (_, "stolen") => new StateNews(PackStates.Stolen),
            (_, "recalled") => new StateNews(null, IsRecall: true),
            ("destroying", _) => new StateNews(PackStates.Destroyed),
            ("sampling", _) => new StateNews(why == PackStates.FreeSample ? PackStates.FreeSample : PackStates.Sample),
            ("shipping", _) => IsExport(e, known) ? new StateNews(PackStates.Exported) : null,
            ("void_shipping", _) => new StateNews(PackStates.Exported, IsUndo: true),
            ("holding", _) => new StateNews(PackStates.Locked),
            ("inspecting", "active") => new StateNews(PackStates.Locked, IsUndo: true),
            // Whoever hands packs out tells the repository of his own country.
            ("dispensing" or "retail_selling", _) => null,
            _ when step == "decommissioning" || e is ObjectEvent { Action: EventAction.Delete } => new StateNews(why),
            _ => null,
        };
    }

    /// <summary>GLN of where it happened; null where the event does not tell.</summary>
    public static string? PlaceOf(EpcisEvent e) => Gln.TryFromAny(e.ReadPoint?.Id ?? "", out var at) || Gln.TryFromAny(e.BizLocation?.Id ?? "", out at) ? at : null;

    // The goods go to a place; where none is told, to whoever gets them.
    private static bool IsExport(EpcisEvent e, MasterDataSnapshot known) =>
        ((string[])["location", "possessing_party", "owning_party"]).Select(type => EventFacts.DestinationOf(e, type)).FirstOrDefault(d => d is not null) is { } destination
        && Gln.TryFromAny(destination, out var gln) && known.FindLocation(gln) is { Country.Length: 2 } place && !s_inside.Contains(place.Country);
}
