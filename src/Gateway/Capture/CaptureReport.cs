using System.Globalization;
using System.Text;
using Epcis.Rules;
using Gateway.Http;
using Gateway.Http.Help;

namespace Gateway.Capture;

/// <summary>
/// What a supplier needs to mend a document, as plain text: for a mail or a ticket, without access to this gateway.
/// </summary>
/// <param name="Name">The file's name, or the capture's id.</param>
/// <param name="At">When it was received or checked, UTC.</param>
/// <param name="Result">The verdict in a sentence.</param>
/// <param name="FindingCount">Of all, also of those beyond the limit of what is kept.</param>
public sealed record CaptureReport(string Name, string Sha256, long Length, DateTime At, string Result, int FindingCount, IReadOnlyList<FindingView> Findings)
{
    public static string ResultOf(string state, int events) => state switch
    {
        "accepted" => FormattableString.Invariant($"accepted, events stored: {events}"),
        "refused" => "refused, no event is stored",
        "processing" => "received, the checks are not finished",
        _ => "kept, but the receiver could not process it",
    };

    public override string ToString()
    {
        var text = new StringBuilder();
        Line(text, "", $"EPCIS document {Name}");
        Line(text, "SHA-256:  ", Sha256);
        Line(text, "Length:   ", FormattableString.Invariant($"{Length} bytes"));
        Line(text, "Time:     ", At.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        Line(text, "Result:   ", Result);
        Line(text, "Findings: ", FindingCount.ToString(CultureInfo.InvariantCulture));
        for (var n = 0; n < Findings.Count; n++)
        {
            Append(text, n + 1, Findings[n]);
        }
        if (Findings.Count < FindingCount)
        {
            text.Append('\n');
            Line(text, "", FormattableString.Invariant($"{FindingCount - Findings.Count} more findings are not listed."));
        }
        return text.ToString();
    }

    /// <summary>Where a finding is, in words: line and column, pointer, event and its eventID.</summary>
    public static string PlaceOf(FindingView finding) => string.Join(", ", new[]
    {
        finding.Where is { Line: > 0 } where ? FormattableString.Invariant($"line {where.Line}, column {where.Column}") : null,
        finding.Where?.Pointer,
        finding.Event is { } e ? FormattableString.Invariant($"event {e + 1}") : "the document itself",
        finding.EventId is { } id ? $"eventID {id}" : null,
    }.Where(p => p is not null));

    /// <summary>What mends it: the finding's own suggestion, else what is known of its code.</summary>
    public static string? ToDo(FindingView finding) => finding.Suggestion ?? ToDo(finding.Code);

    /// <summary>What mends a finding of this code. A rule's help explains findings; here its own sentence says more.</summary>
    public static string? ToDo(string code) => HelpCatalog.Find(code) is not { } topic ? null
        : RuleCatalog.All.Any(r => r.Code == code) ? $"{topic.Title} Correct the event where it is made, and send the whole document again."
        : topic.Do;

    private static void Append(StringBuilder text, int number, FindingView finding)
    {
        text.Append('\n');
        Line(text, FormattableString.Invariant($"{number}. "), $"{finding.Code} ({finding.Severity})");
        Line(text, "   ", finding.Message);
        Line(text, "   Where:      ", PlaceOf(finding));
        Line(text, "   Got:        ", finding.Got);
        Line(text, "   Wanted:     ", finding.Want);
        Line(text, "   What to do: ", ToDo(finding));
        Line(text, "   Clause:     ", finding.Clause);
    }

    // Values come from the document: a line break in one must not look like a line of the report.
    private static void Line(StringBuilder text, string label, string? value)
    {
        if (value is not null)
        {
            text.Append(label).Append(string.Concat(value.Select(c => char.IsControl(c) ? ' ' : c))).Append('\n');
        }
    }
}
