using System.Text.Json.Serialization;
using Epcis;

namespace Gateway.Http;

/// <summary>A finding on the wire: the same members in answers, in the command line's JSON and on pages.</summary>
public sealed record FindingView(string Code, string Severity, string Message)
{
    public string? Clause { get; init; }
    public int? Event { get; init; }
    [JsonPropertyName("eventID")]
    public string? EventId { get; init; }
    public FindingPlace? Where { get; init; }
    public string? Got { get; init; }
    public string? Want { get; init; }
    public string? Suggestion { get; init; }

    public static FindingView Of(Finding f) => new(f.Code, f.Severity.ToString().ToLowerInvariant(), f.Message)
    {
        Clause = f.Clause,
        Event = f.Event,
        EventId = f.EventId,
        Where = new FindingPlace(f.Where.Line, f.Where.Column, f.Where.Pointer),
        Got = f.Got,
        Want = f.Want,
        Suggestion = f.Suggestion,
    };
}

/// <summary>Line and column from 1; a JSON pointer where the document is JSON.</summary>
public sealed record FindingPlace(int Line, int Column, string? Pointer);
