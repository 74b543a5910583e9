using System.Collections.Frozen;
using Epcis;
using Epcis.Rules;

namespace Gateway.Http.Help;

/// <summary>Every code an answer, a finding or a routing decision can carry, explained once.</summary>
public static class HelpCatalog
{
    public static IReadOnlyList<HelpTopic> All { get; } =
    [
        .. GatewayTopics.All, .. RoutingTopics.All, .. DocumentTopics.All,
        .. RuleCatalog.Described.Select(Of),
    ];

    private static readonly FrozenDictionary<string, HelpTopic> ByCode = All.ToFrozenDictionary(t => t.Code, StringComparer.OrdinalIgnoreCase);

    public static HelpTopic? Find(string code) => ByCode.GetValueOrDefault(code);

    /// <summary>Where a code is explained.</summary>
    public static string PathOf(string code) => $"/help/{code}";

    // A rule says itself what an event must be like.
    private static HelpTopic Of(EventRule rule) => new(
        rule.Code,
        rule.Sentence,
        rule.Severity switch
        {
            Severity.Error => $"An event of the document breaks this rule: {rule.Sentence} The document is refused, or the event is left out when the capture was asked to proceed.",
            Severity.Warning => $"An event of the document does not follow this rule: {rule.Sentence} It is stored all the same.",
            _ => $"Worth knowing about an event of the document: {rule.Sentence} It is stored all the same.",
        },
        "The finding names the event, the line and, where it is known, what was found and what is wanted. Correct the event at its source and send the document again; gateway check and POST /api/check try it without storing anything.",
        rule.Clause);
}
