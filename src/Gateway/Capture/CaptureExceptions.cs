using Epcis;
using Epcis.Events;
using Epcis.Identifiers;
using Gateway.Database;
using Gateway.Exceptions;
using Gateway.Units;

namespace Gateway.Capture;

/// <summary>What of a capture a person must settle, opened in the transaction that decides the capture.</summary>
internal static class CaptureExceptions
{
    /// <summary>Of a document refused or failed: its first error says what for.</summary>
    /// <param name="source">Where it was found.</param>
    /// <param name="cause">What it is refused for whole; it counts before every error.</param>
    /// <param name="lot">The document's only lot, when it is known.</param>
    public static Task OpenAsync(Work work, ExceptionSource source, Finding? cause, Findings findings, string? lot)
    {
        var first = cause ?? findings.All.FirstOrDefault(f => f.Severity == Severity.Error) ?? new Finding("GW-CAP-05", Severity.Error, "The document cannot be read.");
        return ExceptionRecords.OpenAsync(work, FactsOf(first) with { Lot = lot }, source, []);
    }

    /// <summary>Of a line's file that was taken: what of it was set aside, one for each code.</summary>
    public static async Task OpenSetAsideAsync(Work work, ExceptionSource source, Findings findings, string? lot)
    {
        foreach (var code in findings.All.Where(f => f.Severity == Severity.Error).GroupBy(f => f.Code))
        {
            await ExceptionRecords.OpenAsync(work, FactsOf(code.First()) with { Lot = lot, Occurrences = code.Count() }, source, []);
        }
    }

    /// <summary>Of events that are in doubt for the same reason, with their units.</summary>
    /// <param name="first">What is said of the first of them.</param>
    public static Task OpenAsync(Work work, ExceptionSource source, Finding first, IReadOnlyList<ParsedEvent> events)
    {
        var units = events.SelectMany(e => e.Epcs).Where(x => x.Role < ParsedEvent.ClassRoles).Select(x => x.Epc).ToList();
        var lots = events.SelectMany(e => CaptureTerms.LotsOf(e.Event)).OfType<string>().Select(l => CaptureRecords.Storable(l)!);
        return ExceptionRecords.OpenAsync(work, FactsOf(first) with { Gtin = GtinOf(units), Lot = CaptureTerms.OnlyOf(lots), Occurrences = events.Count }, source, units);
    }

    /// <summary>Of units: whatever a person must settle. What waits ends by itself when the missing event comes.</summary>
    /// <param name="e">The event it is about; none when that came with an earlier document.</param>
    /// <returns>The same as a finding of the capture.</returns>
    public static async Task<Finding> OpenAsync(Work work, ExceptionSource source, UnitFinding found, EpcisEvent? e)
    {
        var waits = found.Code == UnitCodes.Waiting;
        var finding = new Finding(found.Code, waits ? Severity.Info : Severity.Warning, found.Sentence) { Event = e?.Index, EventId = e?.EventId, Where = e?.Place ?? default };
        if (!waits)
        {
            await ExceptionRecords.OpenAsync(work, FactsOf(finding) with { Gtin = GtinOf(found.Units), Lot = found.Lot }, source, [.. found.Units]);
        }
        return finding;
    }

    private static ExceptionFacts FactsOf(Finding finding) =>
        new(finding.Code, finding.Severity, CaptureRecords.Storable(finding.Message)!) { EventUri = CaptureRecords.Storable(finding.EventId) };

    // Nearly every unit is of the product before it, so one of each product is parsed.
    private static string? GtinOf(IEnumerable<string> units) => CaptureTerms.OnlyOf(
        units.DistinctBy(u => CaptureTerms.ProductOf(u).ToString()).Select(u => Epc.Parse(u, CompanyPrefixes.None).Value).Where(e => e?.Scheme == EpcScheme.Sgtin).Select(e => e!.Key));
}
