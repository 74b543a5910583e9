using Epcis.Events;

namespace Epcis.Rules;

/// <summary>A rule that says what it is about, so that the catalogue, its findings and the manual cannot disagree.</summary>
public abstract class EventRule(string code, Severity severity, string clause, string sentence) : IEventRule
{
    public string Code => code;
    public Severity Severity => severity;

    /// <summary>The part of the standard that the rule holds an event to.</summary>
    public string Clause => clause;

    /// <summary>What an event must be like, in one sentence.</summary>
    public string Sentence => sentence;

    public abstract void Check(EpcisEvent e, Findings findings);

    private protected void Report(EpcisEvent e, Findings findings, string message, string? got = null, string? want = null, string? suggestion = null) =>
        findings.Add(new Finding(code, severity, message)
        {
            Clause = clause,
            Event = e.Index,
            EventId = e.EventId,
            Where = e.Place,
            Got = got,
            Want = want,
            Suggestion = suggestion,
        });
}
