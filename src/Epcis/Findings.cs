using Epcis.Events;

namespace Epcis;

/// <summary>Where something stands in a document: line and column (1-based) of XML, a JSON pointer in JSON.</summary>
public readonly record struct Place(int Line, int Column, string? Pointer = null)
{
    /// <summary>The place in words for a person.</summary>
    public override string ToString() => string.IsNullOrEmpty(Pointer) ? $"line {Line}, column {Column}" : $"{Pointer} (line {Line}, column {Column})";
}

/// <summary>How grave a finding is, mildest first.</summary>
public enum Severity
{
    /// <summary>Worth knowing.</summary>
    Info,

    /// <summary>Accepted, and shown to a person.</summary>
    Warning,

    /// <summary>The document is refused.</summary>
    Error,
}

/// <summary>One thing that validation has to say. A finding is not a verdict: policy decides.</summary>
public sealed record Finding(string Code, Severity Severity, string Message)
{
    private const int MaxEventIdLength = 1000;

    /// <summary>The clause of the standard, such as <c>EPCIS 2.0, 7.4.2</c> or the schema it violates.</summary>
    public string? Clause { get; init; }

    /// <summary>Zero-based index of the event; <see langword="null"/> for the document itself.</summary>
    public int? Event { get; init; }

    /// <summary>Cut when it is longer than any that is an identifier: a thousand findings of one document must stay small.</summary>
    public string? EventId { get; init => field = value is { Length: > MaxEventIdLength } ? value[..MaxEventIdLength] + "…" : value; }

    /// <summary>Where the cause stands, as near as is known.</summary>
    public Place Where { get; init; }

    /// <summary>What stands there; <see langword="null"/> when a thing is missing or the message says it.</summary>
    public string? Got { get; init; }

    /// <summary>What should stand there.</summary>
    public string? Want { get; init; }

    /// <summary>What would mend it, in a sentence or two.</summary>
    public string? Suggestion { get; init; }
}

/// <summary>All findings of one document, up to a limit: a million equal lines help nobody.</summary>
public sealed class Findings(int limit = 1000)
{
    private readonly List<Finding> _all = [];

    /// <summary>The findings kept, in the order they were made.</summary>
    public IReadOnlyList<Finding> All => _all;

    /// <summary>Counts every error, also those beyond the limit.</summary>
    public int ErrorCount { get; private set; }

    /// <summary>Findings that were counted but not kept.</summary>
    public int Dropped { get; private set; }

    /// <summary>Whether what is added is only counted from here on: then nobody needs to find words for it.</summary>
    public bool IsFull => _all.Count >= limit;

    /// <summary>Whether there was an error, kept or not.</summary>
    public bool HasErrors => ErrorCount > 0;

    /// <summary>Counts a finding, and keeps it unless the limit is reached.</summary>
    public void Add(Finding finding)
    {
        if (finding.Severity == Severity.Error)
        {
            ErrorCount++;
        }
        if (_all.Count < limit)
        {
            _all.Add(finding);
        }
        else
        {
            Dropped++;
        }
    }

    /// <summary>An error of a rule about one event.</summary>
    public void Error(string code, EpcisEvent e, string message, string? clause = null, string? got = null, string? want = null) =>
        Add(Of(code, Severity.Error, e, message, clause, got, want));

    /// <summary>A warning of a rule about one event.</summary>
    public void Warning(string code, EpcisEvent e, string message, string? clause = null, string? got = null, string? want = null) =>
        Add(Of(code, Severity.Warning, e, message, clause, got, want));

    private static Finding Of(string code, Severity severity, EpcisEvent e, string message, string? clause, string? got, string? want) =>
        new(code, severity, message) { Event = e.Index, EventId = e.EventId, Where = e.Place, Clause = clause, Got = got, Want = want };
}
