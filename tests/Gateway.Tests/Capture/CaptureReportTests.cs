using Gateway.Capture;
using Gateway.Http;

namespace Gateway.Tests.Capture;

public sealed class CaptureReportTests
{
    private static readonly FindingView Finding = new("EPCIS-AGG-01", "error", "parentID is required when action is ADD.")
    {
        Clause = "EPCIS 2.0, 7.4.2", Event = 2, EventId = "urn:uuid:1", Where = new FindingPlace(40, 7, null), Got = "no parentID", Want = "parentID", Suggestion = "Name the case.",
    };

    private static CaptureReport Of(params FindingView[] findings) =>
        new("shipment.xml", "ab12", 1234, new DateTime(2026, 11, 20, 8, 30, 0, DateTimeKind.Utc), CaptureReport.ResultOf("refused", 0), findings.Length, findings);

    [Fact]
    public void A_supplier_reads_document_place_and_what_to_do() => Assert.Equal("""
        EPCIS document shipment.xml
        SHA-256:  ab12
        Length:   1234 bytes
        Time:     2026-11-20 08:30:00 UTC
        Result:   refused, no event is stored
        Findings: 1

        1. EPCIS-AGG-01 (error)
           parentID is required when action is ADD.
           Where:      line 40, column 7, event 3, eventID urn:uuid:1
           Got:        no parentID
           Wanted:     parentID
           What to do: Name the case.
           Clause:     EPCIS 2.0, 7.4.2

        """, Of(Finding).ToString());

    [Fact]
    public void A_finding_without_a_suggestion_says_what_its_rule_says() =>
        Assert.Contains("What to do: An aggregation names its parent unless it only observes. Correct the event", Of(Finding with { Suggestion = null }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void A_value_of_the_document_cannot_write_lines_of_the_report() =>
        Assert.Contains("   Got:        x  Result:   accepted\n", Of(Finding with { Got = "x\r\nResult:   accepted" }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Findings_beyond_those_kept_are_counted() =>
        Assert.EndsWith("\n2 more findings are not listed.\n", (Of(Finding) with { FindingCount = 3 }).ToString(), StringComparison.Ordinal);
}
