using System.Collections.Frozen;

namespace Epcis.Rules;

/// <summary>How grave a breach of each rule is; data, so that a policy can raise, lower or switch off any of them.</summary>
public sealed class RuleSeverities
{
    private readonly FrozenDictionary<string, Severity> _byCode;

    private RuleSeverities(IEnumerable<KeyValuePair<string, Severity>> byCode) => _byCode = byCode.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The column of a profile.</summary>
    public static RuleSeverities Of(RuleProfile profile) => new(RuleTable.Column(profile));

    /// <summary>The severity of a rule; <see langword="null"/> when it is switched off.</summary>
    public Severity? Of(string code) => _byCode.TryGetValue(code, out var severity) ? severity : null;

    /// <summary>The same, but for one rule.</summary>
    /// <param name="severity"><see langword="null"/> switches the rule off.</param>
    public RuleSeverities With(string code, Severity? severity)
    {
        if (RuleCatalog.All.All(r => r.Code != code))
        {
            throw new ArgumentException($"There is no rule {code}.", nameof(code));
        }
        var others = _byCode.Where(s => s.Key != code);
        return new(severity is { } given ? others.Append(new(code, given)) : others);
    }
}
