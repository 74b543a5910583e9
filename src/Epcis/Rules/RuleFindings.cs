using Epcis.Events;

namespace Epcis.Rules;

/// <summary>Where one rule reports: it adds what the rule says of itself, and the severity that the profile gives it.</summary>
internal readonly struct RuleFindings(Rule rule, Severity severity, Findings findings)
{
    /// <param name="field">The field as a path, such as <c>epcList/3</c>; empty for the event itself, or for what it lacks.</param>
    public void Add(EpcisEvent e, string field, string message, string? got = null, string? want = null, string? suggestion = null) =>
        Add(EventMark.Of(e, field), message, got, want, suggestion);

    /// <summary>About an event that has been read earlier.</summary>
    public void Add(EventMark mark, string message, string? got = null, string? want = null, string? suggestion = null) =>
        findings.Add(Said(message, mark.Where, got, want, suggestion) with { Event = mark.Index, EventId = mark.EventId });

    /// <param name="field">The name of what stands in the header; <c>""</c> for the document.</param>
    public void Add(DocumentHeader header, string field, string message, string? got = null, string? want = null, string? suggestion = null) =>
        Add(header.PlaceOf(field), message, got, want, suggestion);

    /// <summary>About something of the document that is no event.</summary>
    public void Add(Place where, string message, string? got = null, string? want = null, string? suggestion = null) =>
        findings.Add(Said(message, where, got, want, suggestion));

    private Finding Said(string message, Place where, string? got, string? want, string? suggestion) => new(rule.Code, severity, message)
    {
        Clause = rule.Clause,
        Where = where,
        Got = got,
        Want = want,
        Suggestion = suggestion ?? rule.Remedy,
    };
}

/// <summary>What is kept of an event to point at it later.</summary>
internal readonly record struct EventMark(int Index, string? EventId, Place Where)
{
    public static EventMark Of(EpcisEvent e, string field = "") => new(e.Index, e.EventId, e.PlaceOf(field));
}
