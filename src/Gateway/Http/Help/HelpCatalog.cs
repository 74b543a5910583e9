using System.Collections.Frozen;
using Epcis;
using Epcis.Rules;

namespace Gateway.Http.Help;

/// <summary>Every code an answer, a finding or a routing decision can carry, explained once.</summary>
public static class HelpCatalog
{
    public static IReadOnlyList<HelpTopic> All { get; } =
    [
        .. GatewayTopics.All, .. RoutingTopics.All, .. ComposingTopics.All, .. ReceiptTopics.All, .. LineTopics.All, .. SerialTopics.All, .. HubTopics.All, .. CommandTopics.All, .. AlarmTopics.All, .. DocumentTopics.All,
        .. RuleCatalog.All.Select(Of),
    ];

    private const string Settings = "Where Rules:Profile or Rules:Severities say otherwise, the finding's own severity tells.";

    private static readonly FrozenDictionary<string, HelpTopic> ByCode = All.ToFrozenDictionary(t => t.Code, StringComparer.OrdinalIgnoreCase);

    public static HelpTopic? Find(string code) => ByCode.GetValueOrDefault(code);

    /// <summary>Where a code is explained.</summary>
    public static string PathOf(string code) => $"/help/{code}";

    // A rule says itself what must be so and what mends it. How grave a breach is, the profile says that captures are held to, and
    // settings may say otherwise; so the topic tells of what holds unless they do.
    private static HelpTopic Of(Rule rule) => new(
        rule.Code,
        rule.Sentence,
        RuleSeverities.Of(RuleProfile.None).Of(rule.Code) switch
        {
            Severity.Error => $"The document breaks this rule: {rule.Sentence} It is refused, or the event is left out when the capture was asked to proceed. {Settings}",
            Severity.Warning => $"The document does not follow this rule: {rule.Sentence} It is stored all the same. {Settings}",
            Severity.Info => $"Worth knowing about the document: {rule.Sentence} It is stored all the same. {Settings}",
            _ => $"The document is held to a profile that has this rule: {rule.Sentence} Captures are held to it only where Rules:Profile says so; gateway check --profile tries it.",
        },
        $"{rule.Remedy} The finding names the event, the line and, where it is known, what was found and what is wanted. Correct the event at its source and send the document again; gateway check and POST /api/check try it without storing anything.",
        rule.Clause);
}
