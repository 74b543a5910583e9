using System.ComponentModel.DataAnnotations;
using Epcis;
using Epcis.Rules;
using Microsoft.Extensions.Options;

namespace Gateway.Capture;

/// <summary>What documents are held to when they are captured or checked: a profile, and where this site judges otherwise.</summary>
public sealed class RuleOptions : IValidatableObject
{
    public const string Section = "Rules";
    private const string Off = "off";

    /// <summary>none, dscsa-1.2, dscsa-1.3, cbv-compliant or cbv-compatible.</summary>
    public string Profile { get; init; } = RuleProfiles.NameOf(RuleProfile.None);

    /// <summary>By the code of a rule, instead of what the profile says: error, warning, info or off.</summary>
    public Dictionary<string, string> Severities { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var names = RuleProfiles.All.Select(RuleProfiles.NameOf);
        if (!names.Contains(Profile))
        {
            yield return new ValidationResult($"Rules:Profile is {Profile}, and must be one of: {string.Join(", ", names)}.", [nameof(Profile)]);
        }
        foreach (var (code, severity) in Severities)
        {
            if (RuleOf(code) is null)
            {
                yield return new ValidationResult($"Rules:Severities names {code}, and there is no such rule: docs/rules.md lists them.", [nameof(Severities)]);
            }
            else if (severity != Off && SeverityOf(severity) is null)
            {
                yield return new ValidationResult($"Rules:Severities:{code} is {severity}, and must be one of: error, warning, info, off.", [nameof(Severities)]);
            }
        }
    }

    /// <summary>The rule's own spelling of its code: names of settings have no case.</summary>
    internal static string? RuleOf(string code) => RuleCatalog.All.FirstOrDefault(r => r.Code.Equals(code, StringComparison.OrdinalIgnoreCase))?.Code;

    internal static Severity? SeverityOf(string word) => word switch
    {
        "error" => Severity.Error,
        "warning" => Severity.Warning,
        "info" => Severity.Info,
        _ => null,
    };
}

/// <summary>The rules in force, made once from valid settings.</summary>
public sealed class CaptureRules
{
    public CaptureRules(IOptions<RuleOptions> options)
    {
        var profile = RuleSeverities.Of(RuleProfiles.All.First(p => RuleProfiles.NameOf(p) == options.Value.Profile));
        var severities = profile;
        var told = new List<string> { options.Value.Profile };
        foreach (var (name, word) in options.Value.Severities.OrderBy(s => s.Key, StringComparer.OrdinalIgnoreCase))
        {
            var (code, severity) = (RuleOptions.RuleOf(name)!, RuleOptions.SeverityOf(word));
            if (profile.Of(code) != severity)
            {
                severities = severities.With(code, severity);
                told.Add($"{code} {word}");
            }
        }
        Set = new RuleSet(severities);
        HeldTo = string.Join(", ", told);
    }

    public RuleSet Set { get; }

    /// <summary>The profile, and each rule that is judged otherwise, as it is kept with a capture: <c>dscsa-1.3, DSCSA-DOC-01 off</c>.</summary>
    public string HeldTo { get; }
}
